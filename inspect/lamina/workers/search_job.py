"""Looking for texts in the files of a tar that stands in a file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamina.layers.layer_reader import TarLayerReader
from lamina.layers.text_search import Texts, WantedFiles, search_tar
from lamina.workers.tar_place import PLAIN, TarPlace, open_in_order


@dataclass(frozen=True, slots=True)
class SearchJob:
    """Some files of one tar, or of several that are packed in one file."""

    place: TarPlace
    wanted: WantedFiles
    """Offsets are those of what is unpacked: :attr:`TarPlace.start` is in them."""
    texts: Texts

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be unpacked: searching alone is many times as fast."""
        if self.place.kind in PLAIN:
            return int(self.wanted.size.sum()) // 8
        return self.place.file.size

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """The rows of the files that have a text, ascending; see :func:`lamina.layers.text_search.search_tar`."""
        tar = open_in_order(self.place.file, self.place.kind, self.place.where, cancel)
        reader = TarLayerReader(tar, self.place.where)
        try:
            return np.array(search_tar(reader, self.wanted, self.texts, cancel, advance), dtype=np.int64)
        finally:
            reader.close()
