"""The command palette."""

from __future__ import annotations

from textual.command import CommandList, CommandPalette


class Palette(CommandPalette):
    """Textual's, whose list can't turn pages before it is drawn, or where there is no room to draw it."""

    def _action_command_list(self, action: str) -> None:
        # Textual 8.2 looks the highlighted line up in a table that drawing fills.
        if action.startswith("page_") and not self.query_one(CommandList).size.height:
            return
        try:
            super()._action_command_list(action)
        except KeyError:
            return
