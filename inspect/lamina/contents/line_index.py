"""Where the lines of a file begin, found as far as somebody looks: a file of gigabytes opens at once."""

from __future__ import annotations

import threading
from bisect import bisect_right

import numpy as np

from lamina.contents.content import PIECE, FileContent
from lamina.model import Cancelled

_EVERY = 256  # lines between two whose beginnings are kept
LONGEST = 64 << 10
"""Bytes of a line that are shown: what comes behind them is only searched."""


class LineIndex:
    """The lines of one file. What it calls :meth:`scan` and :meth:`lines` for may be done on any one thread at a time.

    Args:
        content: the file, opened.
    """

    def __init__(self, content: FileContent) -> None:
        self._content = content
        self._starts = [0]  # of every _EVERY-th line
        self._scanned = 0
        self._ends = 0  # line ends seen so far
        self._last_ends = True  # whether the last byte seen is a line end
        self.complete = content.size == 0
        """Whether the end was reached, so that :attr:`count` is final."""

    @property
    def count(self) -> int:
        """Lines that are known so far."""
        return self._ends + (self.complete and not self._last_ends)

    def scan(self, pieces: int = 8, cancel: threading.Event | None = None) -> None:
        """Look for more lines.

        Args:
            pieces: how many MiB.
            cancel: looked at between them.

        Raises:
            LaminaError: the file can't be read.
            Cancelled: ``cancel`` was set.
        """
        for _ in range(pieces):
            if self.complete:
                return
            if cancel is not None and cancel.is_set():
                raise Cancelled
            data = self._content.read(self._scanned, PIECE)
            ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 0x0A)
            # The line behind the n-th end is line n: of those the ones that are kept.
            first = -(-(self._ends + 1) // _EVERY) * _EVERY
            kept = range(first - self._ends - 1, len(ends), _EVERY)
            self._starts += [self._scanned + int(ends[at]) + 1 for at in kept]
            self._ends += len(ends)
            self._scanned += len(data)
            self._last_ends = data.endswith(b"\n")
            self.complete = self._scanned >= self._content.size

    def lines(self, first: int, count: int) -> list[bytes]:
        """Some lines that are known, without their ends, each cut behind :data:`LONGEST` bytes.

        Raises:
            LaminaError: the file can't be read.
        """
        count = min(count, self.count - first)
        if count <= 0:
            return []
        at, line = self._starts[first // _EVERY], first // _EVERY * _EVERY
        found: list[bytes] = []
        held = b""
        cut = False  # whether of the line that is being read enough was held
        while len(found) < count and at < self._content.size:
            data = self._content.read(at, PIECE)
            at += len(data)
            *whole, rest = data.split(b"\n")
            for part in whole:
                if line >= first and len(found) < count:
                    found.append((held if cut else held + part)[:LONGEST])
                line += 1
                held, cut = b"", False
            held = held if cut else held + rest
            cut = len(held) > LONGEST
        if len(found) < count and held:
            found.append(held[:LONGEST])
        return found

    def line_at(self, offset: int) -> int:
        """The line that a byte is in; it must lie in what was scanned.

        Raises:
            LaminaError: the file can't be read.
        """
        number = bisect_right(self._starts, offset) - 1
        at, line = self._starts[number], number * _EVERY
        while at < offset:
            data = self._content.read(at, min(PIECE, offset - at))
            line += data.count(b"\n")
            at += len(data)
        return line

    def start_of(self, line: int) -> int:
        """Where a line that is known begins, as exactly as it is kept: no further than some lines before it."""
        return self._starts[min(line // _EVERY, len(self._starts) - 1)]

    @property
    def scanned(self) -> int:
        """Bytes of the file that were looked at."""
        return self._scanned
