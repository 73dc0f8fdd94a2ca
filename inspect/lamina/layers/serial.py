"""A layer's index to bytes and back."""

from __future__ import annotations

import numpy as np

from lamina.layers.columns import Columns, pack, pack_texts, unpack, unpack_texts
from lamina.layers.index import LayerIndex

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
    return pack(_KIND, {"tar_size": layer.tar_size}, columns)


def layer_from_bytes(data: bytes) -> LayerIndex | None:
    """The layer again; None where the bytes are not a whole layer of this format."""
    unpacked = unpack(_KIND, data)
    if unpacked is None:
        return None
    meta, columns = unpacked
    try:
        count = len(columns["kind"])
        if any(len(columns[name]) != count for name in _PLAIN):
            return None
        layer = LayerIndex(
            keys_blob=columns["keys"].tobytes(),
            **{name: columns[name] for name in _PLAIN},
            links=_texts_by_row("links", columns),
            devices={row: (major, minor) for row, major, minor in columns["devices"].tolist()},
            xattrs=_texts_by_row("xattrs", columns),
            tar_size=int(meta["tar_size"]),
        )
    except (KeyError, ValueError, TypeError):
        return None
    return layer


def _rows_and_texts(name: str, texts: dict[int, bytes]) -> Columns:
    return {
        f"{name}.rows": np.fromiter(texts, dtype=np.int64, count=len(texts)),
        **pack_texts(name, list(texts.values())),
    }


def _texts_by_row(name: str, columns: Columns) -> dict[int, bytes]:
    return dict(zip(columns[f"{name}.rows"].tolist(), unpack_texts(name, columns), strict=True))
