"""What became of paths between two states of the file system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.model import Change, Kind
from lamina.stack.union import ABSENT, Union


def change_word(change: Change, kind: Kind) -> str:
    """A layer's change of a path in a word or two. A directory that is only listed once more may have another time."""
    if change is not Change.UNCHANGED:
        return change.name.lower()
    return "listed again" if kind is Kind.DIR else "same again"


@dataclass(frozen=True, slots=True)
class Delta:
    """Paths that differ between two states, ascending; :data:`ABSENT` where a state lacks the path."""

    path: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    change: NDArray[np.uint8]
    """:class:`Change`; UNCHANGED for a path that was shipped again just as it was."""


def changed_between(union: Union, older: int, newer: int) -> Delta:
    """What the file system after layer ``newer`` changed against that after layer ``older``.

    Args:
        union: the image.
        older: -1 for the empty file system.
        newer: greater than ``older``.

    Returns:
        Every path whose event is another one now, also where nothing visible differs.
    """
    born, died = union.born, union.died
    before = np.flatnonzero((born <= older) & (died > older) & (died <= newer)).astype(np.int32)
    after = np.flatnonzero((born > older) & (born <= newer) & (died > newer)).astype(np.int32)
    # Scattered over all paths rather than sorted: there are at most a few times as many.
    old = np.full(union.paths.count, ABSENT, dtype=np.int32)
    new = np.full(union.paths.count, ABSENT, dtype=np.int32)
    old[union.path[before]] = before
    new[union.path[after]] = after
    paths = np.flatnonzero((old != ABSENT) | (new != ABSENT)).astype(np.int32)
    old, new = old[paths], new[paths]
    return Delta(paths, old, new, classify(union, old, new))


def classify(union: Union, before: NDArray[np.int32], after: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The change from one event to another, pairwise; :data:`ABSENT` on a side means nothing is there.

    Regular files differ by content first (MODIFIED), then by mode, owner, times and extended attributes (METADATA).
    A directory that no layer carries has no metadata of its own: it differs from no other directory.
    """
    change = np.full(len(before), Change.UNCHANGED, dtype=np.uint8)
    change[before == ABSENT] = Change.ADDED
    change[after == ABSENT] = Change.REMOVED
    both = np.flatnonzero((before != ABSENT) & (after != ABSENT) & (before != after))
    if not both.size:
        return change
    old, new = before[both], after[both]
    old_kind = np.where(union.kind[old] == Kind.HARDLINK, Kind.FILE, union.kind[old])
    new_kind = np.where(union.kind[new] == Kind.HARDLINK, Kind.FILE, union.kind[new])
    modified = old_kind != new_kind
    old_inode, new_inode = union.inode[old], union.inode[new]
    files = (old_kind == Kind.FILE) & (new_kind == Kind.FILE)
    resolved = files & (old_inode != ABSENT) & (new_inode != ABSENT)
    same = np.zeros(len(both), dtype=bool)
    same[resolved] = union.same_content(old_inode[resolved], new_inode[resolved])
    # Hard links to nothing hold nothing: they differ where they point elsewhere.
    dangling = files & (old_inode == ABSENT) & (new_inode == ABSENT)
    same[dangling] = (union.link[old] == union.link[new])[dangling]
    modified |= files & ~same
    modified |= ~files & (union.link[old] != union.link[new])
    # A hard link's own header repeats its inode's metadata at best: ask the inode.
    old_meta = np.where(resolved, old_inode, old)
    new_meta = np.where(resolved, new_inode, new)
    known = (old < union.implicit) & (new < union.implicit)
    differs = known & ~union.same_metadata(old_meta, new_meta)
    change[both] = np.where(modified, Change.MODIFIED, np.where(differs, Change.METADATA, Change.UNCHANGED))
    return change
