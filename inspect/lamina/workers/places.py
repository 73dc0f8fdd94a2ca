"""Where a layer's files can be read by any process: in a tar, as it is or packed, or unpacked in a folder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from lamina.workers.file_range import FileRange, open_range

if TYPE_CHECKING:  # what unpacks is loaded when something is to be unpacked
    from lamina.layers.tar_bytes import TarBytes

PLAIN = ("tar", "empty")
"""Kinds of blobs that are no packed ones."""


class TarPlace(NamedTuple):
    """A layer's tar that can be read wherever the file can."""

    file: FileRange
    kind: str
    """What :func:`lamina.layers.codec.sniff` says of it."""
    start: int
    """Where the tar begins in what is unpacked: an archive that is packed as a whole has several."""
    where: str
    """Names it in errors."""


class FolderPlace(NamedTuple):
    """Where an engine keeps the files of a layer."""

    folder: str
    where: str
    """Names it in errors."""


def open_in_order(file: FileRange, kind: str, where: str, cancel: threading.Event) -> TarBytes:
    """A blob that will be read by ascending offsets; to be closed.

    Raises:
        LaminaError: it is gone, or no longer the same.
    """
    from lamina.layers.tar_bytes import ForwardTar, PlainTar, file_chunks

    if kind in PLAIN:
        return PlainTar(open_range(file), file.offset, file.size, where)
    return ForwardTar(lambda: file_chunks(open_range(file), file.offset, file.size, where), where, cancel)
