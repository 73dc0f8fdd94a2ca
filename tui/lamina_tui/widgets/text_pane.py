"""Panes of text lines: the config, advice, help, a whole instruction."""

from __future__ import annotations

from textual.geometry import Size

from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList
from lamina_tui.widgets.text_lines import TextLine


class TextPane(RowList):
    """Paragraphs, wrapped to the width, under a label column; with a cursor so that a line can be copied."""

    BINDINGS = bindings(Scope.TEXT)
    SCOPES = (Scope.LIST, Scope.TEXT)
    header_lines = 0

    def __init__(self, *, id: str | None = None, has_cursor: bool = True, fit_height: bool = False) -> None:  # noqa: A002
        super().__init__(id=id)
        self.has_cursor = has_cursor
        self._fit_height = fit_height
        self._paragraphs: list[TextLine] = []
        self._rows: list[tuple[str, str, str, int]] = []
        self._wrapped_for = -1
        self._all: list[TextLine] = []
        self.filter = ""

    def show_lines(self, lines: list[TextLine]) -> None:
        """Show these paragraphs."""
        self._all = lines
        self._choose()

    def set_filter(self, text: str) -> None:
        """Show only the paragraphs that have a text, under their headings."""
        if text != self.filter:
            self.filter = text
            self.placeholder = f"nothing here has “{display_name(text)}”"
            self._choose()

    def _choose(self) -> None:
        """Show what passes the filter."""
        wanted, heading = self.filter.casefold(), None
        self._paragraphs = [] if wanted else self._all
        for line in self._all if wanted else ():
            if line.heading:
                heading = line
            elif wanted in f"{line.label} {line.text}".casefold():
                self._paragraphs += [heading, line] if heading is not None else [line]
                heading = None
        self._wrapped_for = -1
        self.rows_changed(0)
        if self._fit_height:
            self.refresh(layout=True)

    def _wrap(self, width: int) -> None:
        """Break the paragraphs into rows of label, text, style and paragraph number."""
        if width == self._wrapped_for:
            return
        self._wrapped_for = width
        glyphs = self.glyphs
        column = max((len(line.label) for line in self._paragraphs), default=0)
        column = min(column + 2 if column else 0, max(0, width // 2))
        rows: list[tuple[str, str, str, int]] = []
        for number, line in enumerate(self._paragraphs):
            label = glyphs.text(line.label)
            indent = 0 if line.heading else column
            for piece in texts.wrap(glyphs.text(line.text), max(1, width - indent - 2)):
                rows.append((texts.fit(f" {label}", indent + 1, glyphs.more), piece, line.style, number))
                label = ""
        self._rows = rows

    def row_count(self) -> int:
        """Rows after wrapping."""
        if self.size.width:
            self._wrap(self.text_width)
        return len(self._rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the text has, for dialogs that fit their text."""
        del container, viewport
        self._wrap(width)
        return max(1, len(self._rows))

    def row(self, index: int, width: int) -> list[Part]:
        """One row of a paragraph."""
        del width
        label, text, style, _ = self._rows[index]
        return [(label, "accent"), (text, style)] if label.strip() else [(label + text, style)]

    def copied_text(self) -> str | None:
        """The whole paragraph under the cursor."""
        if not self.row_count():
            return None
        line = self._paragraphs[self._rows[self.cursor][3]]
        return line.whole or line.text
