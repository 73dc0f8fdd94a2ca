"""The files of an archive that is compressed as a whole: layers within one packed file."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lamina.cache.cache import Cache
from lamina.sources.blob_tar import open_blob
from lamina.workers.file_range import FileRange, open_range
from lamina.workers.places import PLAIN, TarPlace

if TYPE_CHECKING:
    from lamina.layers.layer_reader import LayerReader


class MemberPlace(NamedTuple):
    """Where a layer stands in the archive."""

    offset: int
    """Bytes from the start of the archive's own tar, unpacked."""
    size: int
    kind: str
    """What :func:`lamina.layers.codec.sniff` says of its first bytes."""
    where: str
    """Names it in errors."""


class StreamFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of one image.

    Args:
        file: the archive.
        layers: one per layer of the image.
        cache: keeps the points from which a large archive can be unpacked.
    """

    def __init__(self, file: FileRange, layers: Sequence[MemberPlace], cache: Cache) -> None:
        self._file = file
        self._layers = layers
        self._cache = cache

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        from lamina.layers.layer_reader import TarLayerReader
        from lamina.layers.tar_bytes import ForwardTar, TarPart

        place = self._layers[layer]
        archive = open_blob(self._file, self._kind(), place.where, cancel, self._cache, in_order=in_order)
        part = TarPart(archive, place.offset, place.size, place.where)
        if place.kind in PLAIN:
            return TarLayerReader(part, place.where)
        return TarLayerReader(ForwardTar(part.chunks, place.where, cancel, part.close), place.where)

    def place(self, layer: int) -> TarPlace | None:
        """See :class:`lamina.sources.base.PlacedFiles`."""
        place = self._layers[layer]
        return TarPlace(self._file, self._kind(), place.offset, place.where) if place.kind in PLAIN else None

    def _kind(self) -> str:
        from lamina.layers.block import BLOCK
        from lamina.layers.codec import sniff
        from lamina.layers.tar_bytes import pread

        fd = open_range(self._file)
        try:
            return sniff(pread(fd, self._file.offset, min(BLOCK, self._file.size), self._file.path))
        finally:
            os.close(fd)
