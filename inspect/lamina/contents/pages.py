"""A file as rows, in the ways in which one looks at it: text, hexadecimal, the texts within."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from lamina.contents.content import FileContent
from lamina.contents.highlight import MOST, Pieces, highlight
from lamina.contents.line_index import LineIndex
from lamina.contents.shown_text import shown_text
from lamina.contents.strings_in import strings_in

WHOLE = 4 << 20
"""Bytes of a text that is held whole, so that it can be wrapped."""
_MOST_STRINGS = 500_000


class PageRow(NamedTuple):
    """One row."""

    label: str
    """Line number or offset; empty for what goes on from the row above."""
    pieces: Pieces
    """Safe to show."""


class Page(Protocol):
    """Rows of a file. Its methods block, and are for one thread at a time; what it knows may be asked always."""

    @property
    def count(self) -> int:
        """Rows that are known so far."""

    @property
    def complete(self) -> bool:
        """Whether these are all."""

    def more(self, cancel: threading.Event) -> None:
        """Look for more rows, for some tenths of a second.

        Raises:
            LaminaError: the file can't be read.
            Cancelled: ``cancel`` was set.
        """

    def rows(self, first: int, count: int) -> list[PageRow]:
        """Some of the rows that are known.

        Raises:
            LaminaError: the file can't be read.
        """

    def row_of(self, offset: int) -> int:
        """The row that has a byte of the file, as far as rows are known."""

    def offset_of(self, row: int) -> int:
        """Where a row begins in the file."""


class WholeText:
    """A text that is held whole: with colours, and wrapped where that is wanted.

    Args:
        content: the file, of no more than :data:`WHOLE` bytes.
        name: of the file.
    """

    complete = True

    def __init__(self, content: FileContent, name: str) -> None:
        data = content.read(0, content.size)
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        self._starts = [0]
        for line in lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
        texts = [shown_text(line) for line in lines]
        parted = highlight("\n".join(texts), name) if len(data) <= MOST else None
        plain: list[Pieces] = [[(text, "")] for text in texts]
        self._lines = plain if parted is None or len(parted) < len(texts) else parted[: len(texts)]
        self._rows: list[tuple[int, int]] = []  # (line, first character) of each
        self._width = 0
        self.wrap(0)

    def wrap(self, width: int) -> None:
        """Break lines into rows of so many characters; 0: one row a line."""
        if width == self._width and self._rows:
            return
        self._width = width
        if not width:
            self._rows = [(line, 0) for line in range(len(self._lines))]
        else:
            lengths = [sum(len(text) for text, _ in pieces) for pieces in self._lines]
            self._rows = [
                (line, start) for line, length in enumerate(lengths) for start in range(0, max(length, 1), width)
            ]
        self.count = len(self._rows)

    def more(self, cancel: threading.Event) -> None:
        """See :class:`Page`."""

    def rows(self, first: int, count: int) -> list[PageRow]:
        """See :class:`Page`."""
        found = []
        for line, start in self._rows[first : first + count]:
            pieces = self._lines[line]
            if self._width:
                pieces = _between(pieces, start, start + self._width)
            found.append(PageRow("" if start else str(line + 1), pieces))
        return found

    def row_of(self, offset: int) -> int:
        """See :class:`Page`."""
        return bisect_right(self._rows, (bisect_right(self._starts, offset) - 1, 0)) - 1

    def offset_of(self, row: int) -> int:
        """See :class:`Page`."""
        return self._starts[self._rows[row][0]] if row < len(self._rows) else 0


def _between(pieces: Pieces, start: int, stop: int) -> Pieces:
    """Some characters of a line."""
    found, at = [], 0
    for text, kind in pieces:
        part = text[max(0, start - at) : max(0, stop - at)]
        if part:
            found.append((part, kind))
        at += len(text)
    return found


class LongText:
    """A text of any length, its lines read as they are looked at.

    Args:
        content: the file.
    """

    def __init__(self, content: FileContent) -> None:
        self._index = LineIndex(content)
        self._index.scan(1)

    @property
    def count(self) -> int:
        """See :class:`Page`."""
        return self._index.count

    @property
    def complete(self) -> bool:
        """See :class:`Page`."""
        return self._index.complete

    def more(self, cancel: threading.Event) -> None:
        """See :class:`Page`."""
        self._index.scan(64, cancel)

    def rows(self, first: int, count: int) -> list[PageRow]:
        """See :class:`Page`."""
        lines = self._index.lines(first, count)
        return [PageRow(str(number), [(shown_text(line), "")]) for number, line in enumerate(lines, first + 1)]

    def row_of(self, offset: int) -> int:
        """See :class:`Page`."""
        while offset >= self._index.scanned and not self._index.complete:
            self._index.scan(8)
        return min(self._index.line_at(offset), max(0, self.count - 1))

    def offset_of(self, row: int) -> int:
        """See :class:`Page`."""
        return self._index.start_of(row)


class HexDump:
    """Bytes as hexadecimal numbers and characters.

    Args:
        content: the file.
        width: bytes of a row.
    """

    complete = True

    def __init__(self, content: FileContent, width: int) -> None:
        self._content = content
        self.width = width
        self.count = -(-content.size // width)
        self._digits = max(8, len(f"{content.size:x}"))

    def more(self, cancel: threading.Event) -> None:
        """See :class:`Page`."""

    def rows(self, first: int, count: int) -> list[PageRow]:
        """See :class:`Page`."""
        data = self._content.read(first * self.width, count * self.width)
        starts = range(0, len(data), self.width)
        return [self._row(first * self.width + at, data[at : at + self.width]) for at in starts]

    def _row(self, offset: int, data: bytes) -> PageRow:
        half = self.width // 2
        numbers = f"{data[:half].hex(' '):<{half * 3}} {data[half:].hex(' '):<{half * 3}}"
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)
        return PageRow(f"{offset:0{self._digits}x}", [(numbers, ""), (text, "string")])

    def row_of(self, offset: int) -> int:
        """See :class:`Page`."""
        return offset // self.width

    def offset_of(self, row: int) -> int:
        """See :class:`Page`."""
        return row * self.width


class StringList:
    """The texts within a binary.

    Args:
        content: the file.
    """

    def __init__(self, content: FileContent) -> None:
        self._cancel = threading.Event()
        self._found: Iterator[tuple[int, bytes]] = strings_in(content, self._cancel)
        self._offsets: list[int] = []
        self._texts: list[bytes] = []
        self._digits = max(8, len(f"{content.size:x}"))
        self.complete = False
        self.more(threading.Event(), 2000)

    @property
    def count(self) -> int:
        """See :class:`Page`."""
        return len(self._texts)

    def more(self, cancel: threading.Event, most: int = 50_000) -> None:
        """See :class:`Page`."""
        for _ in range(most):
            if cancel.is_set():
                return
            found = next(self._found, None)
            if found is None or len(self._texts) >= _MOST_STRINGS:
                self.complete = True
                return
            self._offsets.append(found[0])
            self._texts.append(found[1])

    def rows(self, first: int, count: int) -> list[PageRow]:
        """See :class:`Page`."""
        return [
            PageRow(f"{offset:0{self._digits}x}", [(shown_text(text), "")])
            for offset, text in zip(
                self._offsets[first : first + count], self._texts[first : first + count], strict=True
            )
        ]

    def row_of(self, offset: int) -> int:
        """See :class:`Page`."""
        while (not self._offsets or self._offsets[-1] < offset) and not self.complete:
            self.more(threading.Event())
        return max(0, bisect_right(self._offsets, offset) - 1)

    def offset_of(self, row: int) -> int:
        """See :class:`Page`."""
        return self._offsets[row] if row < len(self._offsets) else 0


def is_text(content: FileContent) -> bool:
    """Whether a file looks like text: no NUL in its first 8 KiB.

    Raises:
        LaminaError: it can't be read.
    """
    return b"\0" not in content.read(0, 8 << 10)
