"""Folders below one root, opened by their paths without ever following a link."""

from __future__ import annotations

import os
from collections import OrderedDict

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_OPEN = 128  # descriptors at the most: files come from few folders at a time
_STRIDE = 32


class OpenFolders:
    """Opens folders step by step from the root, each relative to the one above it.

    Args:
        root: an open descriptor, closed with this.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._open: OrderedDict[bytes, int] = OrderedDict()

    def get(self, path: bytes) -> int:
        """The descriptor of a folder, valid until the next call.

        Args:
            path: below the root, ``a/b``; empty for the root itself.

        Raises:
            OSError: it is not there, or it or a folder above it is a link, or no folder.
        """
        if not path:
            return self._root
        found = self._open.get(path)
        if found is not None:
            self._open.move_to_end(path)
            return found
        end = path.rfind(b"/")
        while end >= 0 and path[:end] not in self._open:
            end = path.rfind(b"/", 0, end)
        here = self._root if end < 0 else self._open[path[:end]]
        level = path.count(b"/", 0, end + 1)
        while end < len(path):
            start, end = end + 1, path.find(b"/", end + 1)
            end = len(path) if end < 0 else end
            here = os.open(path[start:end], _FLAGS, dir_fd=here)
            level += 1
            # What lies on the way is kept, too, so that the way to a neighbour of something deep is short.
            self._open[path[:end]] = here
            if len(self._open) > _OPEN:
                self._close_one(level)
        return here

    def _close_one(self, level: int) -> None:
        """Close one that is not needed now, of a deep way rather not every 32nd folder."""
        *others, _ = self._open
        passing = (path for path in others if level < _OPEN or path.count(b"/") % _STRIDE)
        os.close(self._open.pop(next(passing, others[0])))

    def forget(self) -> None:
        """Close all but the root."""
        while self._open:
            os.close(self._open.popitem()[1])

    def close(self) -> None:
        """Close all."""
        self.forget()
        os.close(self._root)
