"""The footer: the keys that work here, made from the table of commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment

from lamina_tui.keymap import Scope, keymap_of
from lamina_tui.widgets.line_bar import LineBar, Part


class KeyBar(LineBar):
    """As many keys as fit, the most useful first."""

    def show_scopes(self, scopes: Iterable[Scope]) -> None:
        """Show the keys of some scopes, beside the app's own."""
        parts: list[Part] = []
        for key, word in keymap_of(self.app).footer([Scope.APP, *scopes]):
            parts += [(f" {key}", "key"), (f" {word} ", "dim")]
        self.show((parts, ()))

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
