"""Texts looked for in the files of one layer: in its tar as it comes, in large pieces, not file by file."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamina.layers.layer_reader import FileRef, LayerReader, TarLayerReader
from lamina.model import Cancelled

_GAP = 64 << 10  # bytes of the tar that are rather searched, too, than passed over
_PIECE = 1 << 20  # bytes of one file read at a time


class Texts(NamedTuple):
    """What is looked for: any of it. Made by :func:`texts_of`."""

    patterns: tuple[bytes, ...]
    fold: bool
    """Whether ASCII letters may be of either case: the patterns are in lower case then."""

    @property
    def overlap(self) -> int:
        """Bytes that a text can stand in of a piece before the one that it ends in."""
        return max(map(len, self.patterns)) - 1


def texts_of(words: Sequence[str], *, fold: bool = False) -> Texts:
    """Words to be looked for as UTF-8; surrogates stand for bytes that are none.

    Raises:
        ValueError: one is empty, or has a NUL, which stands for what is not stored of a file.
    """
    patterns = [word.encode("utf-8", "surrogateescape") for word in words]
    if not patterns or not all(patterns) or any(b"\0" in pattern for pattern in patterns):
        raise ValueError("an empty text, or one with a NUL")
    return Texts(tuple(dict.fromkeys(pattern.lower() if fold else pattern for pattern in patterns)), fold)


@dataclass(frozen=True, slots=True)
class WantedFiles:
    """Files of one tar to be searched, by ascending offsets: columns of one length."""

    offset: NDArray[np.int64]
    """Where each begins in the tar, bytes."""
    size: NDArray[np.int64]
    """Bytes of each; none is empty."""
    sparse: Mapping[int, int] = field(default_factory=dict)
    """Row of a sparse file -> where its headers stand."""

    def runs(self) -> list[tuple[int, int]]:
        """(first, stop) of rows that are searched in one go. A sparse file is one of its own."""
        if not len(self.offset):
            return []
        apart = self.offset[1:] - (self.offset + self.size)[:-1]
        sparse = np.zeros(len(self.offset), dtype=bool)
        sparse[list(self.sparse)] = True
        cut = (apart > _GAP) | (apart < 0) | sparse[1:] | sparse[:-1]
        return list(pairwise([0, *(np.flatnonzero(cut) + 1).tolist(), len(self.offset)]))

    @property
    def work(self) -> int:
        """Bytes that will be searched, what lies between the files included."""
        last = self.offset + self.size
        return sum(int(last[stop - 1] - self.offset[first]) for first, stop in self.runs())


def search_tar(
    reader: TarLayerReader, wanted: WantedFiles, texts: Texts, cancel: threading.Event, advance: Callable[[int], None]
) -> list[int]:
    """Which files of a tar have a text, ascending.

    Args:
        reader: the layer; it is read by ascending offsets, once.
        wanted: the files.
        texts: what is looked for.
        cancel: looked at between pieces.
        advance: gets the bytes searched since it was last called.

    Raises:
        LaminaError: the layer can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    found: list[int] = []
    for first, stop in wanted.runs():
        starts = wanted.offset[first:stop].tolist()
        sizes = wanted.size[first:stop].tolist()
        if first in wanted.sparse:
            ref = FileRef(starts[0], sizes[0], b"", wanted.sparse[first])
            if search_file(reader, ref, texts, cancel, advance):
                found.append(first)
            continue
        ends = [start + size for start, size in zip(starts, sizes, strict=True)]
        hits = Hits(starts, ends, texts)
        at = starts[0]
        for piece in reader.pieces(at, ends[-1] - at):
            if cancel.is_set():
                raise Cancelled
            hits.feed(at, piece)
            at += len(piece)
            advance(len(piece))
            if len(hits.found) == len(starts):
                advance(ends[-1] - at)
                break
        found += [first + row for row in sorted(hits.found)]
    return found


def search_file(
    reader: LayerReader, file: FileRef, texts: Texts, cancel: threading.Event, advance: Callable[[int], None]
) -> bool:
    """Whether one file has a text; what is not stored of it is passed over. See :func:`search_tar`."""
    hits, passed = Hits([0], [file.size], texts), 0
    for start, stop in _stored(reader, file, texts.overlap):
        for at in range(start, stop, _PIECE):
            if cancel.is_set():
                raise Cancelled
            piece = reader.read(file, at, min(_PIECE, stop - at))
            hits.feed(at, piece)
            advance(at + len(piece) - passed)
            passed = at + len(piece)
            if hits.found:
                break
    advance(file.size - passed)
    return bool(hits.found)


def _stored(reader: LayerReader, file: FileRef, margin: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of what is stored, each with a margin, ascending and apart."""
    last: tuple[int, int] | None = None
    for start, size in reader.stored(file):
        here = max(start - margin, 0), min(start + size + margin, file.size)
        if last is None:
            last = here
        elif here[0] <= last[1]:
            last = last[0], max(here[1], last[1])
        else:
            yield last
            last = here
    if last is not None:
        yield last


class Hits:
    """Finds texts in pieces of a tar; none counts that is not within one file.

    Args:
        starts: where each file begins, ascending.
        ends: where it ends.
        texts: what is looked for.
    """

    def __init__(self, starts: list[int], ends: list[int], texts: Texts) -> None:
        self._starts = starts
        self._ends = ends
        self._texts = texts
        self._overlap = texts.overlap
        self._rest = b""  # of what came before: a text may go on in the next piece
        self._next = 0
        self.found: set[int] = set()
        """Rows of the files that have one."""

    def feed(self, at: int, piece: bytes) -> None:
        """Search a piece that begins at an offset of the tar."""
        data = piece.lower() if self._texts.fold else piece
        rest = self._rest if at == self._next else b""
        if rest:
            self._search(at - len(rest), rest + data[: self._overlap])
        self._search(at, data)
        self._next = at + len(data)
        if self._overlap:
            short = len(data) < self._overlap
            self._rest = (rest + data)[-self._overlap :] if short else data[-self._overlap :]

    def _search(self, at: int, data: bytes) -> None:
        starts, ends = self._starts, self._ends
        for pattern in self._texts.patterns:
            place = data.find(pattern)
            while place >= 0:
                row = bisect_right(starts, at + place) - 1
                if row >= 0 and at + place + len(pattern) <= ends[row]:
                    self.found.add(row)
                if row + 1 == len(starts):
                    break
                # One is enough of a file; and where one reaches over its end, so would all that follow.
                place = data.find(pattern, max(starts[row + 1] - at, place + 1))
