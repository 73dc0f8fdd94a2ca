"""The command palette."""

from __future__ import annotations

from textual.command import CommandList, CommandPalette, SearchIcon


class Palette(CommandPalette):
    """Textual's, whose list can't turn pages before it is drawn, or where there is no room to draw it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(placeholder="what to do", id=id)

    def on_mount(self) -> None:
        """No pictures: not every terminal has a magnifying glass."""
        self.query_one(SearchIcon).display = False

    def _action_command_list(self, action: str) -> None:
        # Textual 8.2 looks the highlighted line up in a table that drawing fills.
        if action.startswith("page_") and not self.query_one(CommandList).size.height:
            return
        try:
            super()._action_command_list(action)
        except KeyError:
            return
