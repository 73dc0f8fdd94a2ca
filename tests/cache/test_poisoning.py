"""A forged archive never changes what another image shows, whatever it claims and whichever is opened first."""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import Image, Members, blob, compress, new_docker, oci, old_docker, pack, sha256
from cache.support import OTHER, TWIN, cache_in, figures, rich_image, rich_layers, written
from lamina.cache.cache import Cache
from lamina.figures.image import load
from lamina.model import LaminaError
from lamina.reports.image import build
from opening import resolve
from tars import directory, file, layer_tar, whiteout

FORGED_LAYERS = [
    layer_tar(directory("evil"), file("twin/a", OTHER), file("twin/b", TWIN), file("evil/x", 9000)),
    layer_tar(whiteout("evil"), file("twin/c", TWIN), file("twin/d", TWIN), file("same", 77)),
    layer_tar(file("evil/y", 5)),
]


class Claiming(Image):
    """An image whose config is another's: it claims that image's diff_ids, and has its ID."""

    @property
    def config(self) -> bytes:
        return rich_image().config


def forged(layers: Sequence[bytes] = FORGED_LAYERS) -> Image:
    return Claiming(layers, ("forged:1",))


def renamed(members: Members, ours: Sequence[bytes], theirs: Sequence[bytes], how: Any) -> Members:
    """The blobs of an image under the names, and so the digests, of another's."""
    text = {name: content for name, content in members.items() if isinstance(content, bytes)}
    for our_layer, their_layer in zip(ours, theirs, strict=True):
        data, claim = compress(our_layer, how), sha256(compress(their_layer, how))
        own = sha256(data)
        if own == claim:
            continue
        text = {
            name.replace(blob(own), blob(claim)): content.replace(own.encode(), claim.encode()).replace(
                blob(own).encode(), blob(claim).encode()
            )
            if b'"layers": [' in content or b'"Layers": [' in content
            else content
            for name, content in text.items()
        }
    return relinked(dict(text))


def relinked(members: dict[str, bytes]) -> Members:
    """The same after a manifest was changed: it goes by its new digest."""
    index = json.loads(members["index.json"])
    for row in index["manifests"]:
        data = members.pop(blob(row["digest"]))
        row["digest"] = sha256(data)
        members[blob(row["digest"])] = data
    members["index.json"] = json.dumps(index).encode()
    return dict(members)


def with_diff_ids(build: Callable[..., Members], how: Any) -> Callable[[Sequence[bytes]], Members]:
    return lambda layers: build(forged(layers), how=how)


def with_digests(build: Callable[..., Members], how: Any) -> Callable[[Sequence[bytes]], Members]:
    """The config is the forger's own: only the blobs' digests are another's."""
    return lambda layers: renamed(build(Image(layers, ("forged:1",)), how=how), layers, rich_layers(), how)


def with_both(build: Callable[..., Members], how: Any) -> Callable[[Sequence[bytes]], Members]:
    return lambda layers: renamed(build(forged(layers), how=how), layers, rich_layers(), how)


FORGERIES: dict[str, Callable[[Sequence[bytes]], Members]] = {
    "docker-archive, in place": with_diff_ids(old_docker, "none"),
    "docker-archive, gzip": with_diff_ids(old_docker, "gzip"),
    "new docker-archive, in place": with_diff_ids(new_docker, "none"),
    "new docker-archive, in place, digests": with_digests(new_docker, "none"),
    "new docker-archive, in place, both": with_both(new_docker, "none"),
    "new docker-archive, gzip, both": with_both(new_docker, "gzip"),
    **{
        f"OCI {how}, {claims}": with_claims(oci, how)
        for how in ("none", "gzip", "zstd")
        for claims, with_claims in (("diff_ids", with_diff_ids), ("digests", with_digests), ("both", with_both))
    },
}

GENUINE: dict[str, Callable[[], Members]] = {
    "docker-archive": lambda: old_docker(rich_image()),
    "new docker-archive": lambda: new_docker(rich_image()),
    "OCI none": lambda: oci(rich_image(), how="none"),
    "OCI gzip": lambda: oci(rich_image(), how="gzip"),
    "OCI zstd": lambda: oci(rich_image(), how="zstd"),
}


def opened(target: Path, cache: Cache, *, stream: bool = False, verify: bool = False) -> Any:
    """Figures, or None where the archive is refused."""
    with contextlib.suppress(LaminaError):
        if stream:
            return figures("-", cache, stdin=io.BytesIO(target.read_bytes()), verify=verify)
        return figures(target, cache, verify=verify)
    return None


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """The genuine image in each form, with its figures as they are without anything kept."""
    folder = tmp_path_factory.mktemp("genuine")
    paths = {form: written(folder, make(), f"{form}.tar") for form, make in GENUINE.items()}
    return {form: (path, figures(path)) for form, path in paths.items()}


CONTENTS: dict[str, Callable[[Sequence[bytes]], Sequence[bytes]]] = {
    "others": lambda _: FORGED_LAYERS,
    # Each is known, but under another's name.
    "swapped": lambda sound: [sound[1], sound[0], sound[2]],
    "one other": lambda sound: [sound[0], FORGED_LAYERS[1], sound[2]],
}


SOME = ("docker-archive, in place", "new docker-archive, in place, both", "OCI none, diff_ids", "OCI gzip, both")


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        *itertools.product(FORGERIES, ("others in files", "swapped in files")),
        *itertools.product(SOME, ("one other in files", "others in memory")),
    ],
)
def test_a_forgery_changes_nothing(form: str, kept: str, genuine: dict[str, tuple[Path, Any]], tmp_path: Path) -> None:
    layers, _, place = kept.partition(" in ")
    target = written(tmp_path, FORGERIES[form](CONTENTS[layers](rich_layers())), "forged.tar")
    for number, name in enumerate(("docker-archive", "OCI gzip")):
        path, expected = genuine[name]
        cache = Cache() if place == "memory" else cache_in(tmp_path / str(number))
        opened(target, cache)
        assert opened(path, cache) == expected, "the forgery was opened first"
        opened(target, cache)
        assert opened(path, cache) == expected, "and once more, from what is kept"


@pytest.mark.parametrize("form", FORGERIES)
def test_a_forgery_changes_nothing_across_forms(
    form: str, genuine: dict[str, tuple[Path, Any]], tmp_path: Path
) -> None:
    cache = cache_in(tmp_path / "cache")
    target = written(tmp_path, FORGERIES[form](FORGED_LAYERS), "forged.tar")
    for path, expected in genuine.values():
        for as_stream in (False, True):
            opened(target, cache, stream=as_stream)
        assert opened(path, cache) == expected


@pytest.mark.parametrize("form", FORGERIES)
def test_a_forgery_is_an_error_where_it_is_verified(
    form: str, genuine: dict[str, tuple[Path, Any]], tmp_path: Path
) -> None:
    target = written(tmp_path, FORGERIES[form](FORGED_LAYERS), "forged.tar")
    warm = cache_in(tmp_path / "cache")
    opened(target, warm)
    for name in ("docker-archive", "OCI gzip"):
        path, expected = genuine[name]
        assert opened(path, warm, verify=True) == expected, "now all is known by its diff_id"
    for cache in (Cache(), warm):
        with pytest.raises(LaminaError, match="hash"):
            figures(target, cache, verify=True)


@pytest.mark.parametrize("form", FORGERIES)
def test_a_forged_stream_is_refused(form: str, genuine: dict[str, tuple[Path, Any]], tmp_path: Path) -> None:
    target = tmp_path / "forged.tar.gz"
    target.write_bytes(gzip.compress(pack(FORGERIES[form](FORGED_LAYERS)), 1))
    cache = cache_in(tmp_path / "cache")
    path, expected = genuine["OCI gzip"]
    with pytest.raises(LaminaError, match="hash"):
        figures(target, cache)
    assert opened(path, cache) == expected
    with pytest.raises(LaminaError, match="hash"):
        figures(target, cache)


# -- the same place, another file --------------------------------------------------------------------------------------


def two_of_one_size(times: int = 1) -> tuple[bytes, bytes]:
    """Two archives of equally many bytes: their layers stand at the same places, with a content so many times over."""

    def archive(twin: bytes) -> bytes:
        layer = layer_tar(file("a", times * TWIN), file("b", times * twin), file("c", 5000))
        return pack(old_docker(Image([layer], ("t:1",))))

    return archive(TWIN), archive(OTHER)


@pytest.mark.parametrize("way", ["written over", "removed and made anew", "moved into its place"])
def test_another_archive_at_the_same_place_is_another(tmp_path: Path, way: str) -> None:
    first, second = two_of_one_size()
    assert len(first) == len(second)
    path, cache = tmp_path / "image.tar", cache_in(tmp_path / "cache")

    def put(data: bytes) -> None:
        if way == "removed and made anew":
            path.unlink(missing_ok=True)
        target = path.with_name("new.tar") if way == "moved into its place" else path
        target.write_bytes(data)
        os.utime(target, (1, 1))  # as reproducible builds do
        target.replace(path)

    put(first)
    assert figures(path, cache)["duplicates"]
    assert figures(path, cache)["duplicates"]
    put(second)
    assert not figures(path, cache)["duplicates"]
    put(first)
    assert figures(path, cache)["duplicates"]


def test_what_changes_while_it_is_read_is_no_mix(tmp_path: Path) -> None:
    first, second = two_of_one_size(times=100)  # large: read only because a figure needs them
    path, cache = tmp_path / "image.tar", cache_in(tmp_path / "cache")
    path.write_bytes(first)
    source, _ = resolve(str(path), cache=cache)
    image = load(source, None)
    path.write_bytes(second)
    os.utime(path, (1, 1))
    with pytest.raises(LaminaError, match="changed while it was read"):
        build([image])  # looks for duplicates, in what is another archive now
    assert not figures(path, cache)["duplicates"]
