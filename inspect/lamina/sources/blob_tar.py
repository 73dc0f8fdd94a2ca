"""The tar of a blob that stands in a seekable file, opened in the cheapest way for what is wanted of it."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from lamina.cache.cache import Cache
from lamina.cache.keys import range_key
from lamina.workers.file_range import FileRange, open_range
from lamina.workers.places import open_in_order

if TYPE_CHECKING:  # what unpacks is loaded when something is to be unpacked
    from lamina.layers.tar_bytes import TarBytes

_WORTH = 8 << 20
"""Bytes of a blob from which on points are worth what they cost: less is unpacked in a moment."""


def open_blob(
    place: FileRange, kind: str, where: str, cancel: threading.Event, cache: Cache, *, in_order: bool
) -> TarBytes:
    """Open it; to be closed.

    Args:
        place: where the blob stands.
        kind: what :func:`lamina.layers.codec.sniff` says of it.
        where: names it in errors.
        cancel: looked at while it is unpacked.
        cache: keeps the points from which a large one can be unpacked.
        in_order: whether it will be read by ascending offsets only.

    Raises:
        LaminaError: it is gone, or no longer the same.
    """
    if in_order or kind not in ("gzip", "zstd") or place.size < _WORTH:
        return open_in_order(place, kind, where, cancel)
    from lamina.layers import gzip_points

    key = range_key(place)
    known = cache.points(key)
    blob = place.offset, place.size, where, cancel, known, functools.partial(cache.put_points, key)
    if kind == "zstd":
        from lamina.layers.zstd_points import PointedZstd

        return PointedZstd(open_range(place), *blob)
    if gzip_points.available():
        return gzip_points.PointedGzip(open_range(place), *blob)
    return open_in_order(place, kind, where, cancel)
