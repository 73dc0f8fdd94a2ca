"""Where the links of a file system lead to, and which names share one file."""

from __future__ import annotations

import numpy as np

from lamina.dataclass import dataclass
from lamina.model import Kind
from lamina.stack.union import ABSENT, Union

MOST_HOPS = 40
"""Symbolic links that are followed for one path, as Linux does (path_resolution(7))."""


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """What a symbolic link leads to."""

    path: bytes
    """As far as it could be followed, ``usr/bin/x``; the root's is empty."""
    row: int | None
    """Of the union's path table; None where nothing is there."""
    endless: bool = False
    """Whether links lead in a circle, or through too many."""


def other_names(union: Union, path: int, layer: int) -> list[int]:
    """The other names of a path's file in the file system after a layer, by path; none for what is no file.

    Args:
        union: the image.
        path: row of ``union.paths``.
        layer: its number.
    """
    events = union.alive(layer)
    here = events[union.path[events] == path]
    if not here.size or union.kind[here[0]] not in (Kind.FILE, Kind.HARDLINK) or union.inode[here[0]] == ABSENT:
        return []
    names = union.path[events[union.inode[events] == union.inode[here[0]]]]
    return sorted(int(name) for name in names if name != path)


def follow(union: Union, path: int, layer: int) -> LinkEnd:
    """Follow a path through all symbolic links of the file system after a layer, its own last name too.

    ``..`` of the root is the root, as in a container.

    Args:
        union: the image.
        path: row of ``union.paths``.
        layer: its number.
    """
    return follow_text(union, union.paths.path(path), layer)


def follow_text(union: Union, text: bytes, layer: int, *, last: bool = True) -> LinkEnd:
    """:func:`follow` of a path that need not be listed anywhere.

    Args:
        union: the image.
        text: the path, ``usr/lib/x``.
        layer: its number.
        last: whether its own last name is followed, too.
    """
    events = union.alive(layer)
    at = np.full(union.paths.count, ABSENT, dtype=np.int32)
    at[union.path[events]] = events
    paths = union.paths
    left = text.split(b"/")[::-1]  # names to go, the next one last
    here, hops = 0, 0
    while left:
        name = left.pop()
        if name in (b"", b"."):
            continue
        if name == b"..":
            here = int(paths.parent[here])
            continue
        child = paths.child(here, name)
        if child is None or at[child] == ABSENT:
            return LinkEnd(b"/".join([*([paths.path(here)] if here else []), name, *left[::-1]]), None)
        if union.kind[at[child]] == Kind.SYMLINK and (left or last):
            hops += 1
            target = union.link_texts[int(union.link[at[child]])]
            if hops > MOST_HOPS:
                return LinkEnd(paths.path(child), None, endless=True)
            if target.startswith(b"/"):
                here = 0
            left += target.split(b"/")[::-1]
        else:
            here = child
    return LinkEnd(paths.path(here), here)
