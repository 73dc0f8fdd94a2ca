"""Something looked for in the files of one layer: in its tar as it comes, in large pieces, not file by file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.layers.layer_reader import FileRef, LayerReader, TarLayerReader
from lamina.model import Cancelled

_GAP = 64 << 10  # bytes of the tar that are rather searched, too, than passed over
_PIECE = 1 << 20  # bytes of one file read at a time


class Hits(Protocol):
    """The search of some files that stand one after the other."""

    found: set[int]
    """Rows of the files that have what is sought."""

    def feed(self, at: int, piece: bytes) -> None:
        """Search a piece that begins at an offset of the tar."""


class Sought(Protocol):
    """What is looked for. It can be sent to another process."""

    @property
    def least(self) -> int:
        """Bytes of the smallest file that can have it."""

    @property
    def overlap(self) -> int | None:
        """Bytes of it that can stand in a piece before the one that it ends in; None where a file has to be whole."""

    def hits(self, starts: list[int], ends: list[int]) -> Hits:
        """A search of files that begin and end there, ascending."""


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
    reader: TarLayerReader, wanted: WantedFiles, sought: Sought, cancel: threading.Event, advance: Callable[[int], None]
) -> list[int]:
    """Which files of a tar have what is sought, ascending.

    Args:
        reader: the layer; it is read by ascending offsets, once.
        wanted: the files.
        sought: what is looked for.
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
            if search_file(reader, ref, sought, cancel, advance):
                found.append(first)
            continue
        ends = [start + size for start, size in zip(starts, sizes, strict=True)]
        hits = sought.hits(starts, ends)
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
    reader: LayerReader, file: FileRef, sought: Sought, cancel: threading.Event, advance: Callable[[int], None]
) -> bool:
    """Whether one file has what is sought; see :func:`search_tar`. What is not stored of it is passed over, but where a
    file has to be whole.
    """  # noqa: D205
    hits, passed = sought.hits([0], [file.size]), 0
    for start, stop in _stored(reader, file, sought.overlap):
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


def _stored(reader: LayerReader, file: FileRef, margin: int | None) -> Iterator[tuple[int, int]]:
    """(start, stop) of what is stored, each with a margin, ascending and apart; without a margin, of all."""
    if margin is None:
        yield 0, file.size
        return
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
