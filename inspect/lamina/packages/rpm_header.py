"""One package's header as rpm keeps it."""

from __future__ import annotations

import struct

from lamina import limits
from lamina.dataclass import dataclass

_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_DIR_INDEXES, _BASE_NAMES, _DIR_NAMES = 1116, 1117, 1118
_OLD_FILE_NAMES = 1027
"""Tags, rpm's ``rpmtag.h``."""
_INT32, _STRING, _STRING_ARRAY = 4, 6, 8


@dataclass(frozen=True, slots=True)
class Header:
    """What is taken from a header."""

    name: bytes
    version: bytes
    """``epoch:version-release`` as rpm writes it, no epoch where there is none."""
    files: list[bytes]
    """Paths, ``usr/lib/x``."""


def read_header(blob: bytes) -> Header | None:
    """A header as it stands in the database: without the lead, index and data lengths first, all big endian.

    Args:
        blob: the header (rpm's format V4: two counts, entries of 16 bytes, a store).

    Returns:
        None where it is none, or names no package.
    """
    if len(blob) < 8:
        return None
    entries, length = struct.unpack_from(">II", blob)
    start = 8 + 16 * entries
    if start + length > len(blob) or entries > 1 << 16:
        return None
    store = blob[start : start + length]
    index = {tag: (kind, at, count) for tag, kind, at, count in struct.iter_unpack(">IIII", blob[8:start])}

    def strings(tag: int) -> list[bytes]:
        kind, at, count = index.get(tag, (0, 0, 0))
        if kind not in (_STRING, _STRING_ARRAY) or not 0 < count <= min(limits.ROWS, len(store)):
            return []
        found = []
        for _ in range(count):
            end = store.find(b"\0", at)
            if end < 0:
                break
            found.append(store[at:end])
            at = end + 1
        return found

    def numbers(tag: int) -> list[int]:
        kind, at, count = index.get(tag, (0, 0, 0))
        if kind != _INT32 or at + 4 * count > len(store):
            return []
        return list(struct.unpack_from(f">{count}I", store, at))

    name, version = strings(_NAME), strings(_VERSION)
    if not name:
        return None
    epoch, release = numbers(_EPOCH), strings(_RELEASE)
    whole = (b"%d:" % epoch[0] if epoch else b"") + b"-".join(version[:1] + release[:1])
    folders = strings(_DIR_NAMES)
    files = [
        folders[folder] + base
        for folder, base in zip(numbers(_DIR_INDEXES), strings(_BASE_NAMES), strict=False)
        if folder < len(folders)
    ] or strings(_OLD_FILE_NAMES)
    return Header(name[0], whole, [path.lstrip(b"/") for path in files])
