"""A docker-archive or OCI archive in a plain seekable file: read in place, by seeking."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from lamina.cache.cache import Cache
from lamina.layers.codec import sniff
from lamina.model import ImageSummary, LaminaError, Progress
from lamina.names import display_name
from lamina.sources.archive_tar import BLOCK, Member, members, resolve
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.choose import choose, summaries
from lamina.sources.json_checks import MAX_JSON, quoted, too_large
from lamina.sources.oci_images import Entry, Form, Stored, entries
from lamina.workers.file_range import FileRange, open_range, stamp_of


class ArchiveSource:
    """The images of one archive file.

    Args:
        path: the file.
        form: the table of contents to go by; None: whichever there is.
        cache: what was read before; None: nothing.
    """

    def __init__(self, path: str, form: Form | None = None, cache: Cache | None = None) -> None:
        self.label = f"archive {display_name(path)}"
        self._form = form
        self._cache = cache or Cache()
        self._path = path
        self._entries: Sequence[Entry] = ()
        self._reader: BlobReader | None = None

    def list(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only: it takes no time worth cancelling
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        self._open()
        return summaries(self._entries)

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`."""
        reader = self._open()
        return reader.read(choose(self._entries, target, self.label), observer, cancel, verify=verify)

    def _open(self) -> BlobReader:
        if self._reader is None:
            store = _Archive(self._path, self.label)
            self._entries = entries(store, self._form)
            self._reader = BlobReader(self.label, store.locate, self._cache)
        return self._reader


class _Archive:
    """The members of an archive file as a :class:`~lamina.sources.oci_images.Store`."""

    def __init__(self, path: str, where: str) -> None:
        self.where = where
        self._path = path
        self._members: dict[str, Member] = {}
        self._links: dict[str, str] = {}
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            raise LaminaError(f"{where} can't be read: {getattr(error, 'strerror', None) or error}") from None
        try:
            status = os.fstat(fd)
            self._stamp = stamp_of(status)
            for member in members(fd, status.st_size, where):
                # As on extraction, a later member of the same name stands in the place of an earlier one.
                self._members.pop(member.name, None)
                self._links.pop(member.name, None)
                if member.link is not None:
                    self._links[member.name] = member.link
                elif member.is_file:
                    self._members[member.name] = member
        finally:
            os.close(fd)

    def document(self, name: str) -> bytes | None:
        member = self._members.get(resolve(name, self._links, self.where))
        if member is None:
            return None
        if member.size > MAX_JSON:
            raise too_large(f"{quoted(name)} of {self.where}", member.size)
        return self._read(member, member.size)

    def blob(self, name: str) -> Stored | None:
        key = resolve(name, self._links, self.where)
        member = self._members.get(key)
        if member is None:
            return None
        return Stored(key=key, size=member.size, kind=sniff(self._read(member, min(BLOCK, member.size))))

    def locate(self, key: str) -> FileRange:
        member = self._members[key]
        return FileRange(self._path, member.offset, member.size, self._stamp)

    def _read(self, member: Member, size: int) -> bytes:
        fd = open_range(FileRange(self._path, member.offset, member.size, self._stamp))
        try:
            data = os.pread(fd, size, member.offset)
        except OSError as error:
            raise LaminaError(f"{self.where} can't be read: {error.strerror}") from None
        finally:
            os.close(fd)
        if len(data) < size:
            raise LaminaError(f"{self.where} changed while it was read: open it again")
        return data
