"""Contents of layers that were listed by their tables: such a layer is read whole the first time one is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from lamina.layers.index import LayerIndex
from lamina.layers.layer_reader import FileRef
from lamina.model import Kind, LaminaError
from lamina.sources.json_checks import quoted


class TocContents:
    """Content ids as a reading of the layers gives them (see :class:`lamina.sources.base.Content`).

    Args:
        read: reads one layer of the image whole.
        where: names each layer in errors.
    """

    needs_paths = True

    def __init__(self, read: Callable[[int, threading.Event], LayerIndex], where: Mapping[int, str]) -> None:
        self._read = read
        self._where = where

    def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        """See :meth:`lamina.sources.base.Content.hashes`.

        Raises:
            LaminaError: a layer can't be read, or is not what its table of contents lists.
            Cancelled: ``cancel`` was set.
        """
        return {layer: self._of_layer(layer, wanted, cancel) for layer, wanted in files.items()}

    def _of_layer(self, layer: int, wanted: list[FileRef], cancel: threading.Event) -> list[bytes]:
        index = self._read(layer, cancel)
        known: dict[bytes, tuple[int, bytes]] = {}
        for key, kind, size, content in zip(
            index.keys(), index.kind.tolist(), index.size.tolist(), index.content, strict=True
        ):
            if kind == Kind.FILE:
                known[key.replace(b"\0", b"/")] = size, content.tobytes()
        found = []
        for file in wanted:
            size, content = known.get(file.path, (-1, b""))
            if size != file.size:
                where = self._where[layer]
                raise LaminaError(f"{where}: its table of contents lists another {quoted(str(file.path, 'latin-1'))}")
            found.append(content)
        return found
