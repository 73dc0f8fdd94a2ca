"""Blobs as files of a folder, each under its digest."""

from __future__ import annotations

import os
from pathlib import Path

from lamina import limits
from lamina.layers.block import BLOCK
from lamina.layers.codec import sniff
from lamina.model import LaminaError
from lamina.names import display_name
from lamina.sources.json_checks import quoted, too_large
from lamina.sources.store import Stored
from lamina.workers.file_range import FileRange, open_range, stamp_of


class Folder:
    """A folder with ``blobs/sha256/``, an OCI layout or the like, as a :class:`~lamina.sources.store.Store`.

    The catalogue asks for ``index.json`` and for ``blobs/sha256/<hex>`` with hex digits that were checked, so no
    name leads out of the folder.
    """

    absence: str = ""
    """See :attr:`lamina.sources.store.Store.absence`."""

    def __init__(self, path: str, where: str) -> None:
        self.where = where
        self.name = Path(path).resolve().name
        self.path = path

    def document(self, name: str) -> bytes | None:
        """See :meth:`lamina.sources.store.Store.document`."""
        place = self._place(name)
        if place is None:
            return None
        if place.size > limits.DOCUMENT:
            raise too_large(f"{quoted(name)} of {self.where}", place.size)
        return self._read(place, place.size)

    def blob(self, name: str) -> Stored | None:
        """See :meth:`lamina.sources.store.Store.blob`."""
        place = self._place(name)
        if place is None:
            return None
        return Stored(key=name, size=place.size, kind=sniff(self._read(place, min(BLOCK, place.size))))

    def locate(self, key: str) -> FileRange:
        """Where a blob's bytes stand.

        Raises:
            LaminaError: it is gone, or can't be read.
        """
        place = self._place(key)
        if place is None:
            raise LaminaError(f"{quoted(key)} of {self.where} is gone")
        return place

    def _place(self, name: str) -> FileRange | None:
        path = Path(self.path, name)
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LaminaError(f"{display_name(str(path))} can't be read: {error.strerror}") from None
        if not path.is_file():
            raise LaminaError(f"{display_name(str(path))} is not a file")
        return FileRange(str(path), 0, status.st_size, stamp_of(status))

    def _read(self, place: FileRange, size: int) -> bytes:
        fd = open_range(place)
        try:
            data = os.pread(fd, size, 0)
        except OSError as error:
            raise LaminaError(f"{display_name(place.path)} can't be read: {error.strerror}") from None
        finally:
            os.close(fd)
        if len(data) < size:
            raise LaminaError(f"{display_name(place.path)} changed while it was read: open it again")
        return data
