"""The built-in sample images."""

from __future__ import annotations

import threading
import time

import pytest

from builders import Watcher, complaint, names_of, read
from lamina.figures.image import LoadedImage, load
from lamina.layers.index import LayerIndex
from lamina.model import Cause, Kind
from lamina.sources.demo.source import DemoSource


@pytest.fixture(scope="module")
def images() -> dict[str, LoadedImage]:
    source = DemoSource()
    return {row.target: load(source, row.target) for row in source.list()}


def kinds(image: LoadedImage) -> set[int]:
    layers = [index for index in read(DemoSource(), image.info.target).layers if index is not None]
    return {int(kind) for index in layers for kind in index.kind}


def test_there_is_enough_to_see(images: dict[str, LoadedImage]) -> None:
    assert list(images) == ["shop-web:1.5", "shop-web:1.4", "shop-worker:2.0", "debian-base:12"]
    assert max(len(image.info.layers) for image in images.values()) >= 6
    assert images["shop-web:1.5"].info.tags == ("shop-web:1.5", "shop-web:latest")


def test_every_kind_of_waste_is_in_them_but_a_change_of_type(images: dict[str, LoadedImage]) -> None:
    causes = {row.cause for image in images.values() for row in image.waste}
    assert causes == set(Cause) - {Cause.REPLACED}


def test_the_copy_that_chmod_made_is_told_as_that(images: dict[str, LoadedImage]) -> None:
    rows = [row for row in images["shop-web:1.4"].waste if row.cause is Cause.METADATA]
    assert sum(row.bytes for row in rows) > 1_000_000
    assert {(row.layer, row.hidden_by) for row in rows} == {(3, 5)}
    assert "chmod -R" in images["shop-web:1.4"].info.layers[5].instruction


def test_versions_share_their_base_and_the_worker_only_the_lowest(images: dict[str, LoadedImage]) -> None:
    web15, web14, worker, base = ([layer.diff_id for layer in image.info.layers] for image in images.values())
    assert web15[:4] == web14[:4]
    assert not set(web15[4:5]) & set(web14)
    assert worker[0] == web15[0] == base[0]
    assert not set(worker[1:]) & set(web15)


def test_the_same_file_stands_in_layers_that_are_not_shared() -> None:
    source = DemoSource()

    def content(target: str, path: bytes) -> bytes:
        for index in read(source, target).layers:
            assert index is not None
            keys = [key.replace(b"\0", b"/") for key in index.keys()]  # noqa: SIM118  # it is no dict
            if path in keys:
                return index.content[keys.index(path)].tobytes()
        raise AssertionError(path)

    path = b"usr/bin/python3.11"
    assert content("shop-web:1.4", path) == content("shop-worker:2.0", path) != bytes(16)


def test_hard_links_symbolic_links_whiteouts_and_opaque_folders_are_in_them(images: dict[str, LoadedImage]) -> None:
    found = set().union(*(kinds(image) for image in images.values()))
    assert {Kind.HARDLINK, Kind.SYMLINK, Kind.WHITEOUT, Kind.OPAQUE} <= found


def test_package_caches_are_left_behind() -> None:
    names = {name for index in read(DemoSource(), "shop-web:1.5").layers for name in names_of(index)}
    for folder in ("var/cache/apt/archives/", "var/lib/apt/lists/", "root/.cache/pip/"):
        assert any(name.startswith(folder) for name in names)


def test_the_instructions_are_those_of_layers_only(images: dict[str, LoadedImage]) -> None:
    for image in images.values():
        for layer in image.info.layers:
            assert layer.instruction
            assert "ENTRYPOINT" not in layer.instruction


def test_they_are_the_same_every_time() -> None:
    first, second = DemoSource().list(), DemoSource().list()
    assert first == second
    assert first[0].created == "2024-07-14T06:13:20Z"


def test_they_are_small_and_soon_there() -> None:
    begun = time.process_time()
    source = DemoSource()
    rows = source.list()
    for row in rows:
        read(source, row.target)
    assert time.process_time() - begun < 1.0, "0.15 s on an ordinary machine"
    layers: dict[str, LayerIndex] = {}
    for row in rows:
        image = read(source, row.target)
        layers |= {info.diff_id: index for info, index in zip(image.info.layers, image.layers, strict=True) if index}
    assert sum(index.tar_size for index in layers.values()) < 13_000_000


def test_an_image_is_opened_by_tag_or_id_and_verifies() -> None:
    source = DemoSource()
    rows = source.list()
    assert read(source).info.id == rows[0].id
    assert read(source, "docker.io/library/shop-web:latest").info.id == rows[0].id
    assert read(source, rows[2].id[7:19], verify=True).info.id == rows[2].id
    assert "shop-worker:2.0" in complaint(source, "nosuch")


def test_a_cancelled_reading_keeps_the_head() -> None:
    cancel = threading.Event()
    cancel.set()
    watcher = Watcher()
    image = DemoSource().read(None, watcher, cancel)
    assert watcher.info is not None
    assert image.layers == [None] * len(watcher.info.layers)
