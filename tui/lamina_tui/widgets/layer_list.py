"""The layers of an image: sizes, waste, instructions."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.figures.image import LayerFigures
from lamina.model import ImageInfo
from lamina.names import short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList


@dataclass(slots=True)
class LayerRow:
    """One layer as far as it is known."""

    instruction: str
    """Short and safe to show."""
    size: int | None = None
    """Bytes; None until the layer is read."""
    wasted: int | None = None
    """Bytes that later layers hide; None until all layers are read."""
    figures: LayerFigures | None = None
    """The rest of what is known then."""


class LayerList(RowList):
    """The layer list; sizes fill in as layers are read."""

    BINDINGS = bindings(Scope.LAYERS)
    SCOPES = (Scope.LAYERS, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.layer_rows: list[LayerRow] = []
        self.range_start: int | None = None
        """The layer that ranges are counted from; None while there is none."""
        self.guilt: tuple[int, int] | None = None
        """The layer that ships some bytes, and the one that hides them: marked, with a line between."""
        self.digests: list[str] = []
        self.complete = False
        """Whether no more sizes will come."""
        self._largest = 1

    def show_head(self, info: ImageInfo, cursor: int = 0) -> None:
        """The layers are known, their sizes not yet; the cursor goes to one of them."""
        self.layer_rows = [LayerRow(short_instruction(layer.instruction)) for layer in info.layers]
        self.digests = [layer.diff_id for layer in info.layers]
        self.complete = False
        self._largest = 1
        self.rows_changed(cursor)

    def show_size(self, index: int, size: int) -> None:
        """One layer was read."""
        if 0 <= index < len(self.layer_rows):
            self.layer_rows[index].size = size
            if size > self._largest:
                self._largest = size
                self.refresh()
            else:
                self.refresh_row(index)

    def show_figures(self, info: ImageInfo, figures: Sequence[LayerFigures]) -> None:
        """All layers are read, or the reading was stopped."""
        if len(self.layer_rows) != len(info.layers):
            self.show_head(info)
        self.complete = True
        for row, layer in zip(self.layer_rows, figures, strict=True):
            row.size = layer.size if layer.read else None
            row.wasted = layer.wasted if layer.read else None
            row.figures = layer if layer.read else None
        self._largest = max([layer.size for layer in figures] + [1])
        self.refresh()

    def mark_range(self, start: int | None) -> None:
        """Mark the layer a range starts from."""
        old, self.range_start = self.range_start, start
        for index in (old, start):
            if index is not None:
                self.refresh_row(index)

    def mark_guilt(self, guilt: tuple[int, int] | None) -> None:
        """Mark which layer ships what the cursor is on elsewhere, and which hides it; None takes the marks."""
        if guilt != self.guilt:
            rows = {row for pair in (self.guilt, guilt) if pair is not None for row in range(pair[0], pair[1] + 1)}
            self.guilt = guilt
            for row in rows:
                self.refresh_row(row)
            if guilt is not None:
                self._bring_into_view(*guilt)

    def _bring_into_view(self, first: int, last: int) -> None:
        """Scroll so that both layers are seen, or where there is no room for that, the second."""
        top, page = self.scroll_offset.y, self.page_rows
        if last - first >= page:
            first = last
        if not top <= first <= last < top + page:
            self._scroll_rows_to(max(0, last - page + 1) if last >= top + page else first)

    def _reveal(self) -> bool:
        """The cursor stays in view; while the keyboard is elsewhere, what is marked does."""
        if self.guilt is None or self.has_focus:
            return super()._reveal()
        top = self.scroll_offset.y
        self._bring_into_view(*self.guilt)
        return self.scroll_offset.y != top

    def _mark(self, index: int) -> tuple[str, str]:
        """The sign before a layer, and its style."""
        if self.guilt is not None:
            ships, hides = self.guilt
            if ships <= index <= hides:
                signs = self.glyphs.guilt
                return (signs[0] if index == ships else signs[2] if index == hides else signs[1]), "waste"
        return (self.glyphs.mark if index == self.range_start else " "), "plain"

    def row_count(self) -> int:
        """Layers."""
        return len(self.layer_rows)

    def _bar_width(self, width: int) -> int:
        return 10 if width >= 70 else 4 if width >= 48 else 0

    def _more(self, width: int) -> tuple[str, ...]:
        """Columns that a wide list has besides."""
        return ("files", "added", "changed", "removed") if width >= 110 else ()

    def header(self, width: int) -> list[Part]:
        """Column names; the pane's own name stands over the numbers."""
        bar = self._bar_width(width)
        line = (
            f" Layers {'size':>{texts.SIZE_WIDTH - 2}} {'wasted':>{texts.SIZE_WIDTH}} {'hides':>{texts.SIZE_WIDTH}}  "
        )
        line += "".join(f"{title:>8}" for title in self._more(width)) + ("  " if self._more(width) else "")
        return [
            (
                texts.fit(line + " " * (bar + 2 if bar else 0) + "instruction", width),
                "here" if self.has_focus else "header",
            )
        ]

    def row(self, index: int, width: int) -> list[Part]:
        """One layer."""
        layer = self.layer_rows[index]
        glyphs = self.glyphs
        mark, mark_style = self._mark(index)
        size = texts.size(layer.size) if layer.size is not None else "unread" if self.complete else glyphs.more
        wasted = "" if layer.wasted is None else texts.size(layer.wasted)
        hides = "" if layer.figures is None else texts.size(layer.figures.hides)
        parts: list[Part] = [
            (mark, mark_style),
            (f"{index:>3} {size:>{texts.SIZE_WIDTH + 1}} ", "dim" if layer.size is None else "plain"),
            (f"{wasted:>{texts.SIZE_WIDTH}} ", "waste" if layer.wasted else "dim"),
            (f"{hides:>{texts.SIZE_WIDTH}}  ", "removed" if layer.figures and layer.figures.hides else "dim"),
        ]
        if self._more(width):
            parts.append((self._counts(layer.figures), "dim"))
        bar = self._bar_width(width)
        if bar:
            parts += self._bar(layer, bar)
        room = max(0, width - sum(len(text) for text, _ in parts))
        parts.append((texts.fit(glyphs.text(layer.instruction) or "(no instruction)", room, glyphs.more), "plain"))
        return parts

    @staticmethod
    def _counts(figures: LayerFigures | None) -> str:
        if figures is None:
            return " " * 34
        changed = figures.modified.count + figures.metadata.count
        numbers = (figures.files, figures.added.count, changed, figures.removed.count)
        return "".join(f"{texts.count(number):>8}" for number in numbers) + "  "

    def _bar(self, layer: LayerRow, width: int) -> list[Part]:
        """Size against the largest layer, in eighths of a cell; the wasted part of it at its end, in another sign.

        Waste that takes no cell of it has a sign of its own behind the bar, which takes no length.
        """
        size, wasted = layer.size or 0, layer.wasted or 0
        cells = self.glyphs.bar(size / self._largest, width)
        whole = len(cells.rstrip())
        if whole and self.glyphs.bars.index(cells[whole - 1]) < len(self.glyphs.bars) - 1:
            whole -= 1  # the last cell is not full
        lost = min(whole, round(wasted / self._largest * width))
        kept = whole - lost
        end = cells[whole : whole + 1]
        return [
            (cells[:kept], "bar"),
            (self.glyphs.wasted * lost, "waste"),
            (end, "waste" if lost else "bar"),
            (" " * (width - whole - len(end)), "bar"),
            (self.glyphs.wasted_mark if wasted and not lost else " ", "waste"),
            (" ", "bar"),
        ]

    def action_open(self) -> None:
        """To the files of the layer under the cursor."""
        self.post_message(self.Activated(self))

    def copied_text(self) -> str | None:
        """The layer's digest."""
        return self.digests[self.cursor] if self.cursor < len(self.digests) else None

    def on_focus(self) -> None:
        """The header shows which pane has the focus."""
        self.refresh_header()
        super().on_focus()

    def on_blur(self) -> None:
        """The header shows which pane has the focus."""
        self.refresh_header()
        super().on_blur()
