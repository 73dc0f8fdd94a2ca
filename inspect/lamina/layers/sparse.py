"""What is stored of a sparse file, and where: read again from its own headers (GNU tar manual, "Sparse Formats").

Four forms are in use: the old one of GNU with its map in the header and in blocks behind it, and three in PAX records,
the last of which puts the map before the data.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from lamina import limits
from lamina.layers.block import BLOCK, parse_number
from lamina.layers.pax import pax_natural, pax_records

ReadAt = Callable[[int, int], bytes]
"""(offset in the tar, bytes) -> exactly these bytes."""

_ENTRY = 24  # bytes of an old map's entry: two numbers of twelve characters
_DIGITS = 20
_HEADERS = 4 * limits.EXTENSION  # bytes: a long name, a long link, records and a map


class Segment(NamedTuple):
    """Some bytes that are stored."""

    start: int
    """Where they stand in the file as it reads back."""
    size: int
    stored: int
    """Where they stand in the tar."""


class SparseMap:
    """Which bytes of a file are stored; all others are NUL.

    Args:
        segments: ascending, and apart from each other.
        size: bytes of the file as it reads back.

    Raises:
        ValueError: they overlap, or go beyond the file.
    """

    def __init__(self, segments: list[Segment], size: int) -> None:
        if any(left.start + left.size > right.start for left, right in pairwise(segments)):
            raise ValueError("pieces of a sparse file overlap")
        if segments and segments[-1].start + segments[-1].size > size:
            raise ValueError("a piece of a sparse file lies beyond its end")
        self.segments = segments
        self._starts = [segment.start for segment in segments]
        self._size = size

    def read(self, read_at: ReadAt, start: int, size: int) -> bytes:
        """Bytes of the file as it reads back; fewer than ``size`` at its end only."""
        end = min(start + size, self._size)
        parts: list[bytes] = []
        number = max(bisect_right(self._starts, start) - 1, 0)
        while start < end:
            while number < len(self.segments) and self._past(number) <= start:
                number += 1
            if number == len(self.segments):
                parts.append(bytes(end - start))
                break
            segment = self.segments[number]
            if start < segment.start:
                hole = min(segment.start, end) - start
                parts.append(bytes(hole))
                start += hole
            else:
                count = min(self._past(number), end) - start
                parts.append(read_at(segment.stored + start - segment.start, count))
                start += count
        return b"".join(parts)

    def _past(self, number: int) -> int:
        segment = self.segments[number]
        return segment.start + segment.size


def read_map(read_at: ReadAt, headers: int, payload: int, size: int) -> SparseMap:
    """The map of a sparse member.

    Args:
        read_at: reads the tar.
        headers: where the first of the member's headers stands.
        payload: where its payload begins.
        size: bytes of the file as it reads back.

    Raises:
        ValueError: there is none, or a malformed one.
    """
    if not 0 < payload - headers <= _HEADERS:
        raise ValueError("headers of a sparse file are missing")
    block = read_at(headers, payload - headers)
    records: list[tuple[bytes, bytes]] = []
    at = 0
    while at + BLOCK <= len(block) and block[at + 156 : at + 157] in (b"x", b"X", b"L", b"K", b"g"):
        length = parse_number(block[at + 124 : at + 136])
        if not 0 <= length <= limits.EXTENSION:
            raise ValueError("a header of a sparse file is damaged")
        if block[at + 156 : at + 157] in (b"x", b"X"):
            records = pax_records(block[at + BLOCK : at + BLOCK + length])
        at += BLOCK + length + (-length % BLOCK)
    if block[at + 156 : at + 157] == b"S":
        pieces, payload = _old_pieces(read_at, headers + at)
        return _laid(pieces, payload, size)
    if dict(records).get(b"GNU.sparse.major") == b"1":
        pieces, payload = _pieces_before_data(read_at, payload)
        return _laid(pieces, payload, size)
    return _laid(_recorded_pieces(records), payload, size)


def _laid(pieces: list[tuple[int, int]], stored: int, size: int) -> SparseMap:
    segments = []
    for start, count in pieces:
        if count:
            segments.append(Segment(start, count, stored))
            stored += count
    return SparseMap(segments, size)


def _old_pieces(read_at: ReadAt, header: int) -> tuple[list[tuple[int, int]], int]:
    """Four entries in the header, 21 in each block behind it; and where the data begins behind these."""
    block, end = read_at(header, BLOCK), header + BLOCK
    entries, more = block[386:482], block[482] != 0
    while more:
        if len(entries) > limits.EXTENSION:
            raise ValueError("a sparse file's map is too long")
        block, end = read_at(end, BLOCK), end + BLOCK
        entries, more = entries + block[: 21 * _ENTRY], block[504] != 0
    pieces = []
    for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
        if entries[at + 12] == 0:  # no number: the map is at its end
            break
        pieces.append((parse_number(entries[at : at + 12]), parse_number(entries[at + 12 : at + _ENTRY])))
    if any(start < 0 or count < 0 for start, count in pieces):
        raise ValueError("a number of a sparse file's map is negative")
    return pieces, end


def _recorded_pieces(records: list[tuple[bytes, bytes]]) -> list[tuple[int, int]]:
    """Of one record with all numbers (0.1), or of a pair of records for each piece (0.0)."""
    numbers = [pax_natural(value) for key, value in records if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes")]
    text = dict(records).get(b"GNU.sparse.map")
    if text is not None:
        numbers = [pax_natural(number) for number in text.split(b",")] if text else []
    if len(numbers) % 2:
        raise ValueError("a sparse file's map is incomplete")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _pieces_before_data(read_at: ReadAt, payload: int) -> tuple[list[tuple[int, int]], int]:
    """Numbers in lines, padded to whole blocks, and where the data begins behind them."""
    text, end = b"", payload
    wanted = 1

    def lines() -> list[bytes]:
        return text.split(b"\n")[:-1]

    while len(lines()) < wanted:
        if end - payload > limits.EXTENSION:
            raise ValueError("a sparse file's map is too long")
        text += read_at(end, BLOCK)
        end += BLOCK
        if b"\n" not in text[: _DIGITS + 1]:
            raise ValueError("a sparse file's map is missing")
        if wanted == 1 and lines():
            wanted = 1 + 2 * _natural(lines()[0])
            if wanted > limits.EXTENSION:
                raise ValueError("a sparse file's map is too long")
    numbers = [_natural(line) for line in lines()[1:wanted]]
    return list(zip(numbers[::2], numbers[1::2], strict=True)), end


def _natural(line: bytes) -> int:
    if not line.isdigit() or len(line) > _DIGITS:
        raise ValueError("a number of a sparse file's map is none")
    return int(line)
