"""Columns as bytes: one compact, checked container for everything that is cached.

What is sealed (:mod:`lamina.cache.sealed`) is a JSON header that names columns with their types and shapes, and the
columns one after another. Nothing in it can be executed, and what is not whole and as it should be reads as nothing.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamina.cache.sealed import seal, unseal

_TYPES = frozenset({"|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"})

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
    return seal(b"".join([struct.pack("<I", len(header)), header, *raw]))


def unpack(kind: str, data: bytes) -> tuple[dict[str, Any], Columns] | None:
    """(meta, columns) of a container; None for anything that is not whole and of this kind."""
    raw = unseal(data)
    return None if raw is None else columns_of(kind, raw)


def columns_of(kind: str, raw: bytes) -> tuple[dict[str, Any], Columns] | None:
    """The same of what :func:`lamina.cache.sealed.unseal` gave."""
    try:
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
    except (ValueError, KeyError, TypeError, struct.error, RecursionError, MemoryError):
        return None


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
