"""Files by their content: every layer is read once, whatever is looked for, on all cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lamina.among import among
from lamina.contents.file_rows import FileRows
from lamina.contents.image_files import ImageFiles
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.layers.layer_reader import TarLayerReader
from lamina.layers.tar_search import Sought, WantedFiles, search_file, search_tar
from lamina.model import Kind, Progress
from lamina.sources.base import LayersInTurn, passing_of, place_of
from lamina.sources.progress import Ticker
from lamina.stack.union import ABSENT, Union
from lamina.workers.file_range import FileRange
from lamina.workers.jobs import Job, Result
from lamina.workers.places import PLAIN, FolderPlace, TarPlace
from lamina.workers.pool import Pool
from lamina.workers.search_job import FolderSearchJob, SearchJob

_PART = 64 << 20
"""Bytes of a plain tar that one job searches: some tens of milliseconds."""

_OPENING = 16 << 10  # bytes that are searched in the time in which a file is opened

Found = Callable[[NDArray[np.intp]], None]
"""Gets numbers of rows that have what is sought, ascending, each once, as they are found."""


def find_content(
    image: ImageFiles,
    rows: FileRows,
    sought: Sought,
    found: Found,
    *,
    pool: Pool | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Which of some files have something in their content; a hard link has that of its file.

    Layers that stand in files are searched wherever the pool has its work done, all others on threads of this process.

    Args:
        image: the image.
        rows: of it; what is no file has no content.
        sought: what is looked for; made by :func:`lamina.layers.text_search.texts_of`, for one.
        found: called on this thread.
        pool: where the work is done; None: on threads of this process.
        cancel: ends the search.
        progress: notified of the bytes searched, on this thread.

    Raises:
        LaminaError: a layer can't be read.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    files = _Files(image, rows, sought)
    if files.empty.size:
        found(files.empty)
    tasks = sorted(files.tasks(), key=lambda task: -task.job.cost)
    ticker = Ticker(progress, sum(task.work for task in tasks), "searching")
    for placed, where in ((True, pool or Pool()), (False, Pool())):
        mine = [task for task in tasks if isinstance(task.job, SearchJob | FolderSearchJob) == placed]

        def done(number: int, result: Result, mine: Sequence[_Task] = mine) -> None:
            assert isinstance(result, np.ndarray)
            if hits := files.rows_of(mine[number].inodes[result]):
                found(np.array(hits, dtype=np.intp))

        where.run([task.job for task in mine], cancel, done, ticker.advance)


@dataclass(frozen=True, slots=True)
class _Task:
    """A job, and the files that its rows are."""

    job: Job
    inodes: NDArray[np.int64]
    work: int
    """Bytes to be searched."""


class _Files:
    """The files behind some rows, each once, and the ways to search them."""

    def __init__(self, image: ImageFiles, rows: FileRows, sought: Sought) -> None:
        self._image = image
        self._union = image.union
        self._sought = sought
        inode = np.where(rows.event == ABSENT, ABSENT, self._union.inode[rows.event])
        sizes = np.where((rows.kind <= Kind.HARDLINK) & (inode != ABSENT), self._union.size[inode], -1)
        numbers = np.flatnonzero(sizes >= max(sought.least, 1))
        self.empty = np.flatnonzero(sizes == 0) if not sought.least else np.zeros(0, dtype=np.intp)
        """Rows of empty files, if these are what is sought."""
        same = _first_alike(image, inode[numbers].astype(np.int64))
        self._numbers = numbers[np.argsort(same, kind="stable")]
        self.inodes, starts = np.unique(np.sort(same), return_index=True)
        self._starts = np.append(starts, len(numbers))
        self._told: set[int] = set()

    def rows_of(self, inodes: NDArray[np.int64]) -> list[int]:
        """The rows of files that were not asked for before, ascending: several parts of one may have what is sought."""
        found: list[int] = []
        for place in np.searchsorted(self.inodes, inodes).tolist():
            if place not in self._told:
                self._told.add(place)
                found += self._numbers[self._starts[place] : self._starts[place + 1]].tolist()
        return sorted(found)

    def tasks(self) -> Iterator[_Task]:
        """What has to be done; layers that are packed in one file are searched together."""
        union = self._union
        packed: dict[tuple[FileRange, str], list[tuple[TarPlace, NDArray[np.int64]]]] = {}
        by_turn: dict[int, tuple[LayersInTurn, dict[int, NDArray[np.int64]]]] = {}
        layers = union.born[self.inodes]
        for layer in distinct(layers).tolist():
            mine = self.inodes[layers == layer]
            mine = mine[np.argsort(union.offset[mine], kind="stable")]
            place = None if self._image.layers is None else place_of(self._image.layers, layer)
            passing = None if self._image.layers is None or place else passing_of(self._image.layers, layer)
            if passing is not None:
                by_turn.setdefault(id(passing), (passing, {}))[1][layer] = mine
            elif place is None:
                reader = _ReaderJob(self._image, layer, mine, self._sought)
                yield _Task(reader, mine, int(union.size[mine].sum()))
            elif isinstance(place, FolderPlace):
                yield from self._unpacked(place, mine)
            elif place.kind in PLAIN:
                yield from self._parts(place, mine)
            else:
                packed.setdefault((place.file, place.kind), []).append((place, mine))
        for parts in packed.values():
            parts.sort(key=lambda part: part[0].start)
            inodes = np.concatenate([mine for _, mine in parts])
            yield self._task(
                parts[0][0], inodes, np.repeat([place.start for place, _ in parts], [len(mine) for _, mine in parts])
            )
        for passing, of_layer in by_turn.values():
            inodes = np.concatenate(list(of_layer.values()))
            job = _PassingJob(passing, {layer: _wanted(union, mine) for layer, mine in of_layer.items()}, self._sought)
            yield _Task(job, inodes, sum(wanted.work for wanted in job.wanted.values()))

    def _parts(self, place: TarPlace, inodes: NDArray[np.int64]) -> Iterator[_Task]:
        """A plain tar cut into parts: between files, and within large ones."""
        sizes = self._union.size[inodes]
        overlap = self._sought.overlap
        large = (sizes > _PART) & ~among(inodes, list(self._union.sparse)) & (overlap is not None)
        for inode in inodes[large].tolist():
            offset, size = place.start + int(self._union.offset[inode]), int(self._union.size[inode])
            for start in range(0, size, _PART):
                # Each begins where a text could that ends in it, and not in the part before.
                first = max(start - (overlap or 0), 0)
                column = np.array([offset + first]), np.array([min(start + _PART, size) - first])
                yield _Task(SearchJob(place, WantedFiles(*column), self._sought), np.array([inode]), int(column[1][0]))
        inodes, sizes = inodes[~large], sizes[~large]
        part = (np.cumsum(sizes) - sizes) // _PART
        for mine in np.split(inodes, np.flatnonzero(np.diff(part)) + 1):
            if len(mine):
                yield self._task(place, mine, np.full(len(mine), place.start))

    def _unpacked(self, place: FolderPlace, inodes: NDArray[np.int64]) -> Iterator[_Task]:
        """Unpacked files in parts, those of one folder together."""
        union = self._union
        inodes = inodes[np.argsort(union.path[inodes])]
        weights = union.size[inodes] + _OPENING
        part = (np.cumsum(weights) - weights) // _PART
        for mine in np.split(inodes, np.flatnonzero(np.diff(part)) + 1):
            sizes = union.size[mine].tolist()
            files = list(zip(union.paths.texts(union.path[mine]), sizes, strict=True))
            yield _Task(FolderSearchJob(place, files, self._sought), mine, sum(sizes))

    def _task(self, place: TarPlace, inodes: NDArray[np.int64], shift: NDArray[np.int64]) -> _Task:
        wanted = _wanted(self._union, inodes, shift)
        return _Task(SearchJob(place, wanted, self._sought), inodes, wanted.work)


def _wanted(union: Union, inodes: NDArray[np.int64], shift: NDArray[np.int64] | int = 0) -> WantedFiles:
    columns = union.offset[inodes] + shift, union.size[inodes]
    sparse = np.flatnonzero(among(inodes, list(union.sparse))) if union.sparse else np.zeros(0, dtype=np.intp)
    moved = np.broadcast_to(shift, len(inodes))
    return WantedFiles(*columns, {row: union.sparse[int(inodes[row])] + int(moved[row]) for row in sparse.tolist()})


def _first_alike(image: ImageFiles, inodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same files in the first layer that has the same bytes: one that stands several times is read once."""
    union = image.union
    first: dict[str, int] = {}
    alike = []
    for number, layer in enumerate(image.info.layers):
        other = first.setdefault(layer.diff_id, number)
        # What an archive says of its layers was not always checked: they must look alike, too.
        alike.append(other if _look_alike(union, other, number) else number)
    start = union.layer_start[:-1]
    layers = union.born[inodes]
    return inodes - start[layers] + start[np.array(alike, dtype=np.int64)[layers]]


def _look_alike(union: Union, a: int, b: int) -> bool:
    one, other = (slice(*union.layer_start[layer : layer + 2].tolist()) for layer in (a, b))
    return all(np.array_equal(column[one], column[other]) for column in (union.path, union.offset, union.size))


@dataclass(frozen=True, slots=True)
class _ReaderJob:
    """Files of a layer that only this process can read."""

    image: ImageFiles
    layer: int
    inodes: NDArray[np.int64]
    sought: Sought

    @property
    def cost(self) -> int:
        """See :class:`lamina.workers.jobs.Job`."""
        return int(self.image.union.size[self.inodes].sum())

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """The places of the files that have what is sought."""
        reader = self.image.open_layer(self.layer, cancel, in_order=True)
        try:
            if isinstance(reader, TarLayerReader):
                found = search_tar(reader, _wanted(self.image.union, self.inodes), self.sought, cancel, advance)
            else:
                refs = map(self.image.file_ref, self.inodes.tolist())
                found = [
                    place for place, ref in enumerate(refs) if search_file(reader, ref, self.sought, cancel, advance)
                ]
            return np.array(found, dtype=np.int64)
        finally:
            reader.close()


@dataclass(frozen=True, slots=True)
class _PassingJob:
    """Files of layers that come by one after the other."""

    passing: LayersInTurn
    wanted: dict[int, WantedFiles]
    """By layer."""
    sought: Sought

    @property
    def cost(self) -> int:
        """See :class:`lamina.workers.jobs.Job`."""
        return sum(wanted.work for wanted in self.wanted.values())

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """The places of the files that have what is sought, among all of :attr:`wanted` in its order."""
        before, count = {}, 0
        for layer, files in self.wanted.items():
            before[layer] = count
            count += len(files.offset)
        found: list[int] = []
        for layer, reader in self.passing.in_turn(self.wanted.keys(), cancel):
            mine = search_tar(reader, self.wanted[layer], self.sought, cancel, advance)
            found += [before[layer] + row for row in mine]
        return np.array(sorted(found), dtype=np.int64)
