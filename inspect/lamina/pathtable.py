"""Every distinct path of an image once, in pre-order, as columns.

Sorting path keys (components joined by NUL, the smallest byte) gives pre-order: a directory comes right before its
subtree, siblings stand by name. So a subtree is a range of rows, and a sum over it two look-ups in a running sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamina.layers.index import SEPARATOR


@dataclass(frozen=True, slots=True)
class PathTable:
    """Paths as rows 0..count-1; row 0 is the root.

    ``parent`` of the root is 0. The subtree of ``p`` is the range ``[p, end[p])``.
    """

    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    end: NDArray[np.int32]
    names: bytes = field(repr=False)
    """All names, joined by NUL, the root's empty one first."""
    name_start: NDArray[np.int64] = field(repr=False)
    """Where each name starts in :attr:`names`; one more entry at the end."""

    @property
    def count(self) -> int:
        """Number of paths, the root included."""
        return len(self.parent)

    def name(self, path: int) -> bytes:
        """The last component of a path; the root's is empty."""
        return self.names[self.name_start[path] : self.name_start[path + 1] - 1]

    def path(self, path: int) -> bytes:
        """The whole path, ``usr/lib/x``; the root's is empty."""
        parts = []
        while path:
            parts.append(self.name(path))
            path = int(self.parent[path])
        return b"/".join(reversed(parts))

    def texts(self, paths: NDArray[np.int32]) -> list[bytes]:
        """The whole path of each row; for many rows at once, whose directories recur."""
        parents = np.unique(self.parent[paths]).tolist()
        prefix = {row: self.path(row) + b"/" if row else b"" for row in parents}
        name = self.name
        return [
            prefix[parent] + name(row) for row, parent in zip(paths.tolist(), self.parent[paths].tolist(), strict=True)
        ]

    def find(self, path: bytes) -> int | None:
        """The row of ``usr/lib/x``, None where no layer has it."""
        here = 0
        for part in path.split(b"/") if path else []:
            for child in self.children(here).tolist():
                if self.name(child) == part:
                    here = child
                    break
            else:
                return None
        return here

    def children(self, path: int) -> NDArray[np.int64]:
        """Rows right below a path, by name."""
        first, end = path + 1, int(self.end[path])
        return np.flatnonzero(self.parent[first:end] == path) + first

    def subtree_sums(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Per path the sum of ``values`` over its subtree."""
        running = np.zeros(self.count + 1, dtype=np.int64)
        np.cumsum(values, out=running[1:])
        sums: NDArray[np.int64] = running[self.end] - running[:-1]
        return sums


def build_path_table(key_lists: Sequence[list[bytes]]) -> tuple[PathTable, list[NDArray[np.int32]]]:
    """Intern path keys.

    Args:
        key_lists: one list of keys per layer, in any order, with repeats.

    Returns:
        The table of all keys and their ancestors; and each list as rows of the table.
    """
    distinct: set[bytes] = {b""}
    for keys in key_lists:
        distinct.update(keys)
    missing = {key.rpartition(SEPARATOR)[0] for key in distinct} - distinct
    while missing:
        distinct |= missing
        missing = {key.rpartition(SEPARATOR)[0] for key in missing} - distinct
    ordered = sorted(distinct)
    del distinct
    row_of = dict(zip(ordered, range(len(ordered)), strict=True))
    rows = [np.fromiter(map(row_of.__getitem__, keys), dtype=np.int32, count=len(keys)) for keys in key_lists]
    del row_of
    depth = np.fromiter((key.count(SEPARATOR) for key in ordered), dtype=np.int32, count=len(ordered)) + 1
    depth[0] = 0
    names = [key.rpartition(SEPARATOR)[2] for key in ordered]
    del ordered
    lengths = np.fromiter(map(len, names), dtype=np.int64, count=len(names)) + 1
    name_start = np.zeros(len(names) + 1, dtype=np.int64)
    np.cumsum(lengths, out=name_start[1:])
    parent, end = _links(depth)
    return PathTable(parent, depth, end, SEPARATOR.join(names) + SEPARATOR, name_start), rows


def _links(depth: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Parents and subtree ends of rows in pre-order, from their depths alone, one level at a time."""
    count = len(depth)
    parent = np.zeros(count, dtype=np.int32)
    below = np.ones(count, dtype=np.int32)  # rows of the subtree
    by_level = np.argsort(depth, kind="stable").astype(np.int32)
    bounds = np.searchsorted(depth[by_level], np.arange(int(depth.max()) + 2))
    levels = [by_level[bounds[level] : bounds[level + 1]] for level in range(len(bounds) - 1)]
    for upper, lower in pairwise(levels):
        # The parent is the last row of the upper level before this one.
        parent[lower] = upper[np.searchsorted(upper, lower) - 1]
    for lower in reversed(levels[1:]):
        np.add.at(below, parent[lower], below[lower])
    return parent, (np.arange(count, dtype=np.int32) + below).astype(np.int32)
