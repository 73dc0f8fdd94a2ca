"""Whose each file is: what packages claim, made into bytes of which each counts once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamina.among import among
from lamina.dataclass import dataclass
from lamina.packages.manager import Found
from lamina.packages.path_lookup import PathLookup
from lamina.stack.union import Union

NOBODY = -1


@dataclass(slots=True)
class Claimant:
    """A package that claims paths."""

    manager: str
    found: Found
    installed: bool
    file: int = NOBODY
    """The path of a file of the final file system that it claims; :data:`NOBODY` where it claims none."""


class Ownership:
    """Who owns what stands at each path, and, where nothing stands any more, who owned it.

    Args:
        union: the image.
        lookup: where its paths stand.
    """

    def __init__(self, union: Union, lookup: PathLookup) -> None:
        self._union = union
        self._lookup = lookup
        self.claimants: list[Claimant] = []
        self.owner = np.full(union.paths.count, NOBODY, dtype=np.int32)
        """Per path the place of its owner in :attr:`claimants`."""
        self._twice = np.zeros(union.paths.count, dtype=bool)
        self._places: dict[tuple[str, str, bytes | None], int] = {}
        self._names = union.alive(union.layer_count - 1)
        self._names = self._names[union.regular()[self._names]]
        self._file = np.zeros(union.paths.count, dtype=bool)
        self._file[union.path[self._names]] = True

    def claim(self, manager: str, found: Found) -> None:
        """A package of the final file system takes of what it claims all that nobody has taken before."""
        rows = self._rows(found)
        place = self._place(manager, found, installed=True)
        files = rows[self._file[rows]]
        if files.size:
            self.claimants[place].file = int(files[0])
        taken = self.owner[rows] != NOBODY
        self._twice[rows[taken & (self.owner[rows] != place)]] = True
        self.owner[rows[~taken]] = place

    def claim_gone(self, manager: str, found: Found) -> None:
        """A package of a lower layer takes what nobody has: files that are waste now, or left behind."""
        place = self._place(manager, found, installed=False)
        rows = self._rows(found)
        # What stands there still when its package has gone, no package owns.
        rows = rows[(self.owner[rows] == NOBODY) & ~self._file[rows]]
        self.owner[rows] = place

    def _place(self, manager: str, found: Found, *, installed: bool) -> int:
        key = manager, found.name, found.path
        place = self._places.setdefault(key, len(self.claimants))
        if place == len(self.claimants):
            self.claimants.append(Claimant(manager, found, installed))
        return place

    def _rows(self, found: Found) -> NDArray[np.int32]:
        rows = np.array(self._lookup.rows(found.claims), dtype=np.int32)
        return rows if found.rows is None else np.concatenate([rows, found.rows])

    def inodes(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_], NDArray[np.int32]]:
        """Every file of the final file system once.

        Returns:
            Its inode; its owner, which is the first of those of its names; whether several packages claim it; the path
            that its bytes stand at.
        """
        union, names = self._union, self._names
        inodes, inverse = np.unique(union.inode[names], return_inverse=True)
        owners = self.owner[union.path[names]]
        none = np.iinfo(np.int32).max
        first = np.full(len(inodes), none, dtype=np.int32)
        np.minimum.at(first, inverse, np.where(owners == NOBODY, none, owners))
        other = (owners != NOBODY) & (owners != first[inverse])
        twice = np.zeros(len(inodes), dtype=bool)
        twice[inverse[other | self._twice[union.path[names]]]] = True
        path = np.zeros(len(inodes), dtype=np.int32)
        path[inverse[::-1]] = union.path[names][::-1]
        own = union.path[inodes]
        there = among(inodes, names)
        path[there] = own[there]
        return inodes, np.where(first == none, NOBODY, first).astype(np.int32), twice, path


def sums(values: NDArray[np.int64], groups: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Sums of values by group; what is in none counts nowhere."""
    total = np.zeros(count, dtype=np.int64)
    mine = groups >= 0
    np.add.at(total, groups[mine], values[mine])
    return total


def by_layer(
    values: NDArray[np.int64], groups: NDArray[np.int32], layers: NDArray[np.int16], layer_count: int
) -> dict[int, dict[int, int]]:
    """Sums of values by group and layer: group -> layer -> sum."""
    mine = (groups >= 0) & (values > 0)
    keys = groups[mine].astype(np.int64) * layer_count + layers[mine]
    distinct, inverse = np.unique(keys, return_inverse=True)
    total = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(total, inverse, values[mine])
    found: dict[int, dict[int, int]] = {}
    for key, value in zip(distinct.tolist(), total.tolist(), strict=True):
        found.setdefault(key // layer_count, {})[key % layer_count] = value
    return found


def folders_of(union: Union, rows: NDArray[np.int32], sizes: NDArray[np.int64]) -> list[tuple[bytes, int]]:
    """Bytes by top folder, most first; what stands in the root itself is by the empty name."""
    paths = union.paths
    at = np.zeros(paths.count, dtype=np.int64)
    at[rows] = sizes
    of_root = rows[paths.depth[rows] == 1]
    found = [(b"", int(at[of_root].sum()))]
    at[of_root] = 0
    total = paths.subtree_sums(at)
    found += [(paths.name(row), int(total[row])) for row in paths.children(0).tolist()]
    return sorted(((name, size) for name, size in found if size), key=lambda each: (-each[1], each[0]))


def renumbered(owner: NDArray[np.int32], order: Sequence[int]) -> NDArray[np.int32]:
    """Owners by their new places; those that have none become nobody.

    Args:
        owner: old places.
        order: old places in their new order.
    """
    new = np.full(max(len(order), int(owner.max(initial=0)) + 1) + 1, NOBODY, dtype=np.int32)
    new[np.array(order, dtype=np.int64)] = np.arange(len(order), dtype=np.int32)
    return new[owner]
