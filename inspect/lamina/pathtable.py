"""Every distinct path of an image once, in pre-order, as columns.

Sorting path keys (components joined by NUL, the smallest byte) gives pre-order: a directory comes right before its
subtree, siblings stand by name. So a subtree is a range of rows, and a sum over it two look-ups in a running sum.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, repeat

import numpy as np
from numpy.typing import NDArray

from lamina.layers.index import SEPARATOR

_FEW = 500  # rows put in one by one rather than by sorting all anew


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
        names = self.names.split(SEPARATOR)
        rows, parents = paths.tolist(), self.parent[paths].tolist()
        prefix = {0: b""}
        for top in dict.fromkeys(parents):
            above = []
            here = top
            while here not in prefix:
                above.append(here)
                here = int(self.parent[here])
            for row in reversed(above):
                prefix[row] = prefix[int(self.parent[row])] + names[row] + b"/"
        return [prefix[parent] + names[row] for row, parent in zip(rows, parents, strict=True)]

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
    # Layers mostly come in order, and runs that are in order sort in little more than one pass.
    every = [b""]
    for keys in key_lists:
        every += keys
    every.sort()
    ordered = list(dict.fromkeys(every))
    del every
    parents, names = _split(ordered)
    missing = set(parents).difference(ordered)
    while missing:
        if len(missing) > _FEW:
            ordered = sorted(missing.union(ordered))
            parents, names = _split(ordered)
        else:
            for key in missing:
                row = bisect_left(ordered, key)
                above, _, name = key.rpartition(SEPARATOR)
                ordered.insert(row, key)
                parents.insert(row, above)
                names.insert(row, name)
        missing = {key.rpartition(SEPARATOR)[0] for key in missing}.difference(ordered)
    count = len(ordered)
    row_of = dict(zip(ordered, range(count), strict=True))
    rows = [np.fromiter(map(row_of.__getitem__, keys), dtype=np.int32, count=len(keys)) for keys in key_lists]
    parent = np.fromiter(map(row_of.__getitem__, parents), dtype=np.int32, count=count)
    del row_of, parents
    depth = np.fromiter(map(bytes.count, ordered, repeat(SEPARATOR)), dtype=np.int32, count=count) + 1
    depth[0] = 0
    del ordered
    lengths = np.fromiter(map(len, names), dtype=np.int64, count=count) + 1
    name_start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(lengths, out=name_start[1:])
    table = PathTable(parent, depth, _ends(parent, depth), SEPARATOR.join(names) + SEPARATOR, name_start)
    return table, rows


def _split(keys: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """(parent keys, names) of path keys."""
    cuts = list(map(bytes.rfind, keys, repeat(SEPARATOR)))
    parents = [key[:cut] if cut > 0 else b"" for key, cut in zip(keys, cuts, strict=True)]
    return parents, [key[cut + 1 :] for key, cut in zip(keys, cuts, strict=True)]


def _ends(parent: NDArray[np.int32], depth: NDArray[np.int32]) -> NDArray[np.int32]:
    """Subtree ends of rows in pre-order, one level at a time from the deepest."""
    count = len(depth)
    below = np.ones(count, dtype=np.int32)  # rows of the subtree
    by_level = np.argsort(depth, kind="stable").astype(np.int32)
    bounds = np.searchsorted(depth[by_level], np.arange(int(depth.max()) + 2)).tolist()
    for start, stop in reversed(list(pairwise(bounds[1:]))):
        level = by_level[start:stop]
        np.add.at(below, parent[level], below[level])
    ends: NDArray[np.int32] = np.arange(count, dtype=np.int32) + below
    return ends
