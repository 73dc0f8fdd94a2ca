"""The files of layers that an engine keeps unpacked."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from lamina.layers.layer_reader import FileRef, LayerReader, whole
from lamina.model import Cancelled, LaminaError
from lamina.names import display_name
from lamina.workers.places import FolderPlace
from lamina.workers.unpacked import is_file, open_file, open_folder


class UnpackedFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of an image in an engine's store.

    Args:
        folders: of each layer where its files are.
        target: names the image in errors.
    """

    def __init__(self, folders: Sequence[str], target: str) -> None:
        self._folders = folders
        self._target = target

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:  # noqa: ARG002
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        return UnpackedLayer(self._folders[layer], self._where(layer), cancel)

    def place(self, layer: int) -> FolderPlace:
        """See :class:`lamina.sources.base.PlacedFiles`."""
        return FolderPlace(self._folders[layer], self._where(layer))

    def _where(self, layer: int) -> str:
        return f"layer {layer} of {display_name(self._target)}"


class UnpackedLayer:
    """A :class:`~lamina.layers.layer_reader.LayerReader` of one folder.

    Args:
        folder: where its files are.
        where: names it in errors.
        cancel: looked at before each read.
    """

    random = True

    def __init__(self, folder: str, where: str, cancel: threading.Event) -> None:
        self._folder = folder
        self._where = where
        self._cancel = cancel
        self._path: bytes | None = None
        self._fd = -1

    def read(self, file: FileRef, start: int, size: int) -> bytes:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        if self._cancel.is_set():
            raise Cancelled
        try:
            self._open(file)
            return os.pread(self._fd, max(min(size, file.size - start), 0), start)
        except OSError as error:
            name = display_name(os.fsdecode(file.path))
            raise LaminaError(f"{self._where}: {name} can't be read in the engine's store: {error.strerror}") from None

    def _open(self, file: FileRef) -> None:
        if self._path == file.path:
            return
        self.close()
        parent, _, name = file.path.rpartition(b"/")
        folder = open_folder(self._folder, parent)
        try:
            self._fd = open_file(folder, name)
        finally:
            os.close(folder)
        self._path = file.path
        if not is_file(self._fd, file.size):
            self.close()
            name_shown = display_name(os.fsdecode(file.path))
            raise LaminaError(f"{self._where}: {name_shown} in the engine's store is not what the layer's record says")

    def stored(self, file: FileRef) -> list[tuple[int, int]]:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        return whole(file)

    def close(self) -> None:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._path = -1, None
