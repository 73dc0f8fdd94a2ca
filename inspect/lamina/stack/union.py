"""The layers stacked: every path's history as events.

Stacking follows the OCI image spec (layer.md, "Applying Changesets"). An *event* is one layer putting something at
one path: it is born in a layer and dies in the layer that hides it. The file system after layer ``n`` is the set of
events with ``born <= n < died``, so any view is a mask over the columns and no tree is ever copied.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Sequence
from dataclasses import field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.layers.index import CRC_MARK, SHA_MARK, LayerIndex
from lamina.model import Kind, LaminaError
from lamina.stack.paths import PathTable, build_path_table
from lamina.stack.stacking import ABSENT, NEVER, Stacker, WhiteoutRecord

_CRC_WORD = np.frombuffer(CRC_MARK, dtype=np.uint64)[0]
_SHA_WORD = np.frombuffer(SHA_MARK, dtype=np.uint32)[0]

_Scalar = TypeVar("_Scalar", bound=np.generic)


class IdKind(enum.IntEnum):
    """What a content id is; ids of two kinds say nothing of each other."""

    XXH3 = 0
    CRC = 1
    """A checksum of 64 bits, from an engine's record: no proof that people should act on."""
    SHA = 2
    """From a layer's table of contents."""


@dataclass(slots=True)
class Union:
    """All layers of an image, stacked.

    Event columns have one row per member of every layer, in layer and tar order, and after them one per directory
    that members only imply. ``inode`` is the event that carries the bytes a name leads to (a hard link's is its
    target's), :data:`ABSENT` for what has none.
    """

    paths: PathTable
    layer_count: int
    layer_start: NDArray[np.int64]
    """First event of each layer, and one more entry: the end of the last layer's."""
    path: NDArray[np.int32]
    born: NDArray[np.int16]
    died: NDArray[np.int16]
    kind: NDArray[np.uint8]
    size: NDArray[np.int64]
    mode: NDArray[np.uint16]
    uid: NDArray[np.uint32]
    gid: NDArray[np.uint32]
    mtime: NDArray[np.int64]
    offset: NDArray[np.int64]
    inode: NDArray[np.int32]
    content: NDArray[np.uint64]
    """Shape (events, 2): XXH3-128, both 0 where unknown."""
    link: NDArray[np.int32]
    """Index into :attr:`link_texts`: a link's target or a device's numbers; 0 for none."""
    xattr: NDArray[np.int32]
    """Equal numbers mean equal extended attributes; 0 for none."""
    implicit: int
    """Events from here on are directories that no layer carries but a path needs."""
    dead: DeadInodes
    whiteouts: list[WhiteoutRecord]
    link_texts: list[bytes] = field(repr=False)
    xattr_texts: list[bytes] = field(repr=False)
    """What the numbers of :attr:`xattr` stand for."""
    sparse: dict[int, int]
    """Event of a sparse file -> where the first of its headers stands in its layer's tar."""
    _is_link: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._is_link = (self.kind == Kind.HARDLINK) & (self.inode >= 0)

    @property
    def event_count(self) -> int:
        """Number of events."""
        return len(self.path)

    def alive(self, layer: int) -> NDArray[np.int32]:
        """The events of the file system after ``layer``, one per path; -1 gives the empty file system."""
        mask = (self.born <= layer) & (self.died > layer)
        return np.flatnonzero(mask).astype(np.int32)

    def attributed_sizes(self, events: NDArray[np.int32]) -> NDArray[np.int64]:
        """Bytes of each of these events, every inode counted once.

        An inode's bytes stand at the name its layer carries them under, or, where that name is gone, at the first
        other name that is left. ``events`` must be ascending.
        """
        sizes = self.size[events]
        links = events[self._is_link[events]]
        if not links.size:
            return sizes
        inodes = self.inode[links]
        among = np.zeros(self.event_count, dtype=bool)
        among[events] = True
        orphaned = ~among[inodes]
        links, inodes = links[orphaned], inodes[orphaned]
        _, first = np.unique(inodes, return_index=True)
        sizes[np.searchsorted(events, links[first])] = self.size[inodes[first]]
        return sizes

    def regular(self) -> NDArray[np.bool_]:
        """Which events are names of regular files that lead to bytes."""
        return (self.inode >= 0) & (self.kind <= Kind.HARDLINK)

    def known(self, inodes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of these events have a content id."""
        known: NDArray[np.bool_] = self.content[inodes, 0] != 0
        known |= self.content[inodes, 1] != 0
        return known

    def wanted_content(self) -> NDArray[np.int32]:
        """Inodes whose content id a change kind needs and the scan did not give.

        Content matters only where a path recurs with the same size: any other difference shows by itself.
        """
        events = np.flatnonzero(self.regular())
        paths = self.path[events]
        inodes = self.inode[events]
        # Most often nearly all is known.
        unsure = np.zeros(self.paths.count, dtype=bool)
        unsure[paths[~self.known(inodes) | (self.id_kinds(inodes) != IdKind.XXH3)]] = True
        events, paths = events[unsure[paths]], paths[unsure[paths]]
        recurs = np.bincount(paths, minlength=self.paths.count)[paths] > 1
        events, paths = events[recurs], paths[recurs]
        inodes = self.inode[events]
        sizes = self.size[inodes]
        order = np.lexsort((sizes, paths))
        paths, sizes, inodes = paths[order], sizes[order], inodes[order]
        alike = (paths[1:] == paths[:-1]) & (sizes[1:] == sizes[:-1])
        twins = alike & (inodes[1:] != inodes[:-1])
        involved = np.zeros(len(paths), dtype=bool)
        involved[1:] |= twins
        involved[:-1] |= twins
        # Ids of two kinds can't be compared: where they meet, all have to be of the one that can be had for all.
        kinds = self.id_kinds(inodes)
        mixed = _spread(alike, np.append(False, alike & (kinds[1:] != kinds[:-1])) if len(kinds) else involved)
        wanted = involved & (~self.known(inodes) | (mixed & (kinds != IdKind.XXH3))) & (sizes > 0)
        return distinct(inodes[wanted]).astype(np.int32)

    def id_kinds(self, inodes: NDArray[np.int32]) -> NDArray[np.uint8]:
        """What the content ids of these events are (:class:`IdKind`); XXH3 for what has none."""
        words = self.content[inodes, 1]
        kinds = np.zeros(len(words), dtype=np.uint8)
        kinds[words >> np.uint64(32) == _SHA_WORD] = IdKind.SHA
        kinds[words == _CRC_WORD] = IdKind.CRC
        return kinds

    def same_content(self, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Pairwise: whether two inodes hold the same bytes; False where a content id is missing."""
        equal: NDArray[np.bool_] = (self.content[a] == self.content[b]).all(axis=1)
        equal &= (self.size[a] == self.size[b]) & self.known(a)
        equal |= a == b
        return equal

    def same_metadata(self, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Pairwise: whether two events have the same mode, owner, times and extended attributes.

        A directory's time changes with everything that is put in it, and costs nothing: it doesn't count.
        """
        same: NDArray[np.bool_] = (
            (self.mode[a] == self.mode[b])
            & (self.uid[a] == self.uid[b])
            & (self.gid[a] == self.gid[b])
            & ((self.mtime[a] == self.mtime[b]) | (self.kind[a] == Kind.DIR))
            & (self.xattr[a] == self.xattr[b])
        )
        return same


@dataclass(frozen=True, slots=True)
class DeadInodes:
    """Inodes that no name in the final file system reaches, one row each, in the order they died."""

    inode: NDArray[np.int32]
    hidden_by: NDArray[np.int16]
    provisional: NDArray[np.uint8]
    """Cause; OVERWRITTEN stands for all three causes that only a look at the content tells apart."""
    successor: NDArray[np.int32]
    """The inode that took the name's place, :data:`ABSENT` where none did."""
    path: NDArray[np.int32]
    """The name whose going was the last."""


def build_union(layers: Sequence[LayerIndex | None], cancel: threading.Event | None = None) -> Union:
    """Stack layers, lowest first.

    Args:
        layers: None stands for a layer that was not read: it changes nothing.
        cancel: looked at while layers are stacked; None: nobody cancels.

    Raises:
        LaminaError: the layers are of a shape that no builder makes; see :mod:`lamina.limits`.
        Cancelled: ``cancel`` was set.
    """
    present = [layer for layer in layers if layer is not None]
    if sum(layer.count for layer in present) > limits.ROWS:
        raise LaminaError(f"more than {limits.ROWS} members in the layers together")
    paths, rows_of_present = build_path_table([layer.keys() + list(_hard_link_targets(layer)) for layer in present])
    rows_iter = iter(rows_of_present)
    empty = np.zeros(0, dtype=np.int32)
    rows = [empty if layer is None else next(rows_iter) for layer in layers]

    stacker = Stacker(paths, sum(layer.count for layer in present), cancel)
    starts = [0]
    texts: dict[bytes, int] = {b"": 0}
    attributes: dict[bytes, int] = {b"": 0}
    sparse: dict[int, int] = {}
    link = np.zeros(stacker.carried, dtype=np.int32)
    xattr = np.zeros(stacker.carried, dtype=np.int32)
    for number, layer in enumerate(layers):
        first = starts[-1]
        if layer is not None:
            targets = dict(zip(_hard_links(layer), rows[number][layer.count :].tolist(), strict=True))
            stacker.apply(number, rows[number][: layer.count], layer.kind, layer.size, targets)
            for row, text in layer.links.items():
                shown = text.replace(b"\0", b"/") if layer.kind[row] == Kind.HARDLINK else text
                link[first + row] = texts.setdefault(shown, len(texts))
            for row, (major, minor) in layer.devices.items():
                link[first + row] = texts.setdefault(b"%d:%d" % (major, minor), len(texts))
            for row, text in layer.xattrs.items():
                xattr[first + row] = attributes.setdefault(text, len(attributes))
            sparse |= {first + row: start for row, start in layer.sparse.items()}
        starts.append(first + (layer.count if layer is not None else 0))
    stacked = stacker.finish()
    implied = len(stacked.path) - stacker.carried

    def column(name: str, dtype: type[_Scalar]) -> NDArray[_Scalar]:
        parts = [getattr(layer, name) for layer in present]
        shape = (implied, 2) if name == "content" else (implied,)
        return np.concatenate([*parts, np.zeros(shape, dtype=dtype)]).astype(dtype, copy=False)

    kind = column("kind", np.uint8)
    kind[stacker.carried :] = Kind.DIR
    return Union(
        paths=paths,
        layer_count=len(layers),
        layer_start=np.array(starts, dtype=np.int64),
        path=stacked.path,
        born=stacked.born,
        died=stacked.died,
        kind=kind,
        size=column("size", np.int64),
        mode=column("mode", np.uint16),
        uid=column("uid", np.uint32),
        gid=column("gid", np.uint32),
        mtime=column("mtime", np.int64),
        offset=column("offset", np.int64),
        inode=stacked.inode,
        content=column("content", np.uint64),
        link=np.concatenate([link, np.zeros(implied, dtype=np.int32)]),
        xattr=np.concatenate([xattr, np.zeros(implied, dtype=np.int32)]),
        implicit=stacker.carried,
        dead=DeadInodes(
            inode=stacked.dead_inode,
            hidden_by=stacked.dead_hidden_by,
            provisional=stacked.dead_cause,
            successor=stacked.dead_successor,
            path=stacked.dead_path,
        ),
        whiteouts=stacker.whiteouts,
        link_texts=list(texts),
        xattr_texts=list(attributes),
        sparse=sparse,
    )


def _spread(alike: NDArray[np.bool_], marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows stand in a run with a marked one; ``alike`` tells of each row but the first if it continues a run."""
    if not len(marked):
        return marked
    run = np.cumsum(np.append(False, ~alike))
    found: NDArray[np.bool_] = np.bincount(run, weights=marked)[run] > 0
    return found


def _hard_links(layer: LayerIndex) -> list[int]:
    return np.flatnonzero(layer.kind == Kind.HARDLINK).tolist()


def _hard_link_targets(layer: LayerIndex) -> list[bytes]:
    return [layer.links[row] for row in _hard_links(layer)]


__all__ = ["ABSENT", "NEVER", "DeadInodes", "IdKind", "Union", "build_union"]
