"""The waste of an image: ranked by file, by directory, or by the layers that ship and hide it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from textual.message import Message

from lamina.model import ImageInfo
from lamina.names import display_name, short_instruction
from lamina.stack.waste import WasteGroup, WasteTable, explain
from lamina_tui import texts
from lamina_tui.keymap import Scope, bindings
from lamina_tui.widgets.row_list import Part, RowList

GROUPINGS = ("file", "directory", "layer")
_CAUSE_WIDTH = 11


class WasteView(RowList):
    """Rows of the waste table, or groups of them that open.

    What is shown is one array of numbers: a row of the table, or a group as ``-1 - group``.
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
        self.groups: list[WasteGroup] = []
        self._open: set[int] = set()
        self._wanted: NDArray[np.bool_] | None = None
        """By row of the table: whether the filter lets it through; None without a filter."""
        self._shown: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    # Content

    def show(self, table: WasteTable, info: ImageInfo) -> None:
        """Show an image's waste."""
        self.table, self.info = table, info
        self.placeholder = "no waste: every byte the layers ship is reachable in the final file system"
        self._arrange(0)

    def _arrange(self, cursor: int | None = None) -> None:
        """Build the shown rows again."""
        table = self.table
        if table is None:
            return
        if self.grouping == "file":
            self.groups = []
            self._shown = self._ordered(np.arange(len(table), dtype=np.int64))
        else:
            parts: list[NDArray[np.int64]] = []
            for number in self._ordered_groups():
                rows = self._ordered(self.groups[number].rows)
                if not len(rows):
                    continue
                parts.append(np.array([-1 - number], dtype=np.int64))
                if number in self._open:
                    parts.append(rows)
            self._shown = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
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
            numbers.sort(key=lambda number: self.groups[number].key)
        return numbers[::-1] if self.sort_reversed else numbers

    def _item(self, index: int) -> int:
        return int(self._shown[index])

    # Drawing

    def row_count(self) -> int:
        """Rows and groups shown."""
        return len(self._shown)

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down
        size = f"bytes {sign}" if self.sort_key == "size" else "bytes "
        last = {"file": "path", "directory": "directory", "layer": "shipped by, hidden by"}[self.grouping]
        if self.sort_key == "name":
            last += f" {sign}"
        bar = self._bar_width(width)
        line = f"{size:>{texts.SIZE_WIDTH + 2}}  " + (texts.fit("of waste", bar + 1) if bar else "")
        return [(texts.fit(f"{line}{'why':<{_CAUSE_WIDTH}} {'layers':<6} {last}", width), "header")]

    def _bar_width(self, width: int) -> int:
        return 8 if width >= 76 else 0

    def row(self, index: int, width: int) -> list[Part]:
        """One wasted inode, or one group."""
        table, glyphs = self.table, self.glyphs
        assert table is not None
        item = self._item(index)
        if item < 0:
            size, cause, layers, name, style = self._group_cells(-1 - item)
        else:
            row = table[item]
            size, cause = row.bytes, row.cause.word
            layers = f"{row.layer}{glyphs.arrow}{row.hidden_by}"
            indent = "    " if self.grouping != "file" else ""
            name, style = indent + glyphs.text(display_name(row.path)), "plain"
        bar = self._bar_width(width)
        parts: list[Part] = [(f"{texts.size(size):>{texts.SIZE_WIDTH + 1}}   ", style)]
        if bar:
            parts.append((glyphs.bar(size / (table.total or 1), bar) + " ", "waste"))
        used = sum(len(text) for text, _ in parts)
        parts.append((texts.fit(f"{cause:<{_CAUSE_WIDTH}} {layers:<6} ", _CAUSE_WIDTH + 8), style))
        room = width - used - _CAUSE_WIDTH - 8
        if item >= 0 and self.grouping == "file":
            name = texts.fit_end(name, room, glyphs.more)
        parts.append((texts.fit(name, room, glyphs.more), style))
        return parts

    def _group_cells(self, number: int) -> tuple[int, str, str, str, str]:
        """Bytes, cause, layers, name and style of a group."""
        group, glyphs = self.groups[number], self.glyphs
        sign = glyphs.opened if number in self._open else glyphs.closed
        first = next(iter(group.causes))
        cause = first.word if len(group.causes) == 1 else "mixed"
        files = texts.plural(group.count, "file")
        if self.grouping == "directory":
            layers = ""
            name = f"{glyphs.text(display_name(group.path))}/  {glyphs.dot} {files}"
        else:
            layer, hidden_by, _ = group.key
            layers = f"{layer}{glyphs.arrow}{hidden_by}"
            name = f"{files}  {glyphs.dot} {glyphs.text(self._instruction(hidden_by))}"
        return group.bytes, cause, layers, f"{sign} {name}", "strong"

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
        item = self._item(self.cursor)
        if item >= 0:
            row = table[item]
            return self.glyphs.text(f"{display_name(row.path)}\n{display_name(explain(row, info))}")
        group = self.groups[-1 - item]
        causes = ", ".join(f"{cause.word} {texts.size_bytes(amount)}" for cause, amount in group.causes.items())
        if self.grouping == "directory":
            where = f"in {display_name(group.path)}/"
        else:
            layer, hidden_by, _ = group.key
            where = f"shipped by {self._named(layer)}, hidden by {self._named(hidden_by)}"
        return self.glyphs.text(
            f"{texts.plural(group.count, 'file')}, {texts.size_bytes(group.bytes)} {where}: {causes}"
        )

    # Commands

    def action_next_grouping(self) -> None:
        """Rank by file, by directory, by layer."""
        table = self.table
        if table is None:
            return
        self.grouping = GROUPINGS[(GROUPINGS.index(self.grouping) + 1) % len(GROUPINGS)]
        self._open.clear()
        if self.grouping == "directory":
            self.groups = table.by_directory()
        elif self.grouping == "layer":
            self.groups = table.by_layer()
        self._arrange(0)

    def action_toggle_fold(self) -> None:
        """Open or close the group under the cursor, or the one the cursor's row stands in."""
        if self.row_count() and self._item(self.cursor) < 0:
            self._open.symmetric_difference_update({-1 - self._item(self.cursor)})
            self._arrange()

    def action_fold(self) -> None:
        """Close the group the cursor stands in, and go to it."""
        if self.grouping == "file" or not self.row_count():
            return
        heads = np.flatnonzero(self._shown[: self.cursor + 1] < 0)
        if not len(heads):
            return
        head = int(heads[-1])
        self._open.discard(-1 - self._item(head))
        self._arrange(head)

    def action_sort_by(self, key: str) -> None:
        """Sort by bytes or by path; the same again reverses."""
        self.sort_reversed = key == self.sort_key and not self.sort_reversed
        self.sort_key = key
        self._arrange(0)

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
        item = self._item(self.cursor)
        if item < 0:
            self.action_toggle_fold()
        else:
            self.post_message(self.Jump(int(table.path_id[item]), int(table.layer[item])))

    def copied_text(self) -> bytes | None:
        """The path under the cursor."""
        table = self.table
        if table is None or not self.row_count():
            return None
        item = self._item(self.cursor)
        return table[item].path if item >= 0 else self.groups[-1 - item].path

    def summary(self) -> str:
        """What the tab line says of this pane."""
        table = self.table
        if table is None:
            return ""
        wanted = self._wanted
        total = table.total if wanted is None else int(table.size[wanted].sum())
        files = len(table) if wanted is None else int(wanted.sum())
        return f"{texts.size_bytes(total)} in {texts.plural(files, 'file')} by {self.grouping}"
