"""Files of an image that was known already: where they are is looked up when one is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lamina.layers.layer_reader import LayerReader
from lamina.sources.base import LayerFiles, LayersInTurn, passing_of, place_of
from lamina.workers.places import FolderPlace, TarPlace


class LazyFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of one image.

    Args:
        find: the cheapest way to them; called once.
    """

    def __init__(self, find: Callable[[], LayerFiles]) -> None:
        self._find = find
        self._found: LayerFiles | None = None

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        return self._files().open(layer, cancel, in_order=in_order)

    def place(self, layer: int) -> TarPlace | FolderPlace | None:
        """See :class:`lamina.sources.base.PlacedFiles`."""
        return place_of(self._files(), layer)

    def passing(self, layer: int) -> LayersInTurn | None:
        """See :class:`lamina.sources.base.PassingFiles`."""
        return passing_of(self._files(), layer)

    def _files(self) -> LayerFiles:
        if self._found is None:
            self._found = self._find()
        return self._found
