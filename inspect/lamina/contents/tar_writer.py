"""Files of an image as one tar, written as they are read."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from typing import BinaryIO

from lamina.contents.content import PIECE
from lamina.contents.entries import Entries, Entry
from lamina.contents.image_files import ImageFiles
from lamina.contents.layer_turns import layers_in_turn
from lamina.layers.layer_reader import LayerReader
from lamina.model import Cancelled, Kind
from lamina.names import decode

_TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.HARDLINK: tarfile.LNKTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE,
    Kind.CHAR: tarfile.CHRTYPE,
    Kind.BLOCK: tarfile.BLKTYPE,
    Kind.DIR: tarfile.DIRTYPE,
    Kind.FIFO: tarfile.FIFOTYPE,
    Kind.WHITEOUT: tarfile.REGTYPE,
    Kind.OPAQUE: tarfile.REGTYPE,
}


def write_tar(
    image: ImageFiles,
    entries: Entries,
    out: BinaryIO,
    *,
    cancel: threading.Event | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Write entries, devices and owners included, as a POSIX.1-2001 tar.

    Args:
        image: where they are.
        entries: what to write.
        out: takes the bytes.
        cancel: gives it up: the tar then has no end.
        advance: notified of the bytes of every piece that was written.

    Raises:
        LaminaError: a file can't be read.
        OSError: it can't be written.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    tar = tarfile.open(  # noqa: SIM115  # closed where all was written: a tar that broke off must not look whole
        fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8"
    )

    def add(entry: Entry, layer: LayerReader | None = None) -> None:
        if cancel.is_set():
            raise Cancelled
        tar.addfile(_member(entry), None if layer is None else _Reading(layer, entry, cancel, advance))
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep all of them

    for entry in entries.folders:
        if entry.path or entry.mtime is not None:  # else the root, of which nothing is known
            add(entry)
    files = entries.files_by_layer()
    with closing(layers_in_turn(image, files, cancel)) as turns:
        for number, layer in turns:
            for entry in files[number]:
                add(entry, layer)
    for entry in (*entries.hard_links, *entries.others):
        add(entry)
    tar.close()


def _member(entry: Entry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(decode(entry.path) or ".")
    member.type = _TYPES[entry.kind]
    member.size = entry.size
    member.mode, member.uid, member.gid = entry.mode, entry.uid, entry.gid
    nanoseconds = entry.mtime or 0
    member.mtime = nanoseconds // 10**9
    if nanoseconds % 10**9:
        # A float would lose them.
        sign = "-" if nanoseconds < 0 else ""
        member.pax_headers = {"mtime": f"{sign}{abs(nanoseconds) // 10**9}.{abs(nanoseconds) % 10**9:09}"}
    if entry.kind in (Kind.SYMLINK, Kind.HARDLINK):
        member.linkname = decode(entry.link)
    elif entry.kind in (Kind.CHAR, Kind.BLOCK):
        major, _, minor = entry.link.partition(b":")
        member.devmajor, member.devminor = int(major), int(minor)
    return member


class _Reading(io.RawIOBase):
    """A file of a layer for a writer that reads it from the beginning to its end."""

    def __init__(
        self, layer: LayerReader, entry: Entry, cancel: threading.Event, advance: Callable[[int], None]
    ) -> None:
        self._layer = layer
        self._entry = entry
        self._cancel = cancel
        self._advance = advance
        self._at = 0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        if self._cancel.is_set():
            raise Cancelled
        assert self._entry.file is not None
        left = self._entry.size - self._at
        data = self._layer.read(self._entry.file, self._at, min(left, PIECE if size is None or size < 0 else size))
        self._at += len(data)
        self._advance(len(data))
        return data
