"""What was read before: layers, stacked images (as bytes: what they mean is not known here), and heads.

Every layer has one or more keys, each naming what would vouch for its bytes (see :mod:`lamina.cache.keys`). A stacked
image is kept under the keys its layers were really found or read by, never under what an archive merely claims.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lamina.cache.folder import CacheFolder
from lamina.cache.sealed import seal, unseal
from lamina.model import ImageInfo, LayerInfo

if TYPE_CHECKING:  # numpy is loaded when something is there that needs it
    from lamina.layers.index import LayerIndex

_HEAD = "head"
_KNOWN = "known"
_POINTS = "points:"
_RECORDS = "records:"
_MEMORY_ROWS = 2_000_000
"""Rows of layers held in memory where no folder holds them: some 200 MB."""


class Cache:
    """Layers and images that were read before.

    Args:
        folder: where they are kept; None: in memory only, for as long as this object lives.
    """

    def __init__(self, folder: CacheFolder | None = None) -> None:
        self._folder = folder if folder is not None and folder.path is not None else None
        self._memory: OrderedDict[str, LayerIndex] = OrderedDict()
        self.keeps_images = self._folder is not None
        """Whether stacked images are kept at all."""

    def of_layers(self) -> Cache:
        """The same, without stacked images: for who needs the layers themselves."""
        view = copy.copy(self)
        view.keeps_images = False
        return view

    def find(self, keys: Sequence[str]) -> str | None:
        """The first of some keys that something is kept under."""
        for key in keys:
            if key in self._memory or (self._folder is not None and self._folder.has(key)):
                return key
        return None

    def layer(self, key: str) -> LayerIndex | None:
        """A layer; None where there is none under the key, or a damaged one."""
        if key in self._memory:
            return self._memory[key]
        data = None if self._folder is None else self._folder.get(key)
        if data is None:
            return None
        from lamina.cache.layers import layer_from_bytes

        layer = layer_from_bytes(data)
        if layer is None and self._folder is not None:
            self._folder.drop(key)  # else it would be found again, in place of what other keys have
        return layer

    def put_layer(self, key: str, layer: LayerIndex) -> None:
        """Keep a layer under the key that vouches for it."""
        if self._folder is not None:
            from lamina.cache.layers import layer_to_bytes

            self._folder.put(key, layer_to_bytes(layer))
            return
        self._memory[key] = layer
        self._memory.move_to_end(key)
        while len(self._memory) > 1 and sum(kept.count for kept in self._memory.values()) > _MEMORY_ROWS:
            self._memory.popitem(last=False)

    def image(self, keys: Sequence[str]) -> bytes | None:
        """What was kept of the stacked image whose layers have these keys, lowest first."""
        return self._folder.get(_image_key(keys)) if self._folder is not None and self.keeps_images else None

    def put_image(self, keys: Sequence[str], data: bytes) -> None:
        """Keep a stacked image under the keys of its layers, lowest first."""
        if self._folder is not None:
            self._folder.put(_image_key(keys), data)

    def records(self, keys: Sequence[str]) -> bytes | None:
        """What was kept of the records of package managers in an image whose layers have these keys."""
        data = None if self._folder is None else self._folder.get(_RECORDS + _image_key(keys))
        return None if data is None else unseal(data)

    def put_records(self, keys: Sequence[str], data: bytes) -> None:
        """Keep them."""
        if self._folder is not None:
            self._folder.put(_RECORDS + _image_key(keys), seal(data))

    def points(self, key: str) -> bytes | None:
        """From where a packed layer can be unpacked; None where nothing is kept under the key that vouches for it."""
        data = None if self._folder is None else self._folder.get(_POINTS + key)
        return None if data is None else unseal(data)

    def put_points(self, key: str, points: bytes) -> None:
        """Keep them."""
        if self._folder is not None:
            self._folder.put(_POINTS + key, seal(points))

    def head(self, image_id: str) -> ImageInfo | None:
        """What an engine's export said of an image, names and tags apart."""
        meta = self._meta(_HEAD, f"head:{image_id}")
        if meta is None:
            return None
        try:
            layers = tuple(LayerInfo(**layer) for layer in meta["layers"])
            return ImageInfo(**{**meta, "layers": layers, "tags": (), "digests": ()})
        except (KeyError, TypeError):
            return None

    def put_head(self, info: ImageInfo) -> None:
        """Keep what an export said of an image."""
        if self._folder is not None:
            meta = dataclasses.asdict(dataclasses.replace(info, tags=(), digests=()))
            self._folder.put(f"head:{info.id}", _document(_HEAD, meta))

    def known(self, image_id: str) -> tuple[tuple[LayerInfo, ...], tuple[int | None, ...]] | None:
        """(layers, their sizes) of an image as its engine told them."""
        meta = self._meta(_KNOWN, f"known:{image_id}")
        if meta is None:
            return None
        try:
            return tuple(LayerInfo(**layer) for layer in meta["layers"]), tuple(meta["sizes"])
        except (KeyError, TypeError):
            return None

    def put_known(self, image_id: str, layers: Sequence[LayerInfo], sizes: Sequence[int | None]) -> None:
        """Keep what an engine told of an image's layers."""
        if self._folder is not None:
            meta = {"layers": [dataclasses.asdict(layer) for layer in layers], "sizes": list(sizes)}
            self._folder.put(f"known:{image_id}", _document(_KNOWN, meta))

    def _meta(self, kind: str, key: str) -> dict[str, Any] | None:
        """What :func:`_document` was given; None where nothing whole of this kind is kept."""
        data = None if self._folder is None else self._folder.get(key)
        raw = None if data is None else unseal(data)
        try:
            document = None if raw is None else json.loads(raw)
            return document["meta"] if document is not None and document["kind"] == kind else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def _document(kind: str, meta: dict[str, Any]) -> bytes:
    return seal(json.dumps({"kind": kind, "meta": meta}).encode())


def _image_key(keys: Sequence[str]) -> str:
    return "image:" + hashlib.sha256("\n".join(keys).encode()).hexdigest()
