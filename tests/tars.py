"""Tars made by hand, byte for byte, without lamina's or tarfile's code.

The writer knows nothing of what is right: it can make every oddity that a reader must stand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

BLOCK = 512
END = bytes(2 * BLOCK)
"""The end marker."""

USTAR = b"ustar\x0000"
GNU = b"ustar  \0"
V7 = bytes(8)

SOME_TIME = 1_600_000_000


@dataclass(frozen=True)
class Member:
    """One tar member, as it is to be written."""

    name: bytes
    flag: bytes = b"0"
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = SOME_TIME
    link: bytes = b""
    pax: Mapping[bytes, bytes] = field(default_factory=dict)
    """Records of an extended header written before it."""
    size: int | None = None
    """The header's size field where it is to differ from the content's length."""
    magic: bytes = USTAR
    device: tuple[int, int] = (0, 0)

    def but(self, **changes: object) -> Member:
        """The same member, some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def as_bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def file(name: str | bytes, content: bytes | int = b"", **fields: object) -> Member:
    """A regular file; a number for its content means that many bytes."""
    if isinstance(content, int):
        content = b"x" * content
    return Member(as_bytes(name), content=content).but(**fields)


def directory(name: str | bytes, **fields: object) -> Member:
    return Member(as_bytes(name), b"5", mode=0o755).but(**fields)


def symlink(name: str | bytes, target: str | bytes, **fields: object) -> Member:
    return Member(as_bytes(name), b"2", link=as_bytes(target), mode=0o777).but(**fields)


def hardlink(name: str | bytes, target: str | bytes, **fields: object) -> Member:
    return Member(as_bytes(name), b"1", link=as_bytes(target)).but(**fields)


def fifo(name: str | bytes, **fields: object) -> Member:
    return Member(as_bytes(name), b"6").but(**fields)


def char_device(name: str | bytes, major: int, minor: int, **fields: object) -> Member:
    return Member(as_bytes(name), b"3", device=(major, minor)).but(**fields)


def whiteout(path: str | bytes) -> Member:
    """The marker that removes ``path`` of the lower layers."""
    parent, slash, name = as_bytes(path).rpartition(b"/")
    return Member(parent + slash + b".wh." + name)


def opaque(path: str | bytes) -> Member:
    """The marker that empties the directory ``path`` of what the lower layers put there."""
    path = as_bytes(path)
    return Member((path + b"/" if path else b"") + b".wh..wh..opq")


def octal(value: int, width: int) -> bytes:
    """A numeric field: octal digits and a NUL."""
    return b"%0*o\0" % (width - 1, value)


def base256(value: int, width: int) -> bytes:
    """A numeric field as GNU tar writes what octal can't hold."""
    if value < 0:
        return b"\xff" + (value + (1 << 8 * (width - 1))).to_bytes(width - 1, "big")
    return b"\x80" + value.to_bytes(width - 1, "big")


def number(value: int, width: int) -> bytes:
    """Octal where it fits, else base-256."""
    return octal(value, width) if 0 <= value < 8 ** (width - 1) else base256(value, width)


def seal(block: bytes | bytearray, *, signed: bool = False) -> bytes:
    """A header block with its checksum filled in."""
    block = bytearray(block)
    block[148:156] = b" " * 8
    total = sum(byte - 256 if signed and byte > 127 else byte for byte in block)
    block[148:156] = b"%06o\0 " % total
    return bytes(block)


def header(member: Member, size: int | None = None) -> bytes:
    """The header block of a member; its name and link are cut to their 100 bytes."""
    block = bytearray(BLOCK)
    block[0:100] = member.name[:100].ljust(100, b"\0")
    block[100:108] = number(member.mode, 8)
    block[108:116] = number(member.uid, 8)
    block[116:124] = number(member.gid, 8)
    stated = member.size if member.size is not None else len(member.content)
    block[124:136] = number(stated if size is None else size, 12)
    block[136:148] = number(member.mtime, 12)
    block[156:157] = member.flag
    block[157:257] = member.link[:100].ljust(100, b"\0")
    block[257:265] = member.magic
    if member.flag in b"34":
        block[329:337], block[337:345] = number(member.device[0], 8), number(member.device[1], 8)
    return seal(block)


def padded(payload: bytes) -> bytes:
    """A payload and its padding."""
    return payload + bytes(-len(payload) % BLOCK)


def pax_record(key: bytes, value: bytes) -> bytes:
    """``length key=value\\n``, the length counting itself."""
    length = len(key) + len(value) + 3
    while length != len(b"%d %s=%s\n" % (length, key, value)):
        length = len(b"%d %s=%s\n" % (length, key, value))
    return b"%d %s=%s\n" % (length, key, value)


def extension(flag: bytes, payload: bytes, name: bytes = b"extension") -> bytes:
    """A member that only describes the next one (or, flag ``g``, all further ones)."""
    return header(Member(name, flag), len(payload)) + padded(payload)


def pax_header(records: Mapping[bytes, bytes]) -> bytes:
    return extension(b"x", b"".join(pax_record(key, value) for key, value in records.items()))


def written(member: Member) -> bytes:
    """All bytes of one member; what does not fit its header goes into an extended header."""
    records = dict(member.pax)
    if len(member.name) > 100:
        records.setdefault(b"path", member.name)
    if len(member.link) > 100:
        records.setdefault(b"linkpath", member.link)
    return (pax_header(records) if records else b"") + header(member) + padded(member.content)


def layer_tar(*members: Member, end: bytes = END) -> bytes:
    """A layer's uncompressed tar."""
    return b"".join(map(written, members)) + end
