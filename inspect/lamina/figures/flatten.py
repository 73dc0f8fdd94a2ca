"""An image's final file system as one layer, so that it can be stacked and compared as layers are."""

from __future__ import annotations

from collections.abc import Container
from itertools import compress
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamina.layers.index import SEPARATOR, LayerIndex, join_keys
from lamina.model import Kind
from lamina.stack.union import ABSENT, Union

_Scalar = TypeVar("_Scalar", bound=np.generic)


class Names(NamedTuple):
    """The names of an image's final file system, by path."""

    events: NDArray[np.int32]
    keys: list[bytes]
    """As :meth:`lamina.layers.index.LayerIndex.keys` gives them."""

    def files(self, union: Union) -> frozenset[bytes]:
        """The keys of those that are regular files."""
        return frozenset(compress(self.keys, union.regular()[self.events].tolist()))


def final_names(union: Union) -> Names:
    """What the image's layers carry that is left in the end.

    Directories that are only implied are left out: they are implied again, and have no metadata to compare.
    """
    events = union.alive(union.layer_count - 1)
    events = events[events < union.implicit]
    events = events[np.argsort(union.path[events], kind="stable")]
    return Names(events, [path.replace(b"/", SEPARATOR) for path in union.paths.texts(union.path[events])])


def flatten(
    union: Union, names: Names, *, preferred: Container[bytes], over: bool = False
) -> tuple[LayerIndex, NDArray[np.int32]]:
    """The final file system as one layer.

    Args:
        union: the image.
        names: its final names.
        preferred: keys at which an inode's bytes are to stand where it has several names, if one of them is among
            these; else they stand at its first name.
        over: put an opaque marker of the root before it, which hides all below.

    Returns:
        The layer; and per row the inode in ``union`` whose content it has.
    """
    events, texts = names.events, list(names.keys)
    inodes = union.inode[events]
    kinds = union.kind[events].copy()
    # Of each inode one name carries the bytes, the others link to it.
    regular = np.flatnonzero((kinds <= Kind.HARDLINK) & (inodes != ABSENT))
    unlike = np.ones(len(regular), dtype=bool)
    _, group, members = np.unique(inodes[regular], return_inverse=True, return_counts=True)
    for position in np.flatnonzero(members[group] > 1).tolist():
        unlike[position] = texts[regular[position]] not in preferred
    regular = regular[np.argsort(unlike, kind="stable")]
    carriers, first = np.unique(inodes[regular], return_index=True)
    kinds[regular] = Kind.HARDLINK
    kinds[regular[first]] = Kind.FILE
    carrier_row = dict(zip(carriers.tolist(), regular[first].tolist(), strict=True))
    source = np.where(inodes == ABSENT, events, inodes)
    targets = {
        row: union.link_texts[int(union.link[events[row]])] for row in np.flatnonzero(union.link[events]).tolist()
    }
    links = {row: text for row, text in targets.items() if kinds[row] == Kind.SYMLINK}
    devices = {
        row: (int(text.partition(b":")[0]), int(text.partition(b":")[2]))
        for row, text in targets.items()
        if kinds[row] in (Kind.CHAR, Kind.BLOCK)
    }
    for row in np.flatnonzero(kinds == Kind.HARDLINK).tolist():
        links[row] = texts[carrier_row[int(inodes[row])]] if inodes[row] != ABSENT else b""
    xattrs = {
        row: union.xattr_texts[int(union.xattr[source[row]])] for row in np.flatnonzero(union.xattr[source]).tolist()
    }
    shift = int(over)
    if over:
        texts.insert(0, b"")

    def column(values: NDArray[_Scalar]) -> NDArray[_Scalar]:
        return np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), values]) if over else values

    kind = column(kinds)
    if over:
        kind[0] = Kind.OPAQUE
    layer = LayerIndex(
        keys_blob=join_keys(texts),
        kind=kind,
        size=column(np.where(kinds == Kind.FILE, union.size[source], 0)),
        mode=column(union.mode[source]),
        uid=column(union.uid[source]),
        gid=column(union.gid[source]),
        mtime=column(union.mtime[source]),
        offset=column(union.offset[source]),
        content=column(np.where((kinds == Kind.FILE)[:, None], union.content[source], np.uint64(0))),
        links={row + shift: text for row, text in links.items()},
        devices={row + shift: numbers for row, numbers in devices.items()},
        xattrs={row + shift: text for row, text in xattrs.items()},
        tar_size=0,
    )
    return layer, column(source.astype(np.int32))
