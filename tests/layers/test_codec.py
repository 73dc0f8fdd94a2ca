"""Compressed bytes of every make, sound and damaged, in pieces of any length."""

from __future__ import annotations

import gzip
import random
import struct
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from lamina.layers.codec import Codec, Decompressor, decompressor, sniff
from lamina.model import LaminaError
from needs import tool
from stacks import WHERE
from tars import V7, file, layer_tar
from zstd_frames import compress_zstd, zstd

TEXT = random.Random(5).randbytes(700) + b"compressible " * 3000


def drained(codec: Decompressor, raw: bytes, chunk: int | None = None) -> bytes:
    """All that comes out, fed in pieces of some length."""
    out = bytearray()
    for start in range(0, len(raw), chunk or max(len(raw), 1)):
        out += codec.feed(raw[start : start + (chunk or len(raw))])
        while codec.pending:
            out += codec.feed(b"")
    codec.finish()
    return bytes(out)


def uncompressed(kind: Codec, raw: bytes, chunk: int | None = None) -> bytes:
    return drained(decompressor(kind, WHERE), raw, chunk)


def complaint(kind: Codec, raw: bytes, chunk: int | None = None) -> str | None:
    """None where it can be read, else the error's text."""
    try:
        uncompressed(kind, raw, chunk)
    except LaminaError as error:
        text = str(error)
    else:
        return None
    assert WHERE in text, "the error does not name the layer"
    return text


def skippable(payload: bytes, magic: int = 0x184D2A50) -> bytes:
    """A zstd frame that readers pass over, as zstd:chunked keeps its table of contents in."""
    return struct.pack("<II", magic, len(payload)) + payload


def gz(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def gz_with_every_header_field(data: bytes) -> bytes:
    """A member with extra field, name, comment and header checksum."""
    flags = 0x02 | 0x04 | 0x08 | 0x10
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(4) + b"\0\xff"
    head += struct.pack("<H", 6) + b"SG\x02\x00ab" + b"name\0" + b"comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = raw.compress(data) + raw.flush()
    return head + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def zst(data: bytes, level: int = 3) -> bytes:
    return compress_zstd(data, level)


def zst_streamed(data: bytes) -> bytes:
    """A frame whose header does not tell the content's size, with a checksum, flushed in the middle."""
    out = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1})
    half = len(data) // 2
    parts = [out.compress(data[:half], out.FLUSH_BLOCK), out.compress(data[half:], out.CONTINUE)]
    return b"".join([*parts, out.flush()])


def estargz(data: bytes) -> bytes:
    """As stargz writes: a member for each piece, an empty one with an extra field in the end."""
    pieces = [data[start : start + 4000] for start in range(0, len(data), 4000)]
    return b"".join(map(gz, pieces)) + gz_with_every_header_field(b"")


SOUND: dict[str, tuple[Codec, bytes]] = {
    "plain": ("tar", TEXT),
    "gzip": ("gzip", gz(TEXT)),
    "gzip, stored": ("gzip", gzip.compress(TEXT, 0, mtime=0)),
    "gzip, every header field": ("gzip", gz_with_every_header_field(TEXT)),
    "gzip, two members": ("gzip", gz(TEXT[:1000]) + gz(TEXT[1000:])),
    "gzip, empty members between": ("gzip", gz(b"") + gz(TEXT[:1]) + gz(b"") + gz(b"") + gz(TEXT[1:]) + gz(b"")),
    "gzip, a member for each byte": ("gzip", b"".join(gz(bytes([byte])) for byte in TEXT[:300]) + gz(TEXT[300:])),
    "gzip, padded with zeros": ("gzip", gz(TEXT) + bytes(1000)),
    "estargz": ("gzip", estargz(TEXT)),
    "zstd": ("zstd", zst(TEXT)),
    "zstd, streamed": ("zstd", zst_streamed(TEXT)),
    "zstd, two frames": ("zstd", zst(TEXT[:1000]) + zst_streamed(TEXT[1000:])),
    "zstd, empty frames between": ("zstd", zst(b"") + zst(TEXT[:1]) + zst(b"") + zst(TEXT[1:]) + zst(b"")),
    "zstd, skippable frames all over": (
        "zstd",
        skippable(b"first") + zst(TEXT[:9]) + skippable(b"", 0x184D2A5F) + zst(TEXT[9:]) + skippable(b"toc" * 99),
    ),
    "zstd:chunked": (
        "zstd",
        b"".join(zst(TEXT[start : start + 5000]) for start in range(0, len(TEXT), 5000)) + skippable(bytes(64)),
    ),
}


@pytest.mark.parametrize(("kind", "raw"), SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("chunk", [None, 1, 2, 7, 1000])
def test_what_was_compressed_comes_out_again(kind: Codec, raw: bytes, chunk: int | None) -> None:
    assert uncompressed(kind, raw, chunk) == TEXT


@pytest.mark.parametrize(("kind", "raw"), SOUND.values(), ids=SOUND.keys())
def test_the_kind_is_seen_from_the_first_bytes(kind: Codec, raw: bytes) -> None:
    if kind != "tar":
        assert sniff(raw[:512]) == kind
        assert sniff(raw[:8]) == kind


@pytest.mark.parametrize(("program", "kind"), [("gzip", "gzip"), ("zstd", "zstd")])
def test_what_the_common_programs_write(program: str, kind: Codec) -> None:
    raw = subprocess.run([tool(program), "-c"], input=TEXT, capture_output=True, check=True).stdout

    assert sniff(raw[:512]) == kind
    assert uncompressed(kind, raw) == TEXT


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_outputs_around_the_size_of_a_piece(kind: Codec, size: int) -> None:
    data = bytes(size)
    raw = gz(data) if kind == "gzip" else zst(data)

    assert uncompressed(kind, raw) == data
    assert uncompressed(kind, raw + raw) == data + data


# What blobs begin with.


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
        (b"\x28\xb5\x2f\xfd\0\0\0\0", "zstd"),
        (b"\x50\x2a\x4d\x18\0\0\0\0", "zstd"),
        (b"\x5f\x2a\x4d\x18\0\0\0\0", "zstd"),
        (b"\x60\x2a\x4d\x18\0\0\0\0", "unknown"),
        (layer_tar(file("f", b"1"))[:512], "tar"),
        (layer_tar(file("f", b"1", magic=V7))[:512], "tar"),
        (layer_tar(file("{", b"1"))[:512], "tar"),
        (layer_tar(file("[x]", b"1", magic=V7))[:512], "tar"),
        (bytes(512), "tar"),
        (b'{"schemaVersion": 2}', "json"),
        (b' \n\t{"a": 1}', "json"),
        (b"[]", "json"),
        (b"hello", "unknown"),
        (b"\xfd7zXZ\0", "unknown"),
        (b"BZh91AY&SY", "unknown"),
        (b"PK\x03\x04", "unknown"),
        (b"<!DOCTYPE html>" + b" " * 600, "unknown"),
        (b"\x1f", "unknown"),
        (b"\x28\xb5\x2f", "unknown"),
        (b"x" * 512, "unknown"),
    ],
)
def test_sniffing(head: bytes, kind: Codec) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize("kind", ["unknown", "json"])
def test_an_unknown_compression_is_an_error_that_says_so(kind: Codec) -> None:
    with pytest.raises(LaminaError, match="unknown compression") as raised:
        decompressor(kind, WHERE)

    assert WHERE in str(raised.value)


# Damage.

SHORT = b"some text that is short, short, short"


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("gzip", gz(SHORT)),
        ("gzip", gz_with_every_header_field(SHORT)),
        ("zstd", zst(SHORT)),
        ("zstd", zst_streamed(SHORT)),
    ],
    ids=["gzip", "gzip with all fields", "zstd", "zstd streamed"],
)
@pytest.mark.parametrize("frames", [1, 2])
def test_data_cut_at_any_byte_is_truncated(kind: Codec, frame: bytes, frames: int, chunk: int | None) -> None:
    """Only where a frame ends can nobody tell; nothing at all is nothing."""
    raw = frame * frames
    readable = {cut for cut in range(len(raw) + 1) if complaint(kind, raw[:cut], chunk) is None}

    assert readable == {len(frame) * count for count in range(frames + 1)}


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_the_error_of_cut_data_says_that_it_is_cut(kind: Codec) -> None:
    raw = SOUND[kind][1]

    assert "truncated" in (complaint(kind, raw[:-3]) or "")


def test_a_skippable_frame_cut_short_is_truncated() -> None:
    raw = zst(SHORT) + skippable(b"table of contents")

    assert [cut for cut in range(len(zst(SHORT)) + 1, len(raw)) if complaint("zstd", raw[:cut]) is None] == []


@pytest.mark.parametrize("chunk", [None, 1, 100])
@pytest.mark.parametrize("rubbish", [b"rubbish", b"\0\0\0rubbish", b"\x1f", b"\x1f\x8c", b"{}"])
@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_rubbish_after_the_data_is_an_error(kind: Codec, rubbish: bytes, chunk: int | None) -> None:
    assert complaint(kind, SOUND[kind][1] + rubbish, chunk) is not None


@pytest.mark.parametrize("zeros", [1, 3, 512, 100_000])
@pytest.mark.parametrize("chunk", [None, 1000])
def test_any_number_of_zeros_may_follow_gzip(zeros: int, chunk: int | None) -> None:
    assert uncompressed("gzip", gz(SHORT) + bytes(zeros), chunk) == SHORT


@pytest.mark.parametrize("chunk", [None, 1, len(gz(SHORT)), len(gz(SHORT)) + 600, 1000])
def test_after_zeros_nothing_but_zeros_may_follow(chunk: int | None) -> None:
    """Wherever the pieces begin: a member behind padding is rubbish to gzip too."""
    assert complaint("gzip", gz(SHORT) + bytes(600) + gz(SHORT), chunk) is not None


@pytest.mark.parametrize("part", ["checksum", "length"])
def test_a_wrong_gzip_trailer_is_an_error(part: str) -> None:
    raw = bytearray(gz(SHORT))
    raw[-8 if part == "checksum" else -4] ^= 1

    assert complaint("gzip", bytes(raw)) is not None


def test_a_wrong_zstd_checksum_is_an_error() -> None:
    raw = bytearray(zst_streamed(SHORT))
    raw[-1] ^= 1

    assert complaint("zstd", bytes(raw)) is not None


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("chunk", [None, 7])
def test_any_bit_turned_gives_text_or_an_error_and_nothing_else(kind: Codec, chunk: int | None) -> None:
    raw = gz(SHORT) + gz(SHORT) if kind == "gzip" else zst_streamed(SHORT) + zst(SHORT)
    complaints = 0
    for bit in range(8 * len(raw)):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << bit % 8
        complaints += complaint(kind, bytes(broken), chunk) is not None

    assert complaints > 4 * len(raw), "checksums are not looked at"


def test_random_bytes_after_the_magic_are_an_error_and_nothing_else() -> None:
    chance = random.Random(11)
    for kind, magic in (("gzip", b"\x1f\x8b\x08\0"), ("zstd", b"\x28\xb5\x2f\xfd")):
        for length in range(0, 400, 7):
            complaint(kind, magic + chance.randbytes(length))  # type: ignore[arg-type]


# Bombs: little data that becomes very much.


INCOMPRESSIBLE = random.Random(3).randbytes(100_000)


def members_of_zeros() -> bytes:
    """A gigabyte of zeros in gzip members of 64 MiB each."""
    return gz(bytes(64 << 20)) * 16


def raw_blocks_of_one_byte_repeated(count: int) -> bytes:
    """A hand-made zstd frame of RLE blocks: 4 bytes for each 128 KiB, the most that the format can do."""
    header = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x38])  # no content size; a window of 128 KiB
    block = (128 << 10) << 3 | 1 << 1
    return header + (block.to_bytes(3, "little") + b"\0") * (count - 1) + (block | 1).to_bytes(3, "little") + b"\0"


@pytest.mark.parametrize(
    ("kind", "make", "limit"),
    [
        ("gzip", members_of_zeros, 8 << 20),
        ("zstd", lambda: raw_blocks_of_one_byte_repeated(8192), 8 << 20),
        ("zstd", lambda: zst(INCOMPRESSIBLE) + raw_blocks_of_one_byte_repeated(8192), 8 << 20),
    ],
    ids=["gzip", "zstd", "zstd after ordinary data"],
)
def test_a_bomb_takes_bounded_memory(kind: Codec, make: Callable[[], bytes], limit: int) -> None:
    """A gigabyte comes out of some kilobytes, and is never held."""
    raw = make()
    codec = decompressor(kind, WHERE)
    total = 0
    tracemalloc.start()
    try:
        for start in range(0, len(raw), 256 << 10):
            total += len(codec.feed(raw[start : start + (256 << 10)]))
            while codec.pending:
                total += len(codec.feed(b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert total - (1 << 30) in (0, len(INCOMPRESSIBLE))
    assert len(raw) < 2 << 20
    assert peak < limit


def test_the_hand_made_bomb_is_what_other_readers_take_it_for() -> None:
    raw = raw_blocks_of_one_byte_repeated(4)

    assert zstd.decompress(raw) == bytes(4 * (128 << 10))
