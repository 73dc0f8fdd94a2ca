"""Package managers' records among an image's files, by the file system that they tell of."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.among import among
from lamina.contents.first_bytes import FirstBytes
from lamina.contents.image_files import ImageFiles
from lamina.contents.layer_turns import layers_in_turn
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.model import Cancelled
from lamina.packages import go
from lamina.packages.kept import KeptRecords
from lamina.packages.manager import Manager, Record, Tell
from lamina.stack.union import Union


@dataclass(slots=True)
class Records:
    """The records of one manager, by the file system that they tell of."""

    last: list[Record] = field(default_factory=list)
    """Of the final one."""
    gone: dict[int, list[Record]] = field(default_factory=dict)
    """By the layer that took them away; the newest first."""


class RecordPlan:
    """Which files of an image are records, of all its layers; they are wanted of what reads first bytes.

    Args:
        union: the image.
        managers: whose; each is told of what is too large.
        first: is told what to read.
    """

    def __init__(self, union: Union, managers: Sequence[Manager], first: FirstBytes) -> None:
        self._union = union
        self._managers = managers
        self._first = first
        most = np.full(union.paths.count, -1, dtype=np.int64)  # bytes to be read of what stands at each path
        whose = np.full(union.paths.count, -1, dtype=np.int16)
        for number, manager in enumerate(managers):
            for wanted in manager.wanted():
                rows = np.array(wanted.rows, dtype=np.int32)
                if rows.size:
                    whose[rows] = number
                    most[rows] = wanted.most
                    if not wanted.head:
                        _leave_out_large(union, rows, most, manager.tell)
        events = np.flatnonzero((most[union.path] >= 0) & union.regular())
        events = events[union.died[events] > union.born[events]]
        # What stands in the final file system comes first where not all can be held.
        events = events[np.lexsort((-union.born[events], -union.died[events]))]
        sizes = np.minimum(union.size[union.inode[events]], most[union.path[events]])
        fits = np.cumsum(sizes) <= limits.PACKAGE_RECORDS
        self._whose = whose
        for number in distinct(whose[union.path[events[~fits]]]).tolist():
            row = int(union.path[events[~fits & (whose[union.path[events]] == number)][0]])
            managers[number].tell(row, f"all records together have more than {limits.PACKAGE_RECORDS} bytes")
        self._events, self._sizes = events[fits], sizes[fits]
        first.want(union.inode[self._events].tolist(), self._sizes.tolist())

    def records(self) -> list[Records]:
        """The records of each manager, once they are read."""
        union = self._union
        found = [Records() for _ in self._managers]
        order = np.lexsort((union.path[self._events], -union.died[self._events]))
        columns = (union.path, union.died, union.inode)
        rows = (column[self._events[order]].tolist() for column in columns)
        for row, died, inode, size in zip(*rows, self._sizes[order].tolist(), strict=True):
            record = Record(row, self._first.of(inode, size))
            mine = found[int(self._whose[row])]
            (mine.last if died >= union.layer_count else mine.gone.setdefault(died, [])).append(record)
        return found


def _leave_out_large(union: Union, rows: NDArray[np.int32], most: NDArray[np.int64], tell: Tell) -> None:
    events = np.flatnonzero(among(union.path, rows) & union.regular())
    large = events[union.size[union.inode[events]] > most[union.path[events]]]
    for row in distinct(union.path[large]).tolist():
        tell(row, f"it has more than {int(most[row])} bytes")
        most[row] = -1


def read_programs(
    image: ImageFiles, inodes: NDArray[np.int32], kept: KeptRecords, cancel: threading.Event
) -> list[tuple[int, go.BuildInfo]]:
    """Which of some files are Go programs, and what they tell.

    Args:
        image: the image.
        inodes: events that carry files' bytes.
        kept: what was found before; gets what is found now.
        cancel: looked at between files.

    Raises:
        LaminaError: a layer can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    union = image.union
    unknown = inodes[~among(inodes, list(kept.programs))]
    unknown = unknown[np.lexsort((union.offset[unknown], union.born[unknown]))]
    layers = union.born[unknown]
    for layer, reader in layers_in_turn(image, distinct(layers).tolist(), cancel):
        for inode in unknown[layers == layer].tolist():
            if cancel.is_set():
                raise Cancelled
            file = image.file_ref(inode)
            kept.programs[inode] = go.read_build_info(
                lambda start, size, file=file, reader=reader: reader.read(file, start, size)  # type: ignore[misc]
            )
    return [(inode, info) for inode in inodes.tolist() if (info := kept.programs[inode]) is not None]
