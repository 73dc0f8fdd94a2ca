"""What is asked of files that are looked for, and which of many rows hold to it: whole columns at a time."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamina.among import among
from lamina.contents.file_rows import FileRows
from lamina.contents.globs import Globs
from lamina.dataclass import dataclass
from lamina.model import Change, Kind

Marks = NDArray[np.bool_]

_AMOUNT = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]+)?)(?:(?:([kKmMgGtT])([iI]?)[bB]?)|[bBcC])?")
_POWERS = "kmgt"
_ALL_BITS = 0o7777


class SizeRange(NamedTuple):
    """Bytes."""

    least: int
    most: int | None
    """None: any number."""


def size_range(text: str) -> SizeRange:
    """``+10M`` is more, ``-4k`` less, ``100`` just as many bytes; k, M, G are thousands, Ki, Mi, Gi (KiB…) 1,024.

    Raises:
        ValueError: it is no amount.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    sign, number, unit, binary = found.groups()
    factor = (1024 if binary else 1000) ** (_POWERS.index(unit.lower()) + 1) if unit else 1
    exact = Decimal(number) * factor
    amount = int(exact)
    if sign == "+":
        return SizeRange(amount + 1, None)
    if sign == "-":
        return SizeRange(0, amount - (exact == amount))
    return SizeRange(amount, amount)


class ModeBits(NamedTuple):
    """Permission bits that a mode has to have."""

    bits: int
    how: str
    """``any`` of them, ``all`` of them, or ``just`` them."""
    links: bool = True
    """Whether symbolic links count, which all have all bits."""

    def of(self, modes: NDArray[np.uint16]) -> Marks:
        """Which modes have them."""
        wanted = np.uint16(self.bits)
        if self.how == "any":
            return (modes & wanted) != 0 if self.bits else np.ones(len(modes), dtype=bool)
        found: Marks = ((modes & wanted) == wanted) if self.how == "all" else (modes == wanted)
        return found


MODE_WORDS = {
    "setuid": ModeBits(0o4000, "any"),
    "setgid": ModeBits(0o2000, "any"),
    "sticky": ModeBits(0o1000, "any"),
    "world-writable": ModeBits(0o002, "any", links=False),
}
"""Modes with a name."""


def mode_bits(text: str) -> ModeBits:
    """``/6000`` any of these bits, ``-6000`` all of them, ``755`` just these; or one of :data:`MODE_WORDS`.

    Raises:
        ValueError: it is none of these.
    """
    if text in MODE_WORDS:
        return MODE_WORDS[text]
    how = {"/": "any", "-": "all"}.get(text[:1], "just")
    digits = text if how == "just" else text[1:]
    if not re.fullmatch("[0-7]{1,5}", digits) or int(digits, 8) > _ALL_BITS:
        raise ValueError(text)
    return ModeBits(int(digits, 8), how)


def changes_of(text: str) -> frozenset[Change]:
    """Changes by their marks: ``+Mm-``.

    Raises:
        ValueError: there is no such mark.
    """
    marks = {change.mark: change for change in Change if change is not Change.UNCHANGED}
    if not text or set(text) - marks.keys():
        raise ValueError(text)
    return frozenset(marks[mark] for mark in text)


class Owner(NamedTuple):
    """Numbers of a user and a group; None: any."""

    uid: int | None
    gid: int | None


def owner_of(text: str) -> Owner:
    """``0``, ``0:0`` or ``:0``.

    Raises:
        ValueError: it is no number.
    """
    uid, _, gid = text.partition(":")
    if not (uid or gid) or any(not (part.isascii() and part.isdigit()) for part in (uid, gid) if part):
        raise ValueError(text)
    return Owner(int(uid) if uid else None, int(gid) if gid else None)


KIND_LETTERS = {
    "f": (Kind.FILE, Kind.HARDLINK),
    "d": (Kind.DIR,),
    "l": (Kind.SYMLINK,),
    "h": (Kind.HARDLINK,),
    "c": (Kind.CHAR,),
    "b": (Kind.BLOCK,),
    "p": (Kind.FIFO,),
}
"""Letters that stand for what is in a file system, as find(1) has them; ``h`` for hard links alone."""


def kinds_of(text: str) -> frozenset[Kind]:
    """``f``, or several: ``f,l``.

    Raises:
        ValueError: there is no such letter.
    """
    letters = text.replace(",", "")
    if not letters or set(letters) - KIND_LETTERS.keys():
        raise ValueError(text)
    return frozenset(kind for letter in letters for kind in KIND_LETTERS[letter])


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to hold, all of it; None where nothing is asked."""

    names: Globs | None = None
    """Of the last component."""
    whole_paths: Globs | None = None
    size: SizeRange | None = None
    """Of files: bytes as they are listed, where a hard link has none; of what is removed, those that go. Folders count,
    with all below them, where :attr:`kinds` asks for them."""
    changes: frozenset[Change] | None = None
    owner: Owner | None = None
    modes: tuple[ModeBits, ...] = ()
    kinds: frozenset[Kind] | None = None

    def hold(self, rows: FileRows) -> Marks:
        """Which rows they hold for."""
        found = np.ones(len(rows), dtype=bool)
        kinds = rows.kind
        if self.kinds is not None:
            found &= among(kinds, [int(kind) for kind in self.kinds])
        if self.changes is not None:
            found &= among(rows.change, [int(change) for change in self.changes])
        if self.size is not None:
            weight = rows.weight
            found &= (weight >= self.size.least) & self._weighed(kinds)
            if self.size.most is not None:
                found &= weight <= self.size.most
        if self.owner is not None or self.modes:
            found &= self._metadata(rows, kinds)
        if self.names is not None and found.any():
            found &= self.names.names(rows.union.paths)[rows.path]
        if self.whole_paths is not None:
            left = np.flatnonzero(found)
            found[left] = self.whole_paths.whole(rows.union.paths.texts(rows.path[left]))
        return found

    def _weighed(self, kinds: NDArray[np.uint8]) -> Marks:
        weighed = (
            {Kind.FILE, Kind.HARDLINK, Kind.DIR}
            if self.kinds and Kind.DIR in self.kinds
            else {Kind.FILE, Kind.HARDLINK}
        )
        found: Marks = among(kinds, [int(kind) for kind in weighed])
        return found

    def _metadata(self, rows: FileRows, kinds: NDArray[np.uint8]) -> Marks:
        union, carrier, found = rows.union, rows.carrier, rows.listed
        if self.owner is not None and self.owner.uid is not None:
            found &= union.uid[carrier] == self.owner.uid
        if self.owner is not None and self.owner.gid is not None:
            found &= union.gid[carrier] == self.owner.gid
        for mode in self.modes:
            found &= mode.of(union.mode[carrier])
            if not mode.links:
                found &= kinds != Kind.SYMLINK
        return found
