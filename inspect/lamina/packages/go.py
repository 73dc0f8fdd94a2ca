"""Programs that the Go linker made: each has a record of the modules that it was built from."""

from __future__ import annotations

from collections.abc import Callable

from lamina.contents import elf
from lamina.dataclass import dataclass

Read = Callable[[int, int], bytes]
"""Bytes of a file from an offset on."""

HEAD = 4096
"""Bytes at a program's beginning in which its program headers and Go's note stand."""

LEAST = 512 << 10
"""Bytes: the smallest program that the linker makes has twice as many."""

_PT_LOAD, _PT_NOTE, _WRITABLE = 1, 4, 2
"""ELF (elf(5)): kinds and flags of program headers."""
_MAGIC = b"\xff Go buildinf:"
_INLINE = 2
"""Flag: version and modules stand right behind the header (since Go 1.18), and are not pointed to."""
_INFO_AT = 32
_PIECE = 256 << 10
"""Bytes that are read at a time: more than a record has."""
_SEARCHED = 32 << 20
"""Bytes of a segment that the record is looked for in; where C code is linked in, relocated data stands before it."""


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """What a program tells of itself (Go's ``debug/buildinfo``)."""

    path: bytes
    """The package of its main function, ``example.org/tool/cmd/tool``."""
    module: bytes
    """The module that this is in; empty for what was built outside of any."""
    version: bytes
    """Of the module; ``(devel)`` for what was built from a working folder."""


def read_build_info(read: Read) -> BuildInfo | None:
    """The record of a program; None where it is no Go program, or one of before 1.18.

    Args:
        read: the file; asked with ascending offsets.
    """
    head = read(0, HEAD)
    segments = elf.segments(head)
    if not any(each.kind == _PT_NOTE and _is_go(head, each) for each in segments):
        return None
    for each in segments:
        if each.kind == _PT_LOAD and each.flags & _WRITABLE:
            found = _find(read, each.offset, min(each.size, _SEARCHED))
            if found is not None:
                return _parse(found)
    return None


def _find(read: Read, start: int, size: int) -> bytes | None:
    """A segment from its record on, as far as it is of use; None where it has none."""
    data, stop = b"", start + size
    for at in range(start, stop, _PIECE):
        data = data[-len(_MAGIC) :] + read(at, min(_PIECE, stop - at))
        found = data.find(_MAGIC)
        if found >= 0:
            return data[found:] + read(at + _PIECE, min(_PIECE, max(stop - at - _PIECE, 0)))
    return None


def _is_go(head: bytes, notes: elf.Segment) -> bool:
    """Whether a segment of notes has one of Go's; those of most programs stand in the first page."""
    return notes.offset >= len(head) or b"\x04\0\0\0Go\0\0" in head[notes.offset : notes.offset + notes.size]


def _parse(data: bytes) -> BuildInfo | None:
    if len(data) < _INFO_AT or not data[15] & _INLINE:
        return None
    _, at = _counted(data, _INFO_AT)
    modules, _ = _counted(data, at)
    path = module = version = b""
    # Sixteen bytes stand before and behind it, by which it is found in a running program.
    for line in modules[16:-16].split(b"\n"):
        kind, _, rest = line.partition(b"\t")
        if kind == b"path":
            path = rest
        elif kind == b"mod":
            module, _, rest = rest.partition(b"\t")
            version = rest.partition(b"\t")[0]
    return BuildInfo(path, module, version) if path or module else None


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    """A text behind its length (a varint), and where it ends."""
    length = shift = 0
    while at < len(data) and shift < 63:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return data[at : at + length], at + length
