"""Folders below one root, opened by their paths without ever following a link."""

from __future__ import annotations

import os
from collections import OrderedDict

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_OPEN = 64  # descriptors at the most: files come from few folders at a time


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
        names = path.split(b"/")
        known = len(names) - 1
        while known and b"/".join(names[:known]) not in self._open:
            known -= 1
        here = self._open[b"/".join(names[:known])] if known else self._root
        for number, name in enumerate(names[known:]):
            below = os.open(name, _FLAGS, dir_fd=here)
            if number:
                os.close(here)
            here = below
        self._open[path] = here
        if len(self._open) > _OPEN:
            os.close(self._open.popitem(last=False)[1])
        return here

    def forget(self) -> None:
        """Close all but the root."""
        while self._open:
            os.close(self._open.popitem()[1])

    def close(self) -> None:
        """Close all."""
        self.forget()
        os.close(self._root)
