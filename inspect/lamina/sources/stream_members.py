"""What one pass over an image archive keeps: small documents whole, layers as their index, nothing else.

Neither the order of an archive's members nor their names tell what they are before its table of contents has come,
which is near the end. So each member is known by its first bytes: what may be a layer is scanned at once under its
member's name, what may be a document is kept, and both are bound to an image afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lamina import limits
from lamina.dataclass import dataclass
from lamina.layers.block import BLOCK
from lamina.layers.codec import sniff
from lamina.layers.index import LayerIndex
from lamina.layers.read import StreamScan
from lamina.model import LaminaError
from lamina.sources.archive_tar import Member, resolve
from lamina.sources.json_checks import quoted, too_large
from lamina.sources.store import Found, Stored
from lamina.sources.stream_files import MemberPlace

_KEPT = 4 * limits.DOCUMENT
"""Bytes of all documents together: bounds what a hostile stream can make us hold."""

_SMALL = 1 << 20
_BLOB = re.compile(r"blobs/sha256/[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Scanned:
    """A member that was read as a layer."""

    size: int
    """Bytes as they stood in the stream."""
    kind: str
    digest: str
    diff_id: str
    index: LayerIndex | None
    offset: int = 0
    """Where it stood in the stream's tar."""
    error: LaminaError | None = None
    """Why there is no index. Raised when an image turns out to need the member: it may as well be no layer."""


class StreamMembers:
    """First a :class:`~lamina.sources.archive_tar.Sink`, then a :class:`~lamina.sources.store.Store`.

    Args:
        where: names the stream in errors.
        layer_done: notified of each layer that was scanned whole.
        name: of the file, without its path.
    """

    absence = ""

    def __init__(self, where: str, layer_done: Callable[[Scanned], None] = lambda _: None, name: str = "") -> None:
        self.where = where
        self.name = name or where
        self._layer_done = layer_done
        self._documents: dict[str, bytes] = {}
        self._layers: dict[str, Scanned] = {}
        self._refused: dict[str, int] = {}
        self._links: dict[str, str] = {}
        self._kept = 0
        self._member: Member | None = None
        self._head: bytes | None = b""
        self._buffer: bytearray | None = None
        self._scan: StreamScan | None = None
        self._kind = ""
        self._error: LaminaError | None = None

    # -- as a sink -------------------------------------------------------------------------------------------------

    def begin(self, member: Member) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        # As on extraction, the last one of a name stands.
        self._kept -= len(self._documents.pop(member.name, b""))
        for table in (self._layers, self._refused, self._links):
            table.pop(member.name, None)
        if member.link is not None:
            self._links[member.name] = member.link
        self._member = member if member.is_file else None
        self._head, self._buffer, self._scan, self._error = b"", None, None, None

    def data(self, chunk: bytes) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        if self._member is None:
            return
        if self._head is not None:
            self._head += chunk
            if len(self._head) < BLOCK:
                return
            self._start()
        elif self._buffer is not None:
            self._buffer += chunk
        else:
            self._feed(chunk)

    def end(self) -> None:
        """See :class:`~lamina.sources.archive_tar.Sink`."""
        member = self._member
        if member is None:
            return
        if self._head is not None:
            self._start()
        if self._buffer is not None:
            self._documents[member.name] = bytes(self._buffer)
        elif self._scan is not None:
            self._finish(member, self._scan)
        self._member = self._buffer = self._scan = None

    def _start(self) -> None:
        """Decides by its first bytes what the member is."""
        member, head = self._member, self._head
        assert member is not None
        assert head is not None
        self._head = None
        self._kind = sniff(head[:BLOCK])
        if self._kind in ("tar", "gzip", "zstd", "empty"):
            self._scan = StreamScan(f"{quoted(member.name)} of {self.where}", want_digest=True, want_diff_id=True)
            self._feed(head)
        elif member.size > (limits.DOCUMENT if self._kind == "json" or member.name.endswith(".json") else _SMALL):
            self._refused[member.name] = member.size
        elif self._kept + member.size > _KEPT:
            raise LaminaError(f"{self.where} holds more than {_KEPT >> 20} MiB of JSON: not a container image")
        else:
            self._kept += member.size
            self._buffer = bytearray(head)

    def _feed(self, chunk: bytes) -> None:
        if self._scan is None or self._error is not None:
            return
        try:
            self._scan.feed(chunk)
        except LaminaError as error:
            self._error = error

    def _finish(self, member: Member, scan: StreamScan) -> None:
        index = None
        if self._error is None:
            try:
                index = scan.finish()
            except LaminaError as error:
                self._error = error
        if index is None:
            self._layers[member.name] = Scanned(member.size, self._kind, "", "", None, error=self._error)
            return
        layer = Scanned(member.size, self._kind, scan.digest, scan.diff_id, index, member.offset)
        self._layers[member.name] = layer
        self._layer_done(layer)

    # -- as a store ------------------------------------------------------------------------------------------------

    def document(self, name: str) -> bytes | None:
        """See :class:`~lamina.sources.store.Store`."""
        key = resolve(name, self._links, self.where)
        if key in self._documents:
            return self._documents[key]
        if key in self._refused:
            raise too_large(f"{quoted(name)} of {self.where}", self._refused[key])
        layer = self._layers.get(key)
        if layer is None:
            return None
        if layer.kind == "empty":
            return b""
        raise LaminaError(f"{quoted(name)} of {self.where}: not JSON but {layer.kind} data")

    def blob(self, name: str) -> Stored | None:
        """See :class:`~lamina.sources.store.Store`."""
        key = resolve(name, self._links, self.where)
        if key in self._layers:
            return Stored(key=key, size=self._layers[key].size, kind=self._layers[key].kind)
        if key in self._documents:
            return Stored(key=key, size=len(self._documents[key]), kind="unknown")
        if key in self._refused:
            return Stored(key=key, size=self._refused[key], kind="unknown")
        return None

    def size(self, found: Found, place: int) -> int | None:
        """Bytes of the files of one layer of an image; None where it could not be read."""
        layer = self._layers.get(found.blobs[place].key)
        return None if layer is None or layer.index is None else layer.index.facts.size

    def place(self, found: Found, place: int) -> MemberPlace:
        """Where one layer of an image stands; it was bound before."""
        layer = self._layers[found.blobs[place].key]
        return MemberPlace(layer.offset, layer.size, layer.kind, found.where(place, self.where))

    def bind(self, found: Found, place: int) -> LayerIndex:
        """The index of one layer of an image, once its digests are compared with what the image says.

        Raises:
            LaminaError: the member could not be read as a layer, or is another than it should be.
        """
        where = found.where(place, self.where)
        layer = self._layers.get(found.blobs[place].key)
        if layer is None:
            raise LaminaError(f"{where}: unknown compression: neither tar, gzip nor zstd")
        if layer.index is None:
            raise LaminaError(f"{where}: {layer.error}")
        claim, diff_id = found.digests[place], found.info.layers[place].diff_id
        if claim is not None and claim != layer.digest:
            raise LaminaError(f"{where}: its bytes hash to {layer.digest}, not to the digest the manifest gives")
        if layer.diff_id != diff_id:
            raise LaminaError(f"{where}: its tar hashes to {layer.diff_id}, not to the diff_id the config gives")
        return layer.index
