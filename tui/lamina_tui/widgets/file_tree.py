"""The file tree: drawn straight from the core's columns, one line a visible row."""

from __future__ import annotations

import numpy as np
from textual.message import Message

from lamina.model import Change, Kind
from lamina.names import decode, display_name
from lamina.stack.tree_rows import TreeRows
from lamina.stack.view import View
from lamina_tui import texts
from lamina_tui.keymap import Scope, bindings
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE, Part
from lamina_tui.widgets.tree_columns import (
    FIGURE,
    NAME,
    Layout,
    amount,
    in_words,
    layout,
    main_figure,
    style_of,
    title,
)
from lamina_tui.widgets.tree_switches import TreeSwitches

CHANGED_BELOW = "~"
"""Marks a folder that is unchanged itself, while something in it changed."""


class FileTree(TreeSwitches):
    """One view of an image's files, as a tree."""

    BINDINGS = bindings(Scope.FILES)
    SCOPES = (Scope.FILES, Scope.LIST)

    class Shape(Message):
        """What is shown changed: sort order, kinds, filter, view."""

        def __init__(self, rows: FileTree) -> None:
            super().__init__()
            self.rows = rows

    class Opened(Message):
        """A path that is no folder was chosen."""

        def __init__(self, path: int) -> None:
            super().__init__()
            self.path = path

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.tree_rows: TreeRows | None = None
        self.sort_key = ""
        """A column, or ``name``; empty: the view's main column."""
        self.sort_reversed = False
        self.kinds = frozenset(Change)
        self.usual_kinds = self.kinds
        """What it takes no remark to hide."""
        self.filter = ""

    # Content

    def show(self, view: View) -> None:
        """Show a view; folds, sort order, kinds and the row under the cursor stay where they can."""
        here = self.path_id
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

    @property
    def column(self) -> str:
        """What rows are sorted by: a column of the view, or ``name``."""
        if self.sort_key == NAME or self.tree_rows is None:
            return self.sort_key
        view = self.tree_rows.view
        if self.sort_key in view.figures:
            return self.sort_key
        main = main_figure(view.figures)
        # Of a layer that only removes, the bytes are in the other column.
        return "removed" if main == "size" and view.removed[0] and not view.size[0] else main

    @property
    def bar_column(self) -> str:
        """What bars are drawn from."""
        assert self.tree_rows is not None
        return main_figure(self.tree_rows.view.figures) if self.column == NAME else self.column

    def _sort(self) -> None:
        if self.tree_rows is not None and (self.column, self.sort_reversed) != self.tree_rows.sort:
            self.tree_rows.set_sort(self.column, reverse=self.sort_reversed)

    def forget(self) -> None:
        """Show nothing, as before the first view."""
        self.tree_rows = None
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

    @property
    def path_id(self) -> int | None:
        """The path under the cursor, as the union's id."""
        if self.tree_rows is None or not 0 <= self.cursor < len(self.tree_rows.rows):
            return None
        return int(self.tree_rows.rows[self.cursor])

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

    # Drawing

    def row_count(self) -> int:
        """Rows of the tree as it is folded now."""
        return 0 if self.tree_rows is None else len(self.tree_rows.rows)

    def _layout(self, width: int) -> Layout:
        figures = ("size", "removed") if self.tree_rows is None else self.tree_rows.view.figures
        return layout(width, figures, self.column)

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        columns = self._layout(width)
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down
        column = self.column
        line = texts.fit(f" name {sign}" if column == NAME else " name", columns.name) + "  "
        for figure in columns.figures:
            line += f"{title(figure) + (sign if figure == column else ' '):>{FIGURE}}"
        if columns.bar:
            flat = self.tree_rows is not None and self.tree_rows.flat
            line += " " + texts.fit("of all" if flat else "of parent", columns.bar)
        if columns.detail:
            line += " " + texts.fit("what changed", columns.detail)
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One path: fold sign, name, change mark, its bytes, their share of its folder, what changed."""
        tree = self.tree_rows
        assert tree is not None
        view, path = tree.view, int(tree.rows[index])
        columns, glyphs = self._layout(width), self.glyphs
        change = Change(int(view.change[path]))
        style = STYLE_OF_CHANGE[change]
        mark = change.mark
        kind = view.kind(path)
        if kind is Kind.DIR:
            if change is Change.UNCHANGED:
                style = "strong"
                mark = CHANGED_BELOW if view.changed_below[path] else " "
            sign = (glyphs.opened if tree.is_expanded(path) else glyphs.closed) if tree.has_children(path) else " "
        else:
            sign = " "
        if tree.flat:
            first = " " + glyphs.text(display_name(view.union.paths.path(path)))
            first = texts.fit(texts.fit_end(first, columns.name, glyphs.more), columns.name)
        else:
            indent = self._indent(int(view.union.paths.depth[path]) - 1, columns.name)
            first = texts.fit(f"{indent}{sign} {self._shown_name(path, kind)}", columns.name, glyphs.more)
        parts = [(f"{first}{mark} ", style)]
        for figure in columns.figures:
            text = amount(view, figure, path)
            # A blank column in a style of its own would cost its bytes on the wire.
            parts.append((f"{text:>{FIGURE - 1}} ", style_of(view, figure, path, style) if text else style))
        if columns.bar:
            figure = self.bar_column
            share = view.part(figure, path, whole=0 if tree.flat else None)
            bar = glyphs.bar(share, columns.bar)
            parts.append((" " + bar, "removed" if figure == "removed" else "bar"))
        if columns.detail:
            detail = view.detail(path)
            if detail:
                parts.append((" " + texts.fit(glyphs.text(display_name(detail)), columns.detail, glyphs.more), style))
        return parts

    def _shown_name(self, path: int, kind: Kind) -> str:
        tree = self.tree_rows
        assert tree is not None
        glyphs = self.glyphs
        name = display_name(tree.view.union.paths.name(path))
        if kind is Kind.DIR:
            name += "/"
        elif kind in {Kind.SYMLINK, Kind.HARDLINK}:
            name += f" {glyphs.arrow} {display_name(tree.view.link(path))}"
        return glyphs.text(name)

    def _indent(self, depth: int, width: int) -> str:
        """Two cells a level; where that would push names out of their column, the level's number."""
        if depth * 2 <= width - 16:
            return "  " * depth
        room = max(0, width - 16) // 2 * 2
        return texts.fit(f"{depth}{self.glyphs.more}", room, "")

    # Commands

    def action_toggle_fold(self) -> None:
        """Fold or unfold the folder under the cursor."""
        here = self.path_id
        if self.tree_rows is not None and here is not None and self.tree_rows.has_children(here):
            self.tree_rows.toggle(here)
            self._folded(here)

    def action_open(self) -> None:
        """Fold or unfold a folder; of anything else the screen has more to tell."""
        here, tree = self.path_id, self.tree_rows
        if tree is None or here is None:
            return
        if tree.has_children(here):
            self.action_toggle_fold()
        else:
            self.post_message(self.Opened(here))

    def action_unfold(self) -> None:
        """Unfold the folder, or step to its first entry."""
        here, tree = self.path_id, self.tree_rows
        if tree is None or here is None or not tree.has_children(here):
            return
        if tree.is_expanded(here):
            self.action_move(1)
        else:
            tree.expand(here)
            self._folded(here)

    def action_fold(self) -> None:
        """Fold the folder, or step out to the folder above."""
        here, tree = self.path_id, self.tree_rows
        if tree is None or here is None:
            return
        if tree.has_children(here) and tree.is_expanded(here):
            tree.collapse(here)
            self._folded(here)
            return
        index = tree.index_of(int(tree.view.union.paths.parent[here]))
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
        wanted = key if key == NAME or self.tree_rows is None else main_figure(self.tree_rows.view.figures)
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

    def action_flat(self) -> None:
        """Show the files as one list, the largest first, or as a tree again."""
        if self.tree_rows is not None:
            here = self.path_id
            self.tree_rows.set_flat(not self.tree_rows.flat)
            if self.tree_rows.flat:
                self.rows_changed(0)
                self.post_message(self.Shape(self))
            else:
                if here is not None:
                    self.tree_rows.reveal(here)
                self._rows_changed(here)

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
        if text == self.filter:
            return
        self.filter = text
        if self.tree_rows is None:
            return
        here = self.path_id
        self.tree_rows.set_filter(text)
        if not text and here is not None:
            # What was found is what the user wants to see among its neighbours.
            self.tree_rows.reveal(here)
        matches = self.tree_rows.matches
        if text and len(matches):
            self.rows_changed(int(matches[0]))
            self.post_message(self.Shape(self))
        else:
            self._rows_changed(here)

    def copied_text(self) -> bytes | None:
        """The path under the cursor."""
        here = self.path_id
        return None if self.tree_rows is None or here is None else self.tree_rows.view.union.paths.path(here)

    def action_match(self, step: int) -> None:
        """To the next or previous match of the filter, around the end."""
        if self.tree_rows is None or not self.filter:
            return
        matches = self.tree_rows.matches
        if not len(matches):
            return
        if step > 0:
            at = int(np.searchsorted(matches, self.cursor, side="right"))
        else:
            at = int(np.searchsorted(matches, self.cursor, side="left")) - 1
        self.move_to(int(matches[at % len(matches)]))

    def remarks(self) -> list[str]:
        """What the rows leave out: by the filter, by the kinds of change. Safe to show."""
        tree, found = self.tree_rows, []
        if tree is not None and tree.flat:
            found.append(f"{texts.plural(len(tree.rows), 'file')} as a list")
        if tree is not None and self.filter:
            matches = len(tree.matches)
            word = "1 match" if matches == 1 else f"{texts.count(matches)} matches"
            found.append(f"{word} for {display_name(self.filter)}")
        if tree is not None and tree.hidden_by_kinds and self.kinds != self.usual_kinds:
            found.append(f"{texts.count(tree.hidden_by_kinds)} hidden (f)")
        return found

    def describe(self) -> str:
        """The row under the cursor in words: mode, owner, bytes, whole path, what changed. Safe to show."""
        here, tree = self.path_id, self.tree_rows
        if tree is None or here is None:
            return ""
        view = tree.view
        change = Change(int(view.change[here]))
        kind = view.kind(here)
        user, group = view.owner(here)
        words = [
            f"{texts.mode_text(kind, view.mode(here))} {user}:{group} {in_words(view, here)}",
            decode(view.union.paths.path(here)),
        ]
        if kind in {Kind.SYMLINK, Kind.HARDLINK}:
            words.append(f"{self.glyphs.arrow} {decode(view.link(here))}")
        detail = view.detail(here) or ("" if change is Change.UNCHANGED else change.name.lower())
        if detail:
            words.append(f"({detail})")
        return self.glyphs.text(display_name(" ".join(words)))
