"""The first bytes of many files of an image: each layer is opened once for all that is wanted of it by then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import cast

import numpy as np

from lamina.contents.image_files import ImageFiles
from lamina.contents.layer_turns import layers_in_turn
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.layers.layer_reader import LayerReader
from lamina.model import Cancelled
from lamina.sources.base import passing_of
from lamina.workers.jobs import Result
from lamina.workers.pool import Pool


class FirstBytes:
    """What was read of the beginnings of files, and what is still wanted.

    Args:
        image: the image.
        known: what is there already, by inode (the event that carries a file's bytes).
    """

    def __init__(self, image: ImageFiles, known: dict[int, bytes] | None = None) -> None:
        self._image = image
        self.known = {} if known is None else known
        """By inode."""
        self._wanted: dict[int, int] = {}

    def want(self, inodes: Iterable[int], sizes: Iterable[int]) -> None:
        """Have some files read with the others.

        Args:
            inodes: events that carry files' bytes.
            sizes: how many bytes of each, from the first on; fewer where it has no more.
        """
        for inode, size in zip(inodes, sizes, strict=True):
            if len(self.known.get(inode, b"")) < size:
                self._wanted[inode] = max(size, self._wanted.get(inode, 0))

    def of(self, inode: int, size: int) -> bytes:
        """The first bytes of a file, as far as it was read."""
        return self.known.get(inode, b"")[:size]

    def read(self, cancel: threading.Event) -> None:
        """Read all that is wanted, on all cores.

        Raises:
            LaminaError: a layer can't be read any more.
            Cancelled: ``cancel`` was set.
        """
        union = self._image.union
        wanted, self._wanted = self._wanted, {}
        inodes = np.array([inode for inode, size in wanted.items() if size], dtype=np.int32)
        inodes = inodes[np.lexsort((union.offset[inodes], union.born[inodes]))]
        layers = union.born[inodes]
        jobs = []
        for layer in distinct(layers).tolist():
            mine = inodes[layers == layer].tolist()
            jobs.append(_LayerJob(self._image, layer, mine, [wanted[inode] for inode in mine]))
        jobs.sort(key=lambda job: -job.cost)

        def done(place: int, result: Result) -> None:
            self.known.update(zip(jobs[place].inodes, cast("list[bytes]", result), strict=True))

        files = self._image.layers
        if files is not None and any(passing_of(files, job.layer) for job in jobs):
            places = {job.layer: place for place, job in enumerate(jobs)}
            for layer, reader in layers_in_turn(self._image, list(places), cancel):
                done(places[layer], jobs[places[layer]].read(reader, cancel))
        else:
            Pool().run(jobs, cancel, done, lambda _: None)


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
