"""An image in a registry, of one platform or of all, read without an engine."""

from __future__ import annotations

import builtins
import dataclasses
import threading
from collections.abc import Callable, Sequence

from lamina.cache.cache import Cache
from lamina.model import ImageInfo, ImageSummary, KnownImage, Progress
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blocking import answer
from lamina.sources.choose import StoreImages, summary_of
from lamina.sources.platforms import ALL
from lamina.sources.progress import Ticker
from lamina.sources.registry.client import RegistryClient
from lamina.sources.registry.reader import read_layers
from lamina.sources.registry.reference import Reference
from lamina.sources.registry.store import RegistryStore
from lamina.sources.store import Found


class RegistrySource:
    """The image that a reference names.

    Args:
        reference: the name.
        cache: what was read before; a layer that is known from anywhere is not fetched. None: nothing.
        insecure: see :class:`lamina.sources.registry.client.RegistryClient`.
        platform: see :class:`lamina.sources.choose.StoreImages`.
    """

    def __init__(
        self, reference: Reference, cache: Cache | None = None, *, insecure: bool = False, platform: str = ""
    ) -> None:
        self._reference = reference
        self._insecure = insecure
        self._cache = cache or Cache()
        self._client: RegistryClient | None = None
        self._platform = platform
        self._images: StoreImages | None = None
        self._found: dict[str, Found] = {}

    @property
    def label(self) -> str:
        """See :attr:`lamina.sources.base.Source.label`."""
        return f"registry {self._reference.host}"

    @property
    def remark(self) -> str:
        """See :attr:`lamina.sources.base.Source.remark`."""
        return "" if self._images is None else self._images.remark

    @property
    def knows_sizes(self) -> bool:
        """A manifest tells sizes of blobs, not of files."""
        return False

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> builtins.list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`; reads manifests and configs."""
        return [summary_of(found.info) for found in self._all(cancel or threading.Event(), progress)]

    def head(self, cancel: threading.Event) -> ImageInfo:
        """What manifest and config say; see :meth:`read` for the errors."""
        return self._one(None, cancel, None).info

    def known_images(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`."""
        infos = [found.info for found in self._all(cancel or threading.Event(), progress)]
        return [KnownImage(summary_of(info), info.layers, (None,) * len(info.layers)) for info in infos]

    def read(
        self,
        target: str | None,
        observer: Observer,
        cancel: threading.Event,
        *,
        verify: bool = False,
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`.

        Raises:
            LaminaError: there is no such image, it is denied, or the registry can't be used.
            Cancelled: before the head was known.
        """
        found = self._one(target, cancel, observer.progress)
        where = f"{found.info.tags[0] if found.info.tags else found.info.target} in registry {self._reference.host}"
        assert self._client is not None
        return read_layers(self._client, found, where, self._cache, observer, cancel, verify=verify)

    def _all(self, cancel: threading.Event, progress: Callable[[Progress], None] | None) -> builtins.list[Found]:
        """Every image that the reference leads to, of the platforms that were asked for."""

        def ask() -> builtins.list[Found]:
            return [self._named(found, several=True) for found in self._open(cancel).found()]

        if self._platform != ALL:
            return [self._one(None, cancel, progress)]
        return answer(ask, cancel, self._ticker(progress).tick)

    def _one(self, target: str | None, cancel: threading.Event, progress: Callable[[Progress], None] | None) -> Found:
        wanted = (target or "").removeprefix("docker://")
        if wanted not in self._found:

            def ask() -> Found:
                several = self._platform == ALL and bool(wanted)
                return self._named(self._open(cancel).choose(wanted if several else None), several=several)

            self._found[wanted] = answer(ask, cancel, self._ticker(progress).tick)
        return self._found[wanted]

    def _ticker(self, progress: Callable[[Progress], None] | None) -> Ticker:
        return Ticker(progress, None, f"asking the registry {self._reference.host}")

    def _open(self, cancel: threading.Event) -> StoreImages:
        if self._client is None:
            self._client = RegistryClient(self._reference, insecure=self._insecure)
        if self._images is None:
            self._images = StoreImages(RegistryStore(self._client, cancel), "oci", self._platform)
        return self._images

    def _named(self, found: Found, *, several: bool) -> Found:
        # Of an index the manifest that was chosen, since that names one image.
        digest = f"{self._reference.name}@{found.manifest_digest}"
        tags = () if self._reference.digest else (str(self._reference),)
        target = f"docker://{found.info.target if several else self._reference}"
        info = dataclasses.replace(found.info, target=target, tags=tags, digests=(digest,))
        return dataclasses.replace(found, info=info)
