"""The files of an image that only its engine's export has: the export is asked for again, and read as far as needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence

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

    def passing(self, layer: int) -> ExportFiles:  # noqa: ARG002
        """See :class:`lamina.sources.base.PassingFiles`."""
        return self

    def in_turn(self, layers: Collection[int], cancel: threading.Event) -> Iterator[tuple[int, TarLayerReader]]:
        """See :class:`lamina.sources.base.LayersInTurn`: one export for all, of layers of the same bytes the lowest."""
        if self._known is None:
            self._known = self._names(cancel)
        wanted = {self._known[layer]: layer for layer in sorted(layers, reverse=True)}
        pieces = self._pieces(wanted.keys(), cancel)
        begun: set[str] = set()
        try:
            for name, data in pieces:
                if name in begun:
                    continue  # what was not read of the layer before
                begun.add(name)
                layer = wanted[name]
                where = f"layer {layer} of {self._where}"
                rest = _up_to_its_end(data, pieces)
                yield layer, TarLayerReader(ForwardTar(lambda rest=rest: rest, where, cancel), where)  # type: ignore[misc]
                if len(begun) == len(wanted):
                    return
        finally:
            pieces.close()

    def _member(self, name: str, cancel: threading.Event) -> Iterator[bytes]:
        """The bytes of one member, as they come."""
        pieces = self._pieces({name}, cancel)
        try:
            for _, data in pieces:
                if data is None:
                    return
                yield data
        finally:
            pieces.close()

    def _pieces(
        self, names: Collection[str], cancel: threading.Event
    ) -> Generator[tuple[str, bytes | None], None, None]:
        """(member, bytes) of some members of an export, as they come; None for bytes: it ends.

        Raises:
            LaminaError: the export ends before all of them have come.
            Cancelled: ``cancel`` was set.
        """
        raw = self._begin()
        unpacked = UnpackedStream(raw, self._where)
        reading = BlockingReader(unpacked.read, raw.close, raw.interrupt)
        sink = _SomeMembers(names)
        archive = ArchiveTar(self._where, sink)
        try:
            for chunk in reading.chunks(cancel, lambda: None):
                archive.feed(chunk)
                yield from sink.take()
            if cancel.is_set():
                raise Cancelled
            raise LaminaError(f"{self._where} is another than before: open the image again")
        finally:
            reading.close()


def _up_to_its_end(first: bytes | None, pieces: Iterator[tuple[str, bytes | None]]) -> Iterator[bytes]:
    """The bytes of a member whose first have been taken."""
    data = first
    while data is not None:
        yield data
        _, data = next(pieces, ("", None))


class _SomeMembers:
    """A :class:`~lamina.sources.archive_tar.Sink` that takes some members."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._here: str | None = None
        self._taken: list[tuple[str, bytes | None]] = []

    def begin(self, member: Member) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        self._here = member.name if member.name in self._names and member.is_file else None

    def data(self, chunk: bytes) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        if self._here is not None:
            self._taken.append((self._here, chunk))

    def end(self) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        if self._here is not None:
            self._taken.append((self._here, None))
            self._here = None

    def take(self) -> list[tuple[str, bytes | None]]:
        """What came since the last time."""
        taken, self._taken = self._taken, []
        return taken
