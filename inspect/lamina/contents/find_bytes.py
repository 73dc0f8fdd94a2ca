"""Looking for a text in one opened file, forward or back."""

from __future__ import annotations

import threading

from lamina.contents.content import PIECE, FileContent
from lamina.model import Cancelled


def find_bytes(
    content: FileContent,
    wanted: bytes,
    start: int,
    *,
    forward: bool = True,
    ignore_case: bool = False,
    cancel: threading.Event | None = None,
) -> int | None:
    """Where a text stands next.

    Args:
        content: the file.
        wanted: at least one byte.
        start: forward the first offset that counts; back the first that does not.
        forward: or back.
        ignore_case: ASCII letters of either case are the same.
        cancel: looked at between pieces.

    Returns:
        Its offset; None where it does not stand there.

    Raises:
        LaminaError: the file can't be read.
        Cancelled: ``cancel`` was set.
    """
    wanted = wanted.lower() if ignore_case else wanted
    over = len(wanted) - 1  # bytes by which pieces overlap, so that none falls between two
    at = start
    while (at < content.size - over) if forward else at > 0:
        if cancel is not None and cancel.is_set():
            raise Cancelled
        first = at if forward else max(0, at - PIECE)
        size = PIECE + over if forward else at - first + over
        data = content.read(first, size)
        data = data.lower() if ignore_case else data
        found = data.find(wanted) if forward else data.rfind(wanted)
        if found >= 0:
            return first + found
        at = first + PIECE if forward else first
    return None
