"""Files by extension or by owner: which group each path of an image belongs to."""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.stack.paths import PathTable
from lamina.stack.union import ABSENT
from lamina.stack.view import View

LONGEST_EXTENSION = 16
"""Bytes; what follows a dot and is longer is no extension."""
_NUMBERED = 8  # how many numbers after an extension are passed over: libz.so.1.2.13


@dataclass(frozen=True, slots=True)
class FileGroups:
    """Paths in groups that have names."""

    names: list[bytes]
    """Of the groups: ``.so``, or ``0:0``; empty for the files that have nothing of the kind."""
    of_path: NDArray[np.int32] = field(repr=False)
    """Index into :attr:`names` by path."""


def by_extension(paths: PathTable) -> FileGroups:
    """Files by what follows the last dot of their names, ASCII letters of either case being the same.

    Numbers behind it are passed over (``libz.so.1.2`` is a ``.so``); a dot that begins a name begins no extension.
    """
    names = np.frombuffer(paths.names.lower(), dtype=np.uint8)
    dots = np.flatnonzero(names == ord("."))
    words = np.zeros((paths.count, 2), dtype=np.uint64)
    starts, ends = paths.name_start[:-1], paths.name_start[1:] - 1
    rows = np.arange(paths.count) if dots.size else np.arange(0)
    ends = ends[rows]
    for _ in range(_NUMBERED):
        before = np.searchsorted(dots, ends) - 1
        dot = dots[before]
        has = (before >= 0) & (dot > starts[rows]) & (ends - dot <= LONGEST_EXTENSION + 1) & (ends - dot > 1)
        rows, dot, ends = rows[has], dot[has], ends[has]
        if not rows.size:
            break
        found, numeric = _words(names, dot + 1, ends)
        words[rows[~numeric]] = found[~numeric]
        rows, ends = rows[numeric], dot[numeric]
    # Two words at once would be sorted as objects: each is numbered, then the pairs.
    first, of_first = np.unique(words[:, 0], return_inverse=True)
    second, of_second = np.unique(words[:, 1], return_inverse=True)
    pairs, of_path = np.unique(of_first * len(second) + of_second, return_inverse=True)
    texts = np.stack([first[pairs // len(second)], second[pairs % len(second)]], axis=1)
    labels = [text.tobytes().rstrip(b"\0") for text in texts]
    return FileGroups([b"." + label if label else b"" for label in labels], of_path.astype(np.int32))


def _words(
    names: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Texts of at most 16 bytes as two words each, and whether they are all digits."""
    found = np.zeros((len(starts), 2), dtype="<u8")
    numeric = np.ones(len(starts), dtype=bool)
    last = len(names) - 1
    for place in range(int((ends - starts).max())):
        at = starts + place
        inside = at < ends
        letters = np.where(inside, names[np.minimum(at, last)], 0)
        numeric &= ~inside | ((letters >= ord("0")) & (letters <= ord("9")))
        found[:, place >> 3] |= letters.astype(np.uint64) << np.uint64(8 * (place & 7))
    return found, numeric


def by_owner(view: View) -> FileGroups:
    """Files by the numbers of user and group that they belong to."""
    union, there = view.union, view.event != ABSENT
    events = view.event[there]
    inodes = union.inode[events]
    carriers = np.where(inodes == ABSENT, events, inodes)
    owners = np.zeros(len(there), dtype=np.uint64)
    owners[there] = (union.uid[carriers].astype(np.uint64) << np.uint64(32)) | union.gid[carriers]
    distinct, of_path = np.unique(owners, return_inverse=True)
    names = [b"%d:%d" % divmod(owner, 1 << 32) for owner in distinct.tolist()]
    return FileGroups(names, of_path.astype(np.int32))
