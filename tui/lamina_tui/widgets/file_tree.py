"""The file tree: drawn straight from the core's columns, one line a visible row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from textual.message import Message

from lamina.model import Change
from lamina.stack.tree_rows import GROUPINGS, TreeRows
from lamina.stack.view import View
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.file_rows import FileRows
from lamina_tui.widgets.tree_columns import METADATA, NAME, main_figure, title


class FileTree(FileRows):
    """One view of an image's files, as a tree."""

    BINDINGS = bindings(Scope.FILES)
    SCOPES = (Scope.FILES, Scope.LIST)

    class Shape(Message):
        """What is shown changed: sort order, kinds, filter, view."""

        def __init__(self, rows: FileTree) -> None:
            super().__init__()
            self.rows = rows

    class Opened(Message):
        """A path that is no folder was chosen; None: there was none to choose."""

        def __init__(self, path: int | None) -> None:
            super().__init__()
            self.path = path

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._view: View | None = None
        self._paths: NDArray[np.bool_] | None = None
        """The paths that alone are shown; None: all."""

    # Content

    def show(self, view: View) -> None:
        """Show a view; folds, sort order, kinds and the row under the cursor stay where they can."""
        here = self.path_id
        self._view = view
        if self._paths is not None:
            view = view.only(self._paths)
        if self.tree_rows is None:
            self.tree_rows = TreeRows(view)
            self.tree_rows.set_kinds(self.kinds)
            self.tree_rows.set_filter(self.filter)
            self.unfold_at_first()
        else:
            self.tree_rows.set_view(view)
        if view.was is not None and not self.sort_key:
            self.sort_reversed = bool(view.size[0] < view.was[0])  # of what shrank, what is gone comes first
        self._sort()
        self._rows_changed(here)

    def _sort(self) -> None:
        if self.tree_rows is not None and (self.column, self.sort_reversed) != self.tree_rows.sort:
            self.tree_rows.set_sort(self.column, reverse=self.sort_reversed)

    def forget(self) -> None:
        """Show nothing, as before the first view."""
        self.tree_rows, self._view = None, None
        self.only, self._paths = "", None
        self.rows_changed(0)

    def _rows_changed(self, here: int | None) -> None:
        """Put the cursor on a path again after the rows changed, or on the folder that hides it."""
        tree = self.tree_rows
        cursor = None
        if tree is not None and here is not None:
            union = tree.view.union
            path = here
            while path > 0:
                cursor = tree.index_of(path)
                if cursor is not None:
                    break
                path = int(union.paths.parent[path])
        self.rows_changed(cursor if cursor is not None else (0 if here is None else None))
        self.post_message(self.Shape(self))

    def go_to(self, path: int) -> bool:
        """Unfold what hides a path and put the cursor on it; False if the view does not have it."""
        if self.tree_rows is None:
            return False
        self.tree_rows.reveal(path)
        index = self.tree_rows.index_of(path)
        if index is None:
            return False
        self.rows_changed(index)
        self.post_message(self.Shape(self))
        return True

    # Commands

    def action_toggle_fold(self) -> None:
        """Fold or unfold the folder under the cursor."""
        here = self.row_id
        if self.tree_rows is not None and here is not None and self.tree_rows.has_children(here):
            self.tree_rows.toggle(here)
            self._folded(here)

    def action_open(self) -> None:
        """Fold or unfold a folder; of anything else the screen has more to tell."""
        here, tree = self.row_id, self.tree_rows
        if tree is None or here is None:
            self.post_message(self.Opened(None))
            return
        if tree.has_children(here):
            self.action_toggle_fold()
        else:
            self.post_message(self.Opened(here))

    def action_unfold(self) -> None:
        """Unfold the folder, or step to its first entry."""
        here, tree = self.row_id, self.tree_rows
        if tree is None or here is None or not tree.has_children(here):
            return
        if tree.is_expanded(here):
            self.action_move(1)
        else:
            tree.expand(here)
            self._folded(here)

    def action_fold(self) -> None:
        """Fold the folder, or step out to the folder above."""
        here, tree = self.row_id, self.tree_rows
        if tree is None or here is None:
            return
        if tree.has_children(here) and tree.is_expanded(here):
            tree.collapse(here)
            self._folded(here)
            return
        if tree.flat:
            above = np.flatnonzero(tree.rows[: self.cursor] < 0)
            if above.size:
                self.move_to(int(above[-1]))
            return
        index = tree.index_of(int(tree.view.union.paths.parent[tree.first_of_row(here)]))
        if index is not None:
            self.move_to(index)

    def _folded(self, here: int) -> None:
        """Rows below the cursor came or went; the cursor's own row stays where it is."""
        tree = self.tree_rows
        assert tree is not None
        self.rows_changed(tree.index_of(here))

    def action_unfold_all(self) -> None:
        """Unfold every folder."""
        if self.tree_rows is not None:
            here = self.path_id
            self.tree_rows.expand_all()
            self._rows_changed(here)

    def action_fold_all(self) -> None:
        """Fold every folder."""
        if self.tree_rows is not None:
            here = self.path_id
            self.tree_rows.collapse_all()
            self._rows_changed(here)

    def action_sort_by(self, key: str) -> None:
        """Sort by size or by name; the same again reverses."""
        self._sort_by(key if key == NAME or self.tree_rows is None else main_figure(self.tree_rows.view.figures))

    def _sort_by(self, wanted: str) -> None:
        self.sort_reversed = wanted == self.column and not self.sort_reversed
        self.sort_key = wanted
        if self.tree_rows is not None:
            here = self.path_id
            self._sort()
            self._rows_changed(here)

    def action_sort_beside(self, step: int) -> None:
        """Sort by the next column, or by the one before."""
        if self.tree_rows is not None:
            orders = (NAME, *self.tree_rows.view.figures)
            self.sort_reversed = False
            self.sort_key = orders[(orders.index(self.column) + step) % len(orders)]
            here = self.path_id
            self._sort()
            self._rows_changed(here)

    def title_clicked(self, clicked: str) -> None:
        """Sort by the column of that title; again reverses."""
        figures = () if self.tree_rows is None else self.tree_rows.view.figures
        found = next((key for key in (NAME, *figures) if clicked == title(key)), None)
        if found is not None:
            self._sort_by(found)

    def action_next_grouping(self) -> None:
        """Show the files as a tree, as one list by size, by extension, by owner."""
        if self.tree_rows is not None:
            self.group_by(GROUPINGS[(GROUPINGS.index(self.tree_rows.grouping) + 1) % len(GROUPINGS)])

    def group_by(self, grouping: str) -> None:
        """Show one of :data:`lamina.stack.tree_rows.GROUPINGS`; the tree finds the file that was under the cursor."""
        if self.tree_rows is None:
            return
        here = self.path_id
        self.tree_rows.set_grouping(grouping)
        if not self.tree_rows.flat and here is not None:
            self.tree_rows.reveal(here)
            self._rows_changed(here)
        else:
            self.rows_changed(0)
            self.post_message(self.Shape(self))

    def action_join(self) -> None:
        """Show folders that hold nothing but a folder in one row with it, or each in its own."""
        if self.tree_rows is not None:
            here = self.path_id
            self.tree_rows.set_joins(not self.tree_rows.joins)
            self._rows_changed(here)

    def action_metadata(self) -> None:
        """Show mode, owner and time beside the bytes, then the age in place of the time, then none of it."""
        self.metadata = METADATA[(METADATA.index(self.metadata) + 1) % len(METADATA)]
        if self.metadata and "mode" not in self._layout(self.text_width).asked:
            self.metadata = ""
            self.post_message(self.Told("there is no room for mode, owner and time: a wider terminal has it"))
        self.refresh()

    def set_kinds(self, kinds: frozenset[Change]) -> None:
        """Show only some kinds of change."""
        if kinds == self.kinds:
            return
        self.kinds = kinds
        if self.tree_rows is not None:
            here = self.path_id
            self.tree_rows.set_kinds(kinds)
            self._rows_changed(here)

    def set_filter(self, text: str) -> None:
        """Show only names that have a text; the cursor goes to the first match."""
        self._set_filter(text, "", None)

    def show_only(self, paths: NDArray[np.bool_], name: str) -> None:
        """Show some paths alone, until a filter is set or dropped.

        Args:
            paths: by path of the image's union.
            name: what they are, after "files": untrusted.
        """
        self._set_filter("", name, paths)

    def _set_filter(self, text: str, only: str, paths: NDArray[np.bool_] | None) -> None:
        if (text, only) == (self.filter, self.only) and paths is None:
            return
        self.filter, self.only = text, only
        before, self._paths = self._paths, paths
        if self.tree_rows is None or self._view is None:
            return
        here = self.path_id
        if paths is not before:
            self.tree_rows.set_view(self._view if paths is None else self._view.only(paths))
        self.tree_rows.set_filter(text, paths)
        if not text and paths is None and here is not None:
            # What was found is what the user wants to see among its neighbours.
            self.tree_rows.reveal(here)
        matches = self.tree_rows.matches
        if (text or only) and len(matches):
            self.rows_changed(int(matches[0]))
            self.post_message(self.Shape(self))
        else:
            self._rows_changed(here)

    def action_match(self, step: int) -> None:
        """To the next or previous match of the filter, around the end."""
        if self.tree_rows is None or not self.tree_rows.filters:
            return
        matches = self.tree_rows.matches
        if not len(matches):
            return
        if step > 0:
            at = int(np.searchsorted(matches, self.cursor, side="right"))
        else:
            at = int(np.searchsorted(matches, self.cursor, side="left")) - 1
        self.move_to(int(matches[at % len(matches)]))
