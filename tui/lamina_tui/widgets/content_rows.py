"""The rows of a file that is looked at: those in view are asked for, and come when they are read."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from lamina.contents.highlight import Pieces
from lamina.contents.pages import Page, PageRow
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

_STYLES = {
    "comment": "dim",
    "keyword": "accent",
    "string": "added",
    "number": "metadata",
    "name": "strong",
    "added": "added",
    "removed": "removed",
}
_HELD = 4000
"""Rows that are kept: some screens before and behind what is in view."""
_SHIFT = 8
"""Cells that a key moves the text sideways."""


class ContentRows(RowList):
    """One page of a file; without a cursor, for it is the text that moves."""

    BINDINGS = bindings(Scope.CONTENT)
    SCOPES = (Scope.CONTENT, Scope.LIST)
    header_lines = 0
    has_cursor = False

    class Wanted(Message):
        """Rows are in view that are not there yet."""

        def __init__(self, first: int, count: int) -> None:
            super().__init__()
            self.first = first
            self.count = count

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.page: Page | None = None
        self.numbers = True
        """Whether labels are shown."""
        self.sought = ""
        """What is marked where it stands; lower case."""
        self.shift = 0
        self._held: dict[int, PageRow] = {}
        self._asked: tuple[int, int] | None = None
        self._label = 0

    def show_page(self, page: Page | None) -> None:
        """Show another page, from its beginning."""
        self.page = page
        self.shift, self._label = 0, 0
        self.forget()
        self.rows_changed(0)
        self.show_from(0)

    def forget(self) -> None:
        """The rows are others now: ask for them again."""
        self._held.clear()
        self._asked = None

    def take(self, first: int, rows: Sequence[PageRow]) -> None:
        """Rows that were asked for have come."""
        if len(self._held) > _HELD:
            self._held.clear()
        self._held.update(enumerate(rows, first))
        self._asked = None
        self._label = max([self._label, *(len(row.label) for row in rows)])
        self.refresh()

    def mark(self, text: str) -> None:
        """Mark a text wherever it stands."""
        self.sought = text.lower()
        self.refresh()

    def row_count(self) -> int:
        """Rows that are known."""
        return 0 if self.page is None else self.page.count

    @property
    def text_room(self) -> int:
        """Cells of a row beside its label."""
        return max(8, self.text_width - (self._label + 2 if self.numbers else 1))

    def row(self, index: int, width: int) -> list[Part]:
        """A label, and what stands behind it."""
        held = self._held.get(index)
        if held is None:
            self._ask(index)
            return [(" " * (self._label + 2) if self.numbers else " ", "dim")]
        head = f"{held.label:>{self._label}}  " if self.numbers else " "
        parts = self._marked(_shifted(held.pieces, self.shift, width - len(head)))
        return [(head, "dim"), *((self.glyphs.text(text), style) for text, style in parts)]

    def _ask(self, index: int) -> None:
        """Ask for what is around a row, once."""
        page = self.page_rows
        first = max(0, self.scroll_offset.y - page)
        if self._asked is not None and self._asked[0] <= index < sum(self._asked):
            return
        self._asked = first, 3 * page
        self.post_message(self.Wanted(*self._asked))

    def _marked(self, pieces: Pieces) -> list[Part]:
        parts: list[Part] = [(text, _STYLES.get(kind, "plain")) for text, kind in pieces]
        if not self.sought:
            return parts
        text = "".join(part for part, _ in parts)
        lower = text.lower()
        if len(lower) != len(text) or self.sought not in lower:
            return parts
        found: list[Part] = []
        at = 0
        while (start := lower.find(self.sought, at)) >= 0:
            found += [(text[at:start], "plain"), (text[start : start + len(self.sought)], "here")]
            at = start + len(self.sought)
        return [*found, (text[at:], "plain")]

    def action_shift(self, step: int) -> None:
        """Move the text sideways."""
        self.shift = max(0, self.shift + step * _SHIFT)
        self.refresh()
        self.post_message(self.Moved(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Others are in view now."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Moved(self))


def _shifted(pieces: Pieces, shift: int, room: int) -> Pieces:
    """What of a line is seen, moved to the left by ``shift`` characters."""
    found, at = [], 0
    for text, kind in pieces:
        part = text[max(0, shift - at) : max(0, shift + room - at)]
        if part:
            found.append((part, kind))
        at += len(text)
        if at >= shift + room:
            break
    return found
