"""Reading the files of one layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lamina.layers.sparse import SparseMap, read_map
from lamina.model import LaminaError

if TYPE_CHECKING:
    from lamina.layers.tar_bytes import TarBytes

_MAPS = 8  # of files that are read in turns


class FileRef(NamedTuple):
    """One regular file of a layer."""

    offset: int
    """Where its content starts in the layer's uncompressed tar, bytes."""
    size: int
    path: bytes
    """In the layer, ``usr/lib/x``."""
    headers: int | None = None
    """Of a sparse file: where the first of its headers stands; None for all others."""


class LayerReader(Protocol):
    """Files of one layer. For one thread at a time; cheapest where they are read in the order of their offsets."""

    random: bool
    """Whether going back in a file costs about as little as going on."""

    def read(self, file: FileRef, start: int, size: int) -> bytes:
        """Bytes of a file from ``start`` on: ``size`` of them, fewer at its end only.

        Raises:
            LaminaError: the layer can't be read any more, or has no such file.
            Cancelled: it was given up meanwhile.
        """

    def stored(self, file: FileRef) -> list[tuple[int, int]]:
        """(start, bytes) of the pieces of a file that may hold anything but NUL, ascending.

        Raises:
            LaminaError: as :meth:`read`.
        """

    def close(self) -> None:
        """Give its resources back."""


def whole(file: FileRef) -> list[tuple[int, int]]:
    """The pieces of a file of which nothing is known to be NUL."""
    return [(0, file.size)] if file.size else []


class TarLayerReader:
    """A :class:`LayerReader` of a layer's tar.

    Args:
        tar: the tar, which is closed with this.
        where: names the layer in errors.
    """

    def __init__(self, tar: TarBytes, where: str) -> None:
        self._tar = tar
        self.random = tar.random
        self._where = where
        self._maps: OrderedDict[int, SparseMap] = OrderedDict()

    def read(self, file: FileRef, start: int, size: int) -> bytes:
        """See :class:`LayerReader`."""
        if file.headers is not None:
            return self._map(file).read(self._tar.read, start, size)
        count = max(min(size, file.size - start), 0)
        return self._tar.read(file.offset + start, count) if count else b""

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """Bytes of the tar itself, headers and all, in pieces as they come."""
        return self._tar.pieces(offset, size)

    def _map(self, file: FileRef) -> SparseMap:
        assert file.headers is not None
        found = self._maps.get(file.offset)
        if found is None:
            try:
                found = read_map(self._tar.read, file.headers, file.offset, file.size)
            except ValueError as error:
                raise LaminaError(f"{self._where}: {error}") from None
            self._maps[file.offset] = found
            if len(self._maps) > _MAPS:
                self._maps.popitem(last=False)
        return found

    def stored(self, file: FileRef) -> list[tuple[int, int]]:
        """See :class:`LayerReader`."""
        if file.headers is None:
            return whole(file)
        return [(segment.start, segment.size) for segment in self._map(file).segments]

    def close(self) -> None:
        """See :class:`LayerReader`."""
        self._tar.close()
