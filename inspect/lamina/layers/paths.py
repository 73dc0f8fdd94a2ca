"""Member names become path keys, and whiteout names become what they stand for.

Rules: OCI image-spec layer.md, "Whiteouts": ``.wh.<name>`` removes a lower layer's ``<name>``,
``.wh..wh..opq`` empties its directory of what lower layers put there.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from lamina.layers.index import SEPARATOR
from lamina.model import Kind

_WHITEOUT = b".wh."
_META = b".wh..wh."
_OPAQUE = b".wh..wh..opq"
# A name that is not already "a/b/c": a leading or doubled slash, a "." or ".." component, an empty name.
_ODD = re.compile(rb"(?:^|/)\.{0,2}(?:/|\Z)")

_KIND = np.full(256, 255, dtype=np.uint8)  # 255: no part of a file system (volume labels, dump directories…)
for _flag, _kind in (
    (b"\x00", Kind.FILE),
    (b"0", Kind.FILE),
    (b"7", Kind.FILE),
    (b"S", Kind.FILE),
    (b"1", Kind.HARDLINK),
    (b"2", Kind.SYMLINK),
    (b"3", Kind.CHAR),
    (b"4", Kind.BLOCK),
    (b"5", Kind.DIR),
    (b"6", Kind.FIFO),
):
    _KIND[_flag[0]] = _kind


def path_key(name: bytes) -> bytes:
    """A member's name as a key: normalised, never leaving the root, components joined by NUL.

    ``./a``, ``/a``, ``a//``, ``b/../a`` and ``../a`` all give ``a``; the root gives the empty key.
    """
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            if parts:
                parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return SEPARATOR.join(parts)


def classify(names: list[bytes], flags: NDArray[np.uint8]) -> tuple[list[bytes], NDArray[np.uint8], NDArray[np.bool_]]:
    """Keys and kinds of a batch of members.

    Args:
        names: as the headers and their extensions give them.
        flags: the ustar type flags.

    Returns:
        Keys; kinds; and which rows belong to the index. Left out are members that are no part of a file system:
        unknown types, whiteouts of nothing (``.wh.``, ``.wh...``), aufs' own ``.wh..wh.*`` (engines skip them),
        and anything but a directory that claims to be the root.
    """
    kind = _KIND[flags]
    for row in np.flatnonzero(flags == 0).tolist():  # V7 had no directories: a trailing slash made one
        if names[row].endswith(b"/"):
            kind[row] = Kind.DIR
    keep = kind != 255
    keys = _keys(names)
    if _WHITEOUT in SEPARATOR.join(keys):
        for row, key in enumerate(keys):
            if _WHITEOUT in key:
                _whiteout(row, keys, kind, keep)
    if b"" in keys:
        for row, key in enumerate(keys):
            if not key and kind[row] not in (Kind.DIR, Kind.OPAQUE):
                keep[row] = False
    return keys, kind, keep


def _keys(names: list[bytes]) -> list[bytes]:
    """Keys of names, all in one go where none of them has more to it than a leading ``./`` or ``/`` or a last ``/``."""
    blob = b"\0\0" + b"\0\0".join(names) + b"\0\0"
    blob = blob.replace(b"\0\0./", b"\0\0").replace(b"/", SEPARATOR).replace(b"\0\0\0", b"\0\0")
    if not (b"\0\0\0" in blob or b"\0.\0" in blob or b"\0..\0" in blob):
        keys = blob[2:-2].split(b"\0\0")
        if len(keys) == len(names):  # else a doubled slash parted a name
            return keys
    return [path_key(name) if _ODD.search(name) else name.replace(b"/", SEPARATOR) for name in names]


def _whiteout(row: int, keys: list[bytes], kind: NDArray[np.uint8], keep: NDArray[np.bool_]) -> None:
    parent, _, name = keys[row].rpartition(SEPARATOR)
    if name == _OPAQUE:
        keys[row] = parent
        kind[row] = Kind.OPAQUE
    elif any(part.startswith(_META) for part in keys[row].split(SEPARATOR)):
        keep[row] = False
    elif name.startswith(_WHITEOUT):
        target = name[len(_WHITEOUT) :]
        if target in (b"", b".", b".."):
            keep[row] = False
        else:
            keys[row] = parent + SEPARATOR + target if parent else target
            kind[row] = Kind.WHITEOUT
