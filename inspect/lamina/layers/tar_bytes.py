"""The bytes of a layer's uncompressed tar at any offset, in whatever way the layer is stored."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from lamina.layers.block import BLOCK
from lamina.layers.codec import Decompressor, decompressor, sniff
from lamina.model import Cancelled, LaminaError

_CHUNK = 256 << 10
_STEP = 1 << 20  # what a processor's cache holds


class TarBytes(Protocol):
    """One layer's tar, opened. For one thread at a time."""

    random: bool
    """Whether going back costs about as little as going on."""

    def read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes.

        Raises:
            LaminaError: they are not there, or can't be read.
            Cancelled: it was given up meanwhile.
        """

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """The same in pieces as they come, none of them put together; raises what :meth:`read` raises."""

    def close(self) -> None:
        """Give its resources back."""


class PlainTar:
    """A tar as it stands in a file.

    Args:
        fd: the open file, which is closed with this.
        start: where the tar begins in it.
        size: its bytes.
        where: names it in errors.
    """

    random = True

    def __init__(self, fd: int, start: int, size: int, where: str) -> None:
        self._fd = fd
        self._start = start
        self._size = size
        self._where = where

    def read(self, offset: int, size: int) -> bytes:
        """See :class:`TarBytes`."""
        if offset < 0 or offset + size > self._size:
            raise LaminaError(f"{self._where} is truncated")
        return pread(self._fd, self._start + offset, size, self._where)

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """See :class:`TarBytes`."""
        return in_steps(self, offset, size)

    def close(self) -> None:
        """See :class:`TarBytes`."""
        os.close(self._fd)


def in_steps(tar: TarBytes, offset: int, size: int) -> Iterator[bytes]:
    """:meth:`TarBytes.pieces` of a tar of which any piece can be had."""
    for start in range(0, size, _STEP):
        yield tar.read(offset + start, min(_STEP, size - start))


def pread(fd: int, offset: int, size: int, where: str) -> bytes:
    """Exactly ``size`` bytes of an open file.

    Raises:
        LaminaError: it ends before, or can't be read.
    """
    parts = []
    while size:
        try:
            data = os.pread(fd, size, offset)
        except OSError as error:
            raise LaminaError(f"{where} can't be read: {error.strerror}") from None
        if not data:
            raise LaminaError(f"{where} is truncated")
        parts.append(data)
        offset += len(data)
        size -= len(data)
    return b"".join(parts) if len(parts) != 1 else parts[0]


class TarPart:
    """A part of another tar, which is closed with this.

    Args:
        tar: the whole.
        start: where the part begins in it.
        size: its bytes.
        where: names it in errors.
    """

    def __init__(self, tar: TarBytes, start: int, size: int, where: str) -> None:
        self.random = tar.random
        self._tar = tar
        self._start = start
        self._size = size
        self._where = where

    def read(self, offset: int, size: int) -> bytes:
        """See :class:`TarBytes`."""
        if offset < 0 or offset + size > self._size:
            raise LaminaError(f"{self._where} is truncated")
        return self._tar.read(self._start + offset, size)

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """See :class:`TarBytes`."""
        if offset < 0 or offset + size > self._size:
            raise LaminaError(f"{self._where} is truncated")
        return self._tar.pieces(self._start + offset, size)

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        for offset in range(0, self._size, _CHUNK):
            yield self.read(offset, min(_CHUNK, self._size - offset))

    def close(self) -> None:
        """See :class:`TarBytes`."""
        self._tar.close()


class ForwardTar:
    """A tar that can only be unpacked from its beginning; cheap as long as offsets ascend.

    Args:
        begin: the raw bytes of the blob from its first on, in pieces; called again for each way back.
        where: names it in errors.
        cancel: looked at between pieces.
        end: called when this is closed.
        codec: makes what unpacks it; None: as its first bytes tell.
    """

    random = False

    def __init__(
        self,
        begin: Callable[[], Iterator[bytes]],
        where: str,
        cancel: threading.Event,
        end: Callable[[], None] = lambda: None,
        codec: Callable[[], Decompressor] | None = None,
    ) -> None:
        self._end = end
        self._codec = codec
        self._begin = begin
        self._where = where
        self._cancel = cancel
        self._raw: Iterator[bytes] | None = None
        self._unpacked: Iterator[bytes] | None = None
        self._piece = b""
        self._at = 0  # where the piece begins in the tar

    def read(self, offset: int, size: int) -> bytes:
        """See :class:`TarBytes`."""
        return b"".join(self.pieces(offset, size))

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """See :class:`TarBytes`."""
        if self._unpacked is None or offset < self._at:
            self._leave()
            self._raw = self._begin()
            self._unpacked = unpacked(self._raw, self._where, self._codec() if self._codec else None)
        while size:
            start = offset - self._at
            if start < len(self._piece):
                part = self._piece[start : start + size]
                yield part
                offset += len(part)
                size -= len(part)
                continue
            if self._cancel.is_set():
                raise Cancelled
            self._at += len(self._piece)
            piece = next(self._unpacked, None)
            if piece is None:
                self._piece = b""
                raise LaminaError(f"{self._where} is truncated")
            self._piece = piece

    def close(self) -> None:
        """See :class:`TarBytes`."""
        try:
            self._leave()
        finally:
            self._end()

    def _leave(self) -> None:
        close = getattr(self._raw, "close", None)
        self._raw = self._unpacked = None
        self._piece, self._at = b"", 0
        if close is not None:
            close()


def unpacked(raw: Iterable[bytes], where: str, codec: Decompressor | None = None) -> Iterator[bytes]:
    """The tar bytes of a blob of any compression, in pieces of about a MiB at the most.

    Args:
        raw: the blob, in pieces.
        where: names it in errors.
        codec: what unpacks it; None: as its first bytes tell.

    Raises:
        LaminaError: the blob is damaged, ends too early, or is of no kind that is read.
    """
    head = b""
    for chunk in raw:
        data = chunk
        if codec is None:
            head += chunk
            if len(head) < BLOCK:
                continue
            data, codec = head, decompressor(sniff(head[:BLOCK]), where)
        yield codec.feed(data)
        while codec.pending:
            yield codec.feed(b"")
    if codec is None:
        codec = decompressor(sniff(head), where)
        yield codec.feed(head)
        while codec.pending:
            yield codec.feed(b"")
    codec.finish()


def file_chunks(fd: int, start: int, size: int, where: str) -> Iterator[bytes]:
    """A part of an open file, in pieces; the file is closed at the end.

    Raises:
        LaminaError: it ends too early, or can't be read.
    """
    try:
        end = start + size
        while start < end:
            data = pread(fd, start, min(_CHUNK, end - start), where)
            yield data
            start += len(data)
    finally:
        os.close(fd)
