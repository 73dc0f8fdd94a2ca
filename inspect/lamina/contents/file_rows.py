"""What stands at some paths, as columns: what lists of files are written from."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamina.among import among
from lamina.dataclass import dataclass
from lamina.model import Change, Kind
from lamina.stack.union import ABSENT, Union
from lamina.stack.view import View

NOBODY = -1
"""In columns of layers: no one layer."""


@dataclass(frozen=True, slots=True)
class FileRows:
    """One row for each of what is listed; all columns are of one length."""

    union: Union
    path: NDArray[np.int32]
    """Row of the union's path table."""
    event: NDArray[np.int32]
    """What stands there, or was removed; :data:`ABSENT` for a folder that the layer only adds to."""
    change: NDArray[np.uint8]
    """:class:`lamina.model.Change`."""
    size: NDArray[np.int64]
    """Bytes at or below it, every inode once."""
    own: NDArray[np.int64]
    """Bytes of itself: of a folder none."""
    removed: NDArray[np.int64]
    """Bytes at or below it that the change takes away."""
    own_removed: NDArray[np.int64]
    """Of these those of itself."""
    layer: NDArray[np.int16]
    """That ships it; :data:`NOBODY` for a folder, which many layers may touch."""
    hidden_by: NDArray[np.int16] | None = field(default=None)
    """Of versions in all layers: the layer that removes or replaces each, :data:`NOBODY` where it is there in the end;
    None for what stands in one file system."""
    replaced: NDArray[np.bool_] | None = field(default=None)
    """Of versions: whether that layer puts something in its place."""

    def __len__(self) -> int:
        """Rows."""
        return len(self.path)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> FileRows:
        """Some of the rows: marked ones, or by their numbers."""
        columns: Any = {
            column.name: None if (values := getattr(self, column.name)) is None else values[rows]
            for column in fields(self)
            if column.name != "union"
        }
        return FileRows(self.union, **columns)

    @property
    def kind(self) -> NDArray[np.uint8]:
        """:class:`Kind`; a folder where nothing is listed."""
        return np.where(self.event == ABSENT, np.uint8(Kind.DIR), self.union.kind[self.event])

    @property
    def weight(self) -> NDArray[np.int64]:
        """Bytes that a row is about: those that are there, or of what is removed those that were."""
        # A version that is removed has its own; of a file system's change the view tells what goes with it.
        gone = self.removed if self.hidden_by is None else self.size
        return np.where(self.change == Change.REMOVED, gone, self.size)

    @property
    def carrier(self) -> NDArray[np.int32]:
        """The events whose mode, owner and time count: of a hard link, its file's."""
        inode = self.union.inode[self.event]
        return np.where((inode == ABSENT) | (self.event == ABSENT), self.event, inode)

    @property
    def listed(self) -> NDArray[np.bool_]:
        """Whether a layer lists it: else it has no mode, owner and time."""
        known: NDArray[np.bool_] = (self.event != ABSENT) & (self.event < self.union.implicit)
        return known

    def links(self) -> list[bytes]:
        """Targets of symbolic and hard links; empty for all else."""
        return self._texts(Kind.SYMLINK, Kind.HARDLINK)

    def devices(self) -> list[bytes]:
        """Numbers of devices, ``8:1``; empty for all else."""
        return self._texts(Kind.CHAR, Kind.BLOCK)

    def _texts(self, *kinds: Kind) -> list[bytes]:
        of_kind = among(self.kind, kinds)
        texts = self.union.link_texts
        return [
            texts[number] if number else b"" for number in np.where(of_kind, self.union.link[self.event], 0).tolist()
        ]


def rows_of_view(view: View, paths: NDArray[np.int32]) -> FileRows:
    """What a view shows at some paths."""
    event = view.event[paths]
    carried = event != ABSENT
    inode = view.union.inode[event]
    layer = view.union.born[np.where(inode == ABSENT, event, inode)]
    of_one = carried & (view.union.kind[event] != Kind.DIR)
    return FileRows(
        union=view.union,
        path=paths,
        event=event,
        change=view.change[paths],
        size=view.size[paths],
        own=view.own(view.figures[0] if view.was is None else "after")[paths],
        removed=view.removed[paths],
        own_removed=view.own("removed")[paths],
        layer=np.where(of_one, layer, np.int16(NOBODY)),
    )
