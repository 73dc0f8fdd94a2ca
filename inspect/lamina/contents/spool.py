"""An archive that comes once, put aside so that any of its files can be read."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from lamina.layers.layer_reader import LayerReader
from lamina.model import Cancelled, LaminaError
from lamina.sources.base import LayerFiles

_CHUNK = 1 << 20


class Spooled:
    """A temporary file with all that came; it goes when nobody refers to it any more.

    Args:
        stream: what is read to its end.
        cancel: looked at between pieces.
        advance: notified of the bytes of every piece.

    Raises:
        LaminaError: it can't be read, or there is no room for it.
        Cancelled: ``cancel`` was set.
    """

    def __init__(self, stream: BinaryIO, cancel: threading.Event, advance: Callable[[int], None]) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="lamina-", suffix=".tar")  # noqa: SIM115  # goes with this
        self.path = self._file.name
        """Where it is."""
        while True:
            if cancel.is_set():
                raise Cancelled
            try:
                data = stream.read1(_CHUNK) if hasattr(stream, "read1") else stream.read(_CHUNK)
            except OSError as error:
                raise LaminaError(f"standard input can't be read: {error.strerror or error}") from None
            if not data:
                break
            try:
                self._file.write(data)
            except OSError as error:
                there = os.path.dirname(self.path)  # noqa: PTH120
                raise LaminaError(f"standard input can't be put aside in {there}: {error.strerror or error}") from None
            advance(len(data))
        self._file.flush()


class SpooledFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of an image in a spooled archive, which stays as long as this.

    Args:
        files: of the archive.
        spooled: the archive.
    """

    def __init__(self, files: LayerFiles, spooled: Spooled) -> None:
        self._files = files
        self._spooled = spooled

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        return self._files.open(layer, cancel, in_order=in_order)


def file_behind(stream: BinaryIO) -> str | None:
    """The path of an open file that is read from its beginning, so that it need not be put aside; None for a pipe."""
    try:
        number = stream.fileno()
        here, path = os.fstat(number), Path(f"/proc/self/fd/{number}").readlink()
        there = path.stat()
        if stat.S_ISREG(here.st_mode) and os.path.samestat(here, there) and not os.lseek(number, 0, os.SEEK_CUR):
            return str(path)
    except (OSError, ValueError):
        pass
    return None
