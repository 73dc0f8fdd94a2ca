"""The stacked layers of an image to bytes and back, so that an image seen before is not stacked again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from lamina.layers.columns import Columns, pack, pack_texts, unpack, unpack_texts
from lamina.layers.index import LayerFacts
from lamina.pathtable import PathTable
from lamina.stacking import WhiteoutRecord
from lamina.union import DeadInodes, Union

_KIND = "image"
_EVENTS = (
    "layer_start",
    "path",
    "born",
    "died",
    "kind",
    "size",
    "mode",
    "uid",
    "gid",
    "mtime",
    "offset",
    "inode",
    "content",
    "link",
    "xattr",
)
_PATHS = ("parent", "depth", "end")
_DEAD = tuple(field.name for field in dataclasses.fields(DeadInodes))


@dataclass(slots=True)
class ImageModel:
    """All that figures and views are computed from."""

    union: Union
    facts: tuple[LayerFacts | None, ...]
    """One per layer; None for a layer that was not read."""


def model_to_bytes(model: ImageModel) -> bytes:
    """One cache file's content. Every layer must have been read."""
    union = model.union
    columns: Columns = {name: getattr(union, name) for name in _EVENTS}
    columns |= {f"paths.{name}": getattr(union.paths, name) for name in _PATHS}
    columns |= {f"dead.{name}": getattr(union.dead, name) for name in _DEAD}
    columns["paths.names"] = np.frombuffer(union.paths.names, dtype=np.uint8)
    columns["paths.lengths"] = np.diff(union.paths.name_start).astype(np.int32)
    columns |= pack_texts("link_texts", union.link_texts)
    columns |= pack_texts("xattr_texts", union.xattr_texts)
    whiteouts = [(record.layer, record.path, record.bytes) for record in union.whiteouts]
    columns["whiteouts"] = np.array(whiteouts, dtype=np.int64).reshape(-1, 3)
    columns["facts"] = np.array(model.facts, dtype=np.int64).reshape(-1, 3)
    return pack(_KIND, {"implicit": union.implicit}, columns)


def model_from_bytes(data: bytes) -> ImageModel | None:
    """The model again; None where the bytes are not a whole model of this format."""
    unpacked = unpack(_KIND, data)
    if unpacked is None:
        return None
    meta, columns = unpacked
    try:
        name_start = np.zeros(len(columns["paths.lengths"]) + 1, dtype=np.int64)
        np.cumsum(columns["paths.lengths"], out=name_start[1:])
        events = {name: columns[name] for name in _EVENTS}
        events["content"] = events["content"].copy()  # learned further; the other columns never change
        union = Union(
            paths=PathTable(
                **{name: columns[f"paths.{name}"] for name in _PATHS},
                names=columns["paths.names"].tobytes(),
                name_start=name_start,
            ),
            layer_count=len(columns["layer_start"]) - 1,
            **events,
            implicit=int(meta["implicit"]),
            dead=DeadInodes(**{name: columns[f"dead.{name}"] for name in _DEAD}),
            whiteouts=[WhiteoutRecord(*row) for row in columns["whiteouts"].tolist()],
            link_texts=unpack_texts("link_texts", columns),
            xattr_texts=unpack_texts("xattr_texts", columns),
        )
        facts = tuple(LayerFacts(*row) for row in columns["facts"].tolist())
    except (KeyError, ValueError, TypeError):
        return None
    return ImageModel(union, facts)
