"""Every version of every path whose name has a text, in all layers of an image, removed ones too."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.model import Cancelled, Kind
from lamina.stack.name_letters import NameLetters
from lamina.stack.name_search import NameSearch, pattern_of
from lamina.stack.row_order import SIZE_BITS, SIZE_TOP
from lamina.stack.union import Union

MOST = 10_000
"""Versions that one answer holds: who has more needs more letters."""

WHOLE, BEGINNING, WITHIN, LETTERS = range(4)
"""Ranks, the best first: the name is the text; begins with it; has it; from here on has its letters in order, the
further apart the larger.
"""

_FARTHEST = 255
_BATCH = 1 << 16  # paths between two looks at whether the answer is still wanted


@dataclass(frozen=True, slots=True)
class Found:
    """Versions of paths, the best first: columns of one length, one row for each layer that ships one."""

    path: NDArray[np.int32]
    """Row of the union's path table."""
    layer: NDArray[np.int16]
    """That ships it."""
    size: NDArray[np.int64]
    """Bytes that the layer ships there; of a directory: at or below it. A hard link adds none."""
    wasted: NDArray[np.int64]
    """Of these bytes, those that no name in the final file system reaches."""
    kind: NDArray[np.uint8]
    """:class:`Kind`."""
    died: NDArray[np.int16]
    """The layer that removes or overwrites it; -1 where it is there in the end."""
    replaced: NDArray[np.bool_]
    """Whether that layer puts something in its place."""
    rank: NDArray[np.int16]
    total: int
    """Versions that match: more than there are rows where not all were taken."""

    def __len__(self) -> int:
        """Rows."""
        return len(self.path)


class PathFinder:
    """Searches one image.

    Args:
        union: the image.
        names: its names, where somebody searches them already; None: looks at them itself.
    """

    def __init__(self, union: Union, names: NameSearch | None = None) -> None:
        self.union = union
        self.names = names or NameSearch(union.paths)
        self._carried: dict[int, tuple[NDArray[np.int32], NDArray[np.int64]]] = {}
        self._dead: NDArray[np.bool_] | None = None

    def events(self, matched: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The versions of some paths, by layer; without what a layer itself hides again."""
        union = self.union
        return np.flatnonzero(matched[union.path] & (union.died > union.born)).astype(np.int32)

    def exact(self, text: str, most: int = MOST) -> Found:
        """Versions of the paths whose names have a text, as the tree's filter finds them.

        Args:
            text: what is looked for; empty finds nothing.
            most: rows that are taken, the best ones.
        """
        matched = self.names.search(text) if text else np.zeros(self.union.paths.count, dtype=bool)
        matched[0] = False
        ranks = np.zeros(self.union.paths.count, dtype=np.int16)
        rows = np.flatnonzero(matched)
        ranks[rows] = self._ranks(rows, pattern_of(text.rpartition("/")[2]))
        return self._found(matched, ranks, most)

    def fuzzy(self, text: str, cancel: threading.Event | None = None, most: int = MOST) -> Iterator[Found]:
        """What :meth:`exact` leaves out and has the letters in their order, as it is found, part after part.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        count = self.union.paths.count
        if not text.strip("/"):
            return
        exact = self.names.search(text)
        letters = NameLetters(self.names, text)
        least = len(pattern_of(text.replace("/", "")))
        for first in range(1, count, _BATCH):
            if cancel is not None and cancel.is_set():
                raise Cancelled
            rows = np.arange(first, min(first + _BATCH, count), dtype=np.int32)
            rows = rows[~exact[rows]]
            spans = letters.spans(rows)
            rows, spans = rows[spans > 0], spans[spans > 0]
            if not rows.size:
                continue
            matched = np.zeros(count, dtype=bool)
            matched[rows] = True
            ranks = np.zeros(count, dtype=np.int16)
            ranks[rows] = LETTERS + np.clip(spans - least, 0, _FARTHEST)
            yield self._found(matched, ranks, most)

    def _ranks(self, rows: NDArray[np.intp], pattern: bytes) -> NDArray[np.int16]:
        """How well names fit that have the pattern somewhere."""
        start = self.union.paths.name_start
        lengths = start[rows + 1] - start[rows] - 1
        ranks = np.full(len(rows), WITHIN, dtype=np.int16)
        begins = lengths >= len(pattern)
        lower = self.names.lower
        for offset, letter in enumerate(pattern):
            begins[begins] = lower[start[rows[begins]] + 1 + offset] == letter
        ranks[begins] = BEGINNING
        ranks[begins & (lengths == len(pattern))] = WHOLE
        return ranks

    def _found(self, matched: NDArray[np.bool_], ranks: NDArray[np.int16], most: int) -> Found:
        union = self.union
        events = self.events(matched)
        total = len(events)
        sizes = self.sizes(events)
        rank = ranks[union.path[events]]
        key = (rank.astype(np.int64) << SIZE_BITS) | (SIZE_TOP - np.minimum(sizes, SIZE_TOP))
        if total > most:
            best = np.argpartition(key, most)[:most]
            best.sort()
            events, sizes, rank, key = events[best], sizes[best], rank[best], key[best]
        order = np.argsort(key, kind="stable")
        events = events[order]
        died, replaced = self.fates(events)
        return Found(
            path=union.path[events],
            layer=union.born[events],
            size=sizes[order],
            wasted=self.wasted(events),
            kind=union.kind[events],
            died=died,
            replaced=replaced,
            rank=rank[order],
            total=total,
        )

    def fates(self, events: NDArray[np.int32]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """What became of versions: the layer that hides each, -1 for none; whether something takes its place there.

        A directory that a later layer lists again is the same directory: it lives as long as the last of them.
        """
        union = self.union
        asked = np.zeros(union.paths.count, dtype=bool)
        asked[union.path[events]] = True
        every = self.events(asked)
        every = every[np.lexsort((union.born[every], union.path[every]))]
        path, died = union.path[every], union.died[every].astype(np.int32)
        followed = np.zeros(len(every), dtype=bool)
        followed[:-1] = (path[1:] == path[:-1]) & (union.born[every[1:]] == died[:-1])
        directory = union.kind[every] == Kind.DIR
        goes_on = followed.copy()
        goes_on[:-1] &= directory[1:] & directory[:-1]
        ends = np.flatnonzero(~goes_on)
        end = ends[np.searchsorted(ends, np.arange(len(every)))]
        row = np.zeros(union.event_count, dtype=np.int32)
        row[every] = end
        last = row[events]
        fate = np.where(died[last] < union.layer_count, died[last], -1).astype(np.int16)
        return fate, followed[last]

    def sizes(self, events: NDArray[np.int32]) -> NDArray[np.int64]:
        """Bytes that its layer ships at or below each of these versions."""
        return self._summed(events)[0]

    def wasted(self, events: NDArray[np.int32]) -> NDArray[np.int64]:
        """Of :meth:`sizes`, the bytes that no name in the final file system reaches."""
        return self._summed(events)[1]

    def _summed(self, events: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All bytes at or below each version, and the wasted ones."""
        union = self.union
        sums = self._own(events)
        folders = np.flatnonzero(union.kind[events] == Kind.DIR)
        layers = union.born[events[folders]]
        for layer in distinct(layers).tolist():
            rows = folders[layers == layer]
            paths, running = self._carried_by(layer)
            tops = union.path[events[rows]]
            ends = union.paths.end[tops]
            sums[:, rows] = running[:, np.searchsorted(paths, ends)] - running[:, np.searchsorted(paths, tops)]
        return sums[0], sums[1]

    def _own(self, events: NDArray[np.int32]) -> NDArray[np.int64]:
        """The same as two rows, without what is below: bytes of each version itself."""
        union = self.union
        if self._dead is None:
            self._dead = np.zeros(union.event_count, dtype=bool)
            self._dead[union.dead.inode] = True
        sizes = union.size[events]
        return np.stack([sizes, np.where(self._dead[events], sizes, 0)])

    def _carried_by(self, layer: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """A layer's paths with bytes, ascending, and running sums of all and of the wasted ones, from 0 on."""
        known = self._carried.get(layer)
        if known is None:
            first, stop = self.union.layer_start[layer : layer + 2].tolist()
            with_bytes = first + np.flatnonzero(self.union.size[first:stop])
            with_bytes = with_bytes[np.argsort(self.union.path[with_bytes])]
            running = np.zeros((2, len(with_bytes) + 1), dtype=np.int64)
            np.cumsum(self._own(with_bytes.astype(np.int32)), axis=1, out=running[:, 1:])
            known = self._carried[layer] = self.union.path[with_bytes], running
        return known
