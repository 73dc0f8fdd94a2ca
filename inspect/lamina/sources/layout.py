"""An OCI image layout: a folder with ``oci-layout``, ``index.json`` and ``blobs/``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lamina.cache.cache import Cache
from lamina.model import ImageSummary, LaminaError, Progress
from lamina.names import display_name
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.choose import choose, summaries
from lamina.sources.folder import Folder
from lamina.sources.oci_images import Entry, entries


class LayoutSource:
    """The images of one layout folder.

    Args:
        path: the folder.
        cache: what was read before; None: nothing.
    """

    def __init__(self, path: str, cache: Cache | None = None) -> None:
        self.label = f"OCI layout {display_name(path)}"
        self._store = Folder(path, self.label)
        self._entries: Sequence[Entry] = ()
        self._reader = BlobReader(self.label, self._store.locate, cache or Cache())

    def list(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only: it takes no time worth cancelling
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        return summaries(self._images())

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`."""
        return self._reader.read(choose(self._images(), target, self.label), observer, cancel, verify=verify)

    def _images(self) -> Sequence[Entry]:
        if not self._entries:
            if not is_layout(self._store.path):
                raise LaminaError(
                    f"{display_name(self._store.path)} is a folder but no OCI layout: it has no index.json"
                )
            self._entries = entries(self._store, "oci")
        return self._entries


def is_layout(path: str) -> bool:
    """Whether a folder has one of the two files that make an OCI layout."""
    try:
        return Path(path, "index.json").is_file() or Path(path, "oci-layout").is_file()
    except OSError:  # a folder that we may not look into
        return False
