"""An image by its engine's export: the way that always works."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence

from lamina.cache.cache import Cache
from lamina.cache.keys import diff_key
from lamina.layers.index import LayerIndex
from lamina.model import Cancelled, ImageInfo, LaminaError
from lamina.sources.base import Observer, ReadImage
from lamina.sources.choose import StoreImages
from lamina.sources.engine.client import EngineClient
from lamina.sources.engine.export import ExportStream
from lamina.sources.engine.export_files import ExportFiles
from lamina.sources.json_checks import quoted
from lamina.sources.progress import Ticker
from lamina.sources.store import Found
from lamina.sources.stream import Origin, Passage
from lamina.sources.stream_members import Scanned, StreamMembers


def read_export(
    client: EngineClient,
    info: ImageInfo,
    size: int | None,
    cache: Cache,
    observer: Observer,
    cancel: threading.Event,
    *,
    verify: bool,
) -> ReadImage:
    """Read an image; see :meth:`lamina.sources.base.Source.read`. The observer knows its head already.

    Args:
        client: the engine.
        info: what it says of the image.
        size: bytes that it says the image has; None where it says nothing.
        cache: takes what was read.
        observer: notified of layers and progress.
        cancel: stops the reading.
        verify: check the config against its name, too; layers always are.
    """
    read = ReadImage(
        info,
        [None] * len(info.layers),
        keys=[None] * len(info.layers),
        cache=cache,
        read_from="from the engine's export",
    )
    layers = read.layers
    # The engine's figure is of the files, not of the tar around them: near enough for a bar.
    ticker = Ticker(
        observer.progress,
        size,
        "waiting for the engine, which is packing the image",
        then=f"0 of {len(layers)} layers",
    )

    def layer_done(scanned: Scanned) -> None:
        if scanned.index is None:
            return
        for index, wanted in enumerate(info.layers):
            if wanted.diff_id == scanned.diff_id and layers[index] is None:
                take(index, scanned.index)
        ticker.say(f"{sum(layer is not None for layer in layers)} of {len(layers)} layers")

    def take(index: int, layer: LayerIndex) -> None:
        key = diff_key(info.layers[index].diff_id)
        if cache.layer(key) is None:  # or damaged
            cache.put_layer(key, layer)
        layers[index], read.keys[index] = layer, key
        observer.layer(index, layer.facts)

    where = _where(client, info)
    passage = _passage(client, info, layer_done)
    try:
        passage.run(ticker, cancel)
    except Cancelled:
        return read
    finally:
        passage.close()
    ticker.tick(now=True)
    found = _matching(passage.members, info)
    if verify:
        found.check_config(where)
    for index in range(len(layers)):
        layer = passage.members.bind(found, index)  # compares digests, also of what the observer knows already
        if layers[index] is None:
            take(index, layer)
    read.info = renamed(found.info, info)
    read.files = _files(client, info, [blob.key for blob in found.blobs])
    cache.put_head(read.info)
    return read


def export_files(client: EngineClient, info: ImageInfo) -> ExportFiles:
    """The files of an image that was not exported in this session: which member is which layer is still to be seen."""
    return _files(client, info, None)


def _files(client: EngineClient, info: ImageInfo, names: Sequence[str] | None) -> ExportFiles:
    def look(cancel: threading.Event) -> Sequence[str]:
        if names is not None:
            return names
        passage = _passage(client, info, lambda _: None)
        try:
            passage.run(Ticker(None, None, ""), cancel)
        finally:
            passage.close()
        return [blob.key for blob in _matching(passage.members, info).blobs]

    return ExportFiles(_where(client, info), lambda: ExportStream(client, info.id, info.target), look)


def _where(client: EngineClient, info: ImageInfo) -> str:
    return f"the export of {quoted(info.target)} by the engine at {client.address}"


def _passage(client: EngineClient, info: ImageInfo, layer_done: Callable[[Scanned], None]) -> Passage:
    return Passage(Origin(_where(client, info), lambda: ExportStream(client, info.id, info.target)), layer_done)


def _matching(members: StreamMembers, info: ImageInfo) -> Found:
    """The exported image that has the layers the engine told of.

    Several platforms may come, and an Id that is not the config's digest: the layers decide.
    """
    images = StoreImages(members)
    found = images.first_with([layer.diff_id for layer in info.layers])
    if found is None:
        images.found()  # tells what is wrong with them, where that is it
        raise LaminaError(f"{members.where} has other layers than the engine says the image has")
    return found


def renamed(info: ImageInfo, names: ImageInfo) -> ImageInfo:
    """The exported image under the names that the engine knows it by: an export by ID has lost them."""
    return dataclasses.replace(
        info,
        target=names.target,
        id=names.id,
        tags=names.tags,
        digests=names.digests,
        platform=names.platform,
    )
