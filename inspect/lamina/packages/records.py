"""Package managers' records out of an image's layers: each layer is opened once, and read in its order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.contents.image_files import ImageFiles
from lamina.contents.layer_turns import layers_in_turn
from lamina.dataclass import dataclass
from lamina.layers.layer_reader import LayerReader
from lamina.model import Cancelled
from lamina.packages import go
from lamina.packages.kept import KeptRecords
from lamina.packages.manager import Manager, Record, Tell
from lamina.sources.base import passing_of
from lamina.workers.jobs import Result
from lamina.workers.pool import Pool


@dataclass(slots=True)
class Records:
    """The records of one manager, by the file system that they tell of."""

    last: list[Record] = field(default_factory=list)
    """Of the final one."""
    gone: dict[int, list[Record]] = field(default_factory=dict)
    """By the layer that took them away; the newest first."""


def read_records(
    image: ImageFiles, managers: Sequence[Manager], kept: KeptRecords, cancel: threading.Event
) -> list[Records]:
    """All records of some managers, of all layers.

    Args:
        image: the image.
        managers: whose; each is told of what is too large.
        kept: what was read before; gets what is read now.
        cancel: looked at between records.

    Raises:
        LaminaError: a layer can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    union, paths = image.union, image.union.paths
    most = np.full(paths.count, -1, dtype=np.int64)  # bytes to be read of what stands at each path
    whose = np.full(paths.count, -1, dtype=np.int16)
    left = limits.PACKAGE_RECORDS
    for number, manager in enumerate(managers):
        for wanted in manager.wanted():
            rows = np.array(wanted.rows, dtype=np.int32)
            if not rows.size:
                continue
            whose[rows] = number
            most[rows] = wanted.most
            if not wanted.head:
                _leave_out_large(image, rows, most, manager.tell)
    events = np.flatnonzero((most[union.path] >= 0) & union.regular())
    events = events[union.died[events] > union.born[events]]
    # What stands in the final file system comes first where not all can be held.
    events = events[np.lexsort((-union.born[events], -union.died[events]))]
    sizes = np.minimum(union.size[union.inode[events]], most[union.path[events]])
    fits = np.cumsum(sizes) <= left
    for number in np.unique(whose[union.path[events[~fits]]]).tolist():
        row = int(union.path[events[~fits & (whose[union.path[events]] == number)][0]])
        managers[number].tell(row, f"all records together have more than {limits.PACKAGE_RECORDS} bytes")
    wanted = events[fits].tolist()
    if not kept.has(wanted, sizes[fits].tolist()):
        kept.content = _read(image, events[fits], sizes[fits], cancel)

    found = [Records() for _ in managers]
    last = union.layer_count - 1
    for event in sorted(wanted, key=lambda event: (-int(union.died[event]), int(union.path[event]))):
        row = int(union.path[event])
        record, died = Record(row, event, kept.content.get(event, b"")), int(union.died[event])
        mine = found[int(whose[row])]
        (mine.last if died > last else mine.gone.setdefault(died, [])).append(record)
    return found


def _leave_out_large(image: ImageFiles, rows: NDArray[np.int32], most: NDArray[np.int64], tell: Tell) -> None:
    union = image.union
    events = np.flatnonzero(np.isin(union.path, rows) & union.regular())
    large = events[union.size[union.inode[events]] > most[union.path[events]]]
    for row in np.unique(union.path[large]).tolist():
        tell(row, f"it has more than {int(most[row])} bytes")
        most[row] = -1


def _read(
    image: ImageFiles, events: NDArray[np.intp], sizes: NDArray[np.int64], cancel: threading.Event
) -> dict[int, bytes]:
    """The first bytes of some files, by event; nothing is read of what is wanted with none."""
    union = image.union
    content = dict.fromkeys(events[sizes == 0].tolist(), b"")
    events, sizes = events[sizes > 0], sizes[sizes > 0]
    inodes = union.inode[events]
    order = np.lexsort((union.offset[inodes], union.born[inodes]))
    events, inodes, sizes = events[order], inodes[order], sizes[order]
    layers = union.born[inodes]
    jobs = [
        _LayerJob(image, layer, inodes[layers == layer].tolist(), sizes[layers == layer].tolist())
        for layer in np.unique(layers).tolist()
    ]
    jobs.sort(key=lambda job: -job.cost)

    def done(place: int, result: Result) -> None:
        mine = events[layers == jobs[place].layer].tolist()
        content.update(zip(mine, cast("list[bytes]", result), strict=True))

    if image.layers is not None and any(passing_of(image.layers, job.layer) for job in jobs):
        by_layer = {job.layer: (place, job) for place, job in enumerate(jobs)}
        for layer, reader in layers_in_turn(image, list(by_layer), cancel):
            place, job = by_layer[layer]
            done(place, job.read(reader, cancel))
        return content
    Pool().run(jobs, cancel, done, lambda _: None)
    return content


@dataclass(frozen=True, slots=True)
class _LayerJob:
    """Some files of one layer."""

    image: ImageFiles
    layer: int
    inodes: list[int]
    """By where they stand."""
    sizes: list[int]
    """Bytes to be read of each."""

    @property
    def cost(self) -> int:
        """Bytes of the layer that may have to be unpacked: see :class:`lamina.workers.jobs.Job`."""
        return int(self.image.union.offset[self.inodes[-1]])

    def run(self, cancel: threading.Event, _advance: Callable[[int], None]) -> list[bytes]:
        """The first bytes of each."""
        reader = self.image.open_layer(self.layer, cancel, in_order=True)
        try:
            return self.read(reader, cancel)
        finally:
            reader.close()

    def read(self, reader: LayerReader, cancel: threading.Event) -> list[bytes]:
        """The same from the layer opened."""
        found = []
        for inode, size in zip(self.inodes, self.sizes, strict=True):
            if cancel.is_set():
                raise Cancelled
            found.append(reader.read(self.image.file_ref(inode), 0, size))
        return found


def read_programs(
    image: ImageFiles, inodes: NDArray[np.int32], kept: KeptRecords, cancel: threading.Event
) -> list[tuple[int, go.BuildInfo]]:
    """Which of some files are Go programs, and what they tell.

    Args:
        image: the image.
        inodes: events that carry files' bytes.
        kept: as for :func:`read_records`.
        cancel: looked at between files.

    Raises:
        LaminaError: a layer can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    union = image.union
    unknown = inodes[~np.isin(inodes, list(kept.programs))]
    unknown = unknown[np.lexsort((union.offset[unknown], union.born[unknown]))]
    layers = union.born[unknown]
    for layer, reader in layers_in_turn(image, np.unique(layers).tolist(), cancel):
        for inode in unknown[layers == layer].tolist():
            if cancel.is_set():
                raise Cancelled
            file = image.file_ref(inode)
            kept.programs[inode] = go.read_build_info(
                lambda start, size, file=file, reader=reader: reader.read(file, start, size)  # type: ignore[misc]
            )
    return [(inode, info) for inode in inodes.tolist() if (info := kept.programs[inode]) is not None]
