"""Every distinct path of an image once, in pre-order, as columns.

Sorting path keys (components joined by NUL, the smallest byte) gives pre-order: a directory comes right before its
subtree, siblings stand by name. So a subtree is a range of rows, and a sum over it two look-ups in a running sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.dataclass import dataclass
from lamina.layers.index import SEPARATOR
from lamina.model import LaminaError


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
        return b"" if not path else self.between(0, path)[1:]

    def between(self, first: int, path: int) -> bytes:
        """The names from one path down to another that lies below it, both included."""
        parts = [self.name(path)]
        while path != first:
            path = int(self.parent[path])
            parts.append(self.name(path))
        return b"/".join(reversed(parts))

    def texts(self, paths: NDArray[np.int32]) -> list[bytes]:
        """The whole path of each row; for many rows at once, whose directories recur."""
        parents = self.parent[paths].tolist()
        prefix = {0: b""}  # of what stands right below a directory
        for top in dict.fromkeys(parents):
            above = []
            here = top
            while here not in prefix:
                above.append(here)
                here = int(self.parent[here])
            for row in reversed(above):
                prefix[row] = prefix[int(self.parent[row])] + self.name(row) + b"/"
        starts, stops = self.name_start[paths].tolist(), (self.name_start[paths + 1] - 1).tolist()
        names = self.names
        return [prefix[parent] + names[start:stop] for parent, start, stop in zip(parents, starts, stops, strict=True)]

    def find(self, path: bytes) -> int | None:
        """The row of ``usr/lib/x``, None where no layer has it."""
        here: int | None = 0
        for part in path.split(b"/") if path else []:
            here = None if here is None else self.child(here, part)
        return here

    def child(self, path: int, name: bytes) -> int | None:
        """The row of a name right below a path, None where no layer has it."""
        return next((child for child in self.children(path).tolist() if self.name(child) == name), None)

    def children(self, path: int) -> NDArray[np.int64]:
        """Rows right below a path, by name."""
        first, end = path + 1, int(self.end[path])
        return np.flatnonzero(self.parent[first:end] == path) + first

    def covered(self, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Per path whether it lies in one of some ranges: a subtree is the range from a row to its ``end``."""
        edges = np.bincount(starts, minlength=self.count + 1)
        edges -= np.bincount(ends, minlength=self.count + 1)
        inside: NDArray[np.bool_] = np.cumsum(edges[:-1]) > 0
        return inside

    def with_subtrees(self, tops: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Per path whether it, or a folder that it lies in, is marked."""
        rows = np.flatnonzero(tops).astype(np.int32)
        return self.covered(rows, self.end[rows])

    def subtree_sums(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Per path the sum of ``values`` over its subtree."""
        running = np.zeros(self.count + 1, dtype=np.int64)
        np.cumsum(values, out=running[1:])
        sums: NDArray[np.int64] = running[self.end] - running[:-1]
        return sums

    def subtree_counts(self, marked: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Per path how many of its subtree are marked."""
        running = np.zeros(self.count + 1, dtype=np.int32)
        np.cumsum(marked, out=running[1:])
        counts: NDArray[np.int32] = running[self.end] - running[:-1]
        return counts


def build_path_table(key_lists: Sequence[list[bytes]]) -> tuple[PathTable, list[NDArray[np.int32]]]:
    """Intern path keys.

    Args:
        key_lists: one list of keys per layer, in any order, with repeats.

    Returns:
        The table of all keys and their ancestors; and each list as rows of the table.

    Raises:
        LaminaError: too many directories stand in no list.
    """
    row_of = dict.fromkeys(chain([b""], *key_lists), 0)
    ordered = sorted(row_of)
    shape = _Shape(ordered)
    implied = 0
    while missing := shape.missing_parents(ordered):  # engines list every directory: nearly never
        for parent in missing:
            above = parent
            while above not in row_of:
                row_of[above] = 0
                implied += len(above)
                if implied > limits.IMPLIED:
                    raise LaminaError(f"more than {limits.IMPLIED} bytes of directory names that no layer lists")
                above = above.rpartition(SEPARATOR)[0]
        ordered = sorted(row_of)
        shape = _Shape(ordered)
    table = shape.table()
    row_of.update(zip(ordered, range(table.count), strict=True))
    return table, [np.fromiter(map(row_of.__getitem__, keys), dtype=np.int32, count=len(keys)) for keys in key_lists]


class _Shape:
    """What can be seen of sorted path keys, the root's among them, all at once."""

    def __init__(self, keys: list[bytes]) -> None:
        self._count = len(keys)
        self._characters = np.frombuffer(SEPARATOR.join(keys) + SEPARATOR, dtype=np.uint8)
        lengths = np.fromiter(map(len, keys), dtype=np.int64, count=self._count)
        stops = np.cumsum(lengths + 1)  # behind each key's separator
        is_separator = self._characters == SEPARATOR[0]
        separators = np.flatnonzero(is_separator)
        seen = np.searchsorted(separators, stops)  # separators up to each key's own
        depth = np.diff(seen, prepend=0).astype(np.int32)
        depth[0] = 0
        self._nested = depth > 1
        self._parent_length = np.zeros(self._count, dtype=np.int64)
        starts = stops - lengths - 1
        self._parent_length[self._nested] = separators[seen[self._nested] - 2] - starts[self._nested]
        self._lengths = lengths
        self._depth = depth
        self._levels = _levels(depth)
        # In pre-order the parent of a row is the last one above it that is less deep by one, if it is there at all.
        self._parent = np.zeros(self._count, dtype=np.int32)
        for upper, level in pairwise(self._levels):
            if len(upper):
                self._parent[level] = upper[np.maximum(np.searchsorted(upper, level) - 1, 0)]

    def missing_parents(self, keys: list[bytes]) -> set[bytes]:
        """Parents that are not among the keys."""
        # NUL is the smallest byte, so whatever stands between a key and something below it is below it too: what the
        # last of a row's children says, all of them say.
        last_child = np.full(self._count, -1, dtype=np.int64)
        last_child[self._parent] = np.arange(self._count)
        parents = np.flatnonzero(last_child >= 0)
        children = map(keys.__getitem__, last_child[parents].tolist())
        sound = np.zeros(self._count, dtype=bool)
        sound[parents] = list(map(bytes.startswith, children, map(keys.__getitem__, parents.tolist())))
        fits = (self._lengths[self._parent] == self._parent_length) & (self._parent <= np.arange(self._count))
        missing = set()
        for row in np.flatnonzero(~(fits & sound[self._parent])).tolist():
            if not fits[row] or not keys[row].startswith(keys[int(self._parent[row])]):
                missing.add(keys[row][: int(self._parent_length[row])])
        return missing

    def table(self) -> PathTable:
        """The table, where no parent is missing."""
        # A name is what follows the parent and a separator: what comes before is cut out of all keys at once.
        cut = self._parent_length + self._nested
        lengths = self._lengths + 1 - cut
        kept = np.repeat(np.tile([False, True], self._count), np.column_stack([cut, lengths]).ravel())
        name_start = np.zeros(self._count + 1, dtype=np.int64)
        np.cumsum(lengths, out=name_start[1:])
        return PathTable(
            parent=self._parent,
            depth=self._depth,
            end=_ends(self._parent, self._levels),
            names=self._characters[kept].tobytes(),
            name_start=name_start,
        )


def _levels(depth: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Rows by depth, the root's first; ascending."""
    by_depth = np.argsort(depth, kind="stable")
    bounds = np.searchsorted(depth[by_depth], np.arange(int(depth.max()) + 2)).tolist()
    return [by_depth[start:stop] for start, stop in pairwise(bounds)]


def _ends(parent: NDArray[np.int32], levels: list[NDArray[np.int64]]) -> NDArray[np.int32]:
    """Subtree ends of rows in pre-order, one level at a time from the deepest."""
    count = len(parent)
    below = np.ones(count, dtype=np.int32)  # rows of the subtree
    for level in reversed(levels[1:]):
        np.add.at(below, parent[level], below[level])
    ends: NDArray[np.int32] = np.arange(count, dtype=np.int32) + below
    return ends
