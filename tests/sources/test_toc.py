"""Layers of registries that bring a table of contents: what is fetched of them, and when they are read whole."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from builders import Image, compress, read, sha256
from cache.support import cache_in
from lamina.cache.cache import Cache
from lamina.figures.duplicates import find_duplicates
from lamina.figures.image import LoadedImage, load
from lamina.layers.index import UNKNOWN_SIZE
from lamina.model import Cause, ImageInfo, LaminaError
from lamina.sources.base import NullObserver
from lamina.sources.registry import client as asking
from lamina.sources.registry.source import RegistrySource
from lying_registry import LyingRegistry
from opening import resolve
from stacks import waste_of
from tars import Member, directory, file, hardlink, layer_tar, whiteout
from toc_layers import TABLE, estargz, table, zstd_chunked

Stored = tuple[bytes, dict[str, str]]
Build = Callable[..., Stored]
BUILDERS: dict[str, Build] = {
    "estargz": estargz,
    "zstd:chunked": zstd_chunked,
    "zstd:chunked before 2023": partial(zstd_chunked, prefix="io.containers"),
}
LAYERS: list[list[Member]] = [
    [directory("d"), file("d/same", b"s" * 9000), file("d/rewritten", b"a" * 6000), file("copy", b"s" * 9000)],
    [file("d/same", b"s" * 9000, mode=0o600), file("d/rewritten", b"b" * 6000), hardlink("too", "d/same")],
    [whiteout("copy")],
]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(asking, "_FIRST_PAUSE", 0.01)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def registry(stored: Sequence[Stored], layers: Sequence[Sequence[Member]] = LAYERS, **how: Any) -> LyingRegistry:
    """One that has an image of these blobs."""
    tables = [annotations.get("containerd.io/snapshot/stargz/toc.digest") for _, annotations in stored]
    tars = [
        # An eStargz layer's last member is its table.
        layer_tar(*members, *([file(TABLE, table(members), mode=0, mtime=0)] if digest else []))
        for members, digest in zip(layers, tables, strict=True)
    ]
    return LyingRegistry(Image(tars, tags=("app:1",)), stored=stored, **how)


def source(running: LyingRegistry, cache: Cache | None = None) -> RegistrySource:
    found, _ = resolve(running.target, cache=cache)
    assert isinstance(found, RegistrySource)
    return found


def rows(image: Any) -> Iterator[list[Any]]:
    """What a reading says of each layer, less the content ids and what only the tar tells."""
    for index in image.layers:
        columns = [getattr(index, name).tolist() for name in ("kind", "size", "mode", "uid", "gid", "mtime")]
        yield [index.keys(), *columns, index.links, index.devices, index.xattrs]


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_a_table_lists_what_a_reading_finds(build: Build, tmp_path: Path) -> None:
    stored = [build(members) for members in LAYERS]
    cache = cache_in(tmp_path / "cache")
    with registry(stored) as running:
        listed = read(source(running, cache))
        sent = running.sent
        whole = read(source(running), verify=True)
        assert list(rows(listed)) == list(rows(whole))
        assert [index.tar_size for index in listed.layers if index] == [UNKNOWN_SIZE] * 3
        total = sum(len(blob) for blob, _ in stored)
        assert sent < total
        assert running.sent == sent + total
        assert listed.read_from.endswith("3 layers are listed by their tables of contents")
        again = read(source(running, cache))
        assert list(rows(again)) == list(rows(listed))
        assert running.sent == sent + total
        assert "0 B" in again.read_from


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_the_figures_are_those_of_the_layers(build: Build) -> None:
    stored = [build(members) for members in LAYERS]
    with registry(stored) as running:
        listed = load(source(running), None)
        sent = running.sent
        duplicates = find_duplicates(listed)
        assert running.sent == sent < sum(len(blob) for blob, _ in stored)
        whole = load(source(running), None, verify=True)
    assert figures(listed) == figures(whole)
    assert {row.cause for row in listed.waste} == {Cause.METADATA, Cause.OVERWRITTEN, Cause.REMOVED}
    assert duplicates == find_duplicates(whole)


def figures(image: LoadedImage) -> list[Any]:
    layers = [dataclasses.replace(layer, tar_size=None) for layer in image.layers]
    return [waste_of(image), layers, image.size, image.visible, image.files]


def but(stored: Stored, mark: str, value: str) -> Stored:
    """The same with another value of the annotation that ends in something."""
    return stored[0], {key: value if key.endswith(mark) else old for key, old in stored[1].items()}


LISTED = zstd_chunked(LAYERS[0])
SEEKABLE = estargz(LAYERS[0])
WITH_TABLE = layer_tar(*LAYERS[0], file(TABLE, table(LAYERS[0]), mode=0, mtime=0))
UNUSABLE: dict[str, Stored] = {
    "another digest (estargz)": but(SEEKABLE, "digest", sha256(b"")),
    "another digest (zstd:chunked)": but(LISTED, "checksum", sha256(b"")),
    "no digest": but(LISTED, "checksum", "sha256:0"),
    "no place": but(LISTED, "position", "1:2:3"),
    "another kind of table": but(LISTED, "position", "9:9:9:2"),
    "behind the end": but(LISTED, "position", "99999999:5:5:1"),
    "too large": but(LISTED, "position", "9:99999999999:5:1"),
    "elsewhere": but(LISTED, "position", "9:20:5:1"),
    "no footer": (compress(WITH_TABLE, "gzip"), SEEKABLE[1]),
    "no table": zstd_chunked(LAYERS[0], b"rubbish"),
}


@pytest.mark.parametrize("stored", UNUSABLE.values(), ids=UNUSABLE)
def test_a_table_that_can_not_be_relied_on_is_not_used(stored: Stored) -> None:
    with registry([stored], LAYERS[:1]) as running:
        image = read(source(running))
        assert list(rows(image)) == list(rows(read(source(running), verify=True)))
    assert image.layers[0] is not None
    assert image.layers[0].tar_size > 0
    assert "tables of contents" not in image.read_from


@pytest.mark.parametrize("build", [estargz, zstd_chunked])
def test_a_registry_that_serves_no_parts_is_read_whole(build: Build) -> None:
    with registry([build(LAYERS[0])], LAYERS[:1], ranges=False) as running:
        image = read(source(running))
    assert image.layers[0] is not None
    assert image.layers[0].tar_size > 0


@pytest.mark.parametrize("build", [estargz, zstd_chunked])
def test_where_ids_of_two_kinds_meet_the_listed_layer_is_read(build: Build) -> None:
    plain = compress(layer_tar(*LAYERS[1]), "gzip"), {}
    with registry([build(LAYERS[0]), plain], LAYERS[:2]) as running:
        mixed = load(source(running), None)
        assert figures(mixed)[2:] == figures(load(source(running), None, verify=True))[2:]
    assert {row.path: row.cause for row in mixed.waste} == {
        b"d/same": Cause.METADATA,
        b"d/rewritten": Cause.OVERWRITTEN,
    }


def test_a_table_that_lists_another_file_is_told_when_it_shows() -> None:
    lies = table([*LAYERS[0][:1], file("d/same", b"s" * 9000), file("d/nowhere", b"n" * 6000)])
    plain = compress(layer_tar(file("d/nowhere", b"m" * 6000)), "gzip"), {}
    stored = [zstd_chunked(LAYERS[0], lies), plain]
    layers = [LAYERS[0], [file("d/nowhere", b"m" * 6000)]]
    told = pytest.raises(LaminaError, match="its table of contents lists another d/nowhere")
    with registry(stored, layers) as running, told:
        load(source(running), None)


def test_reading_can_be_left() -> None:
    cancel = threading.Event()

    class LeavesAtTheHead(NullObserver):
        def head(self, info: ImageInfo) -> None:
            cancel.set()

    with registry([estargz(LAYERS[0])], LAYERS[:1]) as running:
        image = load(source(running), None, LeavesAtTheHead(), cancel)
    assert [layer.read for layer in image.layers] == [False]
