"""The outer tar of an archive: its members, from a seekable file or from a stream.

The standard ``tarfile`` ends silently at a damaged header and can't be fed; here a damaged or truncated archive is
an error, and the same header rules serve both ways of reading. Layers have a reader of their own, which is fast;
an outer tar has few members.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from typing import Protocol

from lamina import limits
from lamina.dataclass import dataclass
from lamina.layers.block import BLOCK, ZERO_BLOCK, checksum_holds, parse_number
from lamina.layers.pax import pax_natural, pax_records
from lamina.model import LaminaError
from lamina.names import decode
from lamina.sources.json_checks import quoted

_MAX_EXTENSION = 1 << 20
_LINKS = (b"1", b"2")
_HEADER_ONLY = (b"1", b"2", b"3", b"4", b"5", b"6")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the outer tar."""

    name: str
    """Normalised: no leading ``./`` or ``/``."""
    offset: int
    """Where its payload starts, bytes from the start of the tar."""
    size: int
    """Bytes of payload; 0 for links and directories."""
    is_file: bool
    link: str | None = None
    """Of a symbolic or hard link: the member's name it points to."""


def normalise(name: str) -> str:
    """A member's name as a path from the archive's root that never leaves it."""
    return posixpath.normpath("/" + name).lstrip("/")


def resolve(name: str, links: dict[str, str], where: str) -> str:
    """Follows link members: old archives link a layer that stands twice as ``../<other>/layer.tar``.

    Raises:
        LaminaError: the links go in a circle.
    """
    name = normalise(name)
    for _ in range(40):  # as many as Linux follows
        if name not in links:
            return name
        name = links[name]
    raise LaminaError(f"the link {quoted(name)} of {where} leads in a circle")


class HeaderReader:
    """Turns header blocks into members; keeps what extension members say of the next one."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._extension = b""
        self._at = 0
        self._next: dict[str, bytes] = {}
        self._count = 0

    def header(self, block: bytes, offset: int) -> Member | int | None:
        """Reads one 512-byte header.

        Args:
            block: the header.
            offset: where it stands, bytes from the start of the tar.

        Returns:
            A member; or the number of payload bytes of an extension to hand to :meth:`extension`; or None at the
            end mark.
        """
        if block == ZERO_BLOCK:
            return None
        if not checksum_holds(block):
            raise LaminaError(f"{self.where}: bad tar header at byte {offset}: damaged, or not a tar archive")
        self._count += 1
        if self._count > limits.ARCHIVE_MEMBERS:
            raise LaminaError(f"{self.where}: more than {limits.ARCHIVE_MEMBERS} members are no image archive")
        flag = block[156:157]
        size = self._size(block[124:136], offset)
        if flag in (b"x", b"g", b"X", b"L", b"K"):
            if size > _MAX_EXTENSION:
                raise LaminaError(f"{self.where}: a tar header at byte {offset} takes {size} bytes: damaged")
            self._extension, self._at = flag, offset
            return size
        if flag == b"S":
            raise LaminaError(f"{self.where}: a sparse member at byte {offset} is no part of an image archive")
        return self._member(block, flag, size, offset + BLOCK)

    def extension(self, payload: bytes) -> None:
        """The payload of the extension that :meth:`header` announced."""
        if self._extension == b"L":
            self._next["path"] = payload.partition(b"\0")[0]
        elif self._extension == b"K":
            self._next["linkpath"] = payload.partition(b"\0")[0]
        elif self._extension in (b"x", b"X"):
            self._pax(payload)
        # A global header (git archive writes one) says nothing of names and sizes that a member relies on.

    def _pax(self, payload: bytes) -> None:
        try:
            for key, value in pax_records(payload):
                if key in (b"path", b"linkpath") and value:
                    self._next[key.decode()] = value.partition(b"\0")[0]
                elif key == b"size" and value:
                    pax_natural(value)
                    self._next["size"] = value
        except ValueError as error:
            raise LaminaError(f"{self.where}: {error} in the PAX header at byte {self._at}: damaged") from None

    def _member(self, block: bytes, flag: bytes, size: int, payload: int) -> Member:
        extra, self._next = self._next, {}
        name = block[:100].partition(b"\0")[0]
        if block[257:263] == b"ustar\0" and block[345]:
            name = block[345:500].partition(b"\0")[0] + b"/" + name
        name = extra.get("path", name)
        if "size" in extra:
            size = pax_natural(extra["size"])
        is_file = flag in (b"0", b"\0", b"7") and not name.endswith(b"/")
        link = None
        if flag in _LINKS:
            target = decode(extra.get("linkpath", block[157:257].partition(b"\0")[0]))
            # A symbolic link counts from its own folder, a hard link from the archive's root.
            base = posixpath.dirname(decode(name)) if flag == b"2" and not target.startswith("/") else ""
            link = normalise(posixpath.join("/", base, target.lstrip("/")))
        if flag in _HEADER_ONLY:
            size = 0
        return Member(name=normalise(decode(name)), offset=payload, size=size, is_file=is_file, link=link)

    def _size(self, field: bytes, offset: int) -> int:
        try:
            size = parse_number(field)
        except ValueError:
            size = -1
        if not 0 <= size < 1 << 63:
            raise LaminaError(f"{self.where}: bad size in the tar header at byte {offset}: damaged")
        return size


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def truncated(where: str, name: str | None) -> LaminaError:
    """The error for an archive that ends too early, in the member ``name`` where that is known."""
    inside = f" in the middle of {quoted(name)}" if name else " in the middle of a tar header"
    return LaminaError(f"{where} ends{inside}: it is truncated, fetch or save it again")


def members(fd: int, size: int, where: str) -> Iterator[Member]:
    """The members of a tar in a seekable file; payloads are skipped.

    Args:
        fd: the open file.
        size: its bytes.
        where: names it in errors.

    Raises:
        LaminaError: damaged or truncated.
    """
    reader = HeaderReader(where)
    offset = 0
    while offset < size:
        block = _pread(fd, BLOCK, offset, where)
        if len(block) < BLOCK:
            raise truncated(where, None)
        member = reader.header(block, offset)
        if member is None:
            return
        offset += BLOCK
        if isinstance(member, int):
            payload = _pread(fd, member, offset, where)
            if len(payload) < member:
                raise truncated(where, None)
            reader.extension(payload)
            offset += _padded(member)
            continue
        if offset + member.size > size:
            raise truncated(where, member.name)
        yield member
        offset += _padded(member.size)


def _pread(fd: int, size: int, offset: int, where: str) -> bytes:
    try:
        return os.pread(fd, size, offset)
    except OSError as error:
        raise LaminaError(f"{where} can't be read: {error.strerror}") from None


class Sink(Protocol):
    """Takes the members of a streamed tar."""

    def begin(self, member: Member) -> None:
        """A member starts."""

    def data(self, chunk: bytes) -> None:
        """Its next bytes; never empty."""

    def end(self) -> None:
        """It is complete."""


class ArchiveTar:
    """A tar fed in chunks of any size, its members handed to a :class:`Sink` as they come."""

    def __init__(self, where: str, sink: Sink) -> None:
        self._where = where
        self._sink = sink
        self._reader = HeaderReader(where)
        self._offset = 0
        self._held = bytearray()  # an incomplete header or extension
        self._wanted = BLOCK
        self._in_extension = 0
        self._member: Member | None = None
        self._left = 0  # payload bytes of the member still to come
        self._skip = 0  # padding still to come
        self.ended = False
        """The end mark was seen: whatever follows is padding."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes; never none.

        Raises:
            LaminaError: a damaged header.
        """
        if self._left > len(data):
            # The stream's bulk lies inside members: it goes on as it is, uncopied.
            self._sink.data(data)
            self._left -= len(data)
            self._offset += len(data)
            return
        view = memoryview(data)
        while view and not self.ended:
            if self._left:
                view = self._payload(view)
            elif self._skip:
                taken = min(self._skip, len(view))
                self._skip -= taken
                self._offset += taken
                view = view[taken:]
            else:
                view = self._headers(view)

    def _payload(self, view: memoryview) -> memoryview:
        taken = min(self._left, len(view))
        self._sink.data(view[:taken].tobytes())
        self._left -= taken
        self._offset += taken
        if not self._left:
            self._close()
        return view[taken:]

    def _headers(self, view: memoryview) -> memoryview:
        taken = min(self._wanted - len(self._held), len(view))
        self._held += view[:taken]
        view = view[taken:]
        if len(self._held) < self._wanted:
            return view
        block, self._held, self._wanted = bytes(self._held), bytearray(), BLOCK
        start = self._offset
        self._offset += len(block)
        if self._in_extension:
            self._reader.extension(block[: self._in_extension])
            self._in_extension = 0
            return view
        member = self._reader.header(block, start)
        if member is None:
            self.ended = True
        elif isinstance(member, int):
            self._in_extension, self._wanted = member, _padded(member)
            if not member:
                self._reader.extension(b"")
                self._wanted = BLOCK
        else:
            self._member, self._left = member, member.size
            self._sink.begin(member)
            if not self._left:
                self._close()
        return view

    def _close(self) -> None:
        assert self._member is not None
        self._skip = _padded(self._member.size) - self._member.size
        self._member = None
        self._sink.end()

    def finish(self) -> None:
        """The stream is at its end.

        Raises:
            LaminaError: in the middle of something.
        """
        if self._member is not None:
            raise truncated(self._where, self._member.name)
        if self._held or self._in_extension:
            raise truncated(self._where, None)
