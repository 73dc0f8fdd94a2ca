"""What every source of images answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lamina.dataclass import dataclass
from lamina.model import ImageInfo, ImageSummary, KnownImage, Progress

if TYPE_CHECKING:  # numpy comes with these, and the first frame of a screen doesn't wait for it
    from lamina.cache.cache import Cache
    from lamina.layers.index import LayerFacts, LayerIndex
    from lamina.layers.layer_reader import FileRef, LayerReader, TarLayerReader
    from lamina.sources.provenance import Provenance
    from lamina.stack.stored import StackedImage
    from lamina.workers.places import FolderPlace, TarPlace


class Observer(Protocol):
    """Notified of what a reading finds, on the thread that reads: it must be quick and never raise."""

    def head(self, info: ImageInfo) -> None:
        """The config is known; in a stream this may come after some layers were scanned."""

    def layer(self, index: int, facts: LayerFacts) -> None:
        """Layer ``index`` of the image is read whole. Always after :meth:`head`."""

    def progress(self, progress: Progress) -> None:
        """How far the reading has come; at most some ten times a second."""


class NullObserver:
    """An observer for a reading that nobody follows."""

    def head(self, info: ImageInfo) -> None:
        """Nothing."""

    def layer(self, index: int, facts: LayerFacts) -> None:
        """Nothing."""

    def progress(self, progress: Progress) -> None:
        """Nothing."""


class Content(Protocol):
    """Reads file contents again after the scan, where the source can seek back."""

    needs_paths: bool
    """Whether files are found by their paths; else those may be left empty, which saves making them."""

    def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        """Content ids of some files.

        Args:
            files: by layer of the image, in ascending order of their offsets.
            cancel: looked at between files.

        Returns:
            By layer the 16-byte XXH3-128 digest of each, in the order asked.

        Raises:
            LaminaError: the source can't be read any more.
            Cancelled: ``cancel`` was set.
        """


class LayerFiles(Protocol):
    """Opens the layers of an image for the content of their files."""

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """One layer; to be closed.

        Args:
            layer: its place in the image.
            cancel: ends what is read from it.
            in_order: whether files will be asked for by ascending offsets, so that nothing is worth keeping for a way
                back.

        Raises:
            LaminaError: the layer can't be read any more.
            Cancelled: ``cancel`` was set.
        """


@runtime_checkable
class PlacedFiles(Protocol):
    """:class:`LayerFiles` of which some stand where any process can open them."""

    def place(self, layer: int) -> TarPlace | FolderPlace | None:
        """Where a layer's tar, or what was unpacked of it, stands; None where it stands nowhere.

        Raises:
            LaminaError: the layer can't be read any more.
        """


def place_of(files: LayerFiles, layer: int) -> TarPlace | FolderPlace | None:
    """Where a layer's files stand for any process, if they do and that is known."""
    return files.place(layer) if isinstance(files, PlacedFiles) else None


class LayersInTurn(Protocol):
    """Layers that come by one after the other: to open each by itself would mean to have all sent each time."""

    def in_turn(self, layers: Collection[int], cancel: threading.Event) -> Iterator[tuple[int, TarLayerReader]]:
        """Some of them as they come, each to be read forward before the next is asked for.

        Raises:
            LaminaError: they can't be read any more.
            Cancelled: ``cancel`` was set.
        """


@runtime_checkable
class PassingFiles(Protocol):
    """:class:`LayerFiles` of which some come by with others."""

    def passing(self, layer: int) -> LayersInTurn | None:
        """What a layer comes by in; None where it can be had by itself."""


def passing_of(files: LayerFiles, layer: int) -> LayersInTurn | None:
    """What a layer comes by in together with others, if that is so."""
    return files.passing(layer) if isinstance(files, PassingFiles) else None


@dataclass(slots=True)
class ReadImage:
    """An image as it was read."""

    info: ImageInfo
    layers: list[LayerIndex | None]
    """One per layer of ``info``; None where the reading was cancelled before it, or where ``stacked`` says all."""
    content: Content | None = None
    """How to get the content ids that the scan did not compute; None where it computed all."""
    files: LayerFiles | None = None
    """How to read the files of its layers; None where their bytes have gone by."""
    keys: list[str | None] = field(default_factory=list)
    """One per layer: what vouches for it in the cache; empty for what is not to be kept."""
    cache: Cache | None = None
    stacked: StackedImage | None = None
    """The layers stacked, where this very image was stacked before."""
    read_from: str = ""
    """How it was read, for people: ``the engine's export``."""
    fetched: int | None = None
    """Bytes of layers that came over a network; None where it takes none to read them."""
    provenance: Callable[[threading.Event], Provenance | None] | None = None
    """Looks for what its source has of how it was made; see :data:`lamina.sources.store.FindProvenance`."""

    def find_stacked(self, observer: Observer) -> bool:
        """Take the stacked image from the cache, if all layers are known there; tells the observer of its layers."""
        keys = self._known_keys
        if self.cache is None or len(keys) < len(self.info.layers):
            return False
        data = self.cache.image(keys)
        if data is None:
            return False
        from lamina.cache.sealed import Unsealing

        unsealing = Unsealing(data)
        from lamina.stack.stored import stacked_from_raw  # numpy takes as long to load as unpacking does

        raw = unsealing.result()
        stacked = None if raw is None else stacked_from_raw(raw)
        if stacked is None or len(stacked.facts) != len(keys):
            return False
        self.stacked = stacked
        for layer, facts in enumerate(stacked.facts):
            if facts is not None:
                observer.layer(layer, facts)
        return True

    def keep_stacked(self, stacked: StackedImage) -> None:
        """Put the stacked image into the cache, if every layer was read and is vouched for."""
        if self.cache is None or not self._vouched or None in stacked.facts:
            return
        from lamina.stack.stored import stacked_to_bytes

        self.cache.put_image(self._known_keys, stacked_to_bytes(stacked))

    def find_records(self) -> bytes | None:
        """What was kept of the records of package managers in it; None where nothing was."""
        return self.cache.records(self._known_keys) if self.cache is not None and self._vouched else None

    def keep_records(self, data: bytes) -> None:
        """Put what was read of them into the cache, if every layer is vouched for."""
        if self.cache is not None and self._vouched:
            self.cache.put_records(self._known_keys, data)

    @property
    def _known_keys(self) -> list[str]:
        return [key for key in self.keys if key is not None]

    @property
    def _vouched(self) -> bool:
        """Whether what is made of all its layers can be kept."""
        return self.cache is not None and self.cache.keeps_images and len(self._known_keys) == len(self.info.layers)


class Source(Protocol):
    """One place that images come from."""

    @property
    def label(self) -> str:
        """For people: ``archive /srv/web.tar``, ``engine unix:///var/run/docker.sock``."""

    @property
    def remark(self) -> str:
        """What the last listing passed over, in one line for people; empty where it was nothing."""

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> list[ImageSummary]:
        """The images this source holds. Reads no layer, except in a stream, which is scanned on the way.

        Raises:
            LaminaError: the source can't be read or reached.
        """

    @property
    def knows_sizes(self) -> bool:
        """Whether :meth:`known_images` tells the sizes of layers, which then takes no reading of theirs."""

    def known_images(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> Sequence[KnownImage]:
        """All images with their layers. Reads no layer; sizes that are not known without are None.

        Raises:
            LaminaError: the source can't be read or reached.
            Cancelled: ``cancel`` was set.
        """

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """Read one image, every layer once.

        Args:
            target: an ``ImageSummary.target`` of :meth:`list`, or a name, tag, digest or short ID; None for the
                only (or first) image.
            observer: notified of the head, the layers and the progress.
            cancel: looked at at least every few MiB; when set, what was read so far is returned with None
                for the layers that were not.
            verify: check every layer against its digests, also where its bytes would be skipped.

        Raises:
            LaminaError: the image can't be read, is not there, or contradicts its digests.
            Cancelled: cancelled before the head was known.
        """
