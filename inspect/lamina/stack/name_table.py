"""Paths by their last names, found among all names of an image at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.stack.paths import PathTable

Rows = NDArray[np.int32]


class NameTable:
    """Compares all names byte by byte, as columns: few are left after the first one or two.

    Args:
        paths: whose names.
    """

    def __init__(self, paths: PathTable) -> None:
        self._bytes = np.frombuffer(paths.names, dtype=np.uint8)
        self._start = paths.name_start[:-1]
        self._stop = paths.name_start[1:] - 1
        self._length = self._stop - self._start

    def called(self, name: bytes) -> Rows:
        """The rows of all paths whose last name is this."""
        return self._alike(np.flatnonzero(self._length == len(name)), name, self._start)

    def beginning(self, text: bytes) -> Rows:
        """The rows of all paths whose last name begins so."""
        return self._alike(np.flatnonzero(self._length >= len(text)), text, self._start)

    def ending(self, text: bytes) -> Rows:
        """The rows of all paths whose last name ends so."""
        return self._alike(np.flatnonzero(self._length >= len(text)), text, self._stop - len(text))

    def _alike(self, rows: NDArray[np.int64], text: bytes, where: NDArray[np.int64]) -> Rows:
        # The last bytes part names best: of the first many share a dot.
        for at in range(len(text) - 1, -1, -1):
            rows = rows[self._bytes[where[rows] + at] == text[at]]
        return rows.astype(np.int32)
