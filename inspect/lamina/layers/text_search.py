"""Texts looked for in the content of files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Texts(NamedTuple):
    """What is looked for: any of it. Made by :func:`texts_of`."""

    patterns: tuple[bytes, ...]
    fold: bool
    """Whether ASCII letters may be of either case: the patterns are in lower case then."""

    @property
    def least(self) -> int:
        """See :class:`~lamina.layers.tar_search.Sought`."""
        return min(map(len, self.patterns))

    @property
    def overlap(self) -> int:
        """See :class:`~lamina.layers.tar_search.Sought`."""
        return max(map(len, self.patterns)) - 1

    def hits(self, starts: list[int], ends: list[int]) -> TextHits:
        """See :class:`~lamina.layers.tar_search.Sought`."""
        return TextHits(starts, ends, self)


def texts_of(words: Sequence[str], *, fold: bool = False) -> Texts:
    """Words to be looked for as UTF-8; surrogates stand for bytes that are none.

    Raises:
        ValueError: one is empty, or has a NUL, which stands for what is not stored of a file.
    """
    patterns = [word.encode("utf-8", "surrogateescape") for word in words]
    if not patterns or not all(patterns) or any(b"\0" in pattern for pattern in patterns):
        raise ValueError("an empty text, or one with a NUL")
    return Texts(tuple(dict.fromkeys(pattern.lower() if fold else pattern for pattern in patterns)), fold)


class TextHits:
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
