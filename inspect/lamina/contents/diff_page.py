"""What differs between two versions of a file, as rows: one below the other, or side by side."""

from __future__ import annotations

import stat
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from lamina.contents.content import KIND_WORDS
from lamina.contents.highlight import Pieces
from lamina.contents.pages import PageRow
from lamina.contents.shown_text import shown_text
from lamina.contents.versions import Comparison, DiffLine, FieldChange
from lamina.model import Kind
from lamina.names import display_name

_LATEST = 253402300799  # seconds: the end of the year 9999


class DiffPage:
    """A :class:`~lamina.contents.pages.Page` of a comparison.

    Args:
        found: the comparison.
        width: cells of a row for two columns side by side; 0: one below the other.
    """

    complete = True

    def __init__(self, found: Comparison, width: int = 0) -> None:
        self._rows = [PageRow("", [(line, "name")]) for line in _facts(found)]
        for hunk in found.hunks or []:
            self._rows.append(PageRow("", [(_head(hunk), "comment")]))
            self._rows += _beside(hunk, width) if width else [_below(line) for line in hunk]
        self.count = len(self._rows)

    def more(self, cancel: threading.Event) -> None:
        """See :class:`~lamina.contents.pages.Page`."""

    def rows(self, first: int, count: int) -> list[PageRow]:
        """See :class:`~lamina.contents.pages.Page`."""
        return self._rows[first : first + count]

    def row_of(self, offset: int) -> int:  # noqa: ARG002  # rows are of two files
        """See :class:`~lamina.contents.pages.Page`."""
        return 0

    def offset_of(self, row: int) -> int:  # noqa: ARG002
        """See :class:`~lamina.contents.pages.Page`."""
        return 0


def _facts(found: Comparison) -> list[str]:
    """What there is to say beside the lines."""
    lines = [
        f"{change.name}: {_field(change, change.before)} → {_field(change, change.after)}" for change in found.fields
    ]
    before, after = found.sizes
    if found.same_content:
        lines.append("the content is the same")
    elif found.hunks == []:
        lines.append("the lines are the same, but for the end of the last")
    elif found.hunks is None and (before or after):
        at = f", the first difference at byte {found.first_difference:,}" if before and after else ""
        lines.append(f"{before:,} bytes → {after:,} bytes{at}")
    return lines


def _field(change: FieldChange, value: object) -> str:
    if isinstance(value, Kind):
        return KIND_WORDS[value]
    if isinstance(value, bytes):
        return display_name(value) or "none"
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    if change.name == "mode" and isinstance(value, int):
        return f"{value:o} ({stat.filemode(value)[1:]})"
    if change.name == "time" and isinstance(value, int):
        seconds = min(max(0, value // 10**9), _LATEST)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    return f"{value:,}" if isinstance(value, int) else display_name(str(value))


def _head(hunk: Sequence[DiffLine]) -> str:
    """As diff(1) begins a place that differs."""
    before = [line.before for line in hunk if line.before is not None]
    after = [line.after for line in hunk if line.after is not None]
    old, new = before[0] if before else 0, after[0] if after else 0
    return f"@@ -{old},{len(before)} +{new},{len(after)} @@"


_KINDS = {"-": "removed", "+": "added", " ": ""}


def _below(line: DiffLine) -> PageRow:
    number = line.after if line.after is not None else line.before
    return PageRow(str(number), [(f"{line.mark} {shown_text(line.text)}", _KINDS[line.mark])])


def _beside(hunk: Sequence[DiffLine], width: int) -> list[PageRow]:
    """Lines that take each other's place in one row."""
    half = max(10, (width - 3) // 2)
    rows = []
    for same, group in groupby(hunk, key=lambda line: line.mark == " "):
        lines = list(group)
        if same:
            rows += [PageRow("", [*_half(line, half), (" │ ", "comment"), *_half(line, half)]) for line in lines]
            continue
        old = [line for line in lines if line.mark == "-"]
        new = [line for line in lines if line.mark == "+"]
        for at in range(max(len(old), len(new))):
            left = _half(old[at] if at < len(old) else None, half)
            right = _half(new[at] if at < len(new) else None, half)
            rows.append(PageRow("", [*left, (" │ ", "comment"), *right]))
    return rows


def _half(line: DiffLine | None, width: int) -> Pieces:
    if line is None:
        return [(" " * width, "")]
    text = f"{line.mark} {shown_text(line.text)}"
    return [(text[:width].ljust(width), _KINDS[line.mark])]
