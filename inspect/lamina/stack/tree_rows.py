"""Which rows a file tree shows, and in which order.

All state that a tree on the screen has (folds, sorting, kinds shown, filter) over flat columns; the screen draws
:attr:`TreeRows.rows` and computes nothing. Work per key is in proportion to the rows that come or go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.model import Change, Kind
from lamina.stack.union import ABSENT
from lamina.stack.view import View

ALL_CHANGES = frozenset(Change)

_SIZE_BITS = 44  # 16 TiB: larger files sort alike
_SIZE_TOP = (1 << _SIZE_BITS) - 1

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
        self._flat = False
        self._kinds: frozenset[Change] = ALL_CHANGES
        self._filter = ""
        self._match = np.zeros(paths.count, dtype=bool)
        # Children by parent, each parent's by name: one sort for the life of the image.
        self._child: NDArray[np.int32] = (np.argsort(paths.parent[1:], kind="stable") + 1).astype(np.int32)
        counts = np.bincount(paths.parent[1:], minlength=paths.count)
        self._child_start = np.zeros(paths.count + 1, dtype=np.int64)
        np.cumsum(counts, out=self._child_start[1:])
        self._lower_names: NDArray[np.uint8] | None = None
        self._shown = view.present
        self.rows: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        """Path ids in display order; the root is no row."""
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
        if self._filter:
            self._apply_filter()
        self._refresh()

    def set_sort(self, key: str, *, reverse: bool = False) -> None:
        """Order siblings by one of the view's figures (most first), or by ``name``; ``reverse`` turns it round."""
        self._sort, self._reverse = key, reverse
        self.rows = self._rows_below(0)

    def set_flat(self, flat: bool) -> None:  # what it is set to
        """Show everything that is no directory as one list, or the tree again."""
        if flat != self._flat:
            self._flat = flat
            self.rows = self._rows_below(0)

    @property
    def flat(self) -> bool:
        """Whether the rows are one list."""
        return self._flat

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

    def set_filter(self, text: str) -> None:
        """Show only what matches, its ancestors unfolded, and what lies below a match.

        Args:
            text: a substring of the name, ASCII letters of either case; ``a/b`` wants a name beginning with ``b``
                right below one ending in ``a``. Empty: everything, and the folds as they were.
        """
        if text == self._filter:
            return
        if text and self._open_unfiltered is None:
            self._open_unfiltered = self._open
        self._filter = text
        if text:
            self._apply_filter()
        else:
            self._match = np.zeros(self._paths.count, dtype=bool)
            if self._open_unfiltered is not None:
                self._open, self._open_unfiltered = self._open_unfiltered, None
        self._refresh()

    @property
    def filter(self) -> str:
        """The filter's text."""
        return self._filter

    @property
    def matches(self) -> NDArray[np.int64]:
        """Indexes into :attr:`rows` of the rows the filter found."""
        return np.flatnonzero(self._match[self.rows])

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
        """Whether a directory is unfolded."""
        return bool(self._open[path])

    def has_children(self, path: int) -> bool:
        """Whether something would show below a path."""
        return not self._flat and bool(self._shown[path + 1 : int(self._paths.end[path])].any())

    def toggle(self, path: int) -> None:
        """Fold or unfold."""
        (self.collapse if self._open[path] else self.expand)(path)

    def expand(self, path: int) -> None:
        """Unfold a directory; directories below it stand as they did."""
        if self._flat:
            self._open[path] = True
            return
        index = self.index_of(path)
        if self._open[path] or not self.has_children(path):
            return
        self._open[path] = True
        if index is not None:
            self.rows = np.concatenate([self.rows[: index + 1], self._rows_below(path), self.rows[index + 1 :]])

    def collapse(self, path: int) -> None:
        """Fold a directory."""
        if path == 0 or not self._open[path] or self._flat:
            return
        index = self.index_of(path)
        self._open[path] = False
        if index is not None:
            below = self.rows[index + 1 :]
            inside = (below > path) & (below < self._paths.end[path])
            count = int(inside.argmin()) if not inside.all() else len(below)
            self.rows = np.concatenate([self.rows[: index + 1], below[count:]])

    def expand_all(self) -> None:
        """Unfold everything."""
        self._open[:] = True
        self.rows = self._rows_below(0)

    def collapse_all(self) -> None:
        """Fold everything."""
        self._open[:] = False
        self._open[0] = True
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
        """The row of a path, None where it is not shown."""
        found = np.flatnonzero(self.rows == path)
        return int(found[0]) if found.size else None

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
        if self._filter:
            matched = self._match & shown
            shown = shown & (self._with_ancestors(matched) | self._paths.with_subtrees(matched))
        self._shown = shown
        self.rows = self._rows_below(0)

    def _with_ancestors(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        below: NDArray[np.bool_] = self._paths.subtree_counts(wanted) > 0
        return below

    def _apply_filter(self) -> None:
        self._match = self.search(self._filter) & self._view.present
        self._match[0] = False
        ancestors = self._with_ancestors(self._match)
        ancestors &= self._paths.subtree_counts(self._match) > self._match
        self._open = ancestors
        self._open[0] = True

    def search(self, text: str) -> NDArray[np.bool_]:
        """By path id: whether the path is a match for a filter's text, whatever the view and the filter in force."""
        *parents, last = text.split("/")
        found = self._containing(last, at_start=bool(parents)) if last else np.ones(self._paths.count, dtype=bool)
        above = self._paths.parent
        for distance, part in enumerate(reversed(parents)):
            if part:
                outermost = distance == len(parents) - 1
                found &= self._containing(part, at_start=not outermost, at_end=True)[above]
            above = self._paths.parent[above]
        return found

    def _containing(self, text: str, *, at_start: bool = False, at_end: bool = False) -> NDArray[np.bool_]:
        """Names that hold a text, optionally as their beginning or end."""
        pattern = _encoded(text).lower().replace(b"\0", b"")
        pattern = (b"\0" if at_start else b"") + pattern + (b"\0" if at_end else b"")
        if self._lower_names is None:
            # One NUL in front, so that every name stands between two.
            self._lower_names = np.frombuffer(b"\0" + self._paths.names.lower(), dtype=np.uint8)
        names = self._lower_names
        hits = np.zeros(len(names), dtype=bool)
        length = len(pattern)
        if not 0 < length <= len(names):
            return np.zeros(self._paths.count, dtype=bool)
        here = hits[: len(names) - length + 1]
        here[:] = names[: len(here)] == pattern[0]
        for offset in range(1, length):
            here &= names[offset : offset + len(here)] == pattern[offset]
        # A hit that begins with the NUL before a name belongs to that name: count it from there.
        starts = self._paths.name_start[:-1] if at_start else self._paths.name_start[:-1] + 1
        positions = np.flatnonzero(hits)
        owners = np.searchsorted(starts, positions, side="right") - 1
        found = np.zeros(self._paths.count, dtype=bool)
        found[owners] = True
        return found

    def _rows_below(self, top: int) -> NDArray[np.int32]:
        """Visible rows below an unfolded directory, in display order."""
        count = self._paths.count
        if self._flat:
            return self._flat_rows()
        if top == 0 and np.count_nonzero(self._open) > count // _MANY and count < 1 << (63 - _SIZE_BITS):
            return self._all_rows()
        levels: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []  # nodes; each one's parent in the level above
        frontier = np.array([top], dtype=np.int32)
        above = np.array([0], dtype=np.int64)
        while frontier.size:
            nodes, parents = self._children_of(frontier, above)
            if not nodes.size:
                break
            order = self._order(nodes, parents)
            nodes, parents = nodes[order], parents[order]
            levels.append((nodes, parents))
            above = np.flatnonzero(self._open[nodes])
            frontier = nodes[above]
        return self._flatten(levels)

    def _flat_rows(self) -> NDArray[np.int32]:
        """Everything shown that is no directory, in display order."""
        event = self._view.event
        union = self._view.union
        leaves = self._shown & (event != ABSENT)
        leaves[leaves] = union.kind[event[leaves]] != Kind.DIR
        nodes = np.flatnonzero(leaves).astype(np.int32)
        return nodes[self._order(nodes, np.zeros(len(nodes), dtype=np.int64))]

    def _all_rows(self) -> NDArray[np.int32]:
        """The same for the whole tree, all levels at once: faster where much is unfolded."""
        paths = self._paths
        folded = np.flatnonzero(~self._open).astype(np.int32)
        visible = self._shown & ~paths.covered(folded + 1, paths.end[folded])
        visible[0] = False
        nodes = np.flatnonzero(visible).astype(np.int32)
        if not nodes.size or (self._sort, self._reverse) == ("name", False):
            return nodes
        nodes = nodes[self._order(nodes, paths.parent[nodes].astype(np.int64))]
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
        """Siblings in display order, groups of siblings staying where they are."""
        if self._sort == "name":
            if not self._reverse:
                return np.arange(len(nodes))
            return np.lexsort((-nodes, parents))
        # A difference may be negative: all are moved up by half the room.
        half = (_SIZE_TOP + 1) // 2 if self._sort == "difference" else 0
        sizes = np.clip(self._view.figure(self._sort)[nodes] + half, 0, _SIZE_TOP)
        key = (parents << _SIZE_BITS) | (sizes if self._reverse else _SIZE_TOP - sizes)
        return np.argsort(key, kind="stable")

    @staticmethod
    def _flatten(levels: list[tuple[NDArray[np.int32], NDArray[np.int64]]]) -> NDArray[np.int32]:
        """Nodes of all levels as one pre-order list."""
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


def _encoded(text: str) -> bytes:
    """The bytes of a name that was shown or typed; of surrogates only those that stand for a byte have one."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
