"""Reading a layer from its source: decompressed, scanned, and held against its digests."""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamina.layers.index import LayerIndex
from lamina.layers.read import StreamScan, scan_plain, scan_stream
from lamina.model import Cancelled, LaminaError
from layers.test_scan import assert_same
from stacks import WHERE, paths, scan
from tars import directory, file, hardlink, layer_tar, symlink
from zstd_frames import compress_zstd, zstd

TAR = layer_tar(
    directory("d"), file("d/a", b"x" * 3000), hardlink("d/b", "d/a"), symlink("s", "d"), file("e"), file("last", b"1")
)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


BLOBS = {
    "tar": TAR,
    "gzip": gzip.compress(TAR, mtime=0),
    "gzip of two members": gzip.compress(TAR[:700], mtime=0) + gzip.compress(TAR[700:], mtime=0),
    "zstd": compress_zstd(TAR),
    "zstd of two frames": compress_zstd(TAR[:700]) + compress_zstd(TAR[700:]),
}
SMALL = {"gzip": gzip.compress(layer_tar(file("a")), mtime=0), "zstd": compress_zstd(layer_tar(file("a")))}


def pieces(data: bytes, length: int) -> Iterator[bytes]:
    for start in range(0, len(data), length):
        yield data[start : start + length]


def read(blob: bytes, *, length: int = 1 << 20, digest: str | None = None, diff_id: str | None = None) -> LayerIndex:
    return scan_stream(
        pieces(blob, length),
        where=WHERE,
        digest=digest,
        diff_id=diff_id,
        cancel=threading.Event(),
        advance=lambda _: None,
    )


def complaint(blob: bytes, **options: object) -> str:
    with pytest.raises(LaminaError) as raised:
        read(blob, **options)  # type: ignore[arg-type]
    assert WHERE in str(raised.value)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# Sound blobs.


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
@pytest.mark.parametrize("length", [1, 7, 512, 1 << 20])
def test_however_it_is_compressed_and_comes_the_index_is_the_same(blob: bytes, length: int) -> None:
    assert_same(read(blob, length=length), scan(TAR))


@pytest.mark.parametrize("blob", SMALL.values(), ids=SMALL.keys())
def test_a_blob_of_less_than_a_block(blob: bytes) -> None:
    assert len(blob) < 512
    assert paths(read(blob)) == [b"a"]


@pytest.mark.parametrize("blob", [b"", bytes(1024), gzip.compress(b"", mtime=0), compress_zstd(b"")])
def test_empty_layers(blob: bytes) -> None:
    assert read(blob).count == 0


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
def test_every_byte_is_told_and_the_stream_is_drained(blob: bytes) -> None:
    """A stream behind this one can go on only where this one was read to its end."""
    source = pieces(blob, 100)
    told: list[int] = []

    scan_stream(source, where=WHERE, cancel=threading.Event(), advance=told.append)

    assert next(source, None) is None
    assert sum(told) == len(blob)


def test_what_follows_the_end_marker_counts_to_the_tar() -> None:
    blob = TAR + b"rubbish" * 1000

    index = read(blob, diff_id=digest(blob), length=1000)

    assert index.tar_size == len(blob)


# Digests.


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
@pytest.mark.parametrize("length", [100, 1 << 20])
def test_right_digests_are_taken(blob: bytes, length: int) -> None:
    for given in ({"digest": digest(blob)}, {"diff_id": digest(TAR)}, {"digest": digest(blob), "diff_id": digest(TAR)}):
        assert_same(read(blob, length=length, **given), scan(TAR))  # type: ignore[arg-type]


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
@pytest.mark.parametrize("which", ["digest", "diff_id"])
def test_a_wrong_digest_is_an_error_that_gives_both(blob: bytes, which: str) -> None:
    right = {"digest": digest(blob), "diff_id": digest(TAR)}

    text = complaint(blob, **{**right, which: digest(b"other")})

    assert which in text
    assert right[which] in text


@pytest.mark.parametrize("which", ["digest", "diff_id"])
def test_of_a_plain_tar_each_digest_is_checked_by_itself(which: str) -> None:
    """Both are hashes of the same bytes, computed once."""
    assert which in complaint(TAR, **{which: digest(b"other")})


def test_a_change_that_leaves_the_tar_sound_is_found_by_the_digest() -> None:
    broken = bytearray(TAR)
    broken[3 * 512 + 5] ^= 1  # within the content of d/a

    assert read(bytes(broken)).count == scan(TAR).count
    complaint(bytes(broken), diff_id=digest(TAR))


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
def test_a_stream_scan_tells_both_digests(blob: bytes) -> None:
    stream = StreamScan(WHERE, want_digest=True, want_diff_id=True)
    for piece in pieces(blob, 333):
        stream.feed(piece)
    index = stream.finish()

    assert (stream.digest, stream.diff_id) == (digest(blob), digest(TAR))
    assert_same(index, scan(TAR))


def test_a_stream_scan_of_nothing_tells_the_digest_of_nothing() -> None:
    stream = StreamScan(WHERE, want_digest=True, want_diff_id=True)
    stream.finish()

    assert (stream.digest, stream.diff_id) == (digest(b""), digest(b""))


# Damage.


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_compressed_blob_cut_at_any_byte_is_an_error(name: str) -> None:
    blob = SMALL[name]
    for cut in range(1, len(blob)):
        complaint(blob[:cut])


@pytest.mark.parametrize(
    "blob",
    [b"no layer at all", b"x" * 5000, b'{"schemaVersion": 2}', b"\xfd7zXZ\0" + bytes(600), b"BZh91AY&SY" + bytes(600)],
    ids=["text", "long text", "json", "xz", "bzip2"],
)
def test_an_unknown_compression_is_an_error(blob: bytes) -> None:
    assert "unknown compression" in complaint(blob)


@pytest.mark.parametrize("compress", [lambda data: gzip.compress(data, mtime=0), compress_zstd])
def test_what_is_compressed_but_no_tar_is_an_error(compress: object) -> None:
    complaint(compress(b"This is no tar. " * 100))  # type: ignore[operator]
    complaint(compress(gzip.compress(TAR, mtime=0)))  # type: ignore[operator]


def test_a_truncated_tar_within_sound_compression_is_an_error() -> None:
    complaint(gzip.compress(TAR[:2000], mtime=0))


def test_a_digest_that_matches_does_not_excuse_a_damaged_tar() -> None:
    blob = TAR[:2000]

    complaint(blob, digest=digest(blob), diff_id=digest(blob))


# Cancelling.


def test_cancelling_is_heard_at_the_next_piece() -> None:
    cancel = threading.Event()
    told: list[int] = []

    def advance(count: int) -> None:
        told.append(count)
        if len(told) == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        scan_stream(pieces(TAR, 100), where=WHERE, cancel=cancel, advance=advance)
    assert told == [100, 100, 100]


def test_a_plain_scan_is_cancelled_too(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(TAR)
    cancel = threading.Event()
    cancel.set()
    with (tmp_path / "f").open("rb") as opened, pytest.raises(Cancelled):
        scan_plain(opened.fileno(), 0, len(TAR), where=WHERE, cancel=cancel, advance=lambda _: None)


# In place.


def plain(descriptor: int, offset: int, size: int) -> LayerIndex:
    return scan_plain(descriptor, offset, size, where=WHERE, cancel=threading.Event(), advance=lambda _: None)


def test_a_plain_scan_never_reads_beyond_its_layer(tmp_path: Path) -> None:
    """The next member of the archive begins right behind it."""
    (tmp_path / "f").write_bytes(TAR[:-1024] + layer_tar(file("foreign", b"1")))
    with (tmp_path / "f").open("rb") as opened:
        index = plain(opened.fileno(), 0, len(TAR) - 1024)

    assert_same(index, scan(TAR[:-1024]), content=False)


def test_a_plain_scan_finds_payloads_where_the_index_says(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"?" * 77 + TAR)
    with (tmp_path / "f").open("rb") as opened:
        index = plain(opened.fileno(), 77, len(TAR))
        row = paths(index).index(b"d/a")
        assert os.pread(opened.fileno(), int(index.size[row]), 77 + int(index.offset[row])) == b"x" * 3000


@pytest.mark.parametrize("missing", [1, 1024, 1500, len(TAR) - 1])
def test_a_file_that_ends_inside_its_layer_is_an_error(tmp_path: Path, missing: int) -> None:
    (tmp_path / "f").write_bytes(TAR[:-missing])
    with (tmp_path / "f").open("rb") as opened, pytest.raises(LaminaError, match="ends inside") as raised:
        plain(opened.fileno(), 0, len(TAR))
    assert WHERE in str(raised.value)


def test_a_file_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    writable = os.open(tmp_path / "f", os.O_WRONLY | os.O_CREAT)
    try:
        with pytest.raises(LaminaError) as raised:
            plain(writable, 0, 100)
    finally:
        os.close(writable)
    assert WHERE in str(raised.value)


def test_a_plain_scan_passes_over_what_files_contain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = 10_000_000
    tar = layer_tar(file("a", payload), file("b", payload))
    (tmp_path / "f").write_bytes(tar)
    asked: list[int] = []
    pread = os.pread

    def counting(descriptor: int, count: int, offset: int) -> bytes:
        data = pread(descriptor, count, offset)
        asked.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counting)
    with (tmp_path / "f").open("rb") as opened:
        index = plain(opened.fileno(), 0, len(tar))

    assert index.facts.size == 2 * payload
    assert sum(asked) < payload // 10, "contents were read, not passed over"


def test_the_blobs_of_these_tests_are_what_gzip_and_zstd_say() -> None:
    assert gzip.decompress(BLOBS["gzip of two members"]) == TAR
    assert zstd.decompress(BLOBS["zstd of two frames"]) == TAR
