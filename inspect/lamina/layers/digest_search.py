"""Files whose whole content has one of some digests."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

EMPTY = hashlib.sha256().hexdigest()
"""The digest of an empty file."""


class Digests(NamedTuple):
    """What is looked for: a content with any of these. Made by :func:`digests_of`."""

    wanted: frozenset[str]
    """SHA-256, in hexadecimal digits."""

    @property
    def least(self) -> int:
        """See :class:`~lamina.layers.tar_search.Sought`."""
        return 0 if EMPTY in self.wanted else 1

    @property
    def overlap(self) -> None:
        """See :class:`~lamina.layers.tar_search.Sought`: a content has to be whole."""

    def hits(self, starts: list[int], ends: list[int]) -> DigestHits:
        """See :class:`~lamina.layers.tar_search.Sought`."""
        return DigestHits(starts, ends, self.wanted)


def digests_of(texts: Sequence[str]) -> Digests:
    """Digests as users write them, ``sha256:0123…`` or the digits alone.

    Raises:
        ValueError: one is none.
    """
    digits = [text.removeprefix("sha256:").lower() for text in texts]
    if not digits or not all(re.fullmatch("[0-9a-f]{64}", text) for text in digits):
        raise ValueError("no SHA-256")
    return Digests(frozenset(digits))


class DigestHits:
    """A :class:`~lamina.layers.tar_search.Hits`; every byte of each file has to come, in order.

    Args:
        starts: where each file begins, ascending.
        ends: where it ends.
        wanted: the digests.
    """

    def __init__(self, starts: list[int], ends: list[int], wanted: frozenset[str]) -> None:
        self._starts = starts
        self._ends = ends
        self._wanted = wanted
        self._hasher = hashlib.sha256()
        self.found: set[int] = set()

    def feed(self, at: int, piece: bytes) -> None:
        """See :class:`~lamina.layers.tar_search.Hits`."""
        data, stop = memoryview(piece), at + len(piece)
        row = max(bisect_right(self._starts, at) - 1, 0)
        while row < len(self._starts) and self._starts[row] < stop:
            start, end = self._starts[row], self._ends[row]
            if end > at:
                self._hasher.update(data[max(start - at, 0) : min(end, stop) - at])
                if end <= stop:
                    if self._hasher.hexdigest() in self._wanted:
                        self.found.add(row)
                    self._hasher = hashlib.sha256()
            row += 1
