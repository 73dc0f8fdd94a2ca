"""The signs the screen is drawn with, in Unicode and in ASCII."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from typing import Any

from lamina.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; every sign that stands in a column is one cell wide."""

    name: str
    opened: str
    closed: str
    bars: str
    """From the thinnest to the full cell."""
    wasted: str
    """A cell of a bar's wasted part."""
    guilt: str
    """Before the layer that ships some waste, those between, and the one that hides it."""
    wasted_mark: str
    """Behind a bar whose wasted part is too small for it."""
    more: str
    """Stands where text was cut; in ASCII it takes two cells."""
    dot: str
    arrow: str
    cross: str
    up: str
    down: str
    """Behind the title of the column that rows are sorted by, so no letters: ``sizev`` would read as a word."""
    vertical: str
    horizontal: str
    mark: str
    """Beside the layer a range starts from."""
    border: str
    """The CSS border type of dialogs."""
    pure_ascii: bool = False

    def text(self, text: str) -> str:
        """Text as this set can show it: in ASCII, what is beyond it becomes a visible escape.

        Args:
            text: printable text, as ``display_name`` gives it.
        """
        if not self.pure_ascii or text.isascii():
            return text
        for sign, plain in _PLAIN.items():
            text = text.replace(sign, plain)
        return text.encode("ascii", "backslashreplace").decode("ascii")

    def bar(self, share: float, width: int) -> str:
        """A horizontal bar, padded to its column.

        Args:
            share: 0 to 1. What is under half the thinnest sign has no length: its figure says that it is there.
            width: cells of the whole column.
        """
        steps = len(self.bars)
        whole, rest = divmod(round(min(max(share, 0.0), 1.0) * width * steps), steps)
        text = self.bars[-1] * whole
        if rest:
            text += self.bars[rest - 1]
        return text.ljust(width)


LOOSE = "?"
"""Marks what a search found though its name only has the letters of the text, in their order."""

_PLAIN = {
    "→": "->",
    "│": "|",
    "…": "..",
    "∙": ".",
    "◂": "<",
    "·": "|",
    "×": "x",
    "—": "-",
    "’": "'",
    "“": '"',
    "”": '"',
}

UNICODE = Glyphs(
    name="unicode",
    opened="▾",
    closed="▸",
    bars="▏▎▍▌▋▊▉█",
    wasted="▒",
    guilt="◂│╰",
    wasted_mark="∙",
    more="…",
    dot="·",
    arrow="→",
    cross="×",
    up="▴",
    down="▾",
    vertical="│",
    horizontal="─",
    mark="▸",
    border="round",
)

ASCII = Glyphs(
    name="ascii",
    opened="v",
    closed=">",
    bars="#",
    wasted="x",
    guilt="<|`",
    wasted_mark=".",
    more="..",
    dot="|",
    arrow="->",
    cross="x",
    up="^",
    down="_",
    vertical="|",
    horizontal="-",
    mark=">",
    border="ascii",
    pure_ascii=True,
)


def needs_ascii(environ: Mapping[str, str] = os.environ, encoding: str | None = None) -> bool:
    """Whether the terminal's encoding can't show more than ASCII.

    Args:
        environ: the process's environment.
        encoding: of the standard output; None asks for it.

    Returns:
        True where the output is not UTF-8, or the user set the locale to C or POSIX. An environment that sets
        no locale at all (a container's, usually) tells nothing of the terminal: there UTF-8 is assumed,
        as Python does.
    """
    if encoding is None:
        encoding = getattr(sys.__stdout__, "encoding", None) or locale.getpreferredencoding(do_setlocale=False)
    if encoding.lower().replace("-", "") not in {"utf8", "utf8sig"}:
        return True
    asked = environ.get("LC_ALL") or environ.get("LANG") or ""
    # Python turns LC_CTYPE=C into C.UTF-8 at start and switches its UTF-8 mode on, so LC_CTYPE itself tells
    # only when that mode is off.
    if not environ.get("LC_ALL") and not sys.flags.utf8_mode:
        asked = environ.get("LC_CTYPE") or asked
    return asked in {"C", "POSIX"}


def glyphs_of(app: Any) -> Glyphs:
    """The set a Textual app draws with: its ``glyphs`` attribute, else Unicode."""
    glyphs = getattr(app, "glyphs", UNICODE)
    return glyphs if isinstance(glyphs, Glyphs) else UNICODE
