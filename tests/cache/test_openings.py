"""An image opened again, from what was kept: the same in every figure, and only what is new is read."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import random
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from builders import Image, Members, Watcher, layer, new_docker, oci, old_docker, pack, write_layout
from builders import file as plain_file
from cache.support import cache_in, figures, kept, rich_image, rich_layers, without_names, written
from lamina.cache.cache import Cache
from lamina.cache.layers import layer_from_bytes
from lamina.model import Cause
from lamina.stack.stored import stacked_from_bytes
from lamina.workers.jobs import HashJob, ScanJob
from opening import resolve
from random_layers import Layers, layer_stacks
from tars import layer_tar
from zstd_frames import compress_zstd

# -- cold, warm, warm again --------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[Path], Path]] = {
    "docker-archive": lambda folder: written(folder, old_docker(rich_image())),
    "docker-archive gzip": lambda folder: written(folder, old_docker(rich_image(), how="gzip")),
    "new docker-archive": lambda folder: written(folder, new_docker(rich_image())),
    "oci-archive": lambda folder: written(folder, oci(rich_image(), how="none")),
    "oci-archive gzip": lambda folder: written(folder, oci(rich_image(), how="gzip")),
    "oci-archive zstd": lambda folder: written(folder, oci(rich_image(), how="zstd")),
    "layout": lambda folder: write_layout(folder / "layout", oci(rich_image(), how="none")),
    "layout gzip": lambda folder: write_layout(folder / "layout", oci(rich_image(), how="gzip")),
    "layout zstd": lambda folder: write_layout(folder / "layout", oci(rich_image(), how="zstd")),
    "outer gzip": lambda folder: outer(folder, gzip.compress),
    "outer zstd": lambda folder: outer(folder, compress_zstd),
    "standard input": lambda folder: written(folder, oci(rich_image()), "-"),
}
STREAMS = ("outer gzip", "outer zstd", "standard input")


def outer(folder: Path, compress: Callable[[bytes], bytes]) -> Path:
    path = folder / "image.tar.x"
    path.write_bytes(compress(pack(old_docker(rich_image()))))
    return path


def opened(target: Path, cache: Cache | None = None, *, verify: bool = False) -> Any:
    if target.name == "-":
        return figures("-", cache, stdin=io.BytesIO(target.read_bytes()), verify=verify)
    return figures(target, cache, verify=verify)


def test_the_image_says_something_in_every_figure(tmp_path: Path) -> None:
    image = opened(FORMS["docker-archive"](tmp_path))
    assert {row["cause"] for row in image["waste"]} == {cause.word for cause in Cause}
    assert [duplicate["copies"] for duplicate in image["duplicates"]] == [2, 2]
    assert image["advice"]
    for tally in ("added", "modified", "metadata", "removed"):
        assert sum(layer[tally]["bytes"] for layer in image["layers"])


@pytest.mark.parametrize("form", FORMS)
def test_every_opening_gives_the_same_figures(form: str, tmp_path: Path) -> None:
    target, cache = FORMS[form](tmp_path), tmp_path / "cache"
    cold = opened(target)
    for _ in range(3):
        assert opened(target, cache_in(cache)) == cold  # as another run
    known = cache_in(cache)
    for _ in range(2):
        assert opened(target, known) == cold
    memory = Cache()
    for _ in range(2):
        assert opened(target, memory) == cold
    assert opened(target, known, verify=True) == cold
    assert opened(target, known) == cold


def test_every_form_gives_the_figures_of_the_others_from_one_cache(tmp_path: Path) -> None:
    """What is kept by diff_id, by digest and by place, with contents and without, in turns."""
    targets = {}
    for form, make in FORMS.items():
        (tmp_path / form).mkdir()
        targets[form] = make(tmp_path / form)
    cold = {form: opened(target) for form, target in targets.items()}
    assert len({repr(without_names(image)) for image in cold.values()}) == 1
    cache = cache_in(tmp_path / "cache")
    for form in [*targets, *reversed(targets)]:
        assert opened(targets[form], cache) == cold[form]
        assert opened(targets[form], cache_in(tmp_path / "cache")) == cold[form]


@settings(max_examples=15)
@given(layer_stacks(max_layers=4))
def test_any_image_shows_the_same_again(layers: Layers) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = Image([layer_tar(*members) for members in layers])
        for make in (old_docker, oci):
            target = written(folder, make(image), f"{make.__name__}.tar")
            cold = opened(target)
            assert opened(target, cache_in(folder / "cache")) == cold
            assert opened(target, cache_in(folder / "cache")) == cold


# -- with damage in between --------------------------------------------------------------------------------------------


def flip(data: bytes) -> bytes:
    return data[:-20] + bytes([data[-20] ^ 0xFF]) + data[-19:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": flip,
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "rubbish": lambda data: random.Random(7).randbytes(len(data)),
    "zeros": lambda data: bytes(len(data)),
    "another version": lambda data: data[:6] + b"\xff\xff" + data[8:],
}


def is_whole(path: Path) -> bool:
    data = path.read_bytes()
    return layer_from_bytes(data) is not None or stacked_from_bytes(data) is not None


@pytest.mark.parametrize("damage", DAMAGES)
def model_of(paths: Sequence[Path]) -> Path:
    (found,) = [path for path in paths if stacked_from_bytes(path.read_bytes()) is not None]
    return found


@pytest.mark.parametrize("form", ["docker-archive", "layout zstd", "outer gzip"])
def test_damaged_files_change_no_figure(form: str, tmp_path: Path) -> None:
    target, cache = FORMS[form](tmp_path), tmp_path / "cache"
    cold = opened(target)
    opened(target, cache_in(cache))
    whole = {path: path.read_bytes() for path in kept(cache)}
    assert len(whole) == 4, "three layers, and the image"
    stacked = model_of(kept(cache))
    for damage in DAMAGES.values():
        for some in ([stacked], [next(path for path in whole if path != stacked)], list(whole)):
            for path in some:
                path.write_bytes(damage(whole[path]))
            assert opened(target, cache_in(cache)) == cold
            assert is_whole(stacked)
            for path, data in whole.items():
                path.write_bytes(data)


@pytest.mark.parametrize("form", ["oci-archive gzip", "standard input"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_written_anew(damage: str, form: str, tmp_path: Path) -> None:
    target, cache = FORMS[form](tmp_path), tmp_path / "cache"
    cold = opened(target)
    opened(target, cache_in(cache))
    before = kept(cache)
    for path in before:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert opened(target, cache_in(cache)) == cold
    assert kept(cache) == before
    assert all(map(is_whole, before))


def test_a_damaged_file_is_not_found_for_ever(tmp_path: Path, reads: Reads) -> None:
    """What is kept by diff_id comes first; where that is damaged, what was read anew must come to its place."""
    stream, target, cache = FORMS["standard input"](tmp_path), FORMS["oci-archive gzip"](tmp_path), tmp_path / "cache"
    opened(stream, cache_in(cache))
    for path in kept(cache):
        path.write_bytes(b"damaged")
    opened(target, cache_in(cache))
    assert reads.layers() == 3
    opened(target, cache_in(cache))
    assert reads.layers() == 0, "it is read anew every time"


# -- only what is new is read ------------------------------------------------------------------------------------------


class Reads:
    """What is read of files from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bytes = 0
        self._scans: list[ScanJob] = []
        self._lock = threading.Lock()
        pread, scan, hash_ = os.pread, ScanJob.run, HashJob.run

        def counted_pread(fd: int, count: int, offset: int) -> bytes:
            data = pread(fd, count, offset)
            with self._lock:
                self._bytes += len(data)
            return data

        def counted_scan(job: ScanJob, *arguments: Any) -> Any:
            self._scans.append(job)
            return scan(job, *arguments)

        monkeypatch.setattr(os, "pread", counted_pread)
        monkeypatch.setattr(ScanJob, "run", counted_scan)
        monkeypatch.setattr(HashJob, "run", hash_)

    def layers(self) -> int:
        """Layers read since this was last asked."""
        scans, self._scans = self._scans, []
        return len(scans)

    def bytes(self) -> int:
        """Bytes read since this was last asked."""
        count, self._bytes = self._bytes, 0
        return count


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


_seeds = itertools.count()


def big_layer(size: int) -> bytes:
    """A layer that no compression makes smaller."""
    return layer(plain_file(f"data{size}", random.Random(next(_seeds)).randbytes(size)))


SMALL = 60_000
"""Bytes that tables of contents and first blocks may take."""


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_of_two_archives_the_second_is_read_only_where_it_differs(how: Any, tmp_path: Path, reads: Reads) -> None:
    base, one, two = big_layer(3_000_000), big_layer(200_000), big_layer(300_000)
    first = written(tmp_path, oci(Image([base, one]), how=how), "first.tar")
    second = written(tmp_path, oci(Image([base, two]), how=how), "second.tar")
    cache = tmp_path / "cache"
    opened(first, cache_in(cache))
    assert reads.layers() == 2
    assert reads.bytes() > 3_200_000
    opened(second, cache_in(cache))
    assert reads.layers() == 1
    assert 300_000 < reads.bytes() < 300_000 + SMALL
    for path in (first, second):
        opened(path, cache_in(cache))
        assert reads.layers() == 0
        assert reads.bytes() < SMALL


@pytest.mark.parametrize(("make", "how"), [(old_docker, "none"), (new_docker, "none"), (oci, "gzip")])
def test_of_two_images_in_one_archive_the_shared_layers_are_read_once(
    make: Callable[..., Members], how: Any, tmp_path: Path, reads: Reads
) -> None:
    base, one, two = big_layer(1_000_000), big_layer(200_000), big_layer(300_000)
    path = written(tmp_path, make(Image([base, one], ("a:1",)), Image([base, two], ("b:1",)), how=how))
    for cache in (cache_in(tmp_path / "cache"), Cache()):
        for tag, expected in (("a:1", 2), ("b:1", 1)):
            source, target = resolve(f"{path}:{tag}", cache=cache)
            source.read(target, Watcher(), threading.Event())
            assert reads.layers() == expected


def test_what_came_by_a_stream_is_not_read_from_the_archive(tmp_path: Path, reads: Reads) -> None:
    image = Image([big_layer(1_000_000), big_layer(200_000)])
    path = written(tmp_path, oci(image, how="zstd"))
    stream = written(tmp_path, old_docker(image), "-")
    cold = without_names(opened(path))
    cache = cache_in(tmp_path / "cache")
    opened(stream, cache)
    reads.layers()
    reads.bytes()
    assert without_names(opened(path, cache)) == cold
    assert reads.layers() == 0
    assert reads.bytes() < SMALL


def test_a_layout_shares_with_an_archive(tmp_path: Path, reads: Reads) -> None:
    image = Image([big_layer(500_000), *rich_layers()])
    members = oci(image)
    cache = cache_in(tmp_path / "cache")
    opened(write_layout(tmp_path / "layout", members), cache)
    assert reads.layers() == 4
    opened(written(tmp_path, members), cache)
    assert reads.layers() == 0


def test_the_stacked_image_alone_is_enough(tmp_path: Path, reads: Reads) -> None:
    target, cache = FORMS["oci-archive gzip"](tmp_path), tmp_path / "cache"
    cold = opened(target)
    opened(target, cache_in(cache))
    reads.layers()
    stacked = model_of(kept(cache))
    for path in kept(cache):
        if path != stacked:
            path.write_bytes(b"not looked into")
    assert opened(target, cache_in(cache)) == cold
    assert reads.layers() == 0


def test_verifying_reads_all_of_it_again(tmp_path: Path, reads: Reads) -> None:
    target, cache = FORMS["oci-archive gzip"](tmp_path), cache_in(tmp_path / "cache")
    for _ in range(2):
        opened(target, cache)
    reads.layers()
    opened(target, cache, verify=True)
    assert reads.layers() == 3


def test_an_image_that_holds_a_layer_twice_reads_it_once(tmp_path: Path, reads: Reads) -> None:
    shared, other = big_layer(100_000), big_layer(50_000)
    target = written(tmp_path, oci(Image([shared, other, shared])))
    cold = opened(target)
    assert reads.layers() == 2
    for cache in (cache_in(tmp_path / "cache"), Cache()):
        for _ in range(2):
            assert opened(target, cache) == cold


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive gzip", "standard input"])
def test_a_cancelled_reading_keeps_no_half_image(form: str, tmp_path: Path) -> None:
    target, cache = FORMS[form](tmp_path), tmp_path / "cache"
    cold = opened(target)
    cancel = threading.Event()

    class Impatient(Watcher):
        def layer(self, index: int, facts: Any) -> None:
            cancel.set()

    stdin = io.BytesIO(target.read_bytes()) if target.name == "-" else None
    source, name = resolve("-" if stdin else str(target), stdin=stdin, cache=cache_in(cache))
    source.read(name, Impatient(), cancel)
    assert opened(target, cache_in(cache)) == cold
    assert opened(target, cache_in(cache)) == cold
