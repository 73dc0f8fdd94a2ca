"""Columns as bytes: one compact, checked container for everything that is cached.

``LAMINA`` and a format number, an XXH3-128 of the rest, then zstd data: a JSON header that names columns with their
types and shapes, and the columns one after another. Nothing in it can be executed, and a damaged, truncated, foreign
or future file reads as nothing at all.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from lamina.zstd import ZstdCompressor, ZstdDecompressor, ZstdError, get_frame_info

FORMAT = 3
"""Raised with every change of what is stored or of how layers are read."""

_MAGIC = b"LAMINA" + struct.pack("<H", FORMAT)
_SUM = 16
_TYPES = frozenset({"|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"})
_MAX = 4 << 30  # bytes unpacked: more is not ours

Columns = dict[str, NDArray[Any]]

_Scalar = TypeVar("_Scalar", bound=np.generic)


def pack(kind: str, meta: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> bytes:
    """One container.

    Args:
        kind: what it holds; :func:`unpack` asks for the same word.
        meta: small things as JSON.
        columns: numeric arrays.
    """
    described = []
    raw = []
    for name, column in columns.items():
        plain = np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<"), copy=False)
        described.append([name, plain.dtype.str, list(plain.shape)])
        raw.append(plain.tobytes())
    header = json.dumps({"kind": kind, "meta": meta, "columns": described}).encode()
    body = _compressed(b"".join([struct.pack("<I", len(header)), header, *raw]))
    return _MAGIC + xxhash.xxh3_128_digest(body) + body


def unpack(kind: str, data: bytes) -> tuple[dict[str, Any], Columns] | None:
    """(meta, columns) of a container; None for anything that is not whole and of this kind."""
    start = len(_MAGIC) + _SUM
    body = data[start:]
    if data[: len(_MAGIC)] != _MAGIC or xxhash.xxh3_128_digest(body) != data[len(_MAGIC) : start]:
        return None
    try:
        raw = _unpacked(body)
        (length,) = struct.unpack_from("<I", raw)
        header = json.loads(raw[4 : 4 + length])
        if header["kind"] != kind:
            return None
        columns: Columns = {}
        position = 4 + length
        for name, dtype, shape in header["columns"]:
            if dtype not in _TYPES or not all(type(length) is int and length >= 0 for length in shape):
                return None
            count = math.prod(shape)
            if count > len(raw):  # more than numpy takes for a number
                return None
            column = np.frombuffer(raw, dtype=np.dtype(dtype), count=count, offset=position).reshape(shape)
            columns[name] = column
            position += column.nbytes
        # What is left over means that a count is wrong.
        return (header["meta"], columns) if position == len(raw) else None
    except (ZstdError, ValueError, KeyError, TypeError, struct.error, RecursionError, MemoryError):
        return None


def _compressed(data: bytes) -> bytes:
    compressor = ZstdCompressor(level=1)
    compressor.set_pledged_input_size(len(data))
    return compressor.compress(data, ZstdCompressor.FLUSH_FRAME)


def _unpacked(body: bytes) -> bytes:
    """Raises ValueError where the data is not one whole frame of a size that it tells and that is ours."""
    size: int | None = get_frame_info(body).decompressed_size
    if size is None or size > _MAX:
        raise ValueError("too large")
    frame = ZstdDecompressor()
    raw = frame.decompress(body, size)
    if not frame.eof or frame.unused_data:
        raise ValueError("not one frame")
    return raw


def take(columns: Columns, name: str, dtype: type[_Scalar], *shape: int) -> NDArray[_Scalar]:
    """One column, which must be of this type and shape.

    Args:
        columns: where it is.
        name: its name.
        dtype: its type.
        shape: the length of each axis; -1: any.

    Raises:
        KeyError: it is not there.
        ValueError: it is of another type or shape.
    """
    column = columns[name]
    if column.dtype != dtype or len(column.shape) != len(shape):
        raise ValueError(f"{name} is of another type or shape")
    if any(want not in (-1, length) for want, length in zip(shape, column.shape, strict=True)):
        raise ValueError(f"{name} is of another length")
    return column


def check_range(name: str, column: NDArray[Any], low: int, high: int) -> None:
    """Raises ValueError where a number of a column is below ``low``, or is ``high`` or above."""
    if column.size and not (low <= int(column.min()) and int(column.max()) < high):
        raise ValueError(f"{name} leads nowhere")


def pack_texts(name: str, texts: list[bytes]) -> Columns:
    """A list of byte strings as two columns."""
    return {
        f"{name}.bytes": np.frombuffer(b"".join(texts), dtype=np.uint8),
        f"{name}.lengths": np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)),
    }


def unpack_texts(name: str, columns: Columns) -> list[bytes]:
    """The list :func:`pack_texts` was given.

    Raises:
        KeyError: it is not there.
        ValueError: lengths and bytes don't fit.
    """
    blob = take(columns, f"{name}.bytes", np.uint8, -1).tobytes()
    lengths = take(columns, f"{name}.lengths", np.int64, -1)
    if int(lengths.sum()) != len(blob) or (lengths < 0).any():
        raise ValueError(f"{name}: lengths and bytes don't fit")
    ends = np.cumsum(lengths).tolist()
    return [blob[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
