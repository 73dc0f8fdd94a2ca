"""Raw bytes of a stream, from wherever it comes, and its outer compression taken off."""

from __future__ import annotations

import os
import select
import sys
from typing import BinaryIO, Protocol

from lamina.layers.block import BLOCK
from lamina.layers.codec import Decompressor, decompressor, sniff
from lamina.model import LaminaError

CHUNK = 256 << 10
"""Bytes asked for at a time. A compressed one can grow a thousandfold before the cancel event is looked at again."""

_PIPE = 1 << 20  # bytes: what a pipe may hold at the most without privileges


class ByteStream(Protocol):
    """A blocking reader; all but :meth:`interrupt` is called on one thread."""

    def read(self) -> bytes:
        """The next bytes, b"" at the end.

        Raises:
            LaminaError: it can't be read.
        """

    def close(self) -> None:
        """Give its resources back."""

    def interrupt(self) -> None:
        """Make a blocked :meth:`read` return, where that is possible. Called from any thread."""


class PipeStream:
    """An open file, pipe or socket that is not ours to close: standard input.

    Read below Python's own buffering: a thread that is blocked in there would break the interpreter's exit.
    """

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file = file
        self._where = where
        try:
            self._fd: int | None = file.fileno()
        except (OSError, AttributeError):
            self._fd = None  # bytes in memory
        else:
            _widen(self._fd)

    def read(self) -> bytes:
        """See :class:`ByteStream`."""
        try:
            return self._file.read(CHUNK) if self._fd is None else _read_ready(self._fd)
        except (OSError, ValueError) as error:
            raise LaminaError(f"{self._where} can't be read: {getattr(error, 'strerror', None) or error}") from None

    def close(self) -> None:
        """See :class:`ByteStream`."""

    def interrupt(self) -> None:
        """See :class:`ByteStream`."""


class FileStream:
    """A file or named pipe by its path; opened at the first read, since opening a pipe waits for its writer."""

    def __init__(self, path: str, where: str) -> None:
        self._path = path
        self._where = where
        self._fd: int | None = None

    def read(self) -> bytes:
        """See :class:`ByteStream`."""
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                _widen(self._fd)
            return _read_ready(self._fd)
        except (OSError, ValueError) as error:
            raise LaminaError(f"{self._where} can't be read: {getattr(error, 'strerror', None) or error}") from None

    def close(self) -> None:
        """See :class:`ByteStream`."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def interrupt(self) -> None:
        """See :class:`ByteStream`."""


def _widen(fd: int) -> None:
    """Let a pipe hold more: sixteen times fewer switches between its writer and us."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE)
        except OSError:
            pass  # no pipe, or the user's share of pipe memory is used up


def _read_ready(fd: int) -> bytes:
    """Blocks for the first byte, then takes what else is there already, up to :data:`CHUNK`."""
    first = os.read(fd, CHUNK)
    if not first or len(first) >= CHUNK // 4:
        return first
    parts, length = [first], len(first)
    while length < CHUNK and select.select([fd], [], [], 0)[0]:
        data = os.read(fd, CHUNK - length)
        if not data:
            break  # the end shows again at the next read
        parts.append(data)
        length += len(data)
    return b"".join(parts)


class UnpackedStream:
    """The tar bytes of a stream that may be compressed as a whole.

    Args:
        raw: the bytes as they come.
        where: names the stream in errors.
    """

    def __init__(self, raw: ByteStream, where: str) -> None:
        self._raw = raw
        self._where = where
        self._codec: Decompressor | None = None
        self.taken = 0
        """Raw bytes read so far."""

    def read(self) -> bytes:
        """The next tar bytes, b"" at the end.

        Raises:
            LaminaError: it can't be read, is no archive, or ends too early.
        """
        data = b""
        while True:
            if self._codec is None:
                data = self._begin()
                if not data:
                    return b""
            elif self._codec.pending:
                data = b""
            else:
                data = self._more()
                if not data:
                    self._codec.finish()
                    return b""
            assert self._codec is not None
            out = self._codec.feed(data)
            if out:
                return out

    def _more(self) -> bytes:
        data = self._raw.read()
        self.taken += len(data)
        return data

    def _begin(self) -> bytes:
        head = self._more()
        while head and len(head) < BLOCK:
            more = self._more()
            if not more:
                break
            head += more
        if not head:
            raise LaminaError(f"{self._where} is empty: no image archive came")
        kind = sniff(head[:BLOCK])
        if kind in ("json", "unknown"):
            raise not_an_archive(self._where)
        self._codec = decompressor(kind, self._where)
        return head


def not_an_archive(where: str) -> LaminaError:
    """The error for bytes that are no archive of any kind lamina knows."""
    return LaminaError(f"{where} is not an image archive: neither a tar nor a gzip or zstd compressed one")
