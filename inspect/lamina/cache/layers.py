"""A layer's index to bytes and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.cache.container import Columns, check_range, pack, pack_texts, take, unpack, unpack_texts
from lamina.layers.index import SEPARATOR, LayerIndex
from lamina.model import Kind

_KIND = "layer"
_PLAIN = ("kind", "size", "mode", "uid", "gid", "mtime", "offset", "content")


def layer_to_bytes(layer: LayerIndex) -> bytes:
    """One cache file's content."""
    columns: Columns = {name: getattr(layer, name) for name in _PLAIN}
    columns["keys"] = np.frombuffer(layer.keys_blob, dtype=np.uint8)
    columns |= _rows_and_texts("links", layer.links)
    columns |= _rows_and_texts("xattrs", layer.xattrs)
    devices = [(row, *numbers) for row, numbers in layer.devices.items()]
    columns["devices"] = np.array(devices, dtype=np.int64).reshape(-1, 3)
    columns["sparse"] = np.array(list(layer.sparse.items()), dtype=np.int64).reshape(-1, 2)
    return pack(_KIND, {"tar_size": layer.tar_size}, columns)


def layer_from_bytes(data: bytes) -> LayerIndex | None:
    """The layer again; None where the bytes are not a whole layer of this format."""
    unpacked = unpack(_KIND, data)
    if unpacked is None:
        return None
    try:
        return _layer(*unpacked)
    except (KeyError, ValueError, TypeError):
        return None


def _layer(meta: dict[str, Any], columns: Columns) -> LayerIndex:
    """Raises KeyError, ValueError or TypeError where something is missing or does not fit the rest."""
    count = len(columns["kind"])
    layer = LayerIndex(
        keys_blob=take(columns, "keys", np.uint8, -1).tobytes(),
        kind=take(columns, "kind", np.uint8, count),
        size=take(columns, "size", np.int64, count),
        mode=take(columns, "mode", np.uint16, count),
        uid=take(columns, "uid", np.uint32, count),
        gid=take(columns, "gid", np.uint32, count),
        mtime=take(columns, "mtime", np.int64, count),
        offset=take(columns, "offset", np.int64, count),
        content=take(columns, "content", np.uint64, count, 2),
        links=_texts_by_row("links", columns, count),
        devices={row: (major, minor) for row, major, minor in take(columns, "devices", np.int64, -1, 3).tolist()},
        xattrs=_texts_by_row("xattrs", columns, count),
        tar_size=meta["tar_size"],
        sparse=dict(take(columns, "sparse", np.int64, -1, 2).tolist()),
    )
    if type(layer.tar_size) is not int:
        raise TypeError("the tar's size is no number")
    if layer.keys_blob.count(2 * SEPARATOR) != max(count - 1, 0) or (layer.keys_blob and not count):
        raise ValueError("keys and rows don't fit")
    check_range("kind", layer.kind, 0, Kind.OPAQUE + 1)
    check_range("devices", columns["devices"][:, 0], 0, count)
    check_range("sparse", columns["sparse"][:, 0], 0, count)
    if not set(np.flatnonzero(layer.kind == Kind.HARDLINK).tolist()) <= layer.links.keys():
        raise ValueError("a hard link without a target")
    return layer


def _rows_and_texts(name: str, texts: dict[int, bytes]) -> Columns:
    return {
        f"{name}.rows": np.fromiter(texts, dtype=np.int64, count=len(texts)),
        **pack_texts(name, list(texts.values())),
    }


def _texts_by_row(name: str, columns: Columns, count: int) -> dict[int, bytes]:
    rows = take(columns, f"{name}.rows", np.int64, -1)
    check_range(name, rows, 0, count)
    return dict(zip(rows.tolist(), unpack_texts(name, columns), strict=True))
