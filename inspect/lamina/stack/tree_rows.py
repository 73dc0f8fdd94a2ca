"""Which rows a file tree shows, and in which order.

All state that a tree on the screen has (folds, sorting, kinds shown, filter) over flat columns; the screen draws
:attr:`TreeRows.rows` and computes nothing. Work per key is in proportion to the rows that come or go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.model import Change
from lamina.stack.file_groups import FileGroups, by_extension, by_owner
from lamina.stack.group_rows import GroupRows, group_of_row
from lamina.stack.name_search import NameSearch
from lamina.stack.row_order import SIZE_BITS, Level, flattened, joined_directories, sibling_order, whole_tree
from lamina.stack.view import View

ALL_CHANGES = frozenset(Change)

GROUPINGS = ("tree", "list", "extension", "owner")
"""What rows can be: a tree, all that is no directory as one list, or the same in groups."""

_MANY = 8  # where more than an eighth of all paths is unfolded, all rows are computed at once


class TreeRows:
    """Rows of a tree over one view; folds survive another view of the same image."""

    def __init__(self, view: View) -> None:
        paths = view.union.paths
        self._paths = paths
        self._view = view
        self._open = np.zeros(paths.count, dtype=bool)
        self._open[0] = True
        self._open_unfiltered: NDArray[np.bool_] | None = None
        self._sort = view.figures[0]
        self._reverse = False
        self._grouping = "tree"
        self._groups: GroupRows | None = None
        self._open_groups: dict[str, set[bytes]] = {"extension": set(), "owner": set()}
        self._extensions: FileGroups | None = None
        self._joins = False
        self._joined = np.zeros(paths.count, dtype=bool)
        self._kinds: frozenset[Change] = ALL_CHANGES
        self._filter = ""
        self._only: NDArray[np.bool_] | None = None
        self._match = np.zeros(paths.count, dtype=bool)
        # Children by parent, each parent's by name: one sort for the life of the image.
        self._child: NDArray[np.int32] = (np.argsort(paths.parent[1:], kind="stable") + 1).astype(np.int32)
        counts = np.bincount(paths.parent[1:], minlength=paths.count)
        self._child_start = np.zeros(paths.count + 1, dtype=np.int64)
        np.cumsum(counts, out=self._child_start[1:])
        self.names = NameSearch(paths)
        """Finds what a text means among all paths, whatever the view and the filter in force."""
        self._shown = view.present
        self.rows: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        """Path ids in display order, the root being no row; below zero, groups (see :func:`group_of_row`)."""
        self.hidden_by_kinds = 0
        """How many paths of the view the choice of kinds leaves out."""
        self._refresh()

    # What is shown.

    @property
    def view(self) -> View:
        """The view the rows are of."""
        return self._view

    def set_view(self, view: View) -> None:
        """Show another view of the same union; folds, sort, kinds and filter stay."""
        self._view = view
        if self.filters:
            self._apply_filter()
        self._refresh()

    def set_sort(self, key: str, *, reverse: bool = False) -> None:
        """Order siblings by one of the view's figures (most first), or by ``name``; ``reverse`` turns it round."""
        self._sort, self._reverse = key, reverse
        self.rows = self._rows_below(0)

    def set_grouping(self, grouping: str) -> None:
        """Show one of :data:`GROUPINGS`; each keeps its folds."""
        if grouping != self._grouping:
            self._grouping = grouping
            self.rows = self._rows_below(0)

    @property
    def shown(self) -> NDArray[np.bool_]:
        """By path id: what kinds and filter leave of the view, folded or not."""
        return self._shown

    @property
    def grouping(self) -> str:
        """One of :data:`GROUPINGS`."""
        return self._grouping

    @property
    def flat(self) -> bool:
        """Whether paths stand in no tree."""
        return self._grouping != "tree"

    @property
    def groups(self) -> GroupRows:
        """What the groups among the rows are, where rows are grouped."""
        assert self._groups is not None
        return self._groups

    def set_joins(self, joins: bool) -> None:  # what it is set to
        """Show a directory whose only entry is a directory in the row of that one, or each in its own."""
        self._joins = joins
        self._joined[:] = False
        self._refresh()

    @property
    def joins(self) -> bool:
        """Whether such directories share rows."""
        return self._joins

    def first_of_row(self, path: int) -> int:
        """The topmost directory that shares a path's row; the path itself where none does."""
        parent = int(self._paths.parent[path])
        while self._joined[parent]:
            path, parent = parent, int(self._paths.parent[parent])
        return path

    @property
    def sort(self) -> tuple[str, bool]:
        """(key, reversed)."""
        return self._sort, self._reverse

    def set_kinds(self, kinds: frozenset[Change]) -> None:
        """Show only paths with one of these changes, and their ancestors."""
        self._kinds = kinds
        self._refresh()

    @property
    def kinds(self) -> frozenset[Change]:
        """The kinds of change shown."""
        return self._kinds

    def set_filter(self, text: str, only: NDArray[np.bool_] | None = None) -> None:
        """Show only what matches, its ancestors unfolded, and what lies below a match.

        Args:
            text: a substring of the name, ASCII letters of either case; ``a/b`` wants a name beginning with ``b``
                right below one ending in ``a``. Empty: everything, and the folds as they were.
            only: by path id, what matches in place of what a text finds.
        """
        if text == self._filter and only is self._only:
            return
        if self._open_unfiltered is None:
            self._open_unfiltered = self._open
        self._filter, self._only = text, only
        if self.filters:
            self._apply_filter()
        else:
            self._match = np.zeros(self._paths.count, dtype=bool)
            self._open, self._open_unfiltered = self._open_unfiltered, None
        self._refresh()

    @property
    def filters(self) -> bool:
        """Whether anything is left out but by kinds."""
        return bool(self._filter) or self._only is not None

    @property
    def filter(self) -> str:
        """The filter's text."""
        return self._filter

    @property
    def matches(self) -> NDArray[np.int64]:
        """Indexes into :attr:`rows` of the rows the filter found."""
        return np.flatnonzero(self._match[self.rows] & (self.rows >= 0))

    def level(self, path: int) -> int:
        """How many rows above a path's row it lies in, were all unfolded."""
        if not self._joins:
            return int(self._paths.depth[path]) - 1
        level = 0
        while path := int(self._paths.parent[self.first_of_row(path)]):
            level += 1
        return level

    # Folding.

    @property
    def folds(self) -> NDArray[np.bool_]:
        """Which paths are unfolded, apart from what a filter unfolds."""
        return (self._open if self._open_unfiltered is None else self._open_unfiltered).copy()

    def set_folds(self, folds: NDArray[np.bool_]) -> bool:
        """Unfold as it was; False where those are the folds of other paths."""
        if len(folds) != len(self._open):
            return False
        self._open = folds.copy()
        self.rows = self._rows_below(0)
        return True

    def is_expanded(self, path: int) -> bool:
        """Whether a directory, or a group, is unfolded."""
        if path < 0:
            return self.groups.names[group_of_row(path)] in self._open_groups[self._grouping]
        return bool(self._open[path])

    def has_children(self, path: int) -> bool:
        """Whether something would show below a path, or a group."""
        return path < 0 or (not self.flat and bool(self._shown[path + 1 : int(self._paths.end[path])].any()))

    def toggle(self, path: int) -> None:
        """Fold or unfold."""
        (self.collapse if self.is_expanded(path) else self.expand)(path)

    def expand(self, path: int) -> None:
        """Unfold a directory, or a group; directories below it stand as they did."""
        if path < 0:
            self._open_groups[self._grouping].add(self.groups.names[group_of_row(path)])
            self.rows = self._rows_below(0)
            return
        if self.flat or self._joined[path]:
            self._open[path] = True
            return
        index = self.index_of(path)
        if self._open[path] or not self.has_children(path):
            return
        self._open[path] = True
        if index is not None:
            self.rows = np.concatenate([self.rows[: index + 1], self._rows_below(path), self.rows[index + 1 :]])

    def collapse(self, path: int) -> None:
        """Fold a directory, or a group."""
        if path < 0:
            self._open_groups[self._grouping].discard(self.groups.names[group_of_row(path)])
            self.rows = self._rows_below(0)
            return
        if path == 0 or not self._open[path] or self.flat:
            return
        index = None if self._joined[path] else self.index_of(path)
        self._open[path] = False
        if index is not None:
            below = self.rows[index + 1 :]
            inside = (below > path) & (below < self._paths.end[path])
            count = int(inside.argmin()) if not inside.all() else len(below)
            self.rows = np.concatenate([self.rows[: index + 1], below[count:]])

    def expand_all(self) -> None:
        """Unfold everything."""
        self._open[:] = True
        if self._grouping in self._open_groups:
            self._open_groups[self._grouping] = set(self.groups.names)
        self.rows = self._rows_below(0)

    def collapse_all(self) -> None:
        """Fold everything."""
        self._open[:] = False
        self._open[0] = True
        if self._grouping in self._open_groups:
            self._open_groups[self._grouping] = set()
        self.rows = self._rows_below(0)

    def reveal(self, path: int) -> int | None:
        """Unfold a path's ancestors; its row, None where the view or the filter leaves it out."""
        ancestors = []
        parent = int(self._paths.parent[path])
        while parent:
            ancestors.append(parent)
            parent = int(self._paths.parent[parent])
        for ancestor in reversed(ancestors):
            self.expand(ancestor)
        return self.index_of(path)

    # Asking.

    def index_of(self, path: int) -> int | None:
        """The row of a path, or of a group as rows have it; None where it is not shown."""
        while path > 0 and self._joined[path]:
            path = int(self._child[self._child_start[path] : self._child_start[path + 1]][self._only_child(path)])
        found = np.flatnonzero(self.rows == path)
        return int(found[0]) if found.size else None

    def _only_child(self, path: int) -> int:
        """Which child of a directory is shown, where one is."""
        return int(self._shown[self._child[self._child_start[path] : self._child_start[path + 1]]].argmax())

    # Computing.

    def _refresh(self) -> None:
        shown = self._view.present
        self.hidden_by_kinds = 0
        if self._kinds != ALL_CHANGES:
            asked_for = np.zeros(len(Change), dtype=bool)
            asked_for[list(self._kinds)] = True
            wanted = shown & asked_for[self._view.change]
            self.hidden_by_kinds = int(shown.sum() - wanted.sum())
            shown = self._with_ancestors(wanted)
        if self.filters:
            matched = self._match & shown
            shown = shown & (self._with_ancestors(matched) | self._paths.with_subtrees(matched))
        self._shown = shown
        if self._joins:
            self._joined = joined_directories(self._view, shown)
            self._joined &= ~self._match  # what was looked for is a row of its own
        self.rows = self._rows_below(0)

    def _with_ancestors(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        below: NDArray[np.bool_] = self._paths.subtree_counts(wanted) > 0
        return below

    def _apply_filter(self) -> None:
        found = self.names.search(self._filter) if self._only is None else self._only
        self._match = found & self._view.present
        self._match[0] = False
        ancestors = self._with_ancestors(self._match)
        ancestors &= self._paths.subtree_counts(self._match) > self._match
        self._open = ancestors
        self._open[0] = True

    def _rows_below(self, top: int) -> NDArray[np.int32]:
        """Visible rows below an unfolded directory, in display order."""
        count = self._paths.count
        if self.flat:
            return self._flat_rows()
        if top == 0 and np.count_nonzero(self._open) > count // _MANY and count < 1 << (63 - SIZE_BITS):
            rows = whole_tree(self._view, self._shown, self._open | self._joined, self._sort, reverse=self._reverse)
        else:
            rows = flattened(self._levels_below(top))
        return rows[~self._joined[rows]] if self._joins else rows

    def _levels_below(self, top: int) -> list[Level]:
        levels: list[Level] = []
        frontier = np.array([top], dtype=np.int32)
        above = np.array([0], dtype=np.int64)
        while frontier.size:
            nodes, parents = self._children_of(frontier, above)
            if not nodes.size:
                break
            order = self._order(nodes, parents)
            nodes, parents = nodes[order], parents[order]
            levels.append((nodes, parents))
            above = np.flatnonzero(self._open[nodes] | self._joined[nodes])
            frontier = nodes[above]
        return levels

    def _flat_rows(self) -> NDArray[np.int32]:
        """Everything shown that is no directory, in display order."""
        nodes = np.flatnonzero(self._shown & self._view.leaves()).astype(np.int32)
        if self._grouping == "list":
            return nodes[self._order(nodes, np.zeros(len(nodes), dtype=np.int64))]
        groups = self._file_groups()
        self._groups = GroupRows(self._view, groups, nodes)
        opened = self._open_groups[self._grouping]
        # What a filter finds is not to be hidden in a group.
        shown = np.array([self.filters or name in opened for name in groups.names], dtype=bool)
        return self._groups.rows(self._sort, shown, reverse=self._reverse)

    def _file_groups(self) -> FileGroups:
        if self._grouping == "owner":
            return by_owner(self._view)
        if self._extensions is None:
            self._extensions = by_extension(self._paths)
        return self._extensions

    def _children_of(
        self, frontier: NDArray[np.int32], index: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        starts, stops = self._child_start[frontier], self._child_start[frontier + 1]
        counts = stops - starts
        total = int(counts.sum())
        if not total:
            return self._child[:0], index[:0]
        shift = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        nodes = self._child[np.arange(total) + shift]
        parents = np.repeat(index, counts)
        keep = self._shown[nodes]
        return nodes[keep], parents[keep]

    def _order(self, nodes: NDArray[np.int32], parents: NDArray[np.int64]) -> NDArray[np.int64]:
        return sibling_order(self._view, nodes, parents, self._sort, reverse=self._reverse)
