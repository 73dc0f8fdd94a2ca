"""Reading the layers of an image that is in a registry: several at a time, each blob once, none that is known."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lamina.amounts import size_bytes
from lamina.cache.cache import Cache
from lamina.cache.keys import blob_key, diff_key, toc_key
from lamina.dataclass import dataclass
from lamina.layers.index import LayerIndex
from lamina.layers.read import scan_stream
from lamina.model import Cancelled, LaminaError
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blocking import answer
from lamina.sources.progress import Ticker
from lamina.sources.registry.client import RegistryClient
from lamina.sources.registry.layer_files import RegistryFiles, RemoteLayer
from lamina.sources.registry.layer_stream import LayerStream
from lamina.sources.registry.toc import TocPlace, fetch_toc, toc_place
from lamina.sources.registry.toc_contents import TocContents
from lamina.sources.store import Found

if TYPE_CHECKING:
    from lamina.sources.store import FindProvenance

_LOOK = 0.05  # seconds between two looks at the cancel event


@dataclass(frozen=True, slots=True)
class _Blob:
    """One blob to fetch, with all layers of the image that it is."""

    digest: str
    size: int
    diff_id: str
    where: str
    layers: tuple[int, ...]
    toc: TocPlace | None = None
    """Its table of contents, if it has one that is used."""

    @property
    def keys(self) -> list[str]:
        """What it may be kept under, the best first."""
        return [diff_key(self.diff_id), blob_key(self.digest), *([toc_key(self.toc.digest)] if self.toc else [])]


def read_layers(
    client: RegistryClient,
    found: Found,
    where: str,
    cache: Cache,
    observer: Observer,
    cancel: threading.Event,
    *,
    verify: bool,
) -> ReadImage:
    """Read an image; see :meth:`lamina.sources.base.Source.read`. The observer is called on this thread only."""
    info = found.info
    observer.head(info)
    count = len(info.layers)
    read = ReadImage(info, [None] * count, keys=[None] * count, cache=cache, provenance=_leaving(found.provenance))
    blobs = _blobs(found, where, tables=not verify)
    total = sum(blob.size for blob in blobs)
    whole = _whole(client, blobs, cache)
    by_layer = {layer: blob for blob in blobs for layer in blob.layers}
    if any(blob.toc for blob in blobs):
        read.content = TocContents(whole, {layer: blob.where for layer, blob in by_layer.items()})
    remote = {n: RemoteLayer(b.digest, b.size, b.where, b.toc is not None) for n, b in by_layer.items()}
    read.files = RegistryFiles(client, remote, whole)
    if not verify:
        for blob in blobs:
            key = cache.find(blob.keys)
            for layer in blob.layers:
                read.keys[layer] = key
        if read.find_stacked(observer):
            read.read_from, read.fetched = f"from the cache: 0 B of {size_bytes(total)} fetched", 0
            return read
    missing = []
    for blob in blobs:
        key = read.keys[blob.layers[0]]
        kept = None if key is None else cache.layer(key)
        if kept is None or key is None:
            missing.append(blob)
        else:
            _place(read, blob, key, kept, observer)
    fetching = _Fetching(client, cache, cancel, verify=verify)
    try:
        fetching.run(missing, read, observer)
    finally:
        place, read.fetched = "the registry" if missing else "the cache", fetching.fetched
        read.read_from = f"from {place}: {size_bytes(fetching.fetched)} of {size_bytes(total)} fetched"
    if fetching.listed:
        many = "layer is" if fetching.listed == 1 else "layers are"
        read.read_from += f", {fetching.listed} {many} listed by their tables of contents"
    return read


def _leaving(find: FindProvenance | None) -> FindProvenance | None:
    """The same question, but one that can be left while the registry is silent."""
    return None if find is None else lambda cancel: answer(lambda: find(cancel), cancel)


def _whole(
    client: RegistryClient, blobs: Sequence[_Blob], cache: Cache
) -> Callable[[int, threading.Event], LayerIndex]:
    """What reads a layer to its end, if it was not before."""
    by_layer = {layer: replace(blob, toc=None) for blob in blobs for layer in blob.layers}

    def whole(layer: int, cancel: threading.Event) -> LayerIndex:
        blob = by_layer[layer]
        key = cache.find(blob.keys)
        index = None if key is None else cache.layer(key)
        if index is None:
            stream = LayerStream(client, blob.digest, blob.size, blob.where, cancel)
            index = scan_stream(
                stream.chunks(), where=blob.where, digest=blob.digest, cancel=cancel, advance=lambda _: None
            )
            cache.put_layer(blob_key(blob.digest), index)
        return index

    return whole


def _place(read: ReadImage, blob: _Blob, key: str, index: LayerIndex, observer: Observer) -> None:
    for layer in blob.layers:
        read.layers[layer], read.keys[layer] = index, key
        observer.layer(layer, index.facts)


def _blobs(found: Found, where: str, *, tables: bool) -> list[_Blob]:
    layers: dict[str, list[int]] = {}
    for layer, info in enumerate(found.info.layers):
        assert info.digest is not None  # an image of a manifest has them
        layers.setdefault(info.digest, []).append(layer)
    blobs = [
        _Blob(digest, found.blobs[at[0]].size, found.info.layers[at[0]].diff_id, found.where(at[0], where), tuple(at))
        for digest, at in layers.items()
    ]
    if not tables or not found.annotations:
        return blobs
    return [replace(blob, toc=toc_place(found.annotations[blob.layers[0]])) for blob in blobs]


class _Fetching:
    """Threads that each fetch one blob after the other."""

    def __init__(self, client: RegistryClient, cache: Cache, cancel: threading.Event, *, verify: bool) -> None:
        self._client = client
        self._cache = cache
        self._cancel = cancel
        self._verify = verify
        self._stop = threading.Event()
        self._told: queue.SimpleQueue[int | tuple[_Blob, LayerIndex, str] | BaseException] = queue.SimpleQueue()
        self._streams: list[LayerStream] = []
        self.fetched = 0
        """Bytes of blobs that came."""
        self.listed = 0
        """Layers of which only the table of contents did."""

    def run(self, blobs: Sequence[_Blob], read: ReadImage, observer: Observer) -> None:
        """Fetch blobs, the largest first, and put each into its places.

        Raises:
            LaminaError: one of them can't be read.
        """
        waiting: queue.SimpleQueue[_Blob] = queue.SimpleQueue()
        for blob in sorted(blobs, key=lambda blob: -blob.size):
            waiting.put(blob)
        for number in range(min(len(blobs), max(2, os.cpu_count() or 1))):
            # Daemons: a registry that has stalled must not keep the process.
            threading.Thread(target=self._work, args=(waiting,), name=f"lamina-fetch-{number}", daemon=True).start()
        ticker = Ticker(observer.progress, sum(blob.size for blob in blobs), "")
        left = len(blobs)
        try:
            while left:
                ticker.say(f"{sum(layer is not None for layer in read.layers)} of {len(read.layers)} layers")
                if self._cancel.is_set():
                    return
                try:
                    told = self._told.get(timeout=_LOOK)
                except queue.Empty:
                    ticker.tick()
                    continue
                if isinstance(told, int):
                    self.fetched += told
                    ticker.advance(told)
                elif isinstance(told, Cancelled):
                    return
                elif isinstance(told, BaseException):
                    raise told
                else:
                    blob, index, key = told
                    if key not in (diff_key(blob.diff_id), blob_key(blob.digest)):
                        self.listed += len(blob.layers)
                        ticker.advance(blob.size)
                    self._cache.put_layer(key, index)
                    _place(read, blob, key, index, observer)
                    left -= 1
            ticker.tick(now=True)
        finally:
            self._stop.set()
            for stream in self._streams:
                stream.interrupt()

    def _work(self, waiting: queue.SimpleQueue[_Blob]) -> None:
        while not self._stop.is_set():
            try:
                blob = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._told.put((blob, *self._fetch(blob)))
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits
                self._told.put(error)
                return

    def _fetch(self, blob: _Blob) -> tuple[LayerIndex, str]:
        """A layer, and the key that vouches for it."""
        if blob.toc is not None:
            try:
                index = fetch_toc(
                    self._client, blob.digest, blob.size, blob.toc, blob.where, self._stop, self._told.put
                )
            except LaminaError:
                pass  # then it is read as any other; whatever is wrong shows there
            else:
                return index, toc_key(blob.toc.digest)
        stream = LayerStream(self._client, blob.digest, blob.size, blob.where, self._stop)
        self._streams.append(stream)
        index = scan_stream(
            stream.chunks(),
            where=blob.where,
            digest=blob.digest,
            diff_id=blob.diff_id if self._verify else None,
            cancel=self._stop,
            advance=self._told.put,
        )
        return index, diff_key(blob.diff_id) if self._verify else blob_key(blob.digest)
