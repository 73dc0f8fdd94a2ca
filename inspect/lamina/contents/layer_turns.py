"""Layers opened one after another, in the order in which that is cheapest."""

from __future__ import annotations

import threading
from collections.abc import Collection, Generator

from lamina.contents.image_files import ImageFiles
from lamina.layers.layer_reader import LayerReader
from lamina.sources.base import LayersInTurn, passing_of


def layers_in_turn(
    image: ImageFiles, layers: Collection[int], cancel: threading.Event
) -> Generator[tuple[int, LayerReader], None, None]:
    """Each of some layers, opened, and closed when the next is asked for: the lowest first, or as they come by.

    Args:
        image: the image.
        layers: numbers, each once.
        cancel: ends what is read.

    Yields:
        (number, layer); to be closed where not all are taken.

    Raises:
        LaminaError: one of them can't be read.
        Cancelled: ``cancel`` was set.
    """
    left = sorted(layers)
    # What comes by with others is sent but once for all of them.
    passing: dict[int, tuple[LayersInTurn, list[int]]] = {}
    for layer in left if image.layers is not None else ():
        assert image.layers is not None
        stream = passing_of(image.layers, layer)
        if stream is not None:
            passing.setdefault(id(stream), (stream, []))[1].append(layer)
    come: set[int] = set()
    for stream, numbers in passing.values():
        if len(numbers) > 1:
            for number, reader in stream.in_turn(numbers, cancel):
                come.add(number)
                yield number, reader
    # Of layers of the same bytes but one comes by.
    for layer in left:
        if layer in come:
            continue
        opened = image.open_layer(layer, cancel, in_order=True)
        try:
            yield layer, opened
        finally:
            opened.close()
