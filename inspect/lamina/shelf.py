"""What was read before, as objects: the cache of bytes with its keys, layers and stacked images put together.

Every layer has one or more keys, each naming what would vouch for its bytes (see :mod:`lamina.layers.cache`). A stacked
image is kept under the keys its layers were really found or read by, never under what an archive merely claims.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamina.layers.cache import Cache, default_cache
from lamina.layers.columns import pack, unpack
from lamina.layers.index import LayerIndex
from lamina.layers.serial import layer_from_bytes, layer_to_bytes
from lamina.model import ImageInfo, LayerInfo
from lamina.workers.file_range import FileRange

if TYPE_CHECKING:  # what stacks layers is loaded while workers read them
    from lamina.image_model import ImageModel

_HEAD = "head"
_KNOWN = "known"
_MEMORY_ROWS = 2_000_000
"""Rows of layers held in memory where no folder holds them: some 200 MB."""


def diff_key(diff_id: str) -> str:
    """Of a layer whose tar was hashed to this, or that an engine exported under it."""
    return f"diff:{diff_id}"


def blob_key(digest: str) -> str:
    """Of a layer whose blob was hashed to this."""
    return f"blob:{digest}"


def range_key(place: FileRange) -> str:
    """Of a layer scanned where it stands, its payload unread."""
    numbers = ":".join(map(str, (*place.stamp, place.offset, place.size)))
    return f"file:{numbers}"


def store_key(diff_id: str) -> str:
    """Of a layer read from an engine's own record, whose content ids are of another kind."""
    return f"store:{diff_id}"


class Shelf:
    """Layers and images that were read before.

    Args:
        cache: where they are kept; None: in memory only, for as long as this object lives.
    """

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache if cache is not None and cache.folder is not None else None
        self._memory: OrderedDict[str, LayerIndex] = OrderedDict()

    def find(self, keys: Sequence[str]) -> str | None:
        """The first of some keys that something is kept under."""
        for key in keys:
            if key in self._memory or (self._cache is not None and self._cache.has(key)):
                return key
        return None

    def layer(self, key: str) -> LayerIndex | None:
        """A layer; None where there is none under the key, or a damaged one."""
        if key in self._memory:
            return self._memory[key]
        data = None if self._cache is None else self._cache.get(key)
        layer = None if data is None else layer_from_bytes(data)
        if data is not None and layer is None and self._cache is not None:
            self._cache.drop(key)  # else it would be found again, in place of what other keys have
        return layer

    def put_layer(self, key: str, layer: LayerIndex) -> None:
        """Keep a layer under the key that vouches for it."""
        if self._cache is not None:
            self._cache.put(key, layer_to_bytes(layer))
            return
        self._memory[key] = layer
        self._memory.move_to_end(key)
        while len(self._memory) > 1 and sum(kept.count for kept in self._memory.values()) > _MEMORY_ROWS:
            self._memory.popitem(last=False)

    def image(self, keys: Sequence[str]) -> ImageModel | None:
        """The stacked image whose layers have these keys, lowest first."""
        data = None if self._cache is None else self._cache.get(_image_key(keys))
        if data is None:
            return None
        from lamina.image_model import model_from_bytes

        return model_from_bytes(data)

    def put_image(self, keys: Sequence[str], model: ImageModel) -> None:
        """Keep a stacked image; every layer must have been read."""
        if self._cache is not None and all(fact is not None for fact in model.facts):
            from lamina.image_model import model_to_bytes

            self._cache.put(_image_key(keys), model_to_bytes(model))

    def head(self, image_id: str) -> ImageInfo | None:
        """What an engine's export said of an image, names and tags apart."""
        data = None if self._cache is None else self._cache.get(f"head:{image_id}")
        unpacked = None if data is None else unpack(_HEAD, data)
        if unpacked is None:
            return None
        meta, _ = unpacked
        try:
            layers = tuple(LayerInfo(**layer) for layer in meta["layers"])
            return ImageInfo(**{**meta, "layers": layers, "tags": (), "digests": ()})
        except (KeyError, TypeError):
            return None

    def put_head(self, info: ImageInfo) -> None:
        """Keep what an export said of an image."""
        if self._cache is not None:
            meta = dataclasses.asdict(dataclasses.replace(info, tags=(), digests=()))
            self._cache.put(f"head:{info.id}", pack(_HEAD, meta, {}))

    def known(self, image_id: str) -> tuple[tuple[LayerInfo, ...], tuple[int | None, ...]] | None:
        """(layers, their sizes) of an image as its engine told them."""
        data = None if self._cache is None else self._cache.get(f"known:{image_id}")
        unpacked = None if data is None else unpack(_KNOWN, data)
        if unpacked is None:
            return None
        meta, _ = unpacked
        try:
            return tuple(LayerInfo(**layer) for layer in meta["layers"]), tuple(meta["sizes"])
        except (KeyError, TypeError):
            return None

    def put_known(self, image_id: str, layers: Sequence[LayerInfo], sizes: Sequence[int | None]) -> None:
        """Keep what an engine told of an image's layers."""
        if self._cache is not None:
            meta = {"layers": [dataclasses.asdict(layer) for layer in layers], "sizes": list(sizes)}
            self._cache.put(f"known:{image_id}", pack(_KNOWN, meta, {}))


def default_shelf() -> Shelf:
    """The shelf that the environment asks for."""
    return Shelf(default_cache())


def _image_key(keys: Sequence[str]) -> str:
    return "image:" + hashlib.sha256("\n".join(keys).encode()).hexdigest()
