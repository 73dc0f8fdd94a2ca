"""Texts within a binary, as strings(1) finds them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from lamina.contents.content import PIECE, FileContent
from lamina.model import Cancelled

LEAST = 4
"""Characters of a text."""
_LONGEST = 4096
_RUN = re.compile(rb"[\x20-\x7e\t]{%d,%d}" % (LEAST, _LONGEST))


def strings_in(content: FileContent, cancel: threading.Event | None = None) -> Iterator[tuple[int, bytes]]:
    """(offset, text) of every run of printable ASCII characters, the first first.

    Raises:
        LaminaError: the file can't be read.
        Cancelled: ``cancel`` was set.
    """
    start, told = 0, 0
    while start < content.size:
        if cancel is not None and cancel.is_set():
            raise Cancelled
        data = content.read(start, PIECE + _LONGEST)
        for run in _RUN.finditer(data):
            offset = start + run.start()
            # What begins behind the piece is found whole in the next; what began before was told.
            if offset >= start + PIECE:
                break
            if offset >= told:
                yield offset, run[0]
                told = start + run.end()
        start += PIECE
