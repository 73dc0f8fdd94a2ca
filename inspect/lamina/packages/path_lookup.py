"""Where paths that a record names stand in an image, links of directories followed as in its final file system."""

from __future__ import annotations

import numpy as np

from lamina.figures.links import MOST_HOPS
from lamina.model import Kind
from lamina.stack.name_table import NameTable
from lamina.stack.union import Union

_UNKNOWN = -2


class PathLookup:
    """Rows of an image's path table by path, for many paths.

    Args:
        union: the image.
    """

    def __init__(self, union: Union) -> None:
        self.paths = union.paths
        self.names = NameTable(union.paths)
        alive = union.alive(union.layer_count - 1)
        links = alive[union.kind[alive] == Kind.SYMLINK]
        texts = [union.link_texts[text] for text in union.link[links].tolist()]
        self._links = dict(zip(union.path[links].tolist(), texts, strict=True))
        parents = union.paths.parent[1:]
        self._by_parent = np.argsort(parents, kind="stable") + 1
        self._first = np.searchsorted(parents[self._by_parent - 1], np.arange(union.paths.count + 1))
        self._names: dict[int, dict[bytes, int]] = {}
        self._folders: dict[bytes, int | None] = {b"": 0}

    def below(self, row: int) -> dict[bytes, int]:
        """The names right below a path, and their rows."""
        found = self._names.get(row)
        if found is None:
            rows = self._by_parent[self._first[row] : self._first[row + 1]].tolist()
            name = self.paths.name
            found = self._names[row] = {name(child): child for child in rows}
        return found

    def row(self, path: bytes) -> int | None:
        """The row of ``usr/lib/x``, whose last name is not followed; None where no layer has it."""
        parent, _, name = path.strip(b"/").rpartition(b"/")
        if name in (b"", b".", b".."):
            return None
        folder = self.folder(parent)
        return None if folder is None else self.below(folder).get(name)

    def rows(self, paths: list[bytes]) -> list[int]:
        """The rows of those paths that are there."""
        return [row for path in paths if (row := self.row(path)) is not None]

    def folder(self, path: bytes) -> int | None:
        """The row that a directory's path leads to; None where it leads to nothing. ``..`` of the root is the root."""
        found = self._folders.get(path, _UNKNOWN)
        if found == _UNKNOWN:
            parent, _, name = path.rpartition(b"/")
            above = self._folders.get(parent)  # lists have a folder before what is in it
            child = None if above is None or name in (b"", b".", b"..") else self.below(above).get(name)
            found = self._walk(path) if child is None or child in self._links else child
            self._folders[path] = found
        return found

    def _walk(self, path: bytes) -> int | None:
        left = path.split(b"/")[::-1]  # names to go, the next one last
        here, hops = 0, 0
        while left:
            name = left.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                here = int(self.paths.parent[here])
                continue
            child = self.below(here).get(name)
            if child is None:
                return None
            target = self._links.get(child)
            if target is None:
                here = child
                continue
            hops += 1
            if hops > MOST_HOPS:
                return None
            here = 0 if target.startswith(b"/") else here
            left += target.split(b"/")[::-1]
        return here
