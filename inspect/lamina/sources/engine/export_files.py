"""The files of an image that only its engine's export has: the export is asked for again, and read as far as needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from lamina.layers.layer_reader import LayerReader, TarLayerReader
from lamina.layers.tar_bytes import ForwardTar
from lamina.model import Cancelled, LaminaError
from lamina.sources.archive_tar import ArchiveTar, Member
from lamina.sources.blocking import BlockingReader
from lamina.sources.byte_streams import ByteStream, UnpackedStream

Names = Callable[[threading.Event], Sequence[str]]
"""The members of the export that the layers are, lowest first."""


class ExportFiles:
    """The :class:`~lamina.sources.base.LayerFiles` of one image.

    Args:
        where: names the export in errors.
        begin: asks for the export.
        names: tells which member each layer is; asked once, when a file is wanted.
    """

    def __init__(self, where: str, begin: Callable[[], ByteStream], names: Names) -> None:
        self._where = where
        self._begin = begin
        self._names = names
        self._known: Sequence[str] | None = None

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:  # noqa: ARG002
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        if self._known is None:
            self._known = self._names(cancel)
        name, where = self._known[layer], f"layer {layer} of {self._where}"
        return TarLayerReader(ForwardTar(lambda: self._member(name, cancel), where, cancel), where)

    def _member(self, name: str, cancel: threading.Event) -> Iterator[bytes]:
        """The bytes of one member, as they come."""
        raw = self._begin()
        unpacked = UnpackedStream(raw, self._where)
        reading = BlockingReader(unpacked.read, raw.close, raw.interrupt)
        sink = _OneMember(name)
        archive = ArchiveTar(self._where, sink)
        try:
            for chunk in reading.chunks(cancel, lambda: None):
                archive.feed(chunk)
                yield from sink.take()
                if sink.complete:
                    return
            if cancel.is_set():
                raise Cancelled
            raise LaminaError(f"{self._where} is another than before: open the image again")
        finally:
            reading.close()


class _OneMember:
    """A :class:`~lamina.sources.archive_tar.Sink` that takes one member."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inside = False
        self._taken: list[bytes] = []
        self.complete = False
        """All of it came."""

    def begin(self, member: Member) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        self._inside = member.name == self._name and member.is_file

    def data(self, chunk: bytes) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        if self._inside and not self.complete:
            self._taken.append(chunk)

    def end(self) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        self.complete = self.complete or self._inside

    def take(self) -> list[bytes]:
        """What came since the last time."""
        taken, self._taken = self._taken, []
        return taken
