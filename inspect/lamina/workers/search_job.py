"""Looking for something in files that any process can open: those of a tar, and those that an engine unpacked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.layers.layer_reader import TarLayerReader
from lamina.layers.tar_search import Sought, WantedFiles, search_tar
from lamina.model import Cancelled, LaminaError
from lamina.workers.places import PLAIN, FolderPlace, TarPlace, open_in_order
from lamina.workers.unpacked import is_file, open_each

_WINDOW = 1 << 20


@dataclass(frozen=True, slots=True)
class SearchJob:
    """Some files of one tar, or of several that are packed in one file."""

    place: TarPlace
    wanted: WantedFiles
    """Offsets are those of what is unpacked: :attr:`TarPlace.start` is in them."""
    sought: Sought

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be unpacked: searching alone is many times as fast."""
        if self.place.kind in PLAIN:
            return int(self.wanted.size.sum()) // 8
        return self.place.file.size

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """The rows of the files that have it, ascending; see :func:`lamina.layers.tar_search.search_tar`."""
        tar = open_in_order(self.place.file, self.place.kind, self.place.where, cancel)
        reader = TarLayerReader(tar, self.place.where)
        try:
            return np.array(search_tar(reader, self.wanted, self.sought, cancel, advance), dtype=np.int64)
        finally:
            reader.close()


@dataclass(frozen=True, slots=True)
class FolderSearchJob:
    """Some files of a layer that an engine unpacked."""

    place: FolderPlace
    files: Sequence[tuple[bytes, int]]
    """(path in the layer, bytes)."""
    sought: Sought

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be unpacked: opening a file costs as much as unpacking some KiB."""
        return sum(size for _, size in self.files) // 8 + (len(self.files) << 13)

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """The places of the files that have what is sought, ascending.

        Raises:
            LaminaError: a file is gone, or is not what the layer's record says.
            Cancelled: ``cancel`` was set.
        """
        found = []
        each = open_each(self.place.folder, (path for path, _ in self.files))
        try:
            for row, (fd, (_, size)) in enumerate(zip(each, self.files, strict=True)):
                if self._has(fd, size, cancel):
                    found.append(row)
                advance(size)
        except OSError as error:
            why = error.strerror or error
            raise LaminaError(f"{self.place.where}: a file can't be read in the engine's store: {why}") from None
        return np.array(found, dtype=np.int64)

    def _has(self, fd: int, size: int, cancel: threading.Event) -> bool:
        if cancel.is_set():
            raise Cancelled
        if not is_file(fd, size):
            raise LaminaError(f"{self.place.where}: a file in the engine's store is not what the layer's record says")
        hits, read = self.sought.hits([0], [size]), 0
        while not hits.found and read < size:
            data = os.read(fd, min(_WINDOW, size - read))
            if not data:
                raise LaminaError(f"{self.place.where}: a file in the engine's store has become shorter")
            hits.feed(read, data)
            read += len(data)
            if cancel.is_set():
                raise Cancelled
        return bool(hits.found)
