"""ELF programs (elf(5)): their kind, their segments, their loader, and the bytes that only a debugger reads."""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import itemgetter

from lamina import limits
from lamina.dataclass import dataclass

CORE = 4
"""The kind of a core dump."""
_PT_INTERP = 3
_SHT_NOBITS = 8
_DEBUG = (b".symtab", b".strtab", b".debug", b".zdebug", b".gnu.debuglto", b".stab")


@dataclass(frozen=True, slots=True)
class ElfHeader:
    """The head of a program, a library or a core dump."""

    wide: bool
    order: str
    """Of :mod:`struct`."""
    kind: int
    segments: tuple[int, int, int]
    """(offset, bytes of each, count) of the table of segments."""
    sections: tuple[int, int, int, int]
    """The same of sections, and which of them holds their names."""


def read_header(head: bytes) -> ElfHeader | None:
    """The header; None for what is none.

    Args:
        head: the first bytes of the file.
    """
    if len(head) < 64 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    (kind,) = struct.unpack_from(order + "H", head, 16)
    segments_at, sections_at = struct.unpack_from(order + ("QQ" if wide else "II"), head, 32 if wide else 28)
    sizes = struct.unpack_from(order + "HHHHH", head, 54 if wide else 42)
    return ElfHeader(wide, order, kind, (segments_at, sizes[0], sizes[1]), (sections_at, sizes[2], sizes[3], sizes[4]))


@dataclass(frozen=True, slots=True)
class Segment:
    """What is loaded, or read by whoever loads."""

    kind: int
    """``PT_…``."""
    flags: int
    offset: int
    """Where it is in the file."""
    size: int
    """Bytes of it there."""


def segments(head: bytes) -> list[Segment]:
    """A program's segments, as far as their table stands in its first bytes; none of what is no program.

    Args:
        head: the first bytes of the file.
    """
    header = read_header(head)
    if header is None:
        return []
    start, each, count = header.segments
    shape = struct.Struct(header.order + ("IIQQQQQQ" if header.wide else "IIIIIIII"))
    found = []
    for at in range(start, start + each * count, each or 1):
        if each < shape.size or at + shape.size > len(head):
            break
        fields = shape.unpack_from(head, at)
        kind, flags, offset, size = itemgetter(*((0, 1, 2, 5) if header.wide else (0, 6, 1, 4)))(fields)
        found.append(Segment(kind, flags, offset, size))
    return found


def loader_of(head: bytes) -> bytes | None:
    """The path of the loader that a program asks for; None for one that is whole in itself, and for what is none.

    Args:
        head: the first bytes of the file.
    """
    for segment in segments(head):
        if segment.kind == _PT_INTERP:
            text = head[segment.offset : segment.offset + segment.size]
            return text.rstrip(b"\0") if text.endswith(b"\0") else None  # else it stands further on
    return None


def debug_bytes(read: Callable[[int, int], bytes], size: int) -> int:
    """Bytes of a program's symbols and debugging sections, which ``strip`` takes away; 0 for what is none.

    Args:
        read: gives bytes of the file by offset and count.
        size: of the file.
    """
    header = read_header(read(0, 64))
    if header is None:
        return 0
    start, each, count, names_in = header.sections
    shape = struct.Struct(header.order + ("IIQQQQ" if header.wide else "IIIIII"))
    if each < shape.size or names_in >= count or each * count > limits.ADVISED_SECTIONS:
        return 0
    table = read(start, each * count)
    if len(table) < each * count:
        return 0
    sections = [shape.unpack_from(table, each * number) for number in range(count)]
    _, _, _, _, names_at, names_size = sections[names_in]
    names = read(names_at, min(names_size, limits.ADVISED_SECTIONS))
    total = 0
    for name, kind, _, _, offset, length in sections:
        text = names[name : name + 32].partition(b"\0")[0]
        if kind != _SHT_NOBITS and text.startswith(_DEBUG) and offset + length <= size:
            total += length
    return min(total, size)
