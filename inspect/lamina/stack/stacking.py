"""Apply layers one on another, keeping who hid what.

Rules (OCI image spec, layer.md):

- Whiteouts and opaque markers act on *lower* layers only, wherever they stand in the tar: they come first.
- Then members act in tar order: a directory over a directory merges; anything else at a path hides what was there,
  with its subtree; a member below something that is not a directory hides that thing.
- A hard link is one more name of its target's inode; an inode is gone when its last name goes.

A layer's members are applied together, as columns, in as few batches as their order allows: only where one layer
names a path twice, or puts something below a path it also makes a non-directory, does the order between members
matter, and a new batch begins.
"""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.dataclass import dataclass
from lamina.model import Cancelled, Cause, Kind, LaminaError
from lamina.stack.batches import batch_bounds, superseded_directories
from lamina.stack.paths import PathTable

NEVER = 32767
"""``died`` of an event that no layer hides."""
ABSENT = -1

Rows = NDArray[np.int32]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_NOTHING = 255  # kind of a path that holds nothing
_NO_ROWS: Rows = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class WhiteoutRecord:
    """A whiteout, and what stood there: kept because dive's figures count it."""

    layer: int
    path: int
    bytes: int
    """Of the removed directory's subtree; 0 for a file, as dive counts."""


@dataclass(slots=True)
class Stacked:
    """What came of stacking; see :class:`lamina.stack.union.Union` for the columns."""

    path: Rows
    born: NDArray[np.int16]
    died: NDArray[np.int16]
    inode: Rows
    dead_inode: Rows
    dead_hidden_by: NDArray[np.int16]
    dead_cause: NDArray[np.uint8]
    dead_successor: Rows
    dead_path: Rows


class Stacker:
    """The file system as it grows, layer by layer.

    Args:
        paths: all paths of all layers.
        carried: how many members all layers have together.
        cancel: looked at between batches.
    """

    def __init__(self, paths: PathTable, carried: int, cancel: threading.Event | None = None) -> None:
        self._paths = paths
        self._cancel = cancel
        self.carried = carried
        self.whiteouts: list[WhiteoutRecord] = []
        count = paths.count
        # What is at each path now.
        self._live: Rows = np.full(count, ABSENT, dtype=np.int32)
        self._live_kind = np.full(count, _NOTHING, dtype=np.uint8)
        self._live_inode: Rows = np.full(count, ABSENT, dtype=np.int32)
        # What each event is. Events beyond `carried` are implied directories.
        self._path: Rows = np.zeros(carried, dtype=np.int32)
        self._born = np.zeros(carried, dtype=np.int16)
        self._died = np.full(carried, NEVER, dtype=np.int16)
        self._inode: Rows = np.full(carried, ABSENT, dtype=np.int32)
        self._size = np.zeros(carried, dtype=np.int64)
        self._names = np.zeros(carried, dtype=np.int32)  # of each inode: how many are left
        self._implied_paths: list[int] = []
        self._implied_born: list[int] = []
        self._implied_died: list[int] = []
        self._dead: list[tuple[Rows, int, NDArray[np.uint8], Rows, Rows]] = []
        self._hidden: list[tuple[Rows, Cause, Rows, Rows]] = []  # inodes, cause, successors, paths
        self._next_event = 0
        self._rounds = 0  # beyond the first of each layer
        self._own = np.zeros(count, dtype=bool)  # scratch: paths the batch itself carries
        self._mark = np.zeros(count, dtype=bool)  # scratch: all False between any two uses

    def apply(
        self,
        layer: int,
        rows: Rows,
        kind: NDArray[np.uint8],
        size: NDArray[np.int64],
        targets: dict[int, int],
    ) -> None:
        """Put one layer on top.

        Args:
            layer: its index.
            rows: path of each member, in tar order.
            kind: kind of each member.
            size: bytes of each regular file.
            targets: of each hard link member, the path it links to.

        Raises:
            LaminaError: the layer comes back to its own paths too often.
            Cancelled: ``cancel`` was set.
        """
        first = self._next_event
        self._next_event += len(rows)
        events = np.arange(first, self._next_event, dtype=np.int32)
        self._path[first : self._next_event] = rows
        self._born[first : self._next_event] = layer
        self._size[first : self._next_event] = size
        regular = events[kind == Kind.FILE]
        self._inode[regular] = regular

        self._remove(layer, rows[kind == Kind.WHITEOUT], rows[kind == Kind.OPAQUE])

        members = np.flatnonzero(kind < Kind.WHITEOUT)
        members = members[~superseded_directories(self._paths, rows[members], kind[members])]
        # What is neither a whiteout nor placed below lives in no file system.
        dropped = np.ones(len(rows), dtype=bool)
        dropped[members] = False
        self._died[events[dropped]] = layer
        unresolved: list[int] = []
        cuts = batch_bounds(self._paths, rows[members], kind[members])
        self._rounds += max(0, len(cuts) - 2)
        if self._rounds > limits.ROUNDS:
            raise LaminaError(f"the layers up to {layer} name their own paths again more than {limits.ROUNDS} times")
        for start, stop in pairwise(cuts):
            if self._cancel is not None and self._cancel.is_set():
                raise Cancelled
            batch = members[start:stop]
            unresolved += self._place(layer, events[batch], rows[batch], kind[batch], batch, targets)
        # A few writers put a link before its target.
        for row in unresolved:
            event, path = first + row, int(rows[row])
            target_inode = int(self._live_inode[targets[row]])
            if target_inode != ABSENT and self._live[path] == event:
                self._inode[event] = target_inode
                self._live_inode[path] = target_inode
                self._names[target_inode] += 1

    def finish(self) -> Stacked:
        """The histories, after the last layer."""
        dead = self._dead
        implied = np.array(self._implied_paths, dtype=np.int32)

        def gather(part: Literal[0, 2, 3, 4], dtype: type[_Scalar]) -> NDArray[_Scalar]:
            columns = [row[part] for row in dead]
            return np.concatenate(columns).astype(dtype) if columns else np.zeros(0, dtype)

        return Stacked(
            path=np.concatenate([self._path, implied]),
            born=np.concatenate([self._born, np.array(self._implied_born, dtype=np.int16)]),
            died=np.concatenate([self._died, np.array(self._implied_died, dtype=np.int16)]),
            inode=np.concatenate([self._inode, np.full(len(implied), ABSENT, dtype=np.int32)]),
            dead_inode=gather(0, np.int32),
            dead_hidden_by=np.repeat(np.array([row[1] for row in dead], dtype=np.int16), [len(row[0]) for row in dead]),
            dead_cause=gather(2, np.uint8),
            dead_successor=gather(3, np.int32),
            dead_path=gather(4, np.int32),
        )

    # Lower layers' things go.

    def _remove(self, layer: int, whiteouts: Rows, opaques: Rows) -> None:
        if whiteouts.size:
            self._record_whiteouts(layer, self._distinct(whiteouts))
            self._hide(layer, self._live_below(whiteouts, whiteouts), Cause.REMOVED)
            self._record_dead(layer)
        if opaques.size:
            self._hide(layer, self._live_below(opaques + 1, opaques), Cause.OPAQUE)
            self._record_dead(layer)

    def _record_whiteouts(self, layer: int, whiteouts: Rows) -> None:
        directories = self._live_kind[whiteouts] == Kind.DIR
        removed = np.zeros(len(whiteouts), dtype=np.int64)
        if directories.any():
            own = np.where(self._live_kind == Kind.FILE, self._size[np.minimum(self._live, self.carried - 1)], 0)
            tops = whiteouts[directories]
            running = np.zeros(len(own) + 1, dtype=np.int64)
            np.cumsum(own, out=running[1:])
            removed[directories] = running[self._paths.end[tops]] - running[tops]
        self.whiteouts += [
            WhiteoutRecord(layer, path, size) for path, size in zip(whiteouts.tolist(), removed.tolist(), strict=True)
        ]

    def _live_below(self, starts: Rows, tops: Rows) -> Rows:
        """Live paths in the ranges from ``starts`` to the ends of the subtrees of ``tops``."""
        if len(tops) <= 16:
            ranges = [
                np.flatnonzero(self._live[start:end] != ABSENT).astype(np.int32) + np.int32(start)
                for start, end in zip(starts.tolist(), self._paths.end[tops].tolist(), strict=True)
            ]
            return self._distinct(np.concatenate(ranges)) if ranges else _NO_ROWS
        covered = self._paths.covered(starts, self._paths.end[tops])
        return np.flatnonzero(covered & (self._live != ABSENT)).astype(np.int32)

    def _distinct(self, paths: Rows) -> Rows:
        """Some paths in ascending order, each once."""
        self._mark[paths] = True
        return self._marked()

    def _marked(self) -> Rows:
        """The paths that are marked, and are no more."""
        paths = np.flatnonzero(self._mark).astype(np.int32)
        self._mark[paths] = False
        return paths

    def _among(self, paths: Rows, others: set[int]) -> NDArray[np.bool_]:
        """Which of some paths are among others."""
        marked = np.fromiter(others, dtype=np.int32)
        self._mark[marked] = True
        among: NDArray[np.bool_] = self._mark[paths]
        self._mark[marked] = False
        return among

    def _hide(self, layer: int, paths: Rows, cause: Cause, successors: Rows | None = None) -> None:
        """Take away what is live at ``paths``."""
        if not paths.size:
            return
        events = self._live[paths]
        self._kill(layer, events)
        inodes = self._live_inode[paths]
        with_bytes = inodes != ABSENT
        lost = inodes[with_bytes]
        np.subtract.at(self._names, lost, 1)
        following = np.full(len(lost), ABSENT, dtype=np.int32) if successors is None else successors[with_bytes]
        self._hidden.append((lost, cause, following, paths[with_bytes]))
        self._live[paths] = ABSENT
        self._live_kind[paths] = _NOTHING
        self._live_inode[paths] = ABSENT

    def _kill(self, layer: int, events: Rows) -> None:
        carried = events < self.carried
        self._died[events[carried]] = layer
        for event in events[~carried].tolist():
            self._implied_died[event - self.carried] = layer

    def _record_dead(self, layer: int) -> None:
        """Of the inodes whose names were hidden since the last call, record those that have none left."""
        hidden, self._hidden = self._hidden, []
        if not hidden:
            return
        inodes = np.concatenate([part[0] for part in hidden])
        causes = np.concatenate([np.full(len(part[0]), part[1], dtype=np.uint8) for part in hidden])
        successors = np.concatenate([part[2] for part in hidden])
        paths = np.concatenate([part[3] for part in hidden])
        gone = np.flatnonzero(self._names[inodes] == 0)
        if not gone.size:
            return
        # Several names of one inode may have gone together: the one its layer carries it under speaks for it.
        other_name = paths[gone] != self._path[inodes[gone]]
        order = gone[np.lexsort((paths[gone], other_name, inodes[gone]))]
        _, first = np.unique(inodes[order], return_index=True)
        rows = order[first]
        self._dead.append((inodes[rows], layer, causes[rows], successors[rows], paths[rows]))

    # The layer's own things come.

    def _place(
        self,
        layer: int,
        events: Rows,
        paths: Rows,
        kinds: NDArray[np.uint8],
        rows: NDArray[np.int64],
        targets: dict[int, int],
    ) -> list[int]:
        """Place members whose order among each other doesn't matter, but for hard links.

        Returns:
            Hard links (rows of the layer) whose target was nowhere yet.
        """
        inodes = self._inode[events]
        unresolved: list[int] = []
        links = np.flatnonzero(kinds == Kind.HARDLINK)
        if links.size:
            unresolved = self._resolve(events, paths, inodes, links, rows, targets)
        self._make_ancestors(layer, paths)

        old_kind = self._live_kind[paths]
        is_dir, was_dir = kinds == Kind.DIR, old_kind == Kind.DIR
        was_there = old_kind != _NOTHING
        is_regular, was_regular = kinds <= Kind.HARDLINK, old_kind <= Kind.HARDLINK

        buried_dirs = paths[was_dir & ~is_dir]
        if buried_dirs.size:
            self._hide(layer, self._live_below(buried_dirs, buried_dirs), Cause.REPLACED)
        merged = was_dir & is_dir
        self._kill(layer, self._live[paths[merged]])
        rewritten = was_regular & is_regular
        self._hide(layer, paths[rewritten], Cause.OVERWRITTEN, inodes[rewritten])
        self._hide(layer, paths[was_there & ~was_dir & ~rewritten], Cause.REPLACED)

        self._live[paths] = events
        self._live_kind[paths] = kinds
        self._live_inode[paths] = inodes
        np.add.at(self._names, inodes[inodes != ABSENT], 1)
        self._record_dead(layer)
        return unresolved

    def _resolve(
        self,
        events: Rows,
        paths: Rows,
        inodes: Rows,
        links: NDArray[np.int64],
        rows: NDArray[np.int64],
        targets: dict[int, int],
    ) -> list[int]:
        """Lead hard links to their inodes: of this batch if the target came before, else of what is there."""
        wanted = {targets[int(rows[position])] for position in links.tolist()}
        in_batch = {int(paths[position]): position for position in np.flatnonzero(self._among(paths, wanted)).tolist()}
        unresolved = []
        for position in links.tolist():
            row = int(rows[position])
            target = targets[row]
            earlier = in_batch.get(target, position)
            inode = int(inodes[earlier]) if earlier < position else int(self._live_inode[target])
            if inode == ABSENT:
                unresolved.append(row)
            inodes[position] = inode
            self._inode[events[position]] = inode
        return unresolved

    def _make_ancestors(self, layer: int, paths: Rows) -> None:
        """Make every ancestor a directory: imply it where nothing is, hide what is no directory."""
        parent = self._paths.parent
        self._own[paths] = True
        above = parent[paths]
        while (above := above[~self._mark[above]]).size:
            self._mark[above] = True
            above = parent[above]
        ancestors = self._marked()
        lacking = ancestors[(self._live_kind[ancestors] != Kind.DIR) & ~self._own[ancestors]]
        self._own[paths] = False
        if not lacking.size:
            return
        self._hide(layer, lacking[self._live[lacking] != ABSENT], Cause.REPLACED)
        first = self.carried + len(self._implied_paths)
        self._implied_paths += lacking.tolist()
        self._implied_born += [layer] * len(lacking)
        self._implied_died += [NEVER] * len(lacking)
        self._live[lacking] = np.arange(first, first + len(lacking), dtype=np.int32)
        self._live_kind[lacking] = Kind.DIR
