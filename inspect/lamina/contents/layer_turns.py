"""Layers opened one after another."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from lamina.contents.image_files import ImageFiles
from lamina.layers.layer_reader import LayerReader


class LayerTurns:
    """Opens the layer that is wanted, and closes the one before: for files in the order of their layers and offsets.

    Args:
        image: the image.
        cancel: ends what is read.
    """

    def __init__(self, image: ImageFiles, cancel: threading.Event) -> None:
        self._image = image
        self._cancel = cancel
        self._number = -1
        self._layer: LayerReader | None = None

    def get(self, number: int) -> LayerReader:
        """A layer, open until another is asked for.

        Raises:
            LaminaError: it can't be read.
        """
        if self._layer is None or number != self._number:
            self._close()
            self._layer = self._image.open_layer(number, self._cancel, in_order=True)
            self._number = number
        return self._layer

    def _close(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None:
            layer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
