"""Any bytes of a layer's tar, whichever way it is stored."""

from __future__ import annotations

import gzip
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import compress
from lamina.layers import gzip_points, tar_bytes
from lamina.layers.gzip_points import PointedGzip
from lamina.layers.tar_bytes import ForwardTar, PlainTar, TarBytes, TarPart, file_chunks
from lamina.layers.zstd_points import PointedZstd
from lamina.model import Cancelled, LaminaError

BEFORE = b"something else of the same file"
TAR = bytes(512) + random.Random(7).randbytes(300_000) + bytes(700_000) + random.Random(8).randbytes(300_000)
"""What stands for a tar: nothing of it but its first block, which is NUL, is looked at here."""


def placed(folder: Path, blob: bytes) -> tuple[int, int, int]:
    """An open file with the blob in its middle, where it begins, and its bytes."""
    path = folder / "file"
    path.write_bytes(BEFORE + blob + BEFORE)
    return os.open(path, os.O_RDONLY), len(BEFORE), len(blob)


def plain(folder: Path) -> TarBytes:
    return PlainTar(*placed(folder, TAR), "it")


def forward(how: str) -> Callable[[Path], TarBytes]:
    def make(folder: Path) -> TarBytes:
        fd, start, size = placed(folder, compress(TAR, how))
        return ForwardTar(lambda: file_chunks(os.dup(fd), start, size, "it"), "it", threading.Event())

    return make


def pointed(folder: Path) -> TarBytes:
    return PointedGzip(*placed(folder, gzip.compress(TAR)), "it", threading.Event())


def framed(folder: Path) -> TarBytes:
    return PointedZstd(*placed(folder, in_frames(TAR, 100_000)), "it", threading.Event())


def in_frames(tar: bytes, size: int) -> bytes:
    """In a frame for each ``size`` bytes, and a skippable one behind each, as zstd:chunked ends with."""
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0what"
    return b"".join(compress(tar[start : start + size], "zstd") + skipped for start in range(0, len(tar), size))


def part(folder: Path) -> TarBytes:
    fd, start, size = placed(folder, BEFORE + TAR + BEFORE)
    return TarPart(PlainTar(fd, start, size, "it"), len(BEFORE), len(TAR), "it")


WAYS = {
    "plain": plain,
    "gzip": forward("gzip"),
    "zstd": forward("zstd"),
    "gzip with points": pointed,
    "zstd with points": framed,
    "part of another": part,
}


@pytest.mark.parametrize("open_tar", WAYS.values(), ids=WAYS.keys())
def test_bytes_at_any_offset_in_any_order(open_tar: Callable[[Path], TarBytes], tmp_path: Path) -> None:
    tar = open_tar(tmp_path)
    wanted = [(0, 10), (500_000, 70_000), (1_299_999, 1), (3, 0), (299_990, 20), (0, len(TAR))]

    assert [tar.read(offset, size) for offset, size in wanted] == [TAR[o : o + s] for o, s in wanted]
    tar.close()


@pytest.mark.parametrize("open_tar", WAYS.values(), ids=WAYS.keys())
def test_what_lies_beyond_the_end_is_an_error(open_tar: Callable[[Path], TarBytes], tmp_path: Path) -> None:
    tar = open_tar(tmp_path)

    with pytest.raises(LaminaError, match="truncated"):
        tar.read(len(TAR) - 5, 10)

    assert tar.read(len(TAR) - 5, 5) == TAR[-5:]
    tar.close()


@pytest.mark.parametrize("way", ["gzip", "zstd", "gzip with points"])
def test_a_blob_that_was_cut_is_an_error_after_what_is_whole(way: str, tmp_path: Path) -> None:
    blob = compress(TAR, way.split(maxsplit=1)[0])
    fd, start, size = placed(tmp_path, blob[: len(blob) * 3 // 4])
    cancel = threading.Event()
    tar: TarBytes = (
        PointedGzip(fd, start, size, "it", cancel)
        if way == "gzip with points"
        else ForwardTar(lambda: file_chunks(fd, start, size, "it"), "it", cancel)
    )

    assert tar.read(0, 100_000) == TAR[:100_000]
    with pytest.raises(LaminaError, match=r"^it"):
        tar.read(len(TAR) - 5, 5)
    tar.close()


def test_a_damaged_gzip_blob_is_an_error(tmp_path: Path) -> None:
    blob = bytearray(gzip.compress(TAR))
    blob[100_000:100_100] = bytes(100)
    tar = PointedGzip(*placed(tmp_path, bytes(blob)), "it", threading.Event())

    with pytest.raises(LaminaError, match="damaged gzip data"):
        tar.read(len(TAR) - 5, 5)
    tar.close()


@pytest.mark.parametrize("way", ["gzip", "gzip with points"])
def test_a_cancel_ends_the_unpacking(way: str, tmp_path: Path) -> None:
    fd, start, size = placed(tmp_path, gzip.compress(TAR))
    cancel = threading.Event()
    tar: TarBytes = (
        PointedGzip(fd, start, size, "it", cancel)
        if way == "gzip with points"
        else ForwardTar(lambda: file_chunks(fd, start, size, "it"), "it", cancel)
    )
    cancel.set()

    with pytest.raises(Cancelled):
        tar.read(1_000_000, 5)
    tar.close()


LARGE = random.Random(3).randbytes(1 << 20) * 24
POINTED = {
    "gzip": (PointedGzip, gzip_points, lambda: gzip.compress(LARGE, 1)),
    "zstd": (PointedZstd, tar_bytes, lambda: in_frames(LARGE, 1 << 19)),
}
"""What reads it, what reads the file for it, and a blob of several points."""


@pytest.mark.parametrize("how", POINTED)
def test_points_that_were_kept_spare_the_way_from_the_beginning(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointed, module, blob = POINTED[how]
    path = tmp_path / "large"
    path.write_bytes(blob())
    size = path.stat().st_size
    kept: list[bytes] = []
    read: list[int] = []
    real = module.pread

    def watched(fd: int, offset: int, size: int, where: str) -> bytes:
        read.append(size)
        return real(fd, offset, size, where)

    monkeypatch.setattr(module, "pread", watched)

    def last_bytes(points: bytes | None) -> int:
        """How many bytes of the file it took."""
        read.clear()
        opened = pointed(os.open(path, os.O_RDONLY), 0, size, "it", threading.Event(), points, kept.append)
        assert opened.random == (how == "gzip" or points is not None), "frames that are not known can't be gone back to"
        assert opened.read(len(LARGE) - 10, 10) == LARGE[-10:]
        opened.close()
        return sum(read)

    first = last_bytes(None)
    again = last_bytes(kept[0])

    assert first >= size * 0.95
    assert again < first / 2
    assert len(kept) == 1, "nothing new was to be kept"


@pytest.mark.parametrize("how", POINTED)
@pytest.mark.parametrize(
    "points",
    [b"", b"GZIDX", b"x" * 1000, b"zstd frames 1\n" + bytes(15), b"zstd frames 1\n" + bytes(16) + b"\xff" * 16],
    ids=["none", "a beginning", "rubbish", "half a point", "beyond the end"],
)
def test_points_that_are_none_are_noted_again(how: str, points: bytes, tmp_path: Path) -> None:
    pointed, _, blob = POINTED[how]
    path = tmp_path / "large"
    path.write_bytes(blob())

    opened = pointed(os.open(path, os.O_RDONLY), 0, path.stat().st_size, "it", threading.Event(), points)

    assert opened.read(20 << 20, 10) == LARGE[20 << 20 :][:10]
    opened.close()
