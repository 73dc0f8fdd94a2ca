"""A docker-archive or OCI archive in a plain seekable file: read in place, by seeking."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lamina import limits
from lamina.cache.cache import Cache
from lamina.layers.block import BLOCK
from lamina.layers.codec import sniff
from lamina.model import ImageSummary, KnownImage, LaminaError, Progress
from lamina.names import display_name
from lamina.sources.archive_tar import Member, members, resolve
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.choose import StoreImages
from lamina.sources.json_checks import quoted, too_large
from lamina.sources.store import Form, Stored
from lamina.workers.file_range import FileRange, open_range, stamp_of
from lamina.workers.pool import Pool


class ArchiveSource:
    """The images of one archive file.

    Args:
        path: the file.
        form: the table of contents to go by; None: whichever there is.
        cache: what was read before; None: nothing.
        pool: where the work of reading is done; None: on threads.
        platform: see :class:`lamina.sources.choose.StoreImages`.
    """

    def __init__(
        self,
        path: str,
        form: Form | None = None,
        cache: Cache | None = None,
        pool: Pool | None = None,
        platform: str = "",
    ) -> None:
        self.label = f"archive {display_name(path)}"
        self._form = form
        self._platform = platform
        self._cache = cache or Cache()
        self._pool = pool or Pool()
        self._path = path
        self._opened: _Opened | None = None

    def list(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only: it takes no time worth cancelling
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        return self._open().images.summaries()

    @property
    def remark(self) -> str:
        """See :attr:`lamina.sources.base.Source.remark`."""
        return "" if self._opened is None else self._opened.images.remark

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
        return self._open().images.known_images()

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`."""
        opened = self._open()
        return opened.reader.read(opened.images.choose(target), observer, cancel, verify=verify)

    def _open(self) -> _Opened:
        if self._opened is None:
            store = _Archive(self._path, self.label)
            reader = BlobReader(self.label, store.locate, self._cache, self._pool)
            self._opened = _Opened(StoreImages(store, self._form, self._platform), reader)
        return self._opened


class _Opened(NamedTuple):
    images: StoreImages
    reader: BlobReader


class _Archive:
    """The members of an archive file as a :class:`~lamina.sources.store.Store`."""

    absence = ""

    def __init__(self, path: str, where: str) -> None:
        self.where = where
        self.name = Path(path).name
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
        if member.size > limits.DOCUMENT:
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
