"""The files of layers in a registry: a layer is fetched as far as the file that is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from lamina.layers.index import LayerIndex
from lamina.layers.layer_reader import FileRef, LayerReader, TarLayerReader
from lamina.layers.tar_bytes import ForwardTar
from lamina.model import Kind, LaminaError
from lamina.sources.json_checks import quoted
from lamina.sources.registry.client import RegistryClient
from lamina.sources.registry.layer_stream import LayerStream


class RemoteLayer(NamedTuple):
    """A layer's blob in a registry."""

    digest: str
    size: int
    where: str
    """Names it in errors."""
    listed: bool
    """Whether it has a table of contents, from which its index may be: that has no offsets."""


class RegistryFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of one image.

    Args:
        client: the repository.
        layers: by the layer's place in the image.
        whole: reads a layer to its end for its index.
    """

    def __init__(
        self,
        client: RegistryClient,
        layers: Mapping[int, RemoteLayer],
        whole: Callable[[int, threading.Event], LayerIndex],
    ) -> None:
        self._client = client
        self._layers = layers
        self._whole = whole

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:  # noqa: ARG002
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        blob = self._layers[layer]

        def begin() -> LayerStream:
            return LayerStream(self._client, blob.digest, blob.size, blob.where, cancel)

        reader = TarLayerReader(ForwardTar(lambda: begin().chunks(), blob.where, cancel), blob.where)
        return _ByPath(reader, self._whole(layer, cancel), blob.where) if blob.listed else reader


class _ByPath:
    """A layer of which only paths are known, not where in its tar they stand."""

    random = False

    def __init__(self, reader: TarLayerReader, index: LayerIndex, where: str) -> None:
        self._reader = reader
        self._where = where
        rows = np.flatnonzero(index.kind == Kind.FILE).tolist()
        keys = index.keys()
        self._files = {
            (path := keys[row].replace(b"\0", b"/")): FileRef(
                int(index.offset[row]), int(index.size[row]), path, index.sparse.get(row)
            )
            for row in rows
        }

    def read(self, file: FileRef, start: int, size: int) -> bytes:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        return self._reader.read(self._found(file), start, size)

    def stored(self, file: FileRef) -> list[tuple[int, int]]:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        return self._reader.stored(self._found(file))

    def _found(self, file: FileRef) -> FileRef:
        found = self._files.get(file.path)
        if found is None or found.size != file.size:
            raise LaminaError(f"{self._where}: its table of contents lists another {quoted(str(file.path, 'latin-1'))}")
        return found

    def close(self) -> None:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        self._reader.close()
