"""The footer: the keys that work here, made from the table of commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.segment import Segment
from textual import events

from lamina_tui.command import Scope
from lamina_tui.keymap import keymap_of
from lamina_tui.widgets.line_bar import LineBar, Part


class KeyBar(LineBar):
    """As many keys as fit, the most useful first; a click presses one."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._keys: list[tuple[int, str]] = []
        """Of each command: cells, and the key as Textual names it."""

    def show_scopes(self, scopes: Iterable[Scope], words: Mapping[str, str]) -> None:
        """Show the keys of some scopes, beside the app's own.

        Args:
            scopes: the nearest first.
            words: by action, what stands in place of the table's word for it.
        """
        parts: list[Part] = []
        keymap, shown = keymap_of(self.app), [Scope.APP, *scopes]
        self._keys = []
        for command, (key, word) in zip(keymap.in_footer(shown), keymap.footer(shown), strict=True):
            word = words.get(command.action, word)  # noqa: PLW2901 - the same, said of what is done here
            parts += [(f" {key}", "key"), (f" {word} ", "dim")]
            self._keys.append((len(key) + len(word) + 3, command.keys[0]))
        self.show((parts, ()))

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse, for whoever has the keyboard."""
        end = 0
        for cells, key in self._keys:
            end += cells
            if end > self.size.width + 1:
                return  # it had no room
            if event.x < end:
                self.app.simulate_key(key)
                return

    def _cut(self, parts: Sequence[Part], room: int) -> list[Segment]:
        """Leave out whole keys, never half a word."""
        kept: list[Part] = []
        for key, word in zip(parts[::2], parts[1::2], strict=True):
            length = len(key[0]) + len(word[0])
            if length > room + 1:
                break
            kept += [key, word]
            room -= length
        return super()._cut(kept, sum(len(text) for text, _ in kept))
