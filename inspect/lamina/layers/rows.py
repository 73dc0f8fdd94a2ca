"""A layer's index put together row by row: of what is no tar, or many small ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lamina.layers.block import BLOCK
from lamina.layers.index import SEPARATOR, LayerIndex, join_keys
from lamina.model import Kind

UNKNOWN = bytes(16)
"""The content id of a file whose content was not read."""


class LayerRows:
    """Takes rows in any order in which a directory comes before what stands in it."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._numbers: list[tuple[int, int, int, int, int, int, int]] = []
        self._contents: list[bytes] = []
        self._links: dict[int, bytes] = {}
        self._devices: dict[int, tuple[int, int]] = {}
        self._xattrs: dict[int, bytes] = {}
        self._position = 0

    def __len__(self) -> int:
        return len(self._keys)

    def add(
        self,
        key: bytes,
        kind: Kind,
        *,
        size: int = 0,
        mode: int = 0,
        uid: int = 0,
        gid: int = 0,
        mtime: int = 0,
        content: bytes = UNKNOWN,
        link: bytes | None = None,
        device: tuple[int, int] | None = None,
        xattrs: bytes = b"",
    ) -> None:
        """One row; see :class:`lamina.layers.index.LayerIndex` for what each value means."""
        row = len(self._keys)
        self._keys.append(key)
        self._numbers.append((kind, size, mode & 0o7777, uid & 0xFFFFFFFF, gid & 0xFFFFFFFF, mtime, self._position))
        self._contents.append(content)
        if link is not None:
            self._links[row] = link
        if device is not None:
            self._devices[row] = device
        if xattrs:
            self._xattrs[row] = xattrs
        # Where its content would stand in a tar: what tells files of a layer apart.
        self._position += BLOCK + size + -size % BLOCK

    def extend(
        self, index: LayerIndex, below: bytes, wanted: Callable[[bytes], bool], *, without: Kind | None = None
    ) -> None:
        """All rows of another index that are wanted.

        Args:
            index: where they are.
            below: the key of the directory that its paths begin in.
            wanted: of the whole key.
            without: rows of this kind are left out.
        """
        prefix = below + SEPARATOR if below else b""
        columns = (index.kind, index.size, index.mode, index.uid, index.gid, index.mtime)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        contents = [content.tobytes() for content in index.content]
        for row, (key, (kind, size, mode, uid, gid, mtime)) in enumerate(zip(index.keys(), rows, strict=True)):
            whole = prefix + key if key else below
            if kind == without or not wanted(whole):
                continue
            link = index.links.get(row)
            if link is not None and kind == Kind.HARDLINK:
                link = prefix + link
            self.add(
                whole,
                Kind(kind),
                size=size,
                mode=mode,
                uid=uid,
                gid=gid,
                mtime=mtime,
                content=contents[row],
                link=link,
                device=index.devices.get(row),
                xattrs=index.xattrs.get(row, b""),
            )

    def index(self, tar_size: int | None = None) -> LayerIndex:
        """The index of all that was added; its ``tar_size``, if not given, is the plainest tar's that would hold it."""
        numbers = np.array(self._numbers, dtype=np.int64).reshape(-1, 7)
        content = np.frombuffer(b"".join(self._contents), dtype=np.uint64).reshape(-1, 2)
        return LayerIndex(
            keys_blob=join_keys(self._keys),
            kind=numbers[:, 0].astype(np.uint8),
            size=numbers[:, 1].copy(),
            mode=numbers[:, 2].astype(np.uint16),
            uid=numbers[:, 3].astype(np.uint32),
            gid=numbers[:, 4].astype(np.uint32),
            mtime=numbers[:, 5].copy(),
            offset=numbers[:, 6].copy(),
            content=content,
            links=self._links,
            devices=self._devices,
            xattrs=self._xattrs,
            tar_size=self._position + 2 * BLOCK if tar_size is None else tar_size,
        )
