"""Columns of text, and text that Markdown takes as it stands."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from lamina.names import display_name
from lamina.reports.json_text import Json


def cut(text: str, width: int) -> str:
    """Text of at most ``width`` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], left: set[int]) -> list[str]:
    """Columns two blanks apart, numbers to the right; the last column is never padded."""
    lines = [header, *rows]
    widths = [max(len(row[column]) for row in lines) for column in range(len(header))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return ("  " + "  ".join(cells)).rstrip()

    return [line(row) for row in lines]


def md(text: str) -> str:
    """Text with everything that Markdown or HTML would act on escaped, addresses that would become links too."""
    escaped = "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+!|~&$@:" else char for char in text)
    return re.sub(r"(?i)\b(www)\.", r"\1\\.", escaped)


def path_of(fields: Json) -> str:
    """A path of the JSON report made safe to show, from its bytes where they are not UTF-8."""
    if "path_base64" in fields:
        return display_name(base64.b64decode(fields["path_base64"]))
    return display_name(fields["path"])
