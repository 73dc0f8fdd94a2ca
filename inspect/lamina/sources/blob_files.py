"""The files of layers whose blobs stand in seekable files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from lamina.cache.cache import Cache
from lamina.sources.blob_tar import open_blob
from lamina.sources.store import Found
from lamina.workers.file_range import FileRange
from lamina.workers.places import TarPlace

if TYPE_CHECKING:
    from lamina.layers.layer_reader import LayerReader


class BlobFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of one image.

    Args:
        found: the image.
        where: names the store in errors.
        locate: where the blob of a :attr:`lamina.sources.store.Stored.key` stands.
        cache: keeps the points from which large layers can be unpacked.
    """

    def __init__(self, found: Found, where: str, locate: Callable[[str], FileRange], cache: Cache) -> None:
        self._found = found
        self._where = where
        self._locate = locate
        self._cache = cache

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        from lamina.layers.layer_reader import TarLayerReader

        blob, where = self._found.blobs[layer], self._found.where(layer, self._where)
        tar = open_blob(self._locate(blob.key), blob.kind, where, cancel, self._cache, in_order=in_order)
        return TarLayerReader(tar, where)

    def place(self, layer: int) -> TarPlace | None:
        """See :class:`lamina.sources.base.PlacedFiles`."""
        blob = self._found.blobs[layer]
        return TarPlace(self._locate(blob.key), blob.kind, 0, self._found.where(layer, self._where))
