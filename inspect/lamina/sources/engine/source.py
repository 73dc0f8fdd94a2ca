"""Images of a container engine that speaks Docker's API: Docker itself, Podman's service, and their like."""

from __future__ import annotations

import builtins
import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lamina.cache.cache import Cache
from lamina.errors import OtherPlatform
from lamina.layers.index import LayerIndex
from lamina.model import ImageInfo, ImageSummary, KnownImage, LaminaError, LayerInfo, Progress
from lamina.sources.base import LayerFiles, NullObserver, Observer, ReadImage
from lamina.sources.blob_files import BlobFiles
from lamina.sources.blobs import BlobReader
from lamina.sources.engine.answers import count_of, id_of, info_of, line_up, newest_first, summary_of
from lamina.sources.engine.client import Refused
from lamina.sources.engine.connection import Connection
from lamina.sources.engine.content_store import find_blobs
from lamina.sources.engine.events import Changes
from lamina.sources.engine.export_reader import export_files, read_export, renamed
from lamina.sources.engine.lazy_files import LazyFiles
from lamina.sources.engine.overlay_reader import Export, StoreContent, known_by, read_store
from lamina.sources.engine.overlay_store import StoredImage, find_image
from lamina.sources.engine.unpacked_files import UnpackedFiles
from lamina.sources.json_checks import quoted
from lamina.sources.manifest import image_info, parse_config
from lamina.sources.platforms import architecture, fits
from lamina.sources.progress import Ticker
from lamina.workers.pool import Pool


class EngineSource:
    """The images of one engine.

    Args:
        host: where it listens; None: by the docker CLI's rules (see :mod:`lamina.sources.engine.address`).
        cache: what was read before; None: nothing.
        pool: where the work of reading is done; None: on threads.
        store: whether the engine's own disk may be read, where this process can.
        platform: what an image must be for, ``linux/arm64``; "" or ``all``: anything, for an engine tells of one.
    """

    def __init__(
        self,
        host: str | None = None,
        cache: Cache | None = None,
        pool: Pool | None = None,
        *,
        store: bool = True,
        platform: str = "",
    ) -> None:
        self.connection = Connection(host)
        self._cache = cache or Cache()
        self._engine: dict[str, Any] | None = None
        self._pool = pool or Pool()
        self._store = store
        self._platform = platform
        self._known: dict[str, tuple[tuple[LayerInfo, ...], tuple[int | None, ...]]] = {}
        """Layers and their sizes by image, for whoever asks again when one of them has changed."""

    @property
    def label(self) -> str:
        """``engine unix:///var/run/docker.sock``."""
        return str(self.connection)

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        ticker = Ticker(progress, None, "asking the engine")
        rows = self.connection.ask(lambda client: client.images(), cancel, ticker)
        return newest_first(map(summary_of, rows))

    def read(
        self,
        target: str | None,
        observer: Observer,
        cancel: threading.Event,
        *,
        verify: bool = False,
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`.

        The observer is notified of the head at once, from what the engine says. Then the first way that is open is
        taken: what was read before; the engine's own disk, where this process may read that; the export, which is read
        as a stream, its layers in whatever order the engine sends them, each checked against its diff_id. The
        instructions of the result are those of the image's config, which are exact where the engine's own history has
        to be guessed at.
        """
        if not target:
            raise LaminaError("name an image of the engine: `lamina` alone lists them")
        ticker = Ticker(observer.progress, None, "asking the engine")
        inspected = self.connection.ask(lambda client: client.image(target), cancel, ticker)
        image_id = id_of(inspected, f"what the engine says of {quoted(target)}")
        kept = self._cache.head(image_id)
        history = self._history(image_id, cancel, ticker) if kept is None else []
        info = info_of(target, inspected, history)
        if not fits(self._platform, info.platform):
            raise OtherPlatform(
                f"{quoted(target)} of the {self.label} is for {quoted(info.platform)}, not for {self._platform} "
                "(it tells of one platform; `docker save` may hold more)"
            )
        if kept is not None and [layer.diff_id for layer in kept.layers] == [layer.diff_id for layer in info.layers]:
            info = renamed(kept, info)
        else:
            kept = None
        observer.head(info)
        read = None
        if not verify:

            def export(cancel: threading.Event) -> builtins.list[LayerIndex | None]:
                return self._export(info, inspected, NullObserver(), cancel, verify=False).layers

            stored = self._stored(info, cancel, ticker)
            if kept is not None:
                content = None if stored is None else StoreContent(stored, info, self._pool, export)
                read = self._from_cache(info, content, LazyFiles(lambda: self._files(info, stored)), observer)
            if read is None and stored is not None:
                read = self._from_store(info, stored, observer, cancel, export)
            if read is None:
                read = self._from_blobs(info, observer, cancel)
        return read or self._export(info, inspected, observer, cancel, verify=verify)

    def _from_cache(
        self, info: ImageInfo, content: StoreContent | None, files: LayerFiles, observer: Observer
    ) -> ReadImage | None:
        """The image if every layer of it was read before."""
        cache = self._cache
        keys = [cache.find(known_by(layer)) for layer in info.layers]
        if None in keys:
            return None
        read = ReadImage(info, [None] * len(keys), content, files, keys=keys, cache=cache, read_from="from the cache")
        if content is None and any(key is not None and key.startswith("store:") for key in keys):
            return None  # content ids of that kind are only as good as the files beside them
        if read.find_stacked(observer):
            return read
        layers = [cache.layer(key) for key in keys if key is not None]
        if None in layers:
            return None
        read.layers = layers
        for index, layer in enumerate(layers):
            if layer is not None:
                observer.layer(index, layer.facts)
        return read

    @property
    def remark(self) -> str:
        """An engine lists images only."""
        return ""

    @property
    def knows_sizes(self) -> bool:
        """An engine tells them with its history."""
        return True

    def known_images(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`; with the number of containers made of each."""
        cancel = cancel or threading.Event()
        ticker = Ticker(progress, None, "asking the engine")
        rows = newest_first(map(summary_of, self.connection.ask(lambda client: client.images(), cancel, ticker)))
        containers = Counter(
            str(row.get("ImageID", ""))
            for row in self.connection.ask(lambda client: client.containers(), cancel, ticker)
        )
        found: builtins.list[KnownImage] = []
        for row in rows:
            ticker.say(f"image {len(found) + 1} of {len(rows)}")
            image = self._known_image(row, cancel, ticker)
            if image is not None:
                found.append(dataclasses.replace(image, containers=containers[image.summary.id]))
        self._known = {image.summary.id: (image.layers, image.sizes) for image in found}
        return found

    def changes(self, cancel: threading.Event) -> Changes:
        """What happens to images and containers from now on.

        Raises:
            LaminaError: the engine can't be asked, or tells of no events.
            Cancelled: ``cancel`` was set.
        """
        return self.connection.ask(Changes, cancel, Ticker(None, None, ""))

    def platform(self, cancel: threading.Event) -> str:
        """What the engine runs images for, and pulls where nobody says otherwise; "" where it doesn't tell.

        Raises:
            LaminaError: the engine can't be asked.
        """
        engine = self.connection.ask(lambda client: client.info(), cancel, Ticker(None, None, ""))
        system, machine = engine.get("OSType"), engine.get("Architecture")
        if not isinstance(system, str) or not isinstance(machine, str) or not system or not machine:
            return ""
        return f"{system}/{architecture(machine)}"

    def fetches_by_position(self, cancel: threading.Event) -> bool:
        """Whether a pull fetches all layers from the first on that the engine lacks, also those it has elsewhere.

        Docker's classic store does; containerd and Podman look for each.

        Raises:
            LaminaError: the engine can't be asked.
        """
        engine = self.connection.ask(lambda client: client.info(), cancel, Ticker(None, None, ""))
        status = engine.get("DriverStatus")
        snapshotter = isinstance(status, list) and any("io.containerd.snapshotter" in str(row) for row in status)
        # Podman's service tells of its storage under the kernel's own name.
        return not snapshotter and engine.get("Driver") not in ("overlay", "vfs")

    def _history(self, image_id: str, cancel: threading.Event, ticker: Ticker) -> builtins.list[dict[str, Any]]:
        """The steps of an image; none where the engine can't tell. Podman 4.3 fails on one that has no date."""
        try:
            return self.connection.ask(lambda client: client.history(image_id), cancel, ticker)
        except Refused:
            return []

    def _known_image(self, summary: ImageSummary, cancel: threading.Event, ticker: Ticker) -> KnownImage | None:
        kept = self._known.get(summary.id) or self._cache.known(summary.id)
        if kept is not None:
            layers, sizes = self._known[summary.id] = kept
        else:
            try:
                inspected = self.connection.ask(lambda client: client.image(summary.id), cancel, ticker)
                history = self._history(summary.id, cancel, ticker)
                layers = info_of(summary.target, inspected, history).layers
            except LaminaError:
                # It was removed in between, or the engine tells too little of it; unless it is the engine that is gone.
                self.connection.ask(lambda client: client.ping(), cancel, ticker)
                return None
            sizes = tuple(step.size for step in line_up(history, len(layers)))
            self._known[summary.id] = layers, sizes
            if history:
                self._cache.put_known(summary.id, layers, sizes)
        return KnownImage(dataclasses.replace(summary, layers=len(layers)), layers, sizes)

    def _export(
        self, info: ImageInfo, inspected: dict[str, Any], observer: Observer, cancel: threading.Event, *, verify: bool
    ) -> ReadImage:
        size = count_of(inspected.get("Size")) or None
        return read_export(self.connection.client, info, size, self._cache, observer, cancel, verify=verify)

    # -- the engine's own disk -------------------------------------------------------------------------------------

    def _stored(self, info: ImageInfo, cancel: threading.Event, ticker: Ticker) -> StoredImage | None:
        """The image in the engine's store, where this process may read that."""
        if not self.connection.client.address.local or not self._store:
            return None
        if self._engine is None:
            try:
                self._engine = self.connection.ask(lambda client: client.info(), cancel, ticker)
            except LaminaError:
                return None  # the export tells what is wrong
        return find_image(self._engine, info.id, info.layers)

    def _from_store(
        self, info: ImageInfo, stored: StoredImage, observer: Observer, cancel: threading.Event, export: Export
    ) -> ReadImage | None:
        """The image from the engine's store, if everything in it is as expected."""
        try:
            config = parse_config(stored.config, "the config in the engine's store")
            exact = image_info(config, target=info.target, image_id=info.id, tags=info.tags)
            if [layer.diff_id for layer in exact.layers] != [layer.diff_id for layer in info.layers]:
                return None
            return read_store(stored, renamed(exact, info), self._cache, self._pool, observer, cancel, export)
        except LaminaError:
            return None  # the export is the way that always works

    def _files(self, info: ImageInfo, stored: StoredImage | None) -> LayerFiles:
        """The cheapest way to the files of an image that was known already."""
        if stored is not None:
            return UnpackedFiles([str(layer.files) for layer in stored.layers], info.target)
        image = None if self._engine is None else find_blobs(self._engine, info)
        if image is not None:
            found, folder = image
            return BlobFiles(found, folder.where, folder.locate, self._cache)
        return export_files(self.connection.client, info)

    def _from_blobs(self, info: ImageInfo, observer: Observer, cancel: threading.Event) -> ReadImage | None:
        """The image from the blobs in the content store of the engine's containerd, if it has them all."""
        if self._engine is None:  # the store is out of reach
            return None
        image = find_blobs(self._engine, info)
        if image is None:
            return None
        found, folder = image
        found = dataclasses.replace(found, info=renamed(found.info, info))
        try:
            reader = BlobReader(folder.where, folder.locate, self._cache, self._pool)
            read = reader.read(found, _HeadKnown(observer), cancel, verify=False)
        except LaminaError:
            return None  # the export is the way that always works
        read.read_from = "from the engine's store"
        self._cache.put_head(found.info)
        return read


class _HeadKnown:
    """An observer that was notified of the head already."""

    def __init__(self, observer: Observer) -> None:
        self.layer = observer.layer
        self.progress = observer.progress

    def head(self, info: ImageInfo) -> None:
        """Nothing new."""
