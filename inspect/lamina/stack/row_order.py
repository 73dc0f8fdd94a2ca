"""How rows of a file tree follow each other: siblings by a column or by name, children right below their parents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.model import Kind
from lamina.stack.union import ABSENT
from lamina.stack.view import View

SIZE_BITS = 44
SIZE_TOP = (1 << SIZE_BITS) - 1
"""16 TiB: wherever sizes are part of a sort key, larger ones sort alike."""

Level = tuple[NDArray[np.int32], NDArray[np.int64]]
"""Nodes, and each one's parent as an index into the level above."""


def sibling_order(
    view: View, nodes: NDArray[np.int32], parents: NDArray[np.int64], key: str, *, reverse: bool
) -> NDArray[np.int64]:
    """Siblings in display order, groups of siblings staying where they are.

    Args:
        view: has the column.
        nodes: path ids, ascending within each group.
        parents: the group of each, ascending, below 2^19.
        key: one of the view's figures (most first), or ``name``.
        reverse: the other way round.
    """
    if key == "name":
        if not reverse:
            return np.arange(len(nodes))
        return np.lexsort((-nodes, parents))
    # A difference may be negative: all are moved up by half the room.
    half = (SIZE_TOP + 1) // 2 if key == "difference" else 0
    sizes = np.clip(view.figure(key)[nodes] + half, 0, SIZE_TOP)
    keys = (parents << SIZE_BITS) | (sizes if reverse else SIZE_TOP - sizes)
    return np.argsort(keys, kind="stable")


def flattened(levels: list[Level]) -> NDArray[np.int32]:
    """Nodes of all levels, the topmost first, as one pre-order list."""
    if not levels:
        return np.zeros(0, dtype=np.int32)
    # Rows of each node's visible subtree, from the deepest level up.
    counts: list[NDArray[np.int64]] = [np.ones(len(nodes), dtype=np.int64) for nodes, _ in levels]
    for depth in range(len(levels) - 1, 0, -1):
        np.add.at(counts[depth - 1], levels[depth][1], counts[depth])
    rows = np.zeros(int(counts[0].sum()), dtype=np.int32)
    parent_position = np.array([-1], dtype=np.int64)
    for depth, (nodes, parents) in enumerate(levels):
        before = np.cumsum(counts[depth]) - counts[depth]
        # Within each group of siblings, what stands before counts from the group's first.
        first = np.concatenate([[True], parents[1:] != parents[:-1]])
        group_base = before[first][np.cumsum(first) - 1]
        position = parent_position[parents] + 1 + before - group_base
        rows[position] = nodes
        parent_position = position
    return rows


def joined_directories(view: View, shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """By path id: directories whose only entry is a directory with the same change, which one row can stand for.

    Args:
        view: has the changes.
        shown: the paths that are entries of anything.
    """
    paths = view.union.paths
    joined = np.zeros(paths.count, dtype=bool)
    nodes = np.flatnonzero(shown)
    nodes = nodes[nodes > 0]
    entries = np.bincount(paths.parent[nodes], minlength=paths.count)
    nodes = nodes[entries[paths.parent[nodes]] == 1]
    events = view.event[nodes]
    nodes = nodes[(events == ABSENT) | (view.union.kind[events] == Kind.DIR)]
    parents = paths.parent[nodes]
    joined[parents[view.change[nodes] == view.change[parents]]] = True
    joined[0] = False
    return joined


def whole_tree(
    view: View, shown: NDArray[np.bool_], opened: NDArray[np.bool_], key: str, *, reverse: bool
) -> NDArray[np.int32]:
    """The rows of a tree in display order, all levels at once: faster than level by level where much is unfolded.

    Args:
        view: what is shown.
        shown: by path id.
        opened: by path id, whether what is below it shows.
        key: as for :func:`sibling_order`.
        reverse: the same.
    """
    paths = view.union.paths
    folded = np.flatnonzero(~opened).astype(np.int32)
    visible = shown & ~paths.covered(folded + 1, paths.end[folded])
    visible[0] = False
    nodes = np.flatnonzero(visible).astype(np.int32)
    if not nodes.size or (key, reverse) == ("name", False):
        return nodes
    nodes = nodes[sibling_order(view, nodes, paths.parent[nodes].astype(np.int64), key, reverse=reverse)]
    parents = paths.parent[nodes]
    # Of each row: how many stand before it since its parent, itself included. Summed over a row and all above it,
    # which a running sum over the pre-order does, that is where the row stands.
    below = paths.subtree_counts(visible)[nodes]
    before = np.cumsum(below) - below
    first = np.concatenate([[True], parents[1:] != parents[:-1]])
    steps = before - before[first][np.cumsum(first) - 1] + 1
    changes = np.zeros(paths.count + 1, dtype=np.int64)
    changes[nodes] = steps
    np.subtract.at(changes, paths.end[nodes], steps)
    rows = np.zeros(len(nodes), dtype=np.int32)
    rows[np.cumsum(changes)[nodes] - 1] = nodes
    return rows
