"""Two versions of a path held against each other: of two layers, or of two images."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator
from typing import NamedTuple

from lamina.contents.content import PIECE, FileContent, open_content
from lamina.contents.image_files import ImageFiles
from lamina.dataclass import dataclass
from lamina.model import Cancelled, Kind
from lamina.stack.union import ABSENT

TEXT = 4 << 20
"""Bytes of a file that is compared line by line; of a larger one only the first difference is told."""
LINES = 20_000
"""Lines between the first and the last difference that are lined up; of more they are told as one block."""
CONTEXT = 3
"""Lines that are shown around a difference."""

_REGULAR = (Kind.FILE, Kind.HARDLINK)
_HEAD = 8 << 10  # bytes in which a NUL tells that a file is no text


class Version(NamedTuple):
    """What one layer put at a path."""

    image: ImageFiles
    event: int
    """Of its union."""


class FieldChange(NamedTuple):
    """Something beside the content that differs."""

    name: str
    """``type``, ``size``, ``mode``, ``owner``, ``time``, ``target``, ``attributes``."""
    before: object
    after: object


class DiffLine(NamedTuple):
    """A line of text on either side."""

    before: int | None
    """Its number there, from 1; None where it is only in the other."""
    after: int | None
    text: bytes
    """Without its line end."""

    @property
    def mark(self) -> str:
        """As diff(1) marks it."""
        return "-" if self.after is None else "+" if self.before is None else " "


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two versions have in common."""

    fields: list[FieldChange]
    sizes: tuple[int, int]
    """Bytes of their contents; 0 of what has none."""
    first_difference: int | None
    """Offset of the first byte that differs; None where the contents are the same."""
    hunks: list[list[DiffLine]] | None
    """Of two texts the places that differ, with the lines around them; none where only the end of the last line
    differs; None for what is not compared by lines."""

    @property
    def same_content(self) -> bool:
        """Whether both hold the same bytes."""
        return self.first_difference is None


def compare_versions(before: Version, after: Version, cancel: threading.Event | None = None) -> Comparison:
    """Hold one version against another.

    Args:
        before: the older one.
        after: the newer one.
        cancel: gives it up.

    Raises:
        LaminaError: one of them can't be read.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    fields = _fields(before, after)
    sizes = _size(before), _size(after)
    if not (_has_content(before) and _has_content(after)):
        return Comparison(fields, sizes, None if sizes == (0, 0) else 0, None)
    if before.image is after.image and _inode(before) == _inode(after):
        return Comparison(fields, sizes, None, None)
    with open_content(*before, cancel) as old, open_content(*after, cancel) as new:
        first = _first_difference(old, new, cancel)
        if first is None or max(sizes) > TEXT:
            return Comparison(fields, sizes, first, None)
        texts = old.read(0, old.size), new.read(0, new.size)
    if any(b"\0" in text[:_HEAD] for text in texts):
        return Comparison(fields, sizes, first, None)
    return Comparison(fields, sizes, first, _hunks(*texts, cancel))


def _inode(version: Version) -> int:
    return int(version.image.union.inode[version.event])


def _has_content(version: Version) -> bool:
    union = version.image.union
    return union.kind[version.event] in _REGULAR and _inode(version) != ABSENT


def _size(version: Version) -> int:
    return int(version.image.union.size[_inode(version)]) if _has_content(version) else 0


def _fields(before: Version, after: Version) -> list[FieldChange]:
    found = [
        FieldChange(name, old, new)
        for (name, old), (_, new) in zip(_described(before), _described(after), strict=True)
        if old != new
    ]
    # A directory's time changes with everything that is put in it.
    return [field for field in found if field.name != "time" or before.image.union.kind[before.event] != Kind.DIR]


def _described(version: Version) -> Iterator[tuple[str, object]]:
    union, event = version.image.union, version.event
    kind = Kind(int(union.kind[event]))
    carrier = _inode(version) if _has_content(version) else event
    yield "type", Kind.FILE if kind == Kind.HARDLINK else kind
    yield "size", _size(version)
    yield "mode", int(union.mode[carrier])
    yield "owner", (int(union.uid[carrier]), int(union.gid[carrier]))
    yield "time", int(union.mtime[carrier])
    yield "target", union.link_texts[int(union.link[event])] if kind not in _REGULAR else b""
    yield "attributes", union.xattr_texts[int(union.xattr[carrier])]


def _first_difference(old: FileContent, new: FileContent, cancel: threading.Event) -> int | None:
    at, end = 0, min(old.size, new.size)
    while at < end:
        if cancel.is_set():
            raise Cancelled
        size = min(PIECE, end - at)
        mine, other = old.read(at, size), new.read(at, size)
        if mine != other:
            return at + _differs_at(mine, other)
        at += size
    return None if old.size == new.size else end


def _differs_at(a: bytes, b: bytes) -> int:
    """Where two pieces of one length part: by halves, for a comparison costs nothing."""
    low, high = 0, len(a)
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _hunks(old: bytes, new: bytes, cancel: threading.Event) -> list[list[DiffLine]]:
    a, b = _lines(old), _lines(new)
    hunks = []
    for group in _grouped(_opcodes(a, b)):
        if cancel.is_set():
            raise Cancelled
        lines: list[DiffLine] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [DiffLine(i + 1, j + 1, a[i]) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)]
            else:
                lines += [DiffLine(i + 1, None, a[i]) for i in range(i1, i2)]
                lines += [DiffLine(None, j + 1, b[j]) for j in range(j1, j2)]
        hunks.append(lines)
    return hunks


def _lines(text: bytes) -> list[bytes]:
    """What stands between line ends; a carriage return stays, for it may be what differs."""
    lines = text.split(b"\n")
    return lines if lines[-1] else lines[:-1]


_Opcode = tuple[str, int, int, int, int]


def _opcodes(a: list[bytes], b: list[bytes]) -> list[_Opcode]:
    """How to come from one to the other, as difflib says it; what begins and ends alike is no work for it."""
    start, most = 0, min(len(a), len(b))
    while start < most and a[start] == b[start]:
        start += 1
    end = 0
    while end < most - start and a[-1 - end] == b[-1 - end]:
        end += 1
    mine, other = a[start : len(a) - end], b[start : len(b) - end]
    if len(mine) + len(other) > LINES:
        inner: list[_Opcode] = [("replace", 0, len(mine), 0, len(other))]
    else:
        matcher = difflib.SequenceMatcher(None, mine, other, autojunk=len(mine) + len(other) > LINES // 10)
        inner = list(matcher.get_opcodes())
    shifted = [(tag, i1 + start, i2 + start, j1 + start, j2 + start) for tag, i1, i2, j1, j2 in inner]
    head: list[_Opcode] = [("equal", 0, start, 0, start)] if start else []
    tail: list[_Opcode] = [("equal", len(a) - end, len(a), len(b) - end, len(b))] if end else []
    return [*head, *shifted, *tail]


def _grouped(opcodes: list[_Opcode]) -> Iterator[list[_Opcode]]:
    """The differences, those that stand close to each other together, each with some lines around it."""
    group: list[_Opcode] = []
    for number, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        first, last = number == 0, number == len(opcodes) - 1
        if not first:
            taken = i2 - i1 if not last and i2 - i1 <= 2 * CONTEXT else min(CONTEXT, i2 - i1)
            group.append((tag, i1, i1 + taken, j1, j1 + taken))
            if taken == i2 - i1 and not last:
                continue
            yield group
            group = []
        if not last:
            kept = min(CONTEXT, i2 - i1)
            group = [(tag, i2 - kept, i2, j2 - kept, j2)]
    if any(tag != "equal" for tag, *_ in group):
        yield group
