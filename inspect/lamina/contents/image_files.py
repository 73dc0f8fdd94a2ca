"""An image as its files: what commands and screens take content from."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lamina.dataclass import dataclass
from lamina.layers.layer_reader import FileRef, LayerReader
from lamina.model import Cancelled, ImageInfo, LaminaError
from lamina.names import display_name
from lamina.sources.base import LayerFiles, Observer, Source

if TYPE_CHECKING:  # numpy is loaded while what was kept is unpacked
    from lamina.figures.image import LoadedImage
    from lamina.stack.union import Union


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """The files of an image, of all its layers."""

    info: ImageInfo
    union: Union
    label: str
    """Of its source, for errors."""
    layers: LayerFiles | None
    """How to read them; None where their bytes have gone by."""

    @property
    def name(self) -> str:
        """What it is called, for people."""
        return display_name(self.info.target)

    def open_layer(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        if self.layers is None:
            raise LaminaError(f"{self.label} has gone by and can't be read again: save it to a file, and open that")
        return self.layers.open(layer, cancel, in_order=in_order)

    def file_ref(self, inode: int) -> FileRef:
        """Where an inode's bytes are in its layer.

        Args:
            inode: the event that carries them.
        """
        union = self.union
        path = union.paths.path(int(union.path[inode]))
        return FileRef(int(union.offset[inode]), int(union.size[inode]), path, union.sparse.get(inode))


def files_of(image: LoadedImage) -> ImageFiles:
    """The files of an image whose figures are computed."""
    return ImageFiles(image.info, image.union, image.source_label, image.layer_files)


def read_files(source: Source, target: str | None, observer: Observer, cancel: threading.Event) -> ImageFiles:
    """Read an image for its files alone: no figure is computed.

    Raises:
        LaminaError: it can't be read.
        Cancelled: ``cancel`` was set.
    """
    read = source.read(target, observer, cancel)
    if cancel.is_set():
        raise Cancelled
    from lamina.figures.stacked import stack

    stacked = stack(read, cancel)
    if cancel.is_set() or None in stacked.facts:
        raise Cancelled
    return ImageFiles(read.info, stacked.union, source.label, read.files)
