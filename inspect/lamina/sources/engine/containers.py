"""Containers of an engine: an image's layers, and on top the read/write layer. Nothing of a container is changed."""

from __future__ import annotations

import builtins
import dataclasses
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from lamina.cache.cache import Cache
from lamina.layers.index import LayerFacts, LayerIndex
from lamina.layers.layer_reader import FileRef, LayerReader
from lamina.layers.paths import path_key
from lamina.model import Cancelled, ContainerInfo, ImageInfo, ImageSummary, KnownImage, LaminaError, LayerInfo, Progress
from lamina.sources.base import Content, LayerFiles, LayersInTurn, Observer, ReadImage, passing_of, place_of
from lamina.sources.engine.answers import container_of, container_summary_of, storage_root
from lamina.sources.engine.archived_files import ArchivedLayer
from lamina.sources.engine.removals import without_opaque
from lamina.sources.engine.source import EngineSource
from lamina.sources.engine.unpacked_files import UnpackedLayer
from lamina.sources.engine.writable_api import WritableArchives
from lamina.sources.engine.writable_folder import NotPlain, WritableFolder
from lamina.sources.json_checks import list_of, object_of, quoted
from lamina.sources.progress import Ticker
from lamina.workers.places import FolderPlace, TarPlace
from lamina.workers.pool import Pool

_LAID_BY_PODMAN = frozenset(
    (
        *(b"dev", b"proc", b"sys", b"run", b"run/notify", b"run/secrets", b"run/.containerenv"),
        *(b"etc/hostname", b"etc/hosts", b"etc/resolv.conf", b"etc/mtab"),
    )
)
"""What Podman puts into every container's own layer, to mount something there; its list of changes lacks it, too."""


class ContainerSource:
    """The containers of one engine.

    Args:
        host: where it listens; None: by the docker CLI's rules.
        cache: what was read before; a read/write layer is never kept.
        pool: where the work of reading is done.
        store: whether the engine's own disk may be read, where this process can.
    """

    def __init__(
        self, host: str | None = None, cache: Cache | None = None, pool: Pool | None = None, *, store: bool = True
    ) -> None:
        # The layers are joined anew below each container: those of its image alone are of no use.
        self._images = EngineSource(host, (cache or Cache()).of_layers(), pool, store=store)
        self._connection = self._images.connection
        self._store = store
        self._engine: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """See :meth:`lamina.sources.base.Source.label`."""
        return str(self._connection)

    @property
    def remark(self) -> str:
        """An engine lists containers only."""
        return ""

    @property
    def knows_sizes(self) -> bool:
        """Nothing has to be read: see :meth:`known_images`, and :meth:`sizes`."""
        return True

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> builtins.list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`; sizes are left out, see :meth:`sizes`."""
        return self._summaries(cancel, progress, sizes=False)

    def sizes(
        self,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
        wanted: Collection[str] | None = None,
    ) -> dict[str, int]:
        """Bytes of each container's read/write layer, by the container's ID; of the ``wanted`` ones, or of all.

        They are counted in its folder, as :meth:`read` does, where this process may look there. Else they are the
        engine's own figure, which counts symbolic links, too.

        Raises:
            LaminaError: the engine can't be asked.
            Cancelled: ``cancel`` was set.
        """
        cancel = cancel or threading.Event()
        ticker = Ticker(progress, None, "looking into containers")
        rows = self._connection.ask(lambda client: client.containers(), cancel, ticker)
        found: dict[str, int] = {}
        ids = [summary.id for summary in map(container_summary_of, rows) if wanted is None or summary.id in wanted]
        for container_id in ids:
            try:
                inspected = self._inspect(container_id, cancel, ticker)
                container, _ = container_of(inspected, "")
                folder = self._folder(container, inspected, cancel, ticker)
                if folder is not None:
                    found[container.id] = folder.size(cancel)
            except LaminaError:
                continue  # gone meanwhile, or not to be read: the engine's figure then
        if len(found) < len(ids):
            told = self._summaries(cancel, progress, sizes=True)
            found = {**{summary.id: summary.size for summary in told if summary.size is not None}, **found}
        return found

    def _summaries(
        self, cancel: threading.Event | None, progress: Callable[[Progress], None] | None, *, sizes: bool
    ) -> builtins.list[ImageSummary]:
        ticker = Ticker(progress, None, "asking the engine for its containers")
        rows = self._connection.ask(lambda client: client.containers(sizes=sizes), cancel, ticker)
        return [container_summary_of(row) for row in rows]

    def known_images(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> Sequence[KnownImage]:
        """None: a container is no image, and an engine's disk is its images' alone."""
        return []

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`; the last layer is the container's own.

        The image's layers are read as those of any image. The read/write layer is read from the engine's disk where
        this process may look there, else through the engine's API.

        Raises:
            LaminaError: there is no such container, or it was removed while it was read.
            Cancelled: before the head was known.
        """
        if not target:
            raise LaminaError("name a container of the engine: `lamina` alone lists them")
        name = target.removeprefix("container:")
        ticker = Ticker(observer.progress, None, "asking the engine")
        inspected = self._inspect(name, cancel, ticker)
        container, image_id = container_of(inspected, name)
        top = _Top(container, observer)
        read = self._images.read(image_id, top, cancel, verify=verify)
        info = top.info_with(read.info)
        index, folder = None, None
        if not cancel.is_set():
            try:
                index, folder = self._writable(container, inspected, cancel, ticker)
            except Cancelled:
                pass
        if index is not None:
            index = without_opaque(index, [layer for layer in read.layers if layer is not None])
        layers = [*read.layers, index]
        if index is not None:
            observer.layer(len(layers) - 1, index.facts)
        return ReadImage(
            info,
            layers,
            _Contents(read.content, folder, len(layers) - 1),
            _Files(read.files, self._opener(container, folder), len(layers) - 1),
            read_from=f"{read.read_from}, its read/write layer {'from its folder' if folder else 'through the API'}",
        )

    def _opener(
        self, container: ContainerInfo, folder: WritableFolder | None
    ) -> Callable[[threading.Event], LayerReader]:
        where = f"container {quoted(container.name)}"
        if folder is not None:
            return lambda cancel: UnpackedLayer(folder.path, where, cancel)
        return lambda cancel: ArchivedLayer(self._connection.client, container.id, where, cancel)

    def _inspect(self, name: str, cancel: threading.Event, ticker: Ticker) -> dict[str, Any]:
        return self._connection.ask(lambda client: client.container(name), cancel, ticker)

    def _writable(
        self, container: ContainerInfo, inspected: Mapping[str, Any], cancel: threading.Event, ticker: Ticker
    ) -> tuple[LayerIndex, WritableFolder | None]:
        """The read/write layer, and the folder where its contents can be read, if it came from there."""
        ticker.say("reading the container's read/write layer")
        folder = self._folder(container, inspected, cancel, ticker)
        if folder is not None:
            try:
                return folder.scan(cancel, ticker), folder
            except (NotPlain, LaminaError):
                pass  # the API tells it all, or what is wrong
        mounts = _mounts(inspected, f"what the engine says of container {quoted(container.name)}")
        archives = WritableArchives(self._connection.client, container.id, container.name, mounts)
        return archives.scan(cancel, ticker), None

    def _folder(
        self, container: ContainerInfo, inspected: Mapping[str, Any], cancel: threading.Event, ticker: Ticker
    ) -> WritableFolder | None:
        if not self._store or not self._connection.client.address.local:
            return None
        if self._engine is None:
            try:
                self._engine = self._connection.ask(lambda client: client.info(), cancel, ticker)
            except LaminaError:
                return None
        engine = self._engine
        path = upper_folder(engine, inspected)
        if path is None:
            return None
        laid = _LAID_BY_PODMAN if engine.get("Driver") == "overlay" else frozenset[bytes]()
        folder = WritableFolder(path, f"container {quoted(container.name)}", laid)
        return folder if folder.readable() else None


def upper_folder(engine: Mapping[str, Any], inspected: Mapping[str, Any]) -> str | None:
    """Where overlayfs keeps a container's read/write layer, as its engine claims.

    Args:
        engine: the engine's answer to ``/info``.
        inspected: its answer about the container.

    Returns:
        None where it tells of none within its own storage, or keeps other owners there than the container has.
    """
    root = storage_root(engine)
    options = engine.get("SecurityOptions")
    shifted = isinstance(options, list) and any("rootless" in str(o) or "userns" in str(o) for o in options)
    host = inspected.get("HostConfig")
    if root is None or shifted or (isinstance(host, dict) and host.get("IDMappings")):
        return None
    value: Any = inspected
    for key in ("GraphDriver", "Data", "UpperDir"):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or "\0" in value or not value.isascii():
        return None
    within = value.startswith(root.rstrip("/") + "/") and os.path.normpath(value) == value
    return value if within and value.endswith("/diff") else None


def _mounts(inspected: Mapping[str, Any], what: str) -> builtins.list[bytes]:
    rows = list_of(inspected.get("Mounts"), what, "Mounts")
    places = [object_of(row, what, "Mounts[]").get("Destination") for row in rows]
    return [path_key(place.encode("utf-8", "surrogateescape")) for place in places if isinstance(place, str)]


class _Top:
    """An observer of an image's reading that tells of the container on it instead."""

    def __init__(self, container: ContainerInfo, observer: Observer) -> None:
        self._container = container
        self._observer = observer
        self.layer: Callable[[int, LayerFacts], None] = observer.layer
        self.progress = observer.progress

    def head(self, info: ImageInfo) -> None:
        """Tell of the container."""
        self._observer.head(self.info_with(info))

    def info_with(self, info: ImageInfo) -> ImageInfo:
        """The image's head with the read/write layer on top."""
        container = self._container
        name, said = f"container:{container.id}", f"read/write layer of container {container.name}"
        top = LayerInfo(index=len(info.layers), diff_id=name, chain_id=name, instruction=said, writable=True)
        return dataclasses.replace(
            info,
            target=f"container:{container.name}",
            id=container.id,
            layers=(*info.layers, top),
            tags=(),
            digests=(),
            container=container,
        )


class _Files:
    """The files of an image's layers, and of its container's own."""

    def __init__(self, image: LayerFiles | None, writable: Callable[[threading.Event], LayerReader], top: int) -> None:
        self._image = image
        self._writable = writable
        self._top = top

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        if layer == self._top:
            return self._writable(cancel)
        if self._image is None:
            raise LaminaError("the image's layers have gone by")
        return self._image.open(layer, cancel, in_order=in_order)

    def place(self, layer: int) -> TarPlace | FolderPlace | None:
        """See :class:`lamina.sources.base.PlacedFiles`."""
        return None if layer == self._top or self._image is None else place_of(self._image, layer)

    def passing(self, layer: int) -> LayersInTurn | None:
        """See :class:`lamina.sources.base.PassingFiles`."""
        return None if layer == self._top or self._image is None else passing_of(self._image, layer)


class _Contents:
    """The contents of an image's files, and of its container's."""

    needs_paths = True

    def __init__(self, image: Content | None, folder: WritableFolder | None, top: int) -> None:
        self._image = image
        self._folder = folder
        self._top = top

    def hashes(
        self, files: dict[int, builtins.list[FileRef]], cancel: threading.Event
    ) -> dict[int, builtins.list[bytes]]:
        """See :meth:`lamina.sources.base.Content.hashes`."""
        below = {layer: wanted for layer, wanted in files.items() if layer != self._top}
        found = self._image.hashes(below, cancel) if below and self._image is not None else {}
        if self._top in files and self._folder is not None:
            found[self._top] = self._folder.hashes(files[self._top], cancel)
        return found
