"""A directory that a container made anew, told as what it removed.

Overlayfs marks such a directory as opaque; the engine's list of changes has every name that is gone from it instead.
Both are read, and must give the same figures, so a container's layer has no opaque directories: what an image has in
them and the container has not is removed.
"""

from __future__ import annotations

from collections.abc import Sequence

from lamina.layers.index import SEPARATOR, LayerIndex
from lamina.layers.rows import LayerRows
from lamina.model import Kind

_Below = dict[bytes, set[bytes]]
"""Directory -> the keys directly in it."""


def without_opaque(layer: LayerIndex, image: Sequence[LayerIndex]) -> LayerIndex:
    """The read/write layer with removals in place of opaque directories.

    Args:
        layer: the read/write layer.
        image: the layers below it. A removal of what is in none of them, or was removed by one, does no harm.
    """
    keys = layer.keys()
    kinds = layer.kind.tolist()
    opaque = {key for key, kind in zip(keys, kinds, strict=True) if kind == Kind.OPAQUE}
    if not opaque:
        return layer
    anew = set(opaque)  # and the directories in them, which overlayfs need not mark
    for key, kind in zip(keys, kinds, strict=True):  # a directory comes before what stands in it
        if kind == Kind.DIR and key.rpartition(SEPARATOR)[0] in anew:
            anew.add(key)
    rows = LayerRows()
    rows.extend(layer, b"", lambda _: True, without=Kind.OPAQUE)
    present = set(keys)
    for names in _below(anew, image).values():
        for key in sorted(names - present):
            rows.add(key, Kind.WHITEOUT)
    return rows.index()


def _below(folders: set[bytes], image: Sequence[LayerIndex]) -> _Below:
    """What the image has directly in some directories."""
    found: _Below = {}
    first = {folder.partition(SEPARATOR)[0] for folder in folders}
    for layer in image:
        for key, kind in zip(layer.keys(), layer.kind.tolist(), strict=True):
            if kind >= Kind.WHITEOUT or key.partition(SEPARATOR)[0] not in first:
                continue
            end = key.rfind(SEPARATOR)
            child = key
            while end >= 0:
                folder = key[:end]
                if folder in folders:
                    found.setdefault(folder, set()).add(child)
                child = folder
                end = key.rfind(SEPARATOR, 0, end)
    return found
