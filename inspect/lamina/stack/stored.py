"""The stacked layers of an image to bytes and back, so that an image seen before is not stacked again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from lamina.cache.container import Columns, check_range, columns_of, pack, pack_texts, take, unpack_texts
from lamina.cache.sealed import unseal
from lamina.dataclass import dataclass
from lamina.layers.index import LayerFacts
from lamina.model import Cause, Kind
from lamina.stack.paths import PathTable
from lamina.stack.stacking import ABSENT, WhiteoutRecord
from lamina.stack.union import DeadInodes, Union

_KIND = "image"
_EVENTS: dict[str, type[np.generic]] = {
    "path": np.int32,
    "born": np.int16,
    "died": np.int16,
    "kind": np.uint8,
    "size": np.int64,
    "mode": np.uint16,
    "uid": np.uint32,
    "gid": np.uint32,
    "mtime": np.int64,
    "offset": np.int64,
    "inode": np.int32,
    "link": np.int32,
    "xattr": np.int32,
}
_DEAD: dict[str, type[np.generic]] = {
    "inode": np.int32,
    "hidden_by": np.int16,
    "provisional": np.uint8,
    "successor": np.int32,
    "path": np.int32,
}
_PATHS = ("parent", "depth", "end")


@dataclass(slots=True)
class StackedImage:
    """All that figures and views are computed from."""

    union: Union
    facts: tuple[LayerFacts | None, ...]
    """One per layer; None for a layer that was not read."""


def stacked_to_bytes(stacked: StackedImage) -> bytes:
    """One cache file's content. Every layer must have been read."""
    union = stacked.union
    columns: Columns = {name: getattr(union, name) for name in ("layer_start", "content", *_EVENTS)}
    columns |= {f"paths.{name}": getattr(union.paths, name) for name in _PATHS}
    columns |= {f"dead.{name}": getattr(union.dead, name) for name in _DEAD}
    columns["paths.names"] = np.frombuffer(union.paths.names, dtype=np.uint8)
    columns["paths.lengths"] = np.diff(union.paths.name_start).astype(np.int32)
    columns |= pack_texts("link_texts", union.link_texts)
    columns |= pack_texts("xattr_texts", union.xattr_texts)
    whiteouts = [(record.layer, record.path, record.bytes) for record in union.whiteouts]
    columns["sparse"] = np.array(list(union.sparse.items()), dtype=np.int64).reshape(-1, 2)
    columns["whiteouts"] = np.array(whiteouts, dtype=np.int64).reshape(-1, 3)
    columns["facts"] = np.array(stacked.facts, dtype=np.int64).reshape(-1, 3)
    return pack(_KIND, {"implicit": union.implicit}, columns)


def stacked_from_bytes(data: bytes) -> StackedImage | None:
    """The stacked image again; None where the bytes are not a whole one of this format."""
    raw = unseal(data)
    return None if raw is None else stacked_from_raw(raw)


def stacked_from_raw(raw: bytes) -> StackedImage | None:
    """The same of bytes that were unsealed already."""
    unpacked = columns_of(_KIND, raw)
    if unpacked is None:
        return None
    try:
        stacked = _stacked(*unpacked)
        _check(stacked)
    except (KeyError, ValueError, TypeError):
        return None
    return stacked


def _stacked(meta: dict[str, Any], columns: Columns) -> StackedImage:
    """Raises KeyError, ValueError or TypeError where something is missing, or of a wrong type or shape."""
    events, count, dead = len(columns["path"]), len(columns["paths.parent"]), len(columns["dead.inode"])
    lengths = take(columns, "paths.lengths", np.int32, count)
    name_start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(lengths, out=name_start[1:])
    carried: Any = {name: take(columns, name, dtype, events) for name, dtype in _EVENTS.items()}
    layer_start = take(columns, "layer_start", np.int64, -1)
    return StackedImage(
        Union(
            paths=PathTable(
                **{name: take(columns, f"paths.{name}", np.int32, count) for name in _PATHS},
                names=take(columns, "paths.names", np.uint8, -1).tobytes(),
                name_start=name_start,
            ),
            layer_count=len(layer_start) - 1,
            layer_start=layer_start,
            **carried,
            content=take(columns, "content", np.uint64, events, 2).copy(),  # learned further, unlike the others
            implicit=meta["implicit"],
            dead=DeadInodes(**{name: _dead(columns, name, dead) for name in _DEAD}),
            whiteouts=[WhiteoutRecord(*row) for row in take(columns, "whiteouts", np.int64, -1, 3).tolist()],
            link_texts=unpack_texts("link_texts", columns),
            xattr_texts=unpack_texts("xattr_texts", columns),
            sparse=dict(take(columns, "sparse", np.int64, -1, 2).tolist()),
        ),
        tuple(LayerFacts(*row) for row in take(columns, "facts", np.int64, len(layer_start) - 1, 3).tolist()),
    )


def _dead(columns: Columns, name: str, count: int) -> Any:
    return take(columns, f"dead.{name}", _DEAD[name], count)


def _check(stacked: StackedImage) -> None:
    """Raises ValueError or TypeError where numbers of a stacked image lead nowhere in it."""
    union, paths = stacked.union, stacked.union.paths
    if type(union.implicit) is not int or not len(union.layer_start) or not paths.count:
        raise TypeError("something is missing")
    starts = [0, *union.layer_start.tolist(), union.event_count]
    if any(start > end for start, end in pairwise(starts)) or union.layer_start[-1] != union.implicit:
        raise ValueError("layers don't follow each other")
    if paths.name_start[-1] != len(paths.names) or bool((np.diff(paths.name_start) < 1).any()):
        raise ValueError("names and lengths don't fit")
    check_range("parent", paths.parent, 0, paths.count)
    check_range("end", paths.end, 1, paths.count + 1)
    check_range("path", union.path, 0, paths.count)
    check_range("kind", union.kind, 0, Kind.OPAQUE + 1)
    check_range("inode", union.inode, ABSENT, union.event_count)
    check_range("link", union.link, 0, len(union.link_texts))
    check_range("xattr", union.xattr, 0, len(union.xattr_texts))
    check_range("sparse", np.array(list(union.sparse)), 0, union.event_count)
    check_range("dead.inode", union.dead.inode, 0, union.event_count)
    check_range("dead.successor", union.dead.successor, ABSENT, union.event_count)
    check_range("dead.hidden_by", union.dead.hidden_by, 0, union.layer_count)
    check_range("dead.path", union.dead.path, 0, paths.count)
    check_range("dead.provisional", union.dead.provisional, 0, max(Cause) + 1)
    check_range("whiteouts", np.array([record.path for record in union.whiteouts]), 0, paths.count)
