"""A gzipped layer read at any offset: points from which it can be unpacked are noted on the way, and kept."""

from __future__ import annotations

import functools
import io
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from lamina.layers.tar_bytes import in_steps, pread
from lamina.model import Cancelled, LaminaError

_APART = 4 << 20  # bytes of the tar between two points; each holds the 32 KiB before it
_BUFFER = 256 << 10  # bytes unpacked at a time for a small read
_STEP = 64 << 20  # bytes unpacked between two looks at the cancel event


def available() -> bool:
    """Whether the library is there; it has no wheel for every machine."""
    try:
        import indexed_gzip  # noqa: F401
    except ImportError:
        return False
    return True


class PointedGzip:
    """The tar of a gzipped blob, a :class:`~lamina.layers.tar_bytes.TarBytes`.

    Args:
        fd: the open file, which is closed with this.
        start: where the blob begins in it.
        size: its bytes.
        where: names it in errors.
        cancel: looked at while it is unpacked.
        points: what was handed to ``keep`` before; None: nothing is known.
        keep: takes all points when this is closed, if there are new ones.
    """

    random = True

    def __init__(
        self,
        fd: int,
        start: int,
        size: int,
        where: str,
        cancel: threading.Event,
        points: bytes | None = None,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        self._fd = fd
        self._where = where
        self._cancel = cancel
        self._keep = keep
        self._part = _Part(fd, start, size, where)
        self._file = self._open(points)
        self._furthest = self._known = self._reach()

    def read(self, offset: int, size: int) -> bytes:
        """See :class:`~lamina.layers.tar_bytes.TarBytes`."""
        data = self._unpack(offset, size)
        if len(data) < size:
            raise LaminaError(f"{self._where} is truncated")
        return data

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """See :class:`~lamina.layers.tar_bytes.TarBytes`."""
        return in_steps(self, offset, size)

    def _unpack(self, offset: int, size: int) -> bytes:
        try:
            while offset - self._furthest > _STEP:  # on the way there all is unpacked: in steps, so that it can be left
                if self._cancel.is_set():
                    raise Cancelled
                self._file.seek(self._furthest + _STEP)
                if not self._file.read(1):
                    return b""
                self._furthest += _STEP
            self._file.seek(offset)
            parts = []
            while size:
                if self._cancel.is_set():
                    raise Cancelled
                data: bytes = self._file.read(min(size, _STEP))
                if not data:
                    break
                parts.append(data)
                size -= len(data)
        except (EOFError, OSError, ValueError) as error:  # the library's own are all of these
            if self._part.failure is not None:
                raise self._part.failure from None
            raise LaminaError(f"{self._where}: damaged gzip data ({str(error) or type(error).__name__})") from None
        self._furthest = max(self._furthest, offset + sum(map(len, parts)))
        return b"".join(parts)

    def _open(self, points: bytes | None) -> Any:
        from indexed_gzip import IndexedGzipFile

        make = functools.partial(IndexedGzipFile, fileobj=self._part, spacing=_APART, buffer_size=_BUFFER)
        if points is not None:
            file = make()
            try:
                file.import_index(fileobj=io.BytesIO(points))
            except (EOFError, OSError, ValueError):
                file.close()  # of another version: they are noted again
            else:
                return file
        return make()

    def _reach(self) -> int:
        """How far the points lead, bytes of the tar."""
        return max((int(point[0]) for point in self._file.seek_points()), default=0)

    def close(self) -> None:
        """See :class:`~lamina.layers.tar_bytes.TarBytes`."""
        try:
            if self._keep is not None and self._reach() > self._known + _APART:
                text = io.BytesIO()
                self._file.export_index(fileobj=text)
                self._keep(text.getvalue())
        finally:
            self._file.close()
            os.close(self._fd)


class _Part(io.RawIOBase):
    """A part of an open file as a file of its own."""

    def __init__(self, fd: int, start: int, size: int, where: str) -> None:
        self._fd = fd
        self._start = start
        self._size = size
        self._where = where
        self._at = 0
        self.failure: LaminaError | None = None
        """Why it can't be read: the library tells nothing of what went wrong below it."""

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        left = max(self._size - self._at, 0)
        count = left if size is None or size < 0 else min(size, left)
        try:
            data = pread(self._fd, self._start + self._at, count, self._where)
        except LaminaError as error:
            self.failure = error
            raise OSError(str(error)) from None
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at
