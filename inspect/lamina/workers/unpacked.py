"""Files of a layer that an engine unpacked, opened through no link: one could lead out of its store."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator


def open_folder(root: str, path: bytes) -> int:
    """An open folder of a layer.

    Args:
        root: the layer's files.
        path: the folder in it, ``usr/lib``; empty for the root.

    Raises:
        OSError: it is not there, or no folder.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    here = os.open(root, flags)
    for name in path.split(b"/") if path else ():
        try:
            below = os.open(name, flags | os.O_NOFOLLOW, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def open_file(folder: int, name: bytes) -> int:
    """An open file of an open folder; neither a link nor a pipe is waited for.

    Raises:
        OSError: it is not there, or a link.
    """
    return os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)


def open_each(root: str, paths: Iterable[bytes]) -> Iterator[int]:
    """Files of a layer, open one at a time; cheapest where those of one folder stand together.

    Args:
        root: the layer's files.
        paths: of each, ``usr/lib/x``.

    Raises:
        OSError: one is not there, or stands behind a link.
    """
    here: bytes | None = None
    folder = -1
    try:
        for path in paths:
            parent, _, name = path.rpartition(b"/")
            if parent != here:
                if folder >= 0:
                    os.close(folder)
                    folder = -1
                folder, here = open_folder(root, parent), parent
            fd = open_file(folder, name)
            try:
                yield fd
            finally:
                os.close(fd)
    finally:
        if folder >= 0:
            os.close(folder)


def is_file(fd: int, size: int) -> bool:
    """Whether an open file is a regular one of so many bytes."""
    status = os.fstat(fd)
    return stat.S_ISREG(status.st_mode) and status.st_size == size
