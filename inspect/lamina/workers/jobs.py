"""Pieces of reading that can be done anywhere: on a thread, or in a worker process.

A job says where bytes stand and what to make of them; it holds nothing but plain values, so that it can be sent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import xxhash
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.layers.index import LayerIndex
from lamina.layers.read import scan_plain, scan_stream
from lamina.model import Cancelled, LaminaError
from lamina.workers.file_range import FileRange, open_range
from lamina.workers.unpacked import is_file, open_each

_CHUNK = 256 << 10
"""Bytes read at a time; compressed ones can grow a thousandfold, and the cancel event is looked at between two."""
_WINDOW = 1 << 20

Advance = Callable[[int], None]


def _chunks(fd: int, place: FileRange, where: str) -> Iterator[bytes]:
    position, end = place.offset, place.offset + place.size
    while position < end:
        data = _pread(fd, min(_CHUNK, end - position), position, where)
        yield data
        position += len(data)


def _pread(fd: int, count: int, position: int, where: str) -> bytes:
    try:
        data = os.pread(fd, count, position)
    except OSError as error:
        raise LaminaError(f"{where} can't be read: {error.strerror}") from None
    if not data:
        raise LaminaError(f"{where} is truncated")
    return data


@dataclass(frozen=True, slots=True)
class ScanJob:
    """One layer's blob to its index."""

    place: FileRange
    where: str
    in_place: bool
    """It is a plain tar whose contents may be passed over."""
    digest: str | None = None
    """Checked where given and the blob is read whole."""
    diff_id: str | None = None
    """The same."""

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be read whole; passing over contents costs about an eighth."""
        return self.place.size // 8 if self.in_place else self.place.size

    def run(self, cancel: threading.Event, advance: Advance) -> LayerIndex:
        """Do it; see :func:`lamina.layers.read.scan_stream` for what it raises."""
        fd = open_range(self.place)
        try:
            if self.in_place:
                return scan_plain(
                    fd, self.place.offset, self.place.size, where=self.where, cancel=cancel, advance=advance
                )
            return scan_stream(
                _chunks(fd, self.place, self.where),
                where=self.where,
                digest=self.digest,
                diff_id=self.diff_id,
                cancel=cancel,
                advance=advance,
            )
        finally:
            os.close(fd)


@dataclass(frozen=True, slots=True)
class HashJob:
    """Content ids of some files of a plain layer."""

    place: FileRange
    where: str
    files: Sequence[tuple[int, int]]
    """(offset in the layer, bytes), ascending."""

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be unpacked: hashing alone is many times as fast."""
        return sum(size for _, size in self.files) // 8 + (len(self.files) << 12)

    def run(self, cancel: threading.Event, advance: Advance) -> list[bytes]:
        """The 16-byte XXH3-128 of each.

        Raises:
            LaminaError: the file is gone, changed, truncated or unreadable.
            Cancelled: ``cancel`` was set.
        """
        fd = open_range(self.place)
        try:
            found = []
            for offset, size in self.files:
                if cancel.is_set():
                    raise Cancelled
                if offset < 0 or offset + size > self.place.size:
                    raise LaminaError(f"{self.where} is truncated")
                found.append(self._hash(fd, self.place.offset + offset, size, cancel, advance))
            return found
        finally:
            os.close(fd)

    def _hash(self, fd: int, position: int, size: int, cancel: threading.Event, advance: Advance) -> bytes:
        if size <= _WINDOW:
            data = _pread(fd, size, position, self.where) if size else b""
            if len(data) == size:
                advance(size)
                return xxhash.xxh3_128_digest(data)
        hasher = xxhash.xxh3_128()
        end = position + size
        while position < end:
            if cancel.is_set():
                raise Cancelled
            data = _pread(fd, min(_WINDOW, end - position), position, self.where)
            hasher.update(data)
            position += len(data)
            advance(len(data))
        return hasher.digest()


@dataclass(frozen=True, slots=True)
class FileHashJob:
    """Content ids of files that an engine unpacked."""

    folder: str
    """The layer's files."""
    where: str
    files: Sequence[tuple[bytes, int]]
    """(path in the layer, bytes)."""

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be read whole: opening a file costs as much as reading 64 KiB."""
        return sum(size for _, size in self.files) + (len(self.files) << 16)

    def run(self, cancel: threading.Event, advance: Advance) -> list[bytes]:
        """The 16-byte XXH3-128 of each.

        Raises:
            LaminaError: a file is gone, or is not what the layer's record says.
            Cancelled: ``cancel`` was set.
        """
        found = []
        try:
            for fd, (_, size) in zip(open_each(self.folder, (path for path, _ in self.files)), self.files, strict=True):
                if cancel.is_set():
                    raise Cancelled
                found.append(self._hash(fd, size, cancel, advance))
        except OSError as error:
            raise LaminaError(f"{self.where}: a file can't be read in the engine's store: {error.strerror}") from None
        return found

    def _hash(self, fd: int, size: int, cancel: threading.Event, advance: Advance) -> bytes:
        hasher = xxhash.xxh3_128()
        read = 0 if is_file(fd, size) else -1
        while read >= 0 and (data := os.read(fd, _WINDOW)):
            if cancel.is_set():
                raise Cancelled
            hasher.update(data)
            read += len(data)
            advance(len(data))
        if read != size:
            raise LaminaError(f"{self.where}: a file in the engine's store is not what the layer's record says")
        return hasher.digest()


Result = LayerIndex | list[bytes] | NDArray[np.int64]
"""What comes of a job."""


class Job(Protocol):
    """What can be run."""

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be read whole."""

    def run(self, cancel: threading.Event, advance: Advance) -> Result:
        """Do it; ``advance`` gets the bytes done since it was last called.

        Raises:
            LaminaError: it can't be done.
            Cancelled: ``cancel`` was set.
        """
