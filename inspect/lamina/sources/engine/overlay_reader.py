"""Reading an image from its engine's own disk, without an export."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from lamina.cache.cache import Cache
from lamina.cache.keys import diff_key, store_key
from lamina.layers.index import LayerIndex
from lamina.layers.layer_reader import FileRef
from lamina.layers.tarsplit import TarSplitJob
from lamina.model import Cancelled, ImageInfo, Kind, LaminaError, LayerInfo
from lamina.sources.base import Observer, ReadImage
from lamina.sources.engine.overlay_store import StoredImage
from lamina.sources.engine.unpacked_files import UnpackedFiles
from lamina.sources.json_checks import quoted
from lamina.sources.progress import Ticker
from lamina.workers.jobs import FileHashJob, Result
from lamina.workers.pool import Pool

Export = Callable[[threading.Event], Sequence[LayerIndex | None]]
"""Reads all layers the other way, every content hashed; None for those that a cancel came before."""


def known_by(layer: LayerInfo) -> list[str]:
    """The keys a layer of an engine may have been kept under, the best first."""
    return [diff_key(layer.diff_id), store_key(layer.diff_id)]


def read_store(
    stored: StoredImage,
    info: ImageInfo,
    cache: Cache,
    pool: Pool,
    observer: Observer,
    cancel: threading.Event,
    export: Export,
) -> ReadImage:
    """Read an image from its engine's store; see :meth:`lamina.sources.base.Source.read`.

    Args:
        stored: where everything is.
        info: the image.
        cache: what was read before.
        pool: where the work is done.
        observer: notified of layers and progress.
        cancel: stops the reading.
        export: what :class:`StoreContent` falls back to.

    Raises:
        LaminaError: a record there is damaged, or this way can't be exact on it.
    """
    count = len(info.layers)
    keys = [cache.find(known_by(layer)) for layer in info.layers]
    content = StoreContent(stored, info, pool, export)
    files = UnpackedFiles([str(layer.files) for layer in stored.layers], info.target)
    read = ReadImage(info, [None] * count, content, files, keys=keys, cache=cache, read_from="from the engine's store")
    if read.find_stacked(observer):
        cache.put_head(info)
        return read
    missing = []
    for index, key in enumerate(keys):
        layer = None if key is None else cache.layer(key)
        if layer is None:
            missing.append(index)
        else:
            read.layers[index] = layer
            observer.layer(index, layer.facts)
    jobs = [
        TarSplitJob(str(stored.layers[index].tar_split), f"layer {index} in the engine's store") for index in missing
    ]
    order = sorted(range(len(jobs)), key=lambda number: -jobs[number].cost)
    ticker = Ticker(observer.progress, None, "reading the engine's store")

    def done(number: int, result: Result) -> None:
        assert isinstance(result, LayerIndex)
        index = missing[order[number]]
        key = store_key(info.layers[index].diff_id)
        cache.put_layer(key, result)
        read.layers[index], keys[index] = result, key
        observer.layer(index, result.facts)
        ticker.say(f"{sum(layer is not None for layer in read.layers)} of {count} layers")

    try:
        pool.run([jobs[number] for number in order], cancel, done, ticker.advance)
    except Cancelled:
        return read
    cache.put_head(info)
    return read


class StoreContent:
    """The :class:`~lamina.sources.base.Content` of an image in an engine's store.

    Args:
        stored: where the files are.
        info: the image.
        pool: where the work is done.
        export: has every content, should a file in the store be gone or another than the listing says.
    """

    needs_paths = True

    def __init__(self, stored: StoredImage, info: ImageInfo, pool: Pool, export: Export) -> None:
        self._stored = stored
        self._info = info
        self._pool = pool
        self._export = export

    def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        """See :meth:`lamina.sources.base.Content.hashes`."""
        try:
            return self._from_files(files, cancel)
        except LaminaError:
            exported = self._export(cancel)
        return {layer: _ids_at(exported[layer], wanted) for layer, wanted in files.items()}

    def _from_files(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        layers = list(files)
        jobs = [
            FileHashJob(
                str(self._stored.layers[layer].files),
                f"layer {layer} of {quoted(self._info.target)}",
                [(file.path, file.size) for file in files[layer]],
            )
            for layer in layers
        ]
        hashes: dict[int, list[bytes]] = {}

        def done(number: int, result: Result) -> None:
            assert isinstance(result, list)
            hashes[layers[number]] = result

        self._pool.run(jobs, cancel, done, lambda _: None)
        return hashes


def _ids_at(layer: LayerIndex | None, files: list[FileRef]) -> list[bytes]:
    if layer is None:
        raise Cancelled
    rows = np.flatnonzero(layer.kind == Kind.FILE)
    places = np.searchsorted(layer.offset[rows], [file.offset for file in files])
    return [layer.content[row].tobytes() for row in rows[places].tolist()]
