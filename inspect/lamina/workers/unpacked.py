"""Files of a layer that an engine unpacked, opened through no link: one could lead out of its store."""

from __future__ import annotations

import os
import stat


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


def is_file(fd: int, size: int) -> bool:
    """Whether an open file is a regular one of so many bytes."""
    status = os.fstat(fd)
    return stat.S_ISREG(status.st_mode) and status.st_size == size
