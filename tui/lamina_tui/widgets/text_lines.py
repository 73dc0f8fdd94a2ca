"""Paragraphs of untrusted text, and how many of them a pane takes."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.dataclass import dataclass
from lamina.names import display_name
from lamina_tui import texts

SHOWN = 128 << 10
"""Characters that one pane wraps and draws, some milliseconds' worth. A config or an instruction may have megabytes,
and all of it would be wrapped again with every width; what is real has some kilobytes, with a builder's labels some
ten.
"""

LINE = 32
"""What a paragraph costs beside its characters, in characters: a row of its own, however short it is."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One paragraph: a label in a column of its own, and text that wraps beside it; safe to show."""

    text: str
    label: str = ""
    style: str = "plain"
    heading: bool = False
    """Stands at the left edge, over the labels."""
    whole: str = ""
    """All of the text where only its start is shown; untrusted."""


class TextLines:
    """Collects paragraphs until a pane is full, and says how much is left out.

    Each text, and each list of items, gets half of the room that is left at the most: something of what follows is
    always shown too.
    """

    def __init__(self) -> None:
        self.lines: list[TextLine] = []
        self._room = SHOWN
        self._refused = False

    @property
    def full(self) -> bool:
        """Whether nothing more is taken: whoever has many things to add can stop."""
        return self._room <= LINE

    def blank(self) -> None:
        """A blank line."""
        self._put(TextLine(""))

    def heading(self, text: str) -> None:
        """A line at the left edge; short."""
        self._put(TextLine(display_name(text[: LINE * 8]), style="strong", heading=True))

    def add(self, text: str, label: str = "", style: str = "plain") -> None:
        """A paragraph.

        Args:
            text: untrusted.
            label: stands beside it; untrusted and short.
            style: of the text.
        """
        head = _head(text, max(1, self._room // 2))
        if len(head) == len(text):
            self._put(TextLine(display_name(text), label, style))
        else:
            self._put(TextLine(display_name(head), label, style, whole=text))
            if not self._refused:
                self._left_out(len(text) - len(head))

    def add_text(self, text: str) -> None:
        """A text whose lines are paragraphs; untrusted."""
        limit = self._room - self._room // 2
        at = 0
        for piece in text[: self._room - limit].split("\n"):
            if self._room <= limit or self.full:
                break
            head = _head(piece, self._room - limit)
            self._put(TextLine(display_name(head)))
            at += len(head)
            if len(head) < len(piece):
                break
            at += 1
        if at < len(text):
            self._left_out(len(text) - at)

    def add_items(self, items: Iterable[str], total: int, label: str) -> None:
        """A paragraph an item, the first of them beside a label.

        Args:
            items: untrusted; only as many are asked for as are shown.
            total: how many there are.
            label: untrusted and short.
        """
        limit = self._room - self._room // 2
        for index, item in enumerate(items):
            if self._room <= limit:
                self._remark(f"{texts.count(total - index)} more")
                return
            self.add(item, "" if index else label)

    def more(self) -> None:
        """Say, once, that there is more than a full collection takes."""
        if not self._refused:
            self._refused = True
            self._remark("more")

    def _put(self, line: TextLine) -> None:
        if not self.full:
            self.lines.append(line)
            self._room -= len(line.text) + LINE
        else:
            self.more()

    def _left_out(self, characters: int) -> None:
        self._remark(f"{texts.size(characters)} characters more")

    def _remark(self, amount: str) -> None:
        """Always shown: what is missing without a word would be a lie."""
        self.lines.append(TextLine(f"… {amount}, not shown", style="dim"))
        self._room -= LINE


def _head(text: str, room: int) -> str:
    """As much of a text's start as takes so many characters when it is safe to show."""
    head = text[: max(0, room)]
    while len(shown := display_name(head)) > room:
        head = head[: len(head) * room // len(shown)]
    return head
