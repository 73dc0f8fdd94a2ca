"""Decoded headers, batch by batch, become a layer's index."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamina.layers.extensions import Override
from lamina.layers.headers import HeaderBatch
from lamina.layers.index import LayerIndex, join_keys
from lamina.layers.paths import classify, path_key
from lamina.model import Kind

_Scalar = TypeVar("_Scalar", bound=np.generic)

_INT64_MAX = 2**63 - 1

# As plain numbers: looking a member of an enumeration up costs more than the comparison.
_FILE, _HARDLINK, _SYMLINK = int(Kind.FILE), int(Kind.HARDLINK), int(Kind.SYMLINK)


class IndexBuilder:
    """Takes batches of headers, in tar order, and makes the index of them."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self.name_bytes = 0
        """Of all keys and links added so far."""
        self.total = 0
        """Bytes that all files added so far claim to have."""
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._contents = bytearray()
        self._links: dict[int, bytes] = {}
        self._devices: dict[int, tuple[int, int]] = {}
        self._xattrs: dict[int, bytes] = {}
        self._sparse: dict[int, int] = {}

    def add(
        self,
        batch: HeaderBatch,
        sizes: list[int],
        offsets: NDArray[np.int64],
        contents: list[bytes],
        overrides: dict[int, Override],
    ) -> None:
        """Take a batch.

        Args:
            batch: the headers.
            sizes: bytes of each payload.
            offsets: where each payload starts.
            contents: 16 bytes each.
            overrides: row of the batch -> what extensions say of it.

        Raises:
            LaminaError: a device node's numbers are none.
        """
        names, links = batch.names, batch.links
        mtime = np.clip(batch.mtime, -(_INT64_MAX // 10**9), _INT64_MAX // 10**9) * 10**9
        size = np.array(sizes, dtype=np.int64)
        uid, gid = batch.uid, batch.gid
        xattrs: dict[int, bytes] = {}
        sparse: dict[int, int] = {}
        for row, override in overrides.items():
            if override.name is not None:
                names[row] = override.name
            if override.link is not None:
                links[row] = override.link
            if override.real_size is not None:
                size[row] = override.real_size
            if override.mtime is not None:
                mtime[row] = override.mtime
            if override.uid is not None:
                uid[row] = override.uid
            if override.gid is not None:
                gid[row] = override.gid
            if override.xattrs:
                xattrs[row] = override.xattrs
            if override.sparse:
                sparse[row] = override.start
        keys, kind, keep = classify(names, batch.matrix[:, 156])
        size[kind != _FILE] = 0
        first = len(self._keys)
        rows = np.arange(len(names))
        if not keep.all():
            rows = np.flatnonzero(keep)
            keys = [keys[row] for row in rows.tolist()]
        kept = kind[rows]
        for new in np.flatnonzero(kept == _SYMLINK).tolist():
            self._links[first + new] = links[int(rows[new])]
        for new in np.flatnonzero(kept == _HARDLINK).tolist():
            self._links[first + new] = path_key(links[int(rows[new])])
        for new in np.flatnonzero(batch.device[rows]).tolist():
            self._devices[first + new] = batch.device_numbers(int(rows[new]))
        for row, text in xattrs.items():
            if keep[row]:
                self._xattrs[first + int(np.searchsorted(rows, row))] = text
        for row, start in sparse.items():
            if keep[row] and kind[row] == _FILE:
                self._sparse[first + int(np.searchsorted(rows, row))] = start
        self._keys += keys
        self.name_bytes += sum(map(len, keys)) + sum(map(len, links))
        self.total += int(size.sum())  # of some thousand sizes, each within its limit
        hashes = np.frombuffer(b"".join(contents), dtype=np.uint64).reshape(-1, 2)
        regular = kind == _FILE
        for name, column in (
            ("kind", kind),
            ("size", size),
            ("mode", (batch.mode & 0o7777).astype(np.uint16)),
            ("uid", (uid & 0xFFFFFFFF).astype(np.uint32)),
            ("gid", (gid & 0xFFFFFFFF).astype(np.uint32)),
            ("mtime", mtime),
            ("offset", offsets),
            ("content", np.where(regular[:, None], hashes, np.uint64(0))),
        ):
            self._parts.setdefault(name, []).append(column[rows])

    def index(self, tar_size: int) -> LayerIndex:
        """The index of all that was added."""

        def column(name: str, dtype: type[_Scalar], shape: tuple[int, ...] = (0,)) -> NDArray[_Scalar]:
            parts = self._parts.get(name)
            return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(shape, dtype)

        return LayerIndex(
            keys_blob=join_keys(self._keys),
            kind=column("kind", np.uint8),
            size=column("size", np.int64),
            mode=column("mode", np.uint16),
            uid=column("uid", np.uint32),
            gid=column("gid", np.uint32),
            mtime=column("mtime", np.int64),
            offset=column("offset", np.int64),
            content=column("content", np.uint64, (0, 2)),
            links=self._links,
            devices=self._devices,
            xattrs=self._xattrs,
            tar_size=tar_size,
            sparse=self._sparse,
        )
