"""The waste of an image: ranked by file, by directory, or by the layers that ship and hide it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from textual.message import Message

from lamina.model import Cause, ImageInfo
from lamina.names import display_name, short_instruction
from lamina.stack.waste import DirectoryWaste, LayerWaste, WasteRow, WasteTable, explain
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

_LAST_COLUMN = {"file": "path", "directory": "directory", "layer": "files, and the instruction that hides them"}
_SORTED_BY = {"bytes": "size", "path": "name"}
"""By a column's title."""
GROUPINGS = ("file", "directory", "layer")
_NARROW_COLUMN = {"layer": "files, hidden by"}
"""The same, where that has no room."""
_CAUSE_WIDTH = 11
_NAME = 12  # cells that a name keeps beside its tail
_GROUP = -1
"""In place of a row of the table: the line of a group."""


class _Cells(NamedTuple):
    """What a line shows."""

    bytes: int
    why: str
    layers: str
    lead: str
    """Indent or fold sign."""
    name: str
    """Cut at its beginning where there is no room: of a path the end tells most."""
    tail: str
    """Cut first, at its end."""
    style: str


def _by_name(group: DirectoryWaste | LayerWaste) -> tuple[int, ...]:
    """The order of groups by path, or by layers."""
    if isinstance(group, DirectoryWaste):
        return (group.path_id,)
    return group.layer, group.hidden_by, group.cause


class WasteView(RowList):
    """Rows of the waste table, or groups of them that open.

    What is shown are two columns: of each line its group, and its row of the table, or none for the group's own line.
    Half a million rows cost no objects so.
    """

    BINDINGS = bindings(Scope.WASTE)
    SCOPES = (Scope.WASTE, Scope.LIST)

    class Shape(Message):
        """What is shown changed: order, grouping, filter."""

        def __init__(self, rows: WasteView) -> None:
            super().__init__()
            self.rows = rows

    class Jump(Message):
        """The user wants to see a file in the layer that ships it."""

        def __init__(self, path_id: int, layer: int) -> None:
            super().__init__()
            self.path_id = path_id
            self.layer = layer

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.table: WasteTable | None = None
        self.info: ImageInfo | None = None
        self.grouping = "file"
        self.sort_key = "size"
        self.sort_reversed = False
        self.filter = ""
        self.groups: list[DirectoryWaste] | list[LayerWaste] = []
        self._open: set[int] = set()
        """Places in ``groups`` of those that are unfolded."""
        self._wanted: NDArray[np.bool_] | None = None
        """By row of the table: whether the filter lets it through; None without a filter."""
        self._shown: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._group_of: NDArray[np.int64] = self._shown

    # Content

    def show(self, table: WasteTable, info: ImageInfo) -> None:
        """Show an image's waste."""
        self.table, self.info = table, info
        # It may be another image now, or more of the same: nothing of the rows that were shown is known to be there.
        self.filter, self._wanted = "", None
        self._open.clear()
        grouping, self.grouping = self.grouping, "file"
        self.groups = []
        self.group_by(grouping)
        self.placeholder = "no waste: every byte the layers ship is reachable in the final file system"
        self._arrange(0)

    def _arrange(self, cursor: int | None = None) -> None:
        """Build the shown rows again."""
        table = self.table
        if table is None:
            return
        rows: list[NDArray[np.int64]] = []
        groups: list[NDArray[np.int64]] = []
        if self.grouping == "file":
            self.groups = []
            rows.append(self._ordered(np.arange(len(table), dtype=np.int64)))
            groups.append(np.zeros(len(rows[0]), dtype=np.int64))
        for number in self._ordered_groups():
            inside = self._ordered(self.groups[number].rows)
            if not len(inside):
                continue
            lines = np.concatenate([[_GROUP], inside if number in self._open else inside[:0]])
            rows.append(lines)
            groups.append(np.full(len(lines), number, dtype=np.int64))
        self._shown = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        self._group_of = np.concatenate(groups) if groups else self._shown
        self.rows_changed(cursor)
        self.post_message(self.Shape(self))

    def _ordered(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows that pass the filter, in the order asked; they come most bytes first."""
        table = self.table
        assert table is not None
        if self._wanted is not None:
            rows = rows[self._wanted[rows]]
        if self.sort_key == "name":
            rows = rows[np.argsort(table.path_id[rows], kind="stable")]
        return rows[::-1] if self.sort_reversed else rows

    def _ordered_groups(self) -> list[int]:
        numbers = list(range(len(self.groups)))
        if self.sort_key == "name":
            numbers.sort(key=lambda number: _by_name(self.groups[number]))
        return numbers[::-1] if self.sort_reversed else numbers

    def _group_at(self, index: int) -> DirectoryWaste | LayerWaste | None:
        """The group whose own line this is; None for a line of a file."""
        return self.groups[int(self._group_of[index])] if self._shown[index] == _GROUP else None

    def _row_at(self, index: int) -> WasteRow:
        assert self.table is not None
        return self.table[int(self._shown[index])]

    # Drawing

    def row_count(self) -> int:
        """Rows and groups shown."""
        return len(self._shown)

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down
        size = f"bytes {sign}" if self.sort_key == "size" else "bytes "
        bar = self._bar_width(width)
        line = f"{size:>{texts.SIZE_WIDTH + 2}}  " + (texts.fit("of waste", bar + 1) if bar else "")
        line += f"{'why':<{_CAUSE_WIDTH}} {'layers':<6} "
        last = _LAST_COLUMN[self.grouping]
        if len(line) + len(last) > width:
            last = _NARROW_COLUMN.get(self.grouping, last)
        if self.sort_key == "name":
            last += f" {sign}"
        return [(texts.fit(line + last, width), "header")]

    def _bar_width(self, width: int) -> int:
        return 8 if width >= 76 else 0

    def row(self, index: int, width: int) -> list[Part]:
        """One wasted inode, or one group."""
        table, glyphs = self.table, self.glyphs
        assert table is not None
        group = self._group_at(index)
        cells = self._file_cells(index) if group is None else self._group_cells(group, int(self._group_of[index]))
        bar = self._bar_width(width)
        parts: list[Part] = [(f"{texts.size(cells.bytes):>{texts.SIZE_WIDTH + 1}}   ", cells.style)]
        if bar:
            parts.append((glyphs.bar(cells.bytes / (table.total or 1), bar) + " ", "waste"))
        used = sum(len(text) for text, _ in parts)
        why = f"{cells.why:<{_CAUSE_WIDTH}} {cells.layers:<6} "
        parts.append((texts.fit(why, _CAUSE_WIDTH + 8), cells.style))
        room = width - used - _CAUSE_WIDTH - 8
        tail = texts.fit(cells.tail, min(texts.cell_len(cells.tail), max(0, room - _NAME)), glyphs.more)
        name = cells.lead + texts.fit_end(cells.name, room - len(cells.lead) - texts.cell_len(tail), glyphs.more)
        parts.append((texts.fit(name + tail, room, glyphs.more), cells.style))
        return parts

    def _file_cells(self, index: int) -> _Cells:
        row, glyphs = self._row_at(index), self.glyphs
        indent = "    " if self.grouping != "file" else ""
        name = glyphs.text(display_name(row.path))
        return _Cells(row.bytes, row.cause.word, f"{row.layer}{glyphs.arrow}{row.hidden_by}", indent, name, "", "plain")

    def _group_cells(self, group: DirectoryWaste | LayerWaste, number: int) -> _Cells:
        glyphs = self.glyphs
        sign = glyphs.opened if number in self._open else glyphs.closed
        first = next(iter(group.causes))
        why = first.word if len(group.causes) == 1 else "mixed"
        files = texts.plural(group.count, "file")
        if isinstance(group, DirectoryWaste):
            name, tail = f"{glyphs.text(display_name(group.path))}/", f"  {glyphs.dot} {files}"
            return _Cells(group.bytes, why, "", f"{sign} ", name, tail, "strong")
        layers = f"{group.layer}{glyphs.arrow}{group.hidden_by}"
        instruction = f"  {glyphs.dot} {glyphs.text(self._instruction(group.hidden_by))}"
        return _Cells(group.bytes, why, layers, f"{sign} ", files, instruction, "strong")

    def _instruction(self, layer: int) -> str:
        info = self.info
        assert info is not None
        return short_instruction(info.layers[layer].instruction) if layer < len(info.layers) else ""

    def _named(self, layer: int) -> str:
        return f"layer {layer} ({self._instruction(layer)})"

    def describe(self) -> str:
        """The row under the cursor: its path, a newline, and a sentence on who ships the bytes, who hides
        them, and why. Safe to show.
        """  # noqa: D205
        table, info = self.table, self.info
        if table is None or info is None or not self.row_count():
            return ""
        group = self._group_at(self.cursor)
        if group is None:
            row = self._row_at(self.cursor)
            return self.glyphs.text(f"{display_name(row.path)}\n{display_name(explain(row, info))}")
        causes = ", ".join(f"{cause.word} {texts.size_bytes(amount)}" for cause, amount in group.causes.items())
        if isinstance(group, DirectoryWaste):
            where = f"in {display_name(group.path)}/"
        else:
            where = f"shipped by {self._named(group.layer)}, hidden by {self._named(group.hidden_by)}"
        return self.glyphs.text(
            f"{texts.plural(group.count, 'file')}, {texts.size_bytes(group.bytes)} {where}: {causes}"
        )

    # Commands

    def action_next_grouping(self) -> None:
        """Rank by file, by directory, by layer."""
        self.group_by(GROUPINGS[(GROUPINGS.index(self.grouping) + 1) % len(GROUPINGS)])

    def group_by(self, grouping: str) -> None:
        """Rank by one of :data:`GROUPINGS`."""
        table = self.table
        if table is None or grouping == self.grouping:
            return
        self.grouping = grouping
        self._open.clear()
        if grouping == "file":
            self.groups = []
        if self.grouping == "directory":
            self.groups = table.by_directory()
        elif self.grouping == "layer":
            self.groups = table.by_layer()
        self._arrange(0)

    def show_group(self, layer: int, hidden_by: int, cause: Cause) -> None:
        """Rank by layer, with the group of one story unfolded and the cursor on it."""
        self.sort_key, self.sort_reversed = "size", False
        self.group_by("layer")
        for number, group in enumerate(self.groups):
            told = (group.layer, group.hidden_by, group.cause) if isinstance(group, LayerWaste) else None
            if told == (layer, hidden_by, cause):
                self._open.add(number)
                self._arrange(0)
                self.move_to(int(np.flatnonzero(self._group_of == number)[0]))

    @property
    def guilt(self) -> tuple[int, int] | None:
        """Which layer ships what is under the cursor, and which hides it."""
        if self.table is None or not self.row_count():
            return None
        group = self._group_at(self.cursor)
        if group is None:
            row = self._row_at(self.cursor)
            return row.layer, row.hidden_by
        return (group.layer, group.hidden_by) if isinstance(group, LayerWaste) else None

    def action_toggle_fold(self) -> None:
        """Open or close the group under the cursor, or the one the cursor's row stands in."""
        if self.row_count() and self._group_at(self.cursor) is not None:
            self._open ^= {int(self._group_of[self.cursor])}
            self._arrange()

    def action_fold(self) -> None:
        """Close the group the cursor stands in, and go to it."""
        if self.grouping == "file" or not self.row_count():
            return
        number = int(self._group_of[self.cursor])
        self._open.discard(number)
        self._arrange(int(np.flatnonzero(self._group_of == number)[0]))

    def action_sort_by(self, key: str) -> None:
        """Sort by bytes or by path; the same again reverses."""
        self.sort_reversed = key == self.sort_key and not self.sort_reversed
        self.sort_key = key
        self._arrange(0)

    def action_sort_beside(self) -> None:
        """Sort by the other of the two columns."""
        self.action_sort_by("name" if self.sort_key == "size" else "size")

    def title_clicked(self, title: str) -> None:
        """Sort by the column of that title."""
        if title in _SORTED_BY:
            self.action_sort_by(_SORTED_BY[title])

    def set_filter(self, text: str, wanted: NDArray[np.bool_] | None) -> None:
        """Show only some paths.

        Args:
            text: what was asked for; empty shows all again.
            wanted: by path id, whether the path passes; None for no text.
        """
        if text == self.filter:
            return
        self.filter = text
        table = self.table
        if table is None:
            return
        self._wanted = None if wanted is None else wanted[table.path_id]
        self.placeholder = f"no wasted path has “{display_name(text)}”" if text else self.placeholder
        self._arrange(0)

    def action_jump(self) -> None:
        """To the file in the layer that ships it; a group opens or closes."""
        table = self.table
        if table is None or not self.row_count():
            return
        if self._group_at(self.cursor) is not None:
            self.action_toggle_fold()
        else:
            row = self._row_at(self.cursor)
            self.post_message(self.Jump(row.path_id, row.layer))

    def copied_text(self) -> bytes | None:
        """The path under the cursor."""
        table = self.table
        if table is None or not self.row_count():
            return None
        group = self._group_at(self.cursor)
        if group is None:
            return self._row_at(self.cursor).path
        return group.path if isinstance(group, DirectoryWaste) else b""

    def summary(self) -> str:
        """What the tab line says of this pane."""
        table = self.table
        if table is None:
            return ""
        wanted = self._wanted
        total = table.total if wanted is None else int(table.size[wanted].sum())
        files = len(table) if wanted is None else int(wanted.sum())
        by = "" if self.grouping == "file" else f" by {self.grouping}"
        return f"{texts.size_bytes(total)} in {texts.plural(files, 'file')}{by}"
