"""What a real engine tells of all its images, against their archives, its own totals, and what its disk frees."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from docker.errors import APIError

from engine.shared_images import CONTEXT, DANGLING, DEBIAN, World, build_all, name, remove_all
from engine.tools import run
from lamina.figures.compare import compare
from lamina.figures.image import LoadedImage, load
from lamina.figures.layer_tree import layer_tree
from lamina.figures.near_misses import find_near_misses
from lamina.figures.overview import overview
from lamina.figures.sharing import SetMember, Sharing, member_of, share
from lamina.model import KnownImage
from lamina.sources.engine.source import EngineSource
from needs import tool, unavailable
from opening import resolve

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def world(engine_host: str) -> Iterator[World]:
    """The images in a real engine."""
    client = docker.APIClient(base_url=engine_host, timeout=120)
    made = World(engine_host, client)
    try:
        build_all(made)
        yield made
    finally:
        remove_all(made)
        client.close()


@pytest.fixture(scope="module")
def saved(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``docker save`` of all of them."""
    archive = tmp_path_factory.mktemp("saved") / "all.tar"
    names = [image_id if short == DANGLING else name(short) for short, image_id in world.ids.items()]
    environment = {**os.environ, "DOCKER_HOST": world.host}
    run(tool("docker"), "save", "-o", archive, *names, env=environment)
    return archive


@pytest.fixture(scope="module")
def archived(world: World, saved: Path) -> dict[str, LoadedImage]:
    """The images as that archive holds them, by their short names."""
    source, _ = resolve(str(saved))
    by_id = {image.info.id: image for image in [load(source, summary.target) for summary in source.list()]}
    assert by_id.keys() == set(world.ids.values())
    return {short: by_id[image_id] for short, image_id in world.ids.items()}


def engine(world: World, *, store: bool = True) -> EngineSource:
    return EngineSource(world.host, store=store)


def known_by_name(world: World) -> dict[str, KnownImage]:
    """What the engine tells of these images, by their short names."""
    by_id = {image.summary.id: image for image in engine(world).known_images()}
    return {short: by_id[image_id] for short, image_id in world.ids.items()}


# -- without reading a layer ---------------------------------------------------------------------------------------


def test_every_image_is_known_once(world: World) -> None:
    listed = engine(world).list()
    known = engine(world).known_images()

    theirs = {image["Id"]: image for image in world.client.images()}
    # In no fixed order: an engine tells images of the same second as they come.
    assert sorted(image.summary.id for image in known) == sorted(theirs)
    assert sorted(summary.id for summary in listed) == sorted(theirs)
    for image in known:
        tags = [tag for tag in theirs[image.summary.id]["RepoTags"] or [] if tag != "<none>:<none>"]
        assert sorted(image.summary.tags) == sorted(tags)
        assert image.dangling == (not tags)
    mine = known_by_name(world)
    assert [short for short, image in mine.items() if image.dangling] == [DANGLING]
    assert set(mine["web:2"].summary.tags) == {name("web:2"), name("web:stable")}
    assert len(mine) >= 12


def test_layers_instructions_and_sizes_are_those_of_the_archives(
    world: World, archived: dict[str, LoadedImage]
) -> None:
    for short, image in known_by_name(world).items():
        exact = archived[short]
        assert image.summary.layers == len(exact.info.layers)
        assert [(layer.index, layer.diff_id, layer.chain_id, layer.instruction) for layer in image.layers] == [
            (layer.index, layer.diff_id, layer.chain_id, layer.instruction) for layer in exact.info.layers
        ], short
        # All files of these layers are plain ones: an engine also counts the lengths of symbolic links.
        assert list(image.sizes) == [layer.size for layer in exact.layers], short
        assert image.size == exact.size


def test_the_totals_are_the_engines_own(world: World) -> None:
    """Docker's /system/df counts layers by chain_id as lamina does, and is right in what is compared here.

    What people see of it is not: `docker system df` subtracts from LayersSize only what used images have *alone*, and
    so calls all shared layers reclaimable, also those that a running container stands on (docker/cli issue 5012).
    """
    source, client = engine(world), world.client
    container = client.create_container(name("web:1"), command=["x"], network_disabled=True)["Id"]
    try:
        figures = overview(source.known_images())
        told_by_engine = client.df()
    finally:
        client.remove_container(container)

    assert None not in figures.standings
    assert figures.on_disk == told_by_engine["LayersSize"]
    rows = {row["Id"]: row for row in told_by_engine["Images"]}
    for image, standing in zip(figures.images, figures.standings, strict=True):
        row = rows[image.summary.id]
        assert standing is not None
        assert (image.size, standing.shared) == (row["Size"], row["SharedSize"])
        assert standing.frees == row["Size"] - row["SharedSize"]
        assert image.containers == row["Containers"]
    alone = sum(row["Size"] - row["SharedSize"] for row in told_by_engine["Images"] if row["Containers"])
    claimed = told_by_engine["LayersSize"] - alone
    below = {
        layer.chain_id: size
        for image, standing in zip(figures.images, figures.standings, strict=True)
        for layer, size in zip(image.layers, image.sizes, strict=True)
        if image.containers and sum(layer in other.layers for other in figures.images) > 1
    }
    assert figures.reclaimable == claimed - sum(size or 0 for size in below.values())
    web_stands_on = sum(map(len, DEBIAN.values())) + files_of("python") + files_of("deps")
    assert claimed - figures.reclaimable >= web_stands_on > 0


def files_of(folder: str) -> int:
    """Bytes of a folder of the build context."""
    return sum(len(data) for path, data in CONTEXT.items() if path.startswith(folder + "/"))


def test_containers_are_counted_and_hold_what_they_stand_on(world: World) -> None:
    client = world.client
    made = [
        client.create_container(image, command=["x"], network_disabled=True)["Id"]
        for image in (name("api:2"), world.ids[DANGLING], world.ids[DANGLING])
    ]
    try:
        known = known_by_name(world)
        figures = overview(list(known.values()))
    finally:
        for container in made:
            client.remove_container(container)

    counts = {short: image.containers for short, image in known.items() if image.containers}
    assert counts == {"api:2": 1, DANGLING: 2}
    held = {layer.chain_id for short in counts for layer in known[short].layers}
    sizes = {
        layer.chain_id: size for image in known.values() for layer, size in zip(image.layers, image.sizes, strict=True)
    }
    assert figures.reclaimable == sum(size or 0 for chain, size in sizes.items() if chain not in held)
    assert not any(image.containers for image in known_by_name(world).values())


def test_the_tree_shows_three_bases_and_what_stands_on_them(world: World) -> None:
    known = known_by_name(world)
    shorts = list(known)
    tree = layer_tree([(image.layers, image.sizes) for image in known.values()])

    shown = {
        tuple(sorted(shorts[number] for number in node.images)): (node.standing, len(node.children)) for node in tree
    }
    assert shown == {
        ("debian:12", "settings:1"): (9, 3),  # python, cli, deps
        ("node:20",): (4, 3),
        ("data:1",): (1, 0),
    }
    assert sum(node.total for node in tree) == overview(list(known.values())).on_disk


# -- the same from archives ----------------------------------------------------------------------------------------


def without_blobs(images: Sequence[LoadedImage]) -> list[SetMember]:
    """As members of a set, what is known of their blobs forgotten."""
    members = map(member_of, images)
    return [
        replace(member, layers=tuple(replace(layer, digest=None, blob_size=None) for layer in member.layers))
        for member in members
    ]


@pytest.mark.parametrize("way", ["from the engine's store", "from the engine's export"])
def test_a_set_of_archives_is_the_same_set_as_in_the_engine(
    world: World, archived: dict[str, LoadedImage], way: str
) -> None:
    if "store" in way and not os.access(world.client.info()["DockerRootDir"], os.R_OK | os.X_OK):
        unavailable("needs an engine whose folder this user may read")
    source = engine(world, store="store" in way)
    live = {short: load(source, image_id) for short, image_id in world.ids.items()}
    assert {image.read_from for image in live.values()} == {way}

    assert share_of(live) == share_of(archived)
    figures = overview(list(known_by_name(world).values()))
    assert share_of(archived).on_disk == figures.on_disk, "what the engine told without reading a layer"
    assert find_near_misses(list(live.values())) == find_near_misses(list(archived.values()))
    for old, new in (("web:1", "web:2"), (DANGLING, "api:2"), ("web:2", "deps:1")):
        pairs = [(of[old], of[new]) for of in (live, archived)] + [(live[old], archived[new])]
        one, *others = [compare(a, b) for a, b in pairs]
        for other in others:
            assert other.pull == one.pull
            assert (other.disk, other.divergence) == (one.disk, one.divergence)
            assert (other.added, other.modified, other.metadata, other.removed) == (
                *(one.added, one.modified, one.metadata, one.removed),
            )


def share_of(images: dict[str, LoadedImage]) -> Sharing:
    return share([member_of(image) for image in images.values()])


def test_a_set_of_oci_archives_is_the_same_too(
    world: World, saved: Path, archived: dict[str, LoadedImage], tmp_path: Path
) -> None:
    """Its blobs are compressed, so only pull costs differ; with a live image among them it is the same again."""
    shorts = ["web:1", "web:2", "api:2", "deps:1"]
    copies = []
    for number, short in enumerate(shorts):
        target = tmp_path / f"{number}.tar"
        options = ("--insecure-policy", "copy", "-q")
        run(tool("skopeo"), *options, f"docker-archive:{saved}:{name(short)}", f"oci-archive:{target}:{short}")
        source, named = resolve(str(target))
        copies.append(load(source, named))
    originals = [archived[short] for short in shorts]

    assert share(without_blobs(copies)) == share(without_blobs(originals))
    assert find_near_misses(copies) == find_near_misses(originals)
    mixed = [copies[0], load(engine(world), world.ids["web:2"]), *originals[2:]]
    assert share(without_blobs(mixed)) == share(without_blobs(originals))
    known = {layer.diff_id: layer.blob_size for image in copies for layer in image.info.layers}
    pull = compare(copies[0], copies[1]).pull
    new = {layer.diff_id for layer in copies[1].info.layers} - {layer.diff_id for layer in copies[0].info.layers}
    assert (pull.bytes, pull.compressed) == (sum(known[layer] or 0 for layer in new), True)


def test_the_same_step_on_another_base_is_a_near_miss(world: World, archived: dict[str, LoadedImage]) -> None:
    images = [archived["web:1"], archived["deps:1"]]

    (miss,) = find_near_misses(images)

    deps = [number for number, layer in enumerate(images[0].info.layers) if "/srv/deps" in layer.instruction]
    assert ([miss.a.layer], miss.b.layer) == (deps, 1)
    assert (miss.size, miss.files) == (files_of("deps"), 5)
    assert miss.same_instruction


# -- what removing frees -------------------------------------------------------------------------------------------


def stored_bytes(world: World) -> int:
    """Bytes of the regular files that an overlay2 store holds, each once."""
    info = world.client.info()
    root = Path(info["DockerRootDir"]) / "overlay2"
    if info["Driver"] != "overlay2" or not os.access(root, os.R_OK | os.X_OK):
        unavailable("needs an engine with overlay2 whose folder this user may read")
    sizes = {}
    for layer in root.glob("*/diff"):
        for folder, _, files in os.walk(layer):
            for file in files:
                status = os.lstat(os.path.join(folder, file))
                if stat.S_ISREG(status.st_mode):
                    sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


def test_removing_images_frees_what_was_told(world: World) -> None:
    """Takes the images away, one by one, and so stands last."""
    client = world.client
    before = stored_bytes(world)
    with pytest.raises(APIError):  # others were built from it
        client.remove_image(world.ids["debian:12"], force=True)
    assert told(world, "debian:12") == 0, "and so nothing of it is its own"
    freed = {}
    for short in ("settings:1", "web:1", "tools:1", DANGLING, "deps:1", "worker:1", "web:2", "data:1"):
        freed[short] = told(world, short)
        client.remove_image(world.ids[short], force=True)
        after = stored_bytes(world)
        assert before - after == freed[short], short
        before = after
    assert freed["settings:1"] == 0
    assert freed["web:1"] == files_of("web1"), "its base and its dependencies are others' too"
    assert freed["web:2"] == files_of("web2") + files_of("deps"), "it was the last one with these dependencies"

    # What a container stands on stays: all the rest is reclaimable.
    container = client.create_container(name("api:1"), command=["x"], network_disabled=True)["Id"]
    try:
        before = stored_bytes(world)
        reclaimable = overview(left_of(world)).reclaimable
        for short in ("cli:1", "api:2", "python:3", "debian:12"):
            client.remove_image(world.ids[short], force=True)
        assert before - stored_bytes(world) == reclaimable > 0
        assert [image.summary.tags for image in left_of(world)] == [(name("api:1"),), (name("node:20"),)]
    finally:
        client.remove_container(container)


def left_of(world: World) -> list[KnownImage]:
    """The images that are still there, by name."""
    by_id = {image.summary.id: image for image in engine(world).known_images()}
    return sorted(
        (by_id[image_id] for image_id in world.ids.values() if image_id in by_id), key=lambda image: image.summary.tags
    )


def told(world: World, short: str) -> int:
    """What the overview says that removing an image frees."""
    images = left_of(world)
    standings = dict(zip((image.summary.id for image in images), overview(images).standings, strict=True))
    standing = standings[world.ids[short]]
    assert standing is not None
    return standing.frees
