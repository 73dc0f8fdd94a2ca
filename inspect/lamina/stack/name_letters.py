"""Which names have the letters of a text in its order, with others between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.stack.name_search import NameSearch, pattern_of


class NameLetters:
    """A text to look for among the names of a path table.

    Args:
        names: of the image.
        text: ``a/b`` wants the letters of ``b`` in a name right below one that has those of ``a``.
    """

    def __init__(self, names: NameSearch, text: str) -> None:
        self._paths = names.paths
        *parents, last = map(pattern_of, text.split("/"))
        self._last, self._parents = last, parents[::-1]
        # Where each letter stands in all names: found once, and then every name is a look-up.
        lower = names.lower
        self._where = {letter: np.flatnonzero(lower == letter) for letter in {*last, *b"".join(parents)}}

    def spans(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """For each of these paths how far its letters reach, in bytes; 0 where they are not there."""
        spans = self._spans(self._last, rows) if self._last else np.ones(len(rows), dtype=np.int64)
        above = rows
        for part in self._parents:
            above = self._paths.parent[above]
            here = np.flatnonzero(spans)
            if part and here.size:
                parents, back = np.unique(above[here], return_inverse=True)
                reach = self._spans(part, parents)[back]
                spans[here] = np.where(reach > 0, spans[here] + reach, 0)
        return spans

    def _spans(self, letters: bytes, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        spans = np.zeros(len(rows), dtype=np.int64)
        left = np.arange(len(rows))
        at = self._paths.name_start[rows] + 1
        stop = self._paths.name_start[rows + 1]
        for letter in letters:
            where = self._where[letter]
            found = np.searchsorted(where, at)
            there = found < len(where)
            there[there] = where[found[there]] < stop[there]
            left, stop = left[there], stop[there]
            at = where[found[there]] + 1
        # From the last letter back: the nearest ones before it, so that what stands together counts as near.
        last = at
        for letter in reversed(letters):
            where = self._where[letter]
            at = where[np.searchsorted(where, at) - 1]
        spans[left] = last - at
        return spans
