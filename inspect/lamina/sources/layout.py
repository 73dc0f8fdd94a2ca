"""An OCI image layout: a folder with ``oci-layout``, ``index.json`` and ``blobs/``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lamina.layers.codec import sniff
from lamina.layers.place import Place, open_place, stamp_of
from lamina.model import ImageSummary, LaminaError, Progress
from lamina.names import display_name
from lamina.shelf import Shelf
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.catalogue import Entry, Stored, entries
from lamina.sources.choice import choose, summaries
from lamina.sources.documents import MAX_JSON, quoted, too_large
from lamina.sources.outer import BLOCK


class LayoutSource:
    """The images of one layout folder.

    Args:
        path: the folder.
        shelf: what was read before; None: nothing.
    """

    def __init__(self, path: str, shelf: Shelf | None = None) -> None:
        self.label = f"OCI layout {display_name(path)}"
        self._store = _Folder(path, self.label)
        self._entries: Sequence[Entry] = ()
        self._reader = BlobReader(self.label, self._store.locate, shelf or Shelf())

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


class _Folder:
    """The files of a layout as a :class:`~lamina.sources.catalogue.Store`.

    The catalogue asks for ``index.json`` and for ``blobs/sha256/<hex>`` with hex digits that were checked, so no
    name leads out of the folder.
    """

    def __init__(self, path: str, where: str) -> None:
        self.where = where
        self.path = path

    def document(self, name: str) -> bytes | None:
        place = self._place(name)
        if place is None:
            return None
        if place.size > MAX_JSON:
            raise too_large(f"{quoted(name)} of {self.where}", place.size)
        return self._read(place, place.size)

    def blob(self, name: str) -> Stored | None:
        place = self._place(name)
        if place is None:
            return None
        return Stored(key=name, size=place.size, kind=sniff(self._read(place, min(BLOCK, place.size))))

    def locate(self, key: str) -> Place:
        place = self._place(key)
        if place is None:
            raise LaminaError(f"{quoted(key)} of {self.where} is gone")
        return place

    def _place(self, name: str) -> Place | None:
        path = Path(self.path, name)
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LaminaError(f"{display_name(str(path))} can't be read: {error.strerror}") from None
        if not path.is_file():
            raise LaminaError(f"{display_name(str(path))} is not a file")
        return Place(str(path), 0, status.st_size, stamp_of(status))

    def _read(self, place: Place, size: int) -> bytes:
        fd = open_place(place)
        try:
            data = os.pread(fd, size, 0)
        except OSError as error:
            raise LaminaError(f"{display_name(place.path)} can't be read: {error.strerror}") from None
        finally:
            os.close(fd)
        if len(data) < size:
            raise LaminaError(f"{display_name(place.path)} changed while it was read: open it again")
        return data
