"""One layer's index: what a layer's tar carries, as columns.

An index is a pure function of the layer's bytes. Rows stand in tar order, one per member that
matters to a file system: PAX and GNU extension members are folded into the member they describe.
"""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.model import Kind

SEPARATOR = b"\0"
"""Between the components of a path key. NUL can't stand in a name and sorts before every other byte,
so sorting keys gives pre-order: a directory's subtree directly follows it."""

CRC_MARK = b"lamcrc64"
"""The second half of a content id that is a CRC-64 in place of XXH3-128: ids of two kinds are never equal."""

SHA_MARK = b"lsha"
"""The last quarter of a content id that is the first 96 bits of a SHA-256, as a layer's table of contents has it."""

UNKNOWN_SIZE = -1
"""For ``tar_size`` where nobody has seen the tar."""

_BETWEEN = b"\0\0"  # between two keys of a blob; a key has no empty component, so it can't occur inside one


class LayerFacts(NamedTuple):
    """What a layer's index says as a whole."""

    size: int
    """Sum of the sizes of the regular files the layer carries; a hard link adds 0."""
    tar_size: int
    """Bytes of the uncompressed tar; :data:`UNKNOWN_SIZE` where it was not read."""
    files: int
    """Names the layer carries that are neither directories nor whiteouts."""


@dataclass(frozen=True, slots=True)
class LayerIndex:
    """Columns of one layer, all of length ``count``.

    ``size`` is bytes of a regular file's content (a sparse file's as it reads back), 0 for all else. ``mode`` holds
    the permission bits (``0o7777``). ``mtime`` is nanoseconds since the epoch. ``offset`` is where the payload
    starts in the uncompressed tar. ``content`` is the XXH3-128 of the content as two words, both 0 where unknown; ids
    of other kinds have a mark (:data:`CRC_MARK`, :data:`SHA_MARK`), and ids of two kinds say nothing of each other.
    """

    keys_blob: bytes = field(repr=False)
    kind: NDArray[np.uint8]
    size: NDArray[np.int64]
    mode: NDArray[np.uint16]
    uid: NDArray[np.uint32]
    gid: NDArray[np.uint32]
    mtime: NDArray[np.int64]
    offset: NDArray[np.int64]
    content: NDArray[np.uint64]
    """Shape (count, 2)."""
    links: dict[int, bytes]
    """Row -> target: of a symbolic link as it stands; of a hard link as a path key."""
    devices: dict[int, tuple[int, int]]
    """Row -> (major, minor) of device nodes."""
    xattrs: dict[int, bytes]
    """Row -> extended attributes in one canonical serialisation, only to be compared."""
    tar_size: int
    """Bytes of the uncompressed tar; :data:`UNKNOWN_SIZE` where it was not read."""
    sparse: dict[int, int] = field(default_factory=dict)
    """Row of a sparse file -> where the first of its headers stands in the tar: these say what of it is stored."""

    @property
    def count(self) -> int:
        """Rows of the index."""
        return len(self.kind)

    @property
    def facts(self) -> LayerFacts:
        """The layer in three numbers."""
        named = (self.kind != Kind.DIR) & (self.kind < Kind.WHITEOUT)
        return LayerFacts(int(self.size.sum()), self.tar_size, int(named.sum()))

    def keys(self) -> list[bytes]:
        """The path keys of all rows: components joined by :data:`SEPARATOR`, the root is empty.

        A whiteout row's key is the path it removes, an opaque row's the directory it empties.
        """
        return self.keys_blob.split(_BETWEEN) if self.count else []


def join_keys(keys: list[bytes]) -> bytes:
    """The blob :meth:`LayerIndex.keys` splits again."""
    return _BETWEEN.join(keys)
