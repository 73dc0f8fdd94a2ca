"""A pane that tells of what is under the cursor elsewhere, once the cursor rests."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer

from lamina_tui.widgets.text_lines import TextLine
from lamina_tui.widgets.text_pane import TextPane

_REST = 0.12
"""Seconds: a key that is held costs nothing here, in time or in bytes on the line."""


class AboutPane(TextPane, can_focus=False):
    """Text that follows."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id, has_cursor=False)
        self._timer: Timer | None = None
        self._shown: list[TextLine] = []

    def show_soon(self, lines: Callable[[], list[TextLine]]) -> None:
        """Show what ``lines`` answers when nothing else was asked for in a moment."""
        if self._timer is not None:
            self._timer.stop()

        def show() -> None:
            self._timer = None
            told = lines()
            if told != self._shown:
                self._shown = told
                self.show_lines(told)
                self.show_from(0)

        self._timer = self.set_timer(_REST, show)
