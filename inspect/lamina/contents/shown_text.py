"""A line of a file as text that can be shown: nothing in it controls a terminal."""

from __future__ import annotations

from lamina.names import display_name

TAB = 8


def shown_text(line: bytes) -> str:
    """Tabs become blanks, what can't be printed a visible escape, what is no UTF-8 the escape of its bytes.

    A carriage return at the end is the end of the line in other systems, and not shown.
    """
    line = line.removesuffix(b"\r")
    if b"\t" not in line:
        return display_name(line)
    parts: list[str] = []
    width = 0
    for number, part in enumerate(line.split(b"\t")):
        if number:
            blanks = TAB - width % TAB
            parts.append(" " * blanks)
            width += blanks
        text = display_name(part)
        parts.append(text)
        width += len(text)
    return "".join(parts)
