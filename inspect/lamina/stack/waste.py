"""Bytes shipped that nobody can reach: which, where, hidden by whom, and why."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.model import Cause, ImageInfo
from lamina.names import display_name, short_instruction
from lamina.stack.union import ABSENT, Union


@dataclass(frozen=True, slots=True)
class WasteRow:
    """One wasted inode."""

    path: bytes
    """The name its layer carries it under."""
    bytes: int
    cause: Cause
    layer: int
    """Ships the bytes."""
    hidden_by: int
    """Took the last name away; may be ``layer`` itself, where a tar names a path twice."""
    path_id: int
    """Row of the path in the union's table."""


@dataclass(slots=True)
class WasteGroup:
    """Waste rows taken together."""

    bytes: int
    count: int
    rows: NDArray[np.int64] = field(repr=False)
    """Indexes into the table, most bytes first."""
    causes: dict[Cause, int]
    """Bytes by cause, most first."""


@dataclass(slots=True)
class DirectoryWaste(WasteGroup):
    """What is wasted in one directory."""

    path_id: int
    path: bytes
    """Empty for the root."""


@dataclass(slots=True)
class LayerWaste(WasteGroup):
    """What one layer ships and another hides, for one cause."""

    layer: int
    hidden_by: int
    cause: Cause


_CAUSES = tuple(Cause)


class WasteTable(Sequence[WasteRow]):
    """All wasted inodes of an image, most bytes first (then by path, then by layer).

    Columns, so that half a million rows cost no objects: a row is made when it is asked for.
    """

    def __init__(self, union: Union) -> None:
        dead = union.dead
        sizes = union.size[dead.inode]
        paths = union.path[dead.inode]
        layers = union.born[dead.inode]
        order = np.lexsort((layers, paths, -sizes))
        self._union = union
        self.size: NDArray[np.int64] = sizes[order]
        self.path_id: NDArray[np.int32] = paths[order]
        self.layer: NDArray[np.int16] = layers[order]
        self.hidden_by: NDArray[np.int16] = dead.hidden_by[order]
        self.cause: NDArray[np.uint8] = _final_causes(union)[order]
        self.total = int(sizes.sum())

    def __len__(self) -> int:
        return len(self.size)

    def __getitem__(self, index: int) -> WasteRow:  # type: ignore[override]  # no slices: nobody needs them
        path = int(self.path_id[index])
        return WasteRow(
            path=self._union.paths.path(path),
            bytes=int(self.size[index]),
            cause=Cause(int(self.cause[index])),
            layer=int(self.layer[index]),
            hidden_by=int(self.hidden_by[index]),
            path_id=path,
        )

    def __iter__(self) -> Iterator[WasteRow]:
        for path, size, cause, layer, hidden_by, path_id in zip(
            self.paths(), *(column.tolist() for column in self._columns()), self.path_id.tolist(), strict=True
        ):
            yield WasteRow(path, size, _CAUSES[cause], layer, hidden_by, path_id)

    def only(self, rows: NDArray[np.bool_]) -> WasteTable:
        """A table of some of the rows.

        Args:
            rows: one per row, whether it is one of them.
        """
        part = copy.copy(self)
        for name in ("size", "path_id", "layer", "hidden_by", "cause"):
            setattr(part, name, getattr(self, name)[rows])
        part.total = int(part.size.sum())
        return part

    def paths(self) -> list[bytes]:
        """The paths of all rows."""
        return self._union.paths.texts(self.path_id)

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.size, self.cause, self.layer, self.hidden_by

    def by_layer(self) -> list[LayerWaste]:
        """Rows with the same shipping layer, hiding layer and cause, most bytes first."""
        keys = (self.layer.astype(np.int64) << 24) | (self.hidden_by.astype(np.int64) << 8) | self.cause
        groups = [
            LayerWaste(*self._totals(rows), layer=key >> 24, hidden_by=(key >> 8) & 0xFFFF, cause=Cause(key & 0xFF))
            for key, rows in _grouped(keys)
        ]
        return sorted(groups, key=lambda group: -group.bytes)

    def by_directory(self, depth: int = 3) -> list[DirectoryWaste]:
        """Rows by the directory they stand in, at most ``depth`` components deep, most bytes first."""
        paths = self._union.paths
        top = paths.parent[self.path_id]
        while True:
            deep = paths.depth[top] > depth
            if not deep.any():
                break
            top = np.where(deep, paths.parent[top], top)
        groups = [
            DirectoryWaste(*self._totals(rows), path_id=key, path=paths.path(key))
            for key, rows in _grouped(top.astype(np.int64))
        ]
        return sorted(groups, key=lambda group: -group.bytes)

    def per_layer(self, layer_count: int) -> tuple[list[int], list[int]]:
        """(bytes of each layer that are wasted, bytes of lower layers that each layer hides)."""
        wasted = np.zeros(layer_count, dtype=np.int64)
        hides = np.zeros(layer_count, dtype=np.int64)
        np.add.at(wasted, self.layer, self.size)
        lower = self.layer != self.hidden_by
        np.add.at(hides, self.hidden_by[lower], self.size[lower])
        return wasted.tolist(), hides.tolist()

    def _totals(self, rows: NDArray[np.int64]) -> tuple[int, int, NDArray[np.int64], dict[Cause, int]]:
        """What every group tells of its rows."""
        sizes = self.size[rows]
        by_cause = np.zeros(len(Cause), dtype=np.int64)
        np.add.at(by_cause, self.cause[rows], sizes)
        causes = sorted(set(self.cause[rows].tolist()), key=lambda cause: -int(by_cause[cause]))
        return int(sizes.sum()), len(rows), rows, {Cause(cause): int(by_cause[cause]) for cause in causes}


def _grouped(keys: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """(key, its rows in table order) of every distinct key, in no order of meaning."""
    order = np.argsort(keys, kind="stable")
    distinct, starts = np.unique(keys[order], return_index=True)
    return list(zip(distinct.tolist(), np.split(order, starts[1:]), strict=True)) if len(keys) else []


def _final_causes(union: Union) -> NDArray[np.uint8]:
    """Tell apart the three causes that need the content: other, same with other metadata, same in all."""
    dead = union.dead
    causes = dead.provisional.copy()
    rows = np.flatnonzero((causes == Cause.OVERWRITTEN) & (dead.successor != ABSENT))
    old, new = dead.inode[rows], dead.successor[rows]
    same = union.same_content(old, new)
    meta = union.same_metadata(old, new)
    causes[rows[same & ~meta]] = Cause.METADATA
    causes[rows[same & meta]] = Cause.IDENTICAL
    return causes


_WHY = {
    Cause.OVERWRITTEN: "writes other content over it",
    Cause.METADATA: "copies it: the content is the same, only mode, owner, time or attributes differ",
    Cause.IDENTICAL: "ships the very same file again",
    Cause.REMOVED: "removes it, but the lower layer still ships it",
    Cause.OPAQUE: "empties its directory, but the lower layer still ships it",
    Cause.REPLACED: "puts another kind of thing in its way",
}


def explain(row: WasteRow, info: ImageInfo) -> str:
    """A sentence for people: which layer ships the bytes, which instruction hides them, and why. Safe to show."""
    if row.layer == row.hidden_by:
        return f"Layer {row.layer} carries {display_name(row.path)} more than once; only the last copy counts."

    def named(layer: int) -> str:
        text = short_instruction(info.layers[layer].instruction) if layer < len(info.layers) else ""
        if len(text) > 80:
            text = text[:77] + "..."
        return f"layer {layer} ({text})" if text else f"layer {layer}"

    return f"Shipped by {named(row.layer)}; {named(row.hidden_by)} {_WHY[row.cause]}."
