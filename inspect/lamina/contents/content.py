"""The content of one file, opened."""

from __future__ import annotations

import contextlib
import io
import tempfile
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from lamina.contents.image_files import ImageFiles
from lamina.contents.place import Place
from lamina.layers.layer_reader import FileRef, LayerReader
from lamina.model import Kind, LaminaError
from lamina.names import display_name
from lamina.stack.union import ABSENT

PIECE = 1 << 20
"""Bytes read at a time."""


class FileContent:
    """Bytes of one file at any offset, a piece at a time. For one thread at a time.

    Where going back in the layer would mean to unpack it again, what was read is put into a temporary file without a
    name, so that each byte is unpacked once.

    Args:
        reader: its layer, opened; closed with this.
        file: which of its files.
    """

    def __init__(self, reader: LayerReader, file: FileRef) -> None:
        self._reader = reader
        self._file = file
        self._kept: IO[bytes] | None = None
        self._reached = 0
        self.size = file.size
        """Bytes of it."""

    def read(self, start: int, size: int) -> bytes:
        """Bytes from ``start`` on: ``size`` of them, fewer at its end only.

        Raises:
            LaminaError: it can't be read any more.
            Cancelled: it was given up meanwhile.
        """
        size = max(min(size, self.size - start), 0)
        if not size:
            return b""
        if self._reader.random:
            return self._reader.read(self._file, start, size)
        try:
            return self._through_kept(start, size)
        except OSError as error:
            raise LaminaError(f"a temporary file can't be written: {error.strerror or error}") from None

    def _through_kept(self, start: int, size: int) -> bytes:
        if self._kept is None:
            self._kept = tempfile.TemporaryFile(prefix="lamina-")  # noqa: SIM115  # closed with this
        while self._reached < start + size:
            data = self._reader.read(self._file, self._reached, min(PIECE, self.size - self._reached))
            self._kept.seek(self._reached)
            self._kept.write(data)
            self._reached += len(data)
        self._kept.seek(start)
        return self._kept.read(size)

    def pieces(self) -> Iterator[bytes]:
        """All of it, from the beginning; nothing is kept for a way back."""
        for start in range(0, self.size, PIECE):
            yield self._reader.read(self._file, start, min(PIECE, self.size - start))

    def close(self) -> None:
        """Give its resources back."""
        self._reader.close()
        if self._kept is not None:
            self._kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def check_file(image: ImageFiles, place: Place) -> None:
    """Raises LaminaError where what stands at a place has no content."""
    if place.kind not in (Kind.FILE, Kind.HARDLINK):
        raise LaminaError(f"{place.shown} of {image.name} is {KIND_WORDS[place.kind]}, not a file")


def open_content(image: ImageFiles, event: int, cancel: threading.Event | None = None) -> FileContent:
    """The content of what an event puts at its path.

    Args:
        image: the image.
        event: of its union, a regular file or a hard link, whose content is its target's (:func:`check_file`).
        cancel: ends what is read from it.

    Raises:
        LaminaError: its bytes can't be had.
    """
    union = image.union
    inode = int(union.inode[event])
    shown = display_name(union.paths.path(int(union.path[event])))
    if inode == ABSENT:
        raise LaminaError(f"{shown} is a hard link to a file that is not there")
    reader = image.open_layer(int(union.born[inode]), cancel or threading.Event())
    return FileContent(reader, image.file_ref(inode))


KIND_WORDS = {
    Kind.FILE: "a file",
    Kind.HARDLINK: "a hard link",
    Kind.SYMLINK: "a symbolic link",
    Kind.CHAR: "a character device",
    Kind.BLOCK: "a block device",
    Kind.DIR: "a folder",
    Kind.FIFO: "a named pipe",
    Kind.WHITEOUT: "a removal",
    Kind.OPAQUE: "a removal of all below it",
}
"""What each kind is, for people."""


class ContentFile(io.RawIOBase):
    """A :class:`FileContent` as a file object, closed with it."""

    def __init__(self, content: FileContent) -> None:
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's is wider
        """See :class:`io.RawIOBase`."""
        data = self._content.read(self._at, min(len(buffer), PIECE))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See :class:`io.RawIOBase`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._content.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """See :class:`io.RawIOBase`."""
        return self._at

    def close(self) -> None:
        """See :class:`io.RawIOBase`."""
        with contextlib.ExitStack() as stack:
            stack.callback(super().close)
            if not self.closed:
                self._content.close()
