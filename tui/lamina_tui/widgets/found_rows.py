"""What a search found in one image or several, merged and in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamina.distinct import distinct
from lamina.figures.find_paths import LETTERS, MOST, Found
from lamina.stack.paths import PathTable

ORDERS = ("relevance", "size", "path")

_COLUMNS = ("path", "layer", "size", "wasted", "kind", "died", "replaced", "rank")

Key = tuple[int, int, int]
"""What a row is, whatever its place: (image, path, layer)."""


class FoundRows:
    """Rows of :class:`Found` with the number of their image, of which at most :data:`MOST` are kept.

    Args:
        tables: each image's paths.
    """

    def __init__(self, tables: Sequence[PathTable]) -> None:
        self._tables = tables
        self.total = 0
        """Versions that were found, those left out as well."""
        self.order = ORDERS[0]
        self.reverse = False
        self.image: NDArray[np.int16] = np.zeros(0, dtype=np.int16)
        self.path: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self.layer: NDArray[np.int16] = np.zeros(0, dtype=np.int16)
        self.size: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.wasted: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.kind: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self.died: NDArray[np.int16] = np.zeros(0, dtype=np.int16)
        self.replaced: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self.rank: NDArray[np.int16] = np.zeros(0, dtype=np.int16)

    def __len__(self) -> int:
        """Rows."""
        return len(self.path)

    def add(self, image: int, found: Found) -> None:
        """More was found in an image."""
        self.total += found.total
        numbers = np.full(len(found), image, dtype=np.int16)
        self.image = np.concatenate([self.image, numbers])
        for name in _COLUMNS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(found, name)]))
        if len(self) > MOST:
            self._take(np.lexsort((-self.size, self.rank))[:MOST])
        self._sort()

    def sort_by(self, order: str, *, reverse: bool) -> None:
        """Put the rows in one of :data:`ORDERS`; the best, the largest, the first in the alphabet come first."""
        self.order, self.reverse = order, reverse
        self._sort()

    def _sort(self) -> None:
        if self.order == "path":
            columns = self.image.tolist(), self.layer.tolist()
            keys = list(zip(self._texts(), *columns, strict=True))
            order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)
        else:
            by = (self.layer, self.path, self.image)  # of equals
            first = (-self.size, self.rank) if self.order == "relevance" else (self.rank, -self.size)
            order = np.lexsort((*by, *first))
        self._take(order[::-1] if self.reverse else order)

    def _take(self, rows: NDArray[np.intp]) -> None:
        self.image = self.image[rows]
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[rows])

    def _texts(self) -> list[bytes]:
        found = [b""] * len(self)
        for image in distinct(self.image).tolist():
            rows = np.flatnonzero(self.image == image)
            for row, text in zip(rows.tolist(), self._tables[image].texts(self.path[rows]), strict=True):
                found[row] = text
        return found

    def text(self, row: int) -> bytes:
        """The whole path of a row."""
        return self._tables[int(self.image[row])].path(int(self.path[row]))

    def only_letters(self, row: int) -> bool:
        """Whether the name does not have the text, and only its letters in order."""
        return bool(self.rank[row] >= LETTERS)

    @property
    def loose(self) -> int:
        """Rows whose names only have the letters."""
        return int((self.rank >= LETTERS).sum())

    def key(self, row: int) -> Key:
        """What the row is."""
        return int(self.image[row]), int(self.path[row]), int(self.layer[row])

    def index_of(self, key: Key) -> int | None:
        """The row of a key; None where it is not there."""
        image, path, layer = key
        rows = np.flatnonzero((self.path == path) & (self.layer == layer) & (self.image == image))
        return int(rows[0]) if rows.size else None
