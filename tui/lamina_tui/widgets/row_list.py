"""The base of every list: draws only the rows in view, however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.glyphs import Glyphs, glyphs_of
from lamina_tui.keymap import bindings

Part = tuple[str, str]
"""A piece of a line and the name of its style: a component class without its ``rows--``."""

STYLE_OF_CHANGE = ("plain", "added", "modified", "metadata", "removed")
"""By :class:`lamina.model.Change`."""


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """A list of one-line rows under a header line, drawn through Textual's Line API.

    The cursor is a plain attribute: a reactive would repaint the widget on every key, where two lines do.
    A subclass answers :meth:`row_count`, :meth:`header` and :meth:`row`.
    """

    BINDINGS = bindings(Scope.LIST)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--header",
        "rows--here",
        "rows--cursor",
        "rows--idle",
        "rows--plain",
        "rows--strong",
        "rows--dim",
        "rows--added",
        "rows--modified",
        "rows--metadata",
        "rows--removed",
        "rows--bar",
        "rows--waste",
        "rows--accent",
    }
    SCOPES: tuple[Scope, ...] = (Scope.LIST,)
    """What the footer and the help show while this list has the focus."""

    header_lines = 1
    has_cursor = True

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> RowList:
            """The list, for ``@on`` selectors."""
            return self.rows

    class Told(Message):
        """Something that is to be said once."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Activated(Message):
        """A row was chosen, by mouse."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> RowList:
            """The list, for ``@on`` selectors."""
            return self.rows

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.cursor = 0
        self.placeholder = ""
        """Shown in place of rows where there are none."""
        self._styles_by_name: dict[str, Style] = {}

    # What a subclass says

    def row_count(self) -> int:
        """Rows, the header not counted."""
        raise NotImplementedError

    def header(self, width: int) -> list[Part]:  # noqa: ARG002 - subclasses need it
        """The header line."""
        return []

    def row(self, index: int, width: int) -> list[Part]:
        """One row, at most ``width`` cells."""
        raise NotImplementedError

    def why_empty(self) -> str:
        """What stands in place of rows where there are none; a second line says what can be done."""
        return self.placeholder

    # Drawing

    @property
    def glyphs(self) -> Glyphs:
        """The signs of this terminal."""
        app: App[object] = self.app
        return glyphs_of(app)

    @property
    def text_width(self) -> int:
        """Cells of a line: the widget's, less the scrollbar's."""
        return max(1, self.size.width - self.scrollbar_gutter.width)

    def style_of(self, name: str) -> Style:
        """The Rich style of a component class, kept until the theme changes."""
        style = self._styles_by_name.get(name)
        if style is None:
            style = self.get_component_rich_style(f"rows--{name}")
            self._styles_by_name[name] = style
        return style

    def notify_style_update(self) -> None:
        """The theme changed: styles are asked again."""
        self._styles_by_name.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of the widget, header or row."""
        width = self.text_width
        if y < self.header_lines:
            return self._strip(self.header(width), width, "header")
        index = y - self.header_lines + self.scroll_offset.y
        if index >= self.row_count():
            return self._strip(self._placeholder_parts(y, width), width, "plain")
        parts = self.row(index, width)
        if index == self.cursor and self.has_cursor:
            # One style for the whole row: fewer bytes on the wire, and one reverse bar to the eye.
            text = texts.fit("".join(text for text, _ in parts), width, self.glyphs.more)
            return Strip([Segment(text, self.style_of("cursor" if self.has_focus else "idle"))], width)
        return self._strip(parts, width, "plain")

    def _placeholder_parts(self, y: int, width: int) -> list[Part]:
        """A line of the placeholder, where there is no row at all."""
        if self.row_count() or not (told := self.why_empty()):
            return []
        lines = [line for part in told.split("\n") for line in texts.wrap(part, max(1, width - 4))]
        index = y - self.header_lines - 1
        if 0 <= index < len(lines):
            return [("  " + self.glyphs.text(lines[index]), "dim" if index else "plain")]
        return []

    def _strip(self, parts: Iterable[Part], width: int, base: str) -> Strip:
        """Parts as a strip of exactly ``width`` cells; neighbours of one style become one segment."""
        segments: list[Segment] = []
        text, name = "", ""
        used = 0
        for piece, style_name in parts:
            if not piece:
                continue
            if style_name == name:
                text += piece
                continue
            if text:
                segments.append(Segment(text, self.style_of(name)))
                used += _cells(text)
            text, name = piece, style_name
        if text:
            segments.append(Segment(text, self.style_of(name)))
            used += _cells(text)
        if used < width:
            # Blanks look alike in all styles of a line, and a segment of their own costs 28 bytes on the wire.
            blank = " " * (width - used)
            segments = [*segments[:-1], Segment(text + blank, self.style_of(name or base))]
            return Strip(segments, width)
        strip = Strip(segments, used)
        return strip if used == width else strip.crop(0, width)

    def refresh_row(self, index: int) -> None:
        """Draw one row again, if it is in view."""
        y = index - self.scroll_offset.y + self.header_lines
        if self.header_lines <= y < self.size.height:
            self.refresh(Region(0, y, self.text_width, 1))

    def refresh_header(self) -> None:
        """Draw the header again."""
        self.refresh(Region(0, 0, self.size.width, self.header_lines))

    def rows_changed(self, cursor: int | None = None) -> None:
        """The rows are others now.

        Args:
            cursor: where the cursor goes; None leaves it, within bounds.
        """
        total = self.row_count()
        wanted = self.cursor if cursor is None else cursor
        self.cursor = max(0, min(wanted, total - 1))
        virtual = Size(self.size.width, total + self.header_lines)
        if virtual != self.virtual_size:
            self.virtual_size = virtual
        self._reveal()
        self.refresh()

    def lines_in_view(self) -> list[Strip]:
        """What is drawn now, for :meth:`redraw`."""
        return [self.render_line(y) for y in range(self.size.height)]

    def redraw(self, before: list[Strip], cursor: int) -> None:
        """The rows are others now, and may look as before: draw the lines that don't.

        Args:
            before: the lines as they were.
            cursor: where the cursor goes.
        """
        total = self.row_count()
        if self.virtual_size.height != total + self.header_lines or len(before) != self.size.height:
            self.rows_changed(cursor)
            return
        self.cursor = max(0, min(cursor, total - 1))
        if self._reveal():
            return
        for y, (old, new) in enumerate(zip(before, self.lines_in_view(), strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    # Moving

    @property
    def page_rows(self) -> int:
        """Rows that fit into the view."""
        return max(1, self.size.height - self.header_lines)

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and bring it into view."""
        index = max(0, min(index, self.row_count() - 1))
        old = self.cursor
        if index == old:
            return
        self.cursor = index
        if not self._reveal():
            self.refresh_row(old)
            self.refresh_row(index)
        self.post_message(self.Moved(self))

    def _reveal(self) -> bool:
        """Scroll if the cursor left the view; True if it did.

        Most of a page at once: a pane costs some 6 kB to paint and a row 150 bytes, so walking a
        long list a line at a time over a slow connection would cost ten times as much; and what comes is in view.
        """
        top, page = self.scroll_offset.y, self.page_rows
        if self.size.height == 0 or top <= self.cursor < top + page:
            return False
        self._scroll_rows_to(self.cursor - (page // 6 if self.cursor >= top else page - 1 - page // 6))
        return True

    def show_from(self, top: int) -> None:
        """Scroll so that a row is the first in view, as far as there are rows."""
        self._scroll_rows_to(top)

    def _scroll_rows_to(self, top: int) -> None:
        limit = max(0, self.row_count() - self.page_rows)
        self.scroll_to(y=max(0, min(top, limit)), animate=False, force=True, immediate=True)

    def action_move(self, step: int) -> None:
        """Move the cursor by rows."""
        if not self.has_cursor:
            self._scroll_rows_to(self.scroll_offset.y + step)
            return
        self.move_to(self.cursor + step)

    def action_page(self, step: int) -> None:
        """Move by whole pages; the cursor keeps its line on the screen."""
        self._turn(step * self.page_rows)

    def action_half_page(self, step: int) -> None:
        """Move by half pages."""
        self._turn(step * max(1, self.page_rows // 2))

    def _turn(self, rows: int) -> None:
        self._scroll_rows_to(self.scroll_offset.y + rows)
        if self.has_cursor:
            self.move_to(self.cursor + rows)

    def action_first(self) -> None:
        """Move to the first row."""
        if self.has_cursor:
            self.move_to(0)
        self._scroll_rows_to(0)

    def action_last(self) -> None:
        """Move to the last row."""
        if self.has_cursor:
            self.move_to(self.row_count() - 1)
        self._scroll_rows_to(self.row_count())

    def title_clicked(self, title: str) -> None:
        """A column's title was clicked; who can be sorted by it sorts."""

    def _title_at(self, x: int) -> str:
        """The word of the header at a cell, without the sign of the sort order; empty between words."""
        line = "".join(text for text, _ in self.header(self.text_width))
        found = next((word for word in re.finditer(r"\S+", line) if word.start() <= x < word.end()), None)
        return found[0].rstrip(self.glyphs.up + self.glyphs.down) if found else ""

    def copied_text(self) -> str | bytes | None:
        """What ``y`` copies of the row under the cursor; None where there is nothing."""
        return None

    # What Textual tells

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in view."""
        self.virtual_size = Size(event.size.width, self.row_count() + self.header_lines)
        self._reveal()

    def on_focus(self) -> None:
        """The cursor's row looks different with the focus."""
        self.refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor's row looks different without the focus."""
        self.refresh_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; one on the cursor's row chooses it, one on a column's title sorts by it."""
        if event.y < self.header_lines:
            title = self._title_at(event.x)
            if title:
                self.title_clicked(title)
            return
        index = event.y - self.header_lines + self.scroll_offset.y
        if not 0 <= index < self.row_count() or not self.has_cursor:
            return
        if index == self.cursor:
            self.post_message(self.Activated(self))
        else:
            self.move_to(index)


def _cells(text: str) -> int:
    """Cells of a text; most are ASCII and need no table."""
    return len(text) if text.isascii() else texts.cell_len(text)
