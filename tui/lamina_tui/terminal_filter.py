"""The second wall against hostile text: nothing that a terminal could obey reaches it.

The first is ``lamina.names.display_name``. This one stands in the drawing itself, so that a forgotten call, a
library's own widget or a pasted text can't pass either.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_BOXES = {
    **dict.fromkeys("─━═╌╍┄┅┈┉▔▁", "-"),
    **dict.fromkeys("│┃║┆┇┊┋▏▕▎▍▌▐", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝", "+"),
    **dict.fromkeys("█▉▊▋▓", "#"),
    **dict.fromkeys("▀▄▂▃▅▆▇░▒", " "),
    **dict.fromkeys("▸▶►", ">"),
    **dict.fromkeys("▾▼▴▲", "v"),
    "…": ".",
    "·": ".",
    "•": "*",
    "→": ">",
    "×": "x",
    "’": "'",
}


class Wall(LineFilter):
    """Drops what is not printable from every drawn line; keeps the no-break space as a space."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._ascii_only = ascii_only

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the base's
        """The segments, with the text of those that need it made harmless."""
        ascii_only = self._ascii_only
        for text, _, control in segments:
            if not control and not (text.isprintable() and (text.isascii() or not ascii_only)):
                break
        else:
            return segments
        return [
            segment if segment.control else Segment(_clean(segment.text, ascii_only), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def _clean(text: str, ascii_only: bool) -> str:
    if text.isprintable() and (text.isascii() or not ascii_only):
        return text
    return "".join(_char(char, ascii_only) for char in text)


def _char(char: str, ascii_only: bool) -> str:
    if char == "\xa0":
        return " "
    if not char.isprintable():
        # The line was laid out with this character's width: what takes cells leaves a sign in them.
        return "?" * cell_len(char)
    if ascii_only and not char.isascii():
        return _BOXES.get(char, "?" * cell_len(char))
    return char
