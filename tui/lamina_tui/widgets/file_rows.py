"""What a file tree draws: paths, groups of files, their columns and what the row under the cursor is in words."""

from __future__ import annotations

from lamina.model import Change, Kind
from lamina.names import decode, display_name
from lamina.stack.group_rows import group_of_row
from lamina.stack.tree_rows import TreeRows
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import keymap_of
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE, Part
from lamina_tui.widgets.tree_columns import (
    FIGURE,
    NAME,
    Layout,
    amount,
    asked_text,
    asked_title,
    bytes_text,
    in_words,
    layout,
    main_figure,
    style_of,
    title,
)
from lamina_tui.widgets.tree_switches import TreeSwitches

GROUPING_WORDS = {"list": "as a list", "extension": "by extension", "owner": "by owner"}


class FileRows(TreeSwitches):
    """The rows of one view's files; a subclass has the commands."""

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
        self.only = ""
        """What the paths are that alone are shown; empty where no such choice is made."""
        self.metadata = ""
        """One of :data:`lamina_tui.widgets.tree_columns.METADATA`."""
        self.shows_layers = False
        """Whether files come from several layers, so that each has to say from which."""

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

    @property
    def row_id(self) -> int | None:
        """The row under the cursor, as :attr:`lamina.stack.tree_rows.TreeRows.rows` has it."""
        if self.tree_rows is None or not 0 <= self.cursor < len(self.tree_rows.rows):
            return None
        return int(self.tree_rows.rows[self.cursor])

    @property
    def path_id(self) -> int | None:
        """The path under the cursor, as the union's id; None on a group."""
        row = self.row_id
        return None if row is None or row < 0 else row

    def row_count(self) -> int:
        """Rows of the tree as it is folded now."""
        return 0 if self.tree_rows is None else len(self.tree_rows.rows)

    def _layout(self, width: int) -> Layout:
        figures = ("size", "removed") if self.tree_rows is None else self.tree_rows.view.figures
        asked = ("layer",) if self.shows_layers else ()
        if self.metadata:
            asked = (*asked, "mode", "owner", self.metadata)
            if figures[1] == "removed" != self.column and not self._removes:
                figures = figures[:1]  # a column that says nothing of any row
        return layout(width, figures, self.column, asked)

    @property
    def _removes(self) -> bool:
        """Whether the view takes any bytes away."""
        return self.tree_rows is not None and bool(self.tree_rows.view.removed[0])

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        columns = self._layout(width)
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down
        column = self.column
        line = texts.fit(f" name {sign}" if column == NAME else " name", columns.name) + "  "
        line += "".join(asked_title(name) for name in columns.asked)
        for figure in columns.figures:
            line += f"{title(figure) + (sign if figure == column else ' '):>{FIGURE}}"
        if columns.bar:
            flat = self.tree_rows is not None and self.tree_rows.flat
            whole = "of all" if flat else "of parent"
            line += " " + texts.fit(whole if len(whole) <= columns.bar else "share", columns.bar)
        if columns.detail:
            line += " " + texts.fit("what changed", columns.detail)
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One path: fold sign, name, change mark, its bytes, their share of its folder, what changed."""
        tree = self.tree_rows
        assert tree is not None
        view, path = tree.view, int(tree.rows[index])
        columns, glyphs = self._layout(width), self.glyphs
        if path < 0:
            return self._group_row(path, columns)
        change = Change(int(view.change[path]))
        style = STYLE_OF_CHANGE[change]
        mark = change.mark
        kind = view.kind(path)
        if kind is Kind.DIR:
            if change is Change.UNCHANGED:
                style = "strong"
                mark = view.mark(path)
            sign = (glyphs.opened if tree.is_expanded(path) else glyphs.closed) if tree.has_children(path) else " "
        else:
            sign = " "
        room = columns.name - 1  # a name that fills it must not run into its mark
        if tree.flat:
            first = self._whole_path(path, kind, "   " if tree.grouping != "list" else " ", room)
        else:
            indent = self._indent(tree.level(path), columns.name)
            name = self._shown_name(path, kind)
            if tree.first_of_row(path) != path:  # of names that share a row the last says most
                name = texts.fit_end(name, room - len(indent) - 2, glyphs.more)
            first = texts.fit(f"{indent}{sign} {name}", room, glyphs.more)
        parts = [(f"{first} {mark} ", style)]
        parts += [(asked_text(name, view, path, glyphs.more), style) for name in columns.asked]
        for figure in columns.figures:
            text = amount(view, figure, path)
            # A blank column in a style of its own would cost its bytes on the wire.
            parts.append((f"{text:>{FIGURE - 1}} ", style_of(view, figure, path, style) if text else style))
        if columns.bar:
            # What shares the row of its only entry is as large, and stands in a row of another.
            top = path if tree.flat else tree.first_of_row(path)
            parts.append(self._bar(view.part(self.bar_column, top, whole=0 if tree.flat else None), columns))
        if columns.detail:
            detail = view.detail(path)
            if detail:
                parts.append((" " + texts.fit(glyphs.text(display_name(detail)), columns.detail, glyphs.more), style))
        return parts

    def _group_row(self, row: int, columns: Layout) -> list[Part]:
        """One group: what its files have in common, how many they are, their bytes."""
        tree, glyphs = self.tree_rows, self.glyphs
        assert tree is not None
        group = group_of_row(row)
        sign = glyphs.opened if tree.is_expanded(row) else glyphs.closed
        count = texts.plural(int(tree.groups.counts[group]), "file")
        first = f"{sign} {self._group_name(group)}   {count}"
        parts = [(texts.fit(first, columns.name, glyphs.more) + "  ", "strong")]
        parts += [(" " * len(asked_title(name)), "strong") for name in columns.asked]
        for figure in columns.figures:
            value = int(tree.groups.figure(figure)[group])
            text = bytes_text(figure, value)
            parts.append((f"{text:>{FIGURE - 1}} ", "removed" if figure == "removed" and text else "strong"))
        if columns.bar:
            figure = self.bar_column
            part = tree.view.share(figure, int(tree.groups.figure(figure)[group]), 0)
            parts.append(self._bar(part, columns))
        return parts

    def _group_name(self, group: int) -> str:
        tree = self.tree_rows
        assert tree is not None
        return self.glyphs.text(display_name(tree.groups.names[group])) or "(no extension)"

    def _bar(self, share: float, columns: Layout) -> Part:
        return " " + self.glyphs.bar(share, columns.bar), "removed" if self.bar_column == "removed" else "bar"

    def _shown_name(self, path: int, kind: Kind) -> str:
        """A path's name, after those of the directories that have no row of their own."""
        tree = self.tree_rows
        assert tree is not None
        glyphs, paths = self.glyphs, tree.view.union.paths
        first = tree.first_of_row(path)
        name = display_name(paths.name(path) if first == path else paths.between(first, path))
        if kind is Kind.DIR:
            name += "/"
        elif kind in {Kind.SYMLINK, Kind.HARDLINK}:
            name += f" {glyphs.arrow} {display_name(tree.view.link(path))}"
        return glyphs.text(name)

    def _whole_path(self, path: int, kind: Kind, indent: str, room: int) -> str:
        """A path that stands in no tree, cut at its start; of a link also where it leads, as far as there is room."""
        assert self.tree_rows is not None
        view, glyphs = self.tree_rows.view, self.glyphs
        text = indent + glyphs.text(display_name(view.union.paths.path(path)))
        if kind not in {Kind.SYMLINK, Kind.HARDLINK}:
            return texts.fit(texts.fit_end(text, room, glyphs.more), room)
        text = texts.fit_end(text, room - len(glyphs.arrow) - 1, glyphs.more)
        return texts.fit(f"{text} {glyphs.arrow} {glyphs.text(display_name(view.link(path)))}", room, glyphs.more)

    def _indent(self, depth: int, width: int) -> str:
        """Two cells a level; where that would push names out of their column, the level's number."""
        if depth * 2 <= width - 16:
            return "  " * depth
        room = max(0, width - 16) // 2 * 2
        return texts.fit(f"{depth}{self.glyphs.more}", room, "")

    # In words

    def copied_text(self) -> bytes | None:
        """The path under the cursor."""
        here = self.path_id
        return None if self.tree_rows is None or here is None else self.tree_rows.view.union.paths.path(here)

    @property
    def _key_of_kinds(self) -> str:
        return keymap_of(self.app).key_of(Scope.FILES, "kinds") or "ctrl+p"

    def why_empty(self) -> str:
        """That there are files, where only their kinds of change keep them from being shown."""
        tree = self.tree_rows
        if tree is None or not tree.hidden_by_kinds or self.kinds == self.usual_kinds:
            return super().why_empty()
        return f"nothing of the kinds that are shown\n{self._key_of_kinds} chooses others"

    def remarks(self) -> list[str]:
        """What the rows leave out: by the filter, by the kinds of change. Safe to show."""
        tree, found = self.tree_rows, []
        if tree is not None and tree.flat:
            files = len(tree.rows) if tree.grouping == "list" else int(tree.groups.counts.sum())
            found.append(f"{texts.plural(files, 'file')} {GROUPING_WORDS[tree.grouping]}")
        if tree is not None and self.filter:
            matches = len(tree.matches)
            word = "1 match" if matches == 1 else f"{texts.count(matches)} matches" if matches else "none"
            found.append(f"{word} for {display_name(self.filter)}")
        if tree is not None and self.only:
            found.append(f"{texts.plural(len(tree.matches), 'file')} {display_name(self.only)}")
        if tree is not None and tree.hidden_by_kinds and self.kinds != self.usual_kinds:
            found.append(f"{texts.count(tree.hidden_by_kinds)} hidden ({self._key_of_kinds})")
        return found

    def describe(self) -> str:
        """The row under the cursor in words: mode, owner, bytes, whole path, what changed. Safe to show."""
        here, tree = self.row_id, self.tree_rows
        if tree is None or here is None:
            return ""
        view = tree.view
        if here < 0:
            group = group_of_row(here)
            figures = [(name, int(tree.groups.figure(name)[group])) for name in view.figures]
            told = ", ".join(f"{texts.count(value)} B {title(name)}" for name, value in figures if value)
            return f"{self._group_name(group)}: {texts.plural(int(tree.groups.counts[group]), 'file')}, {told or '0 B'}"
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
