"""An image in a registry, read without an engine."""

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
    """

    def __init__(self, reference: Reference, cache: Cache | None = None, *, insecure: bool = False) -> None:
        self._reference = reference
        self._insecure = insecure
        self._cache = cache or Cache()
        self._client: RegistryClient | None = None
        self._found: Found | None = None

    @property
    def label(self) -> str:
        """See :attr:`lamina.sources.base.Source.label`."""
        return f"registry {self._reference.host}"

    @property
    def remark(self) -> str:
        """A reference names one image."""
        return ""

    @property
    def knows_sizes(self) -> bool:
        """A manifest tells sizes of blobs, not of files."""
        return False

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> builtins.list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`; reads manifest and config."""
        return [summary_of(self._open(cancel or threading.Event(), progress).info)]

    def head(self, cancel: threading.Event) -> ImageInfo:
        """What manifest and config say; see :meth:`read` for the errors."""
        return self._open(cancel, None).info

    def known_images(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`."""
        info = self._open(cancel or threading.Event(), progress).info
        return [KnownImage(summary_of(info), info.layers, (None,) * len(info.layers))]

    def read(
        self,
        target: str | None,  # noqa: ARG002  # there is one
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
        found = self._open(cancel, observer.progress)
        where = f"{found.info.tags[0] if found.info.tags else found.info.target} in registry {self._reference.host}"
        assert self._client is not None
        return read_layers(self._client, found, where, self._cache, observer, cancel, verify=verify)

    def _open(self, cancel: threading.Event, progress: Callable[[Progress], None] | None) -> Found:
        if self._found is None:
            ticker = Ticker(progress, None, f"asking the registry {self._reference.host}")
            self._found = answer(lambda: self._ask(cancel), cancel, ticker.tick)
        return self._found

    def _ask(self, cancel: threading.Event) -> Found:
        if self._client is None:
            self._client = RegistryClient(self._reference, insecure=self._insecure)
        store = RegistryStore(self._client, cancel)
        found = StoreImages(store, "oci").choose(None)
        # Of an index the manifest that was chosen, since that names one image.
        digest = f"{self._reference.name}@{found.manifest_digest}"
        tags = () if self._reference.digest else (str(self._reference),)
        info = dataclasses.replace(found.info, target=f"docker://{self._reference}", tags=tags, digests=(digest,))
        return dataclasses.replace(found, info=info)
