"""Where a blob's bytes stand, and whether they are still the same."""

from __future__ import annotations

import os

from lamina.dataclass import dataclass
from lamina.model import LaminaError


@dataclass(frozen=True, slots=True)
class FileRange:
    """Where a blob's bytes stand."""

    path: str
    offset: int
    size: int
    stamp: tuple[int, ...]
    """:func:`stamp_of` the file when it was looked up: a file that changed is not read on."""


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What tells that a file is still the same: device, inode, bytes, times of modification and change (ns).

    The first time alone would not do: reproducible builds set it to one moment for all they make, and the next file
    at a place often gets the inode of the last.
    """
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def open_range(place: FileRange) -> int:
    """An open descriptor of the file a blob stands in.

    Raises:
        LaminaError: it is gone, unreadable or no longer the same.
    """
    try:
        fd = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise LaminaError(f"{place.path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if stamp_of(os.fstat(fd)) != place.stamp:
        os.close(fd)
        raise LaminaError(f"{place.path} changed while it was read: open it again")
    return fd
