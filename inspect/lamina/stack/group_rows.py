"""Rows of files in groups: a row a group, and below the unfolded ones their files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.stack.file_groups import FileGroups
from lamina.stack.row_order import sibling_order
from lamina.stack.view import View


def row_of_group(group: int) -> int:
    """How a group stands among rows of path ids: below zero."""
    return -1 - group


def group_of_row(row: int) -> int:
    """The group of such a row."""
    return -1 - row


class GroupRows:
    """The groups of one view's files.

    Args:
        view: has the bytes.
        groups: what the files are grouped by.
        nodes: path ids of the files that are shown, ascending.
    """

    def __init__(self, view: View, groups: FileGroups, nodes: NDArray[np.int32]) -> None:
        self.names = groups.names
        self._view = view
        self._nodes = nodes
        self._of_node = groups.of_path[nodes]
        self.counts: NDArray[np.int64] = np.bincount(self._of_node, minlength=len(groups.names))
        """Files of each group."""
        self._sums: dict[str, NDArray[np.int64]] = {}

    def figure(self, name: str) -> NDArray[np.int64]:
        """A column of the view, summed over each group: bytes."""
        if name not in self._sums:
            sums = np.zeros(len(self.names), dtype=np.int64)
            np.add.at(sums, self._of_node, self._view.own(name)[self._nodes])
            self._sums[name] = sums
        return self._sums[name]

    def rows(self, key: str, opened: NDArray[np.bool_], *, reverse: bool) -> NDArray[np.int32]:
        """Rows in display order: path ids, and groups as :func:`row_of_group` has them.

        Args:
            key: one of the view's figures (most first), or ``name``: of groups and of the files in each.
            opened: which groups are unfolded.
            reverse: the other way round.
        """
        there = np.flatnonzero(self.counts)
        by_name = sorted(there.tolist(), key=self.names.__getitem__)
        if key == "name":
            order = by_name[::-1] if reverse else by_name
        else:
            sums = self.figure(key)
            order = sorted(by_name, key=lambda group: int(sums[group]), reverse=not reverse)
        parts, folded = [], []
        for group in order:
            folded.append(row_of_group(group))
            if opened[group]:
                nodes = self._nodes[self._of_node == group]
                inside = sibling_order(self._view, nodes, np.zeros(len(nodes), dtype=np.int64), key, reverse=reverse)
                parts += [np.array(folded, dtype=np.int32), nodes[inside]]
                folded = []
        parts.append(np.array(folded, dtype=np.int32))
        return np.concatenate(parts)
