"""Members that only describe the next one: PAX records, GNU long names, sparse maps.

Sources: POSIX.1-2001 pax format; the GNU tar manual's "Sparse Formats". Global PAX headers are read past and
not applied, as engines do (Go's archive/tar hands them to the caller, and no engine applies them).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import xxhash

from lamina.dataclass import dataclass
from lamina.layers.block import BLOCK, parse_number
from lamina.layers.pax import pax_natural, pax_records

_XATTR = b"SCHILY.xattr."
_SHORT = 128  # bytes
_INT64_MAX = 2**63 - 1


@dataclass(slots=True)
class Override:
    """What extensions say of the next member; None where they are silent."""

    name: bytes | None = None
    link: bytes | None = None
    size: int | None = None
    """Bytes of the stored payload."""
    real_size: int | None = None
    """Bytes of a sparse file as it reads back."""
    sparse: bool = False
    sparse_map: bytes | bytearray = b""
    start: int = 0
    """Where the first header of the member stands in the tar."""
    uid: int | None = None
    gid: int | None = None
    mtime: int | None = None
    """Nanoseconds."""
    xattrs: bytes = b""


def apply_pax(payload: bytes, override: Override) -> None:
    """Fold an extended header's records into what is known of the next member.

    Raises:
        ValueError: a record is malformed or a number in it is none.
    """
    pairs = pax_records(payload)
    records = dict(pairs)
    get = records.get
    # GNU sparse 0.0 repeats its keys, so the map is all of them in order: it is only compared.
    sparse = [
        b"%s=%s\n" % pair for pair in pairs if pair[0].startswith(b"GNU.sparse.") and pair[0] != b"GNU.sparse.name"
    ]
    if sparse:
        override.sparse = True
        override.sparse_map = b"".join(sparse)
    path = get(b"GNU.sparse.name") or get(b"path")
    if path:
        override.name = path.partition(b"\0")[0]
    link = get(b"linkpath")
    if link:
        override.link = link.partition(b"\0")[0]
    if size := get(b"size"):
        override.size = pax_natural(size)
    if real := (get(b"GNU.sparse.realsize") or get(b"GNU.sparse.size")):
        override.real_size = pax_natural(real)
    if uid := get(b"uid"):
        override.uid = pax_natural(uid)
    if gid := get(b"gid"):
        override.gid = pax_natural(gid)
    if mtime := get(b"mtime"):
        override.mtime = _nanoseconds(mtime)
    xattrs = {key[len(_XATTR) :]: value for key, value in records.items() if key.startswith(_XATTR)}
    if xattrs:
        override.xattrs = xattr_text(xattrs)


def xattr_text(xattrs: Mapping[bytes, bytes]) -> bytes:
    """Extended attributes in the one form in which they are compared; empty for none."""
    text = b"".join(
        b"%d %s=%d:%s\n" % (len(_XATTR) + len(key), key, len(value), value) for key, value in sorted(xattrs.items())
    )
    # What is long is not kept: each file may have megabytes of them.
    return text if len(text) <= _SHORT else b"xxh3:" + xxhash.xxh3_128_digest(text)


def _nanoseconds(text: bytes) -> int:
    try:
        seconds = Decimal(text.decode("ascii")) if len(text) < 64 else Decimal()
    except (ArithmeticError, UnicodeDecodeError, ValueError):
        raise ValueError("bad time in a PAX record") from None
    if not seconds.is_finite():
        raise ValueError("bad time in a PAX record")
    # A number of a million digits is soon written (1e999999), and takes minutes to compute.
    magnitude = seconds.adjusted()
    if magnitude > 20:
        return -_INT64_MAX if seconds < 0 else _INT64_MAX
    value = int(seconds * 1_000_000_000) if magnitude > -20 else 0
    return max(-_INT64_MAX, min(value, _INT64_MAX))


def gnu_sparse(header: bytes) -> tuple[int, bool]:
    """(real size in bytes, whether map blocks follow) of an old GNU sparse header.

    Raises:
        ValueError: the real size is not a number.
    """
    return parse_number(header[483:495]), header[482] != 0


def map_continues(block: bytes) -> bool:
    """Whether another map block follows this one of an old GNU sparse file."""
    return len(block) == BLOCK and block[504] != 0
