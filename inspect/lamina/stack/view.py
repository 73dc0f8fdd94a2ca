"""Ways to look at the stacked layers: one layer alone, up to a layer, or what a range changed.

A view is a handful of columns over all paths, computed in one pass; nothing is copied per layer.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.model import Change, Kind
from lamina.stack.changes import Delta, change_word, changed_between
from lamina.stack.union import ABSENT, Union

CHANGED_BELOW = "~"
"""Marks a folder that is unchanged itself, while something in it changed."""

_WORDS = {
    Kind.FILE: "file",
    Kind.HARDLINK: "file",
    Kind.SYMLINK: "symlink",
    Kind.CHAR: "device",
    Kind.BLOCK: "device",
    Kind.DIR: "dir",
    Kind.FIFO: "fifo",
}


@dataclass(frozen=True, slots=True)
class View:
    """One state or difference of the file system, by path of ``union.paths``."""

    union: Union
    title: str
    present: NDArray[np.bool_] = field(repr=False)
    """Paths this view has, with their ancestors."""
    change: NDArray[np.uint8] = field(repr=False)
    """:class:`Change` of the path itself."""
    changed_below: NDArray[np.bool_] = field(repr=False)
    """Whether something below the path changed."""
    size: NDArray[np.int64] = field(repr=False)
    """Bytes of the subtree, every inode once."""
    removed: NDArray[np.int64] = field(repr=False)
    """Bytes of the subtree that the shown change takes away."""
    event: NDArray[np.int32] = field(repr=False)
    """The event to show: what is there now, or what was removed."""
    before: NDArray[np.int32] = field(repr=False)
    """What was there before, where something was and changed."""
    was: NDArray[np.int64] | None = field(repr=False, default=None)
    """Of two file systems compared: bytes that the subtree had before; ``size`` is what it has now."""
    of_changed: bool = False
    """Whether only what changed counts in these two."""

    def figure(self, name: str) -> NDArray[np.int64]:
        """A column of :attr:`figures`: bytes at or below each path. A folder's is the sum of its children's."""
        if name == "removed":
            return self.removed
        if name == "before" and self.was is not None:
            return self.was
        if name == "difference" and self.was is not None:
            return self.size - self.was
        return self.size

    def value(self, name: str, path: int) -> int:
        """One path's figure in a column."""
        if name == "difference" and self.was is not None:
            return int(self.size[path]) - int(self.was[path])
        return int(self.figure(name)[path])

    @property
    def figures(self) -> tuple[str, ...]:
        """The columns that this view has, in the order of their reading."""
        return ("size", "removed") if self.was is None else ("before", "after", "difference")

    def part(self, name: str, path: int, whole: int | None = None) -> float:
        """How much of its parent's column a path makes up, or of that of the path ``whole``; 0 to 1.

        A difference may be of either sign: it is held against all that changed in the parent, whichever way.
        """
        parent = int(self.union.paths.parent[path]) if whole is None else whole
        return self.share(name, self.value(name, path), parent)

    def share(self, name: str, value: int, whole: int) -> float:
        """How much of a path's column some bytes make up; 0 to 1."""
        if name == "difference" and self.was is not None:
            total = int(max(self.size[whole], self.was[whole]))
        else:
            total = self.value(name, whole)
        return min(1.0, abs(value) / total) if total else 0.0

    def mark(self, path: int) -> str:
        """The sign of a path's change; of a folder that is unchanged itself, whether something in it changed."""
        change = Change(int(self.change[path]))
        return CHANGED_BELOW if change is Change.UNCHANGED and self.changed_below[path] else change.mark

    def leaves(self) -> NDArray[np.bool_]:
        """By path: whether it stands in a list of files, whose bytes add up to all there are.

        That is what is no directory, and where a layer ships a file that the same layer makes a directory.
        """
        found: NDArray[np.bool_] = self.present & (self.event != ABSENT)
        found[found] = self.union.kind[self.event[found]] != Kind.DIR
        for name in self.figures[:2]:
            found |= self.own(name) != 0
        return found

    def own(self, name: str) -> NDArray[np.int64]:
        """A column of :attr:`figures` without what is below each path: bytes of the path itself."""
        column = self.figure(name)
        below = np.zeros(len(column), dtype=np.int64)
        np.add.at(below, self.union.paths.parent[1:], column[1:])
        return column - below

    def only(self, paths: NDArray[np.bool_]) -> View:
        """The same view of some paths, with the directories above them, whose figures are then those paths' sums.

        Args:
            paths: by path of the union.
        """
        table = self.union.paths
        kept = paths & self.present
        changed = kept & (self.change != Change.UNCHANGED)

        def part(name: str) -> NDArray[np.int64]:
            return table.subtree_sums(np.where(kept, self.own(name), 0))

        return dataclasses.replace(
            self,
            present=table.subtree_counts(kept) > 0,
            changed_below=table.subtree_counts(changed) > changed,
            size=part("size"),
            removed=part("removed"),
            was=None if self.was is None else part("before"),
        )

    def kind(self, path: int) -> Kind:
        """What stands at a path; a directory where it is only implied."""
        event = int(self.event[path])
        return Kind.DIR if event == ABSENT else Kind(int(self.union.kind[event]))

    def mode(self, path: int) -> int:
        """Permission bits."""
        return int(self.union.mode[self._metadata_event(path)])

    def owner(self, path: int) -> tuple[int, int]:
        """(uid, gid)."""
        event = self._metadata_event(path)
        return int(self.union.uid[event]), int(self.union.gid[event])

    def mtime(self, path: int) -> int:
        """When it was last changed, as its layer says: nanoseconds since the epoch."""
        return int(self.union.mtime[self._metadata_event(path)])

    def layer(self, path: int) -> int | None:
        """The layer that ships what stands at a path; None for a directory, which many layers may touch."""
        return None if self.kind(path) is Kind.DIR else int(self.union.born[self._metadata_event(path)])

    def link(self, path: int) -> bytes:
        """Target of a symbolic or hard link; empty for all else."""
        event = int(self.event[path])
        if event == ABSENT or self.union.kind[event] not in (Kind.SYMLINK, Kind.HARDLINK):
            return b""
        return self.union.link_texts[int(self.union.link[event])]

    def detail(self, path: int) -> str:
        """Why a changed path counts as changed, in few words: ``mode 644→755``; empty where there is nothing to add."""
        change = int(self.change[path])
        old, new = int(self.before[path]), int(self.event[path])
        if change not in (Change.MODIFIED, Change.METADATA, Change.UNCHANGED) or ABSENT in (old, new) or old == new:
            return ""
        union = self.union
        old_word, new_word = _WORDS[Kind(int(union.kind[old]))], _WORDS[Kind(int(union.kind[new]))]
        if old_word != new_word:
            return f"{old_word}→{new_word}"
        if change == Change.MODIFIED:
            return ""
        if change == Change.UNCHANGED:
            # Of two file systems that are compared, all that is the same is that: no layer ships it again.
            again = self.was is None and union.size[new] and new < union.implicit
            return change_word(Change.UNCHANGED, Kind.FILE) if again else ""
        if union.inode[old] != ABSENT and union.inode[new] != ABSENT:
            old, new = int(union.inode[old]), int(union.inode[new])
        parts = []
        if union.mode[old] != union.mode[new]:
            parts.append(f"mode {int(union.mode[old]):o}→{int(union.mode[new]):o}")
        if union.uid[old] != union.uid[new] or union.gid[old] != union.gid[new]:
            parts.append(f"owner {union.uid[old]}:{union.gid[old]}→{union.uid[new]}:{union.gid[new]}")
        if union.xattr[old] != union.xattr[new]:
            parts.append("xattrs")
        if not parts:
            parts.append("time")
        return ", ".join(parts)

    def _metadata_event(self, path: int) -> int:
        event = int(self.event[path])
        inode = int(self.union.inode[event])
        return event if inode == ABSENT else inode


def view_layer(union: Union, layer: int) -> View:
    """What one layer carries and removes. Sizes are the bytes the layer itself ships."""
    delta = changed_between(union, layer - 1, layer)
    own = np.zeros(union.paths.count, dtype=np.int64)
    carried = slice(int(union.layer_start[layer]), int(union.layer_start[layer + 1]))
    np.add.at(own, union.path[carried], union.size[carried])
    return _assemble(union, f"layer {layer}", own, delta, layer - 1, layer)


def view_upto(union: Union, layer: int) -> View:
    """The file system after a layer; changes tell what that layer did to it."""
    events = union.alive(layer)
    own = np.zeros(union.paths.count, dtype=np.int64)
    own[union.path[events]] = union.attributed_sizes(events)
    delta = changed_between(union, layer - 1, layer)
    return _assemble(union, f"up to layer {layer}", own, delta, layer - 1, layer, events)


def view_range(union: Union, older: int, newer: int, *, shipped: bool = True) -> View:
    """What the file system after ``newer`` changed against that after ``older``; -1 is the empty one.

    Sizes are those of what was added or changed, and with ``shipped`` also of what was only shipped again.
    """
    events = union.alive(newer)
    sizes = union.attributed_sizes(events)
    fresh = union.born[events] > older
    own = np.zeros(union.paths.count, dtype=np.int64)
    own[union.path[events[fresh]]] = sizes[fresh]
    delta = changed_between(union, older, newer)
    if not shipped:
        own[delta.path[delta.change == Change.UNCHANGED]] = 0
    return _assemble(union, f"layers {older + 1} to {newer}", own, delta, older, newer)


def view_step(union: Union, older: int, newer: int, *, of_changed: bool = True) -> View:
    """What changed between two file systems, with bytes before and after.

    Args:
        union: both.
        older: the layer after which the first is.
        newer: the same of the second.
        of_changed: whether only what changed counts: what is the same then has no bytes on either side.
    """
    view = view_range(union, older, newer, shipped=False)
    counts = view.present & ((view.change != Change.UNCHANGED) | (not of_changed))
    sides = []
    for layer in (older, newer):
        events = union.alive(layer)
        own = np.zeros(union.paths.count, dtype=np.int64)
        own[union.path[events]] = union.attributed_sizes(events)
        sides.append(union.paths.subtree_sums(np.where(counts, own, 0)))
    return dataclasses.replace(view, was=sides[0], size=sides[1], of_changed=of_changed)


def removed_bytes(union: Union, delta: Delta, older: int, newer: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(path, bytes) of the inodes whose last name a delta removes, nothing taking its place."""
    dead = union.dead
    rows = np.flatnonzero((dead.hidden_by > older) & (dead.hidden_by <= newer) & (union.born[dead.inode] <= older))
    if not rows.size or not delta.path.size:
        return dead.path[:0], union.size[:0]
    at = np.minimum(np.searchsorted(delta.path, dead.path[rows]), len(delta.path) - 1)
    rows = rows[(delta.path[at] == dead.path[rows]) & (delta.change[at] == Change.REMOVED)]
    return dead.path[rows], union.size[dead.inode[rows]]


def _assemble(
    union: Union,
    title: str,
    own: NDArray[np.int64],
    delta: Delta,
    older: int,
    newer: int,
    events: NDArray[np.int32] | None = None,
) -> View:
    """Columns of a view from its own sizes, its changes, and the events it shows beside the changed ones."""
    paths = union.paths
    there = own > 0
    event = np.full(paths.count, ABSENT, dtype=np.int32)
    before = np.full(paths.count, ABSENT, dtype=np.int32)
    change = np.zeros(paths.count, dtype=np.uint8)
    changed = np.zeros(paths.count, dtype=bool)
    if events is not None:
        event[union.path[events]] = events
        there[union.path[events]] = True
    event[delta.path] = np.where(delta.after == ABSENT, delta.before, delta.after)
    before[delta.path] = delta.before
    change[delta.path] = delta.change
    there[delta.path] = True
    changed[delta.path] = delta.change != Change.UNCHANGED
    gone = np.zeros(paths.count, dtype=np.int64)
    removed, bytes_removed = removed_bytes(union, delta, older, newer)
    if removed.size:
        np.add.at(gone, removed, bytes_removed)
        gone = paths.subtree_sums(gone)
    # An unchanged directory above something changed is no row of its own, but its own event tells its metadata.
    if events is None:
        alive = union.alive(newer)
        bare = event[union.path[alive]] == ABSENT
        event[union.path[alive[bare]]] = alive[bare]
    return View(
        union=union,
        title=title,
        present=paths.subtree_counts(there) > 0,
        change=change,
        changed_below=paths.subtree_counts(changed) > changed,
        size=paths.subtree_sums(own),
        removed=gone,
        event=event,
        before=before,
    )
