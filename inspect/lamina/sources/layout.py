"""An OCI image layout: a folder with ``oci-layout``, ``index.json`` and ``blobs/``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lamina.cache.cache import Cache
from lamina.model import ImageSummary, KnownImage, LaminaError, Progress
from lamina.names import display_name
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.choose import StoreImages
from lamina.sources.folder import Folder
from lamina.workers.pool import Pool


class LayoutSource:
    """The images of one layout folder.

    Args:
        path: the folder.
        cache: what was read before; None: nothing.
        pool: where the work of reading is done; None: on threads.
        platform: see :class:`lamina.sources.choose.StoreImages`.
    """

    def __init__(self, path: str, cache: Cache | None = None, pool: Pool | None = None, platform: str = "") -> None:
        self.label = f"OCI layout {display_name(path)}"
        self._store = Folder(path, self.label)
        self._platform = platform
        self._images: StoreImages | None = None
        self._reader = BlobReader(self.label, self._store.locate, cache or Cache(), pool or Pool())

    def list(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only: it takes no time worth cancelling
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        return self._open().summaries()

    @property
    def remark(self) -> str:
        """See :attr:`lamina.sources.base.Source.remark`."""
        return "" if self._images is None else self._images.remark

    @property
    def knows_sizes(self) -> bool:
        """A table of contents tells no sizes of files."""
        return False

    def known_images(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only, too
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`."""
        return self._open().known_images()

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`."""
        return self._reader.read(self._open().choose(target), observer, cancel, verify=verify)

    def _open(self) -> StoreImages:
        if self._images is None:
            if not is_layout(self._store.path):
                raise LaminaError(
                    f"{display_name(self._store.path)} is a folder but no OCI layout: it has no index.json"
                )
            self._images = StoreImages(self._store, "oci", self._platform)
        return self._images


def is_layout(path: str) -> bool:
    """Whether a folder has one of the two files that make an OCI layout."""
    try:
        return Path(path, "index.json").is_file() or Path(path, "oci-layout").is_file()
    except OSError:  # a folder that we may not look into
        return False
