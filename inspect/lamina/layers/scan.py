"""Scan a layer's tar to its index, whatever way the bytes come.

One push parser serves file windows (payloads skipped), decompressors and streams. It walks from header to header
and leaves the fields to be decoded by the thousand (:mod:`lamina.layers.headers`).
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from lamina.layers.block import BLOCK, ZERO_BLOCK
from lamina.layers.extensions import MAX_EXTENSION, Override, apply_pax, gnu_sparse, map_continues
from lamina.layers.headers import HeaderBatch, decode_headers, parse_number
from lamina.layers.index import LayerIndex, join_keys
from lamina.layers.paths import MAX_PATH, classify, path_key
from lamina.model import Kind, LaminaError

_Scalar = TypeVar("_Scalar", bound=np.generic)

MAX_SIZE = 1 << 42
"""Bytes a file may have: more is a damaged header, and sums of what headers say must stay in 64 bits."""

_BATCH = 4096
_NO_CONTENT = bytes(16)
_EMPTY_CONTENT = xxhash.xxh3_128_digest(b"")
_INT64_MAX = 2**63 - 1

# As plain numbers: looking a member of an enumeration up costs more than the comparison.
_FILE, _HARDLINK, _SYMLINK = int(Kind.FILE), int(Kind.HARDLINK), int(Kind.SYMLINK)

# Type flags: what carries a payload, what a row is made of (tar(5)).
_REGULAR = frozenset(b"0\x007S")
_HEADER_ONLY = frozenset(b"123456")
_EXTENSION = frozenset(b"xgXLK")


class LayerScanner:
    """Push parser of one uncompressed layer tar.

    Args:
        where: names the layer in errors, ``layer 3 (sha256:ab…) of web.tar``.
        hash_content: compute the content id of every regular file in passing; else payloads may be skipped.
    """

    def __init__(self, *, where: str, hash_content: bool) -> None:
        self._where = where
        self._hash = hash_content
        self._rest = b""
        self._position = 0  # bytes of the tar consumed before the next fed byte
        self._payload = 0  # bytes of content still to come
        self._padding = 0  # and of padding after it
        self._hasher: xxhash.xxh3_128 | None = None
        self._sparse_blocks = False
        self._ended = False
        self._blocks: list[bytes] = []
        self._sizes: list[int] = []
        self._offsets: list[int] = []
        self._contents: list[bytes] = []
        self._overrides: dict[int, Override] = {}
        self._override: Override | None = None
        self._columns = _Columns()

    @property
    def skippable(self) -> int:
        """Bytes that the next feed may leave out, by :meth:`skip`: the rest of a payload nobody needs."""
        if self._ended or self._hash or self._hasher is not None or self._rest:
            return 0
        return self._payload + self._padding

    def skip(self, count: int, content: bytes | None = None) -> None:
        """Note that ``count`` bytes (at most :attr:`skippable`) were passed over.

        Args:
            count: bytes.
            content: the content id of what was passed over, where the caller knows one: 16 bytes.
        """
        self._position += count
        if content is not None:
            self._contents[-1] = content
        taken = min(count, self._payload)
        self._payload -= taken
        self._padding -= count - taken

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the tar, in pieces of any length.

        Raises:
            LaminaError: a header is damaged.
        """
        if self._ended:  # what follows the end marker counts only towards the size
            self._position += len(data)
            return
        if self._rest:
            data = self._rest + data
            self._rest = b""
        position = self._take_payload(data, 0) if self._payload or self._padding else 0
        if not (self._payload or self._padding):
            position = self._walk(data, position)
        self._position += position
        self._keep(data[position:])

    def _keep(self, rest: bytes) -> None:
        if self._ended:
            self._position += len(rest)
        else:
            self._rest = rest

    def finish(self) -> LayerIndex:
        """The index of all that was fed.

        Raises:
            LaminaError: the tar ends in the middle of a member.
        """
        # A tar may lack its end marker, and padding of the last member: readers everywhere accept both.
        if not self._ended and (
            self._payload or self._sparse_blocks or self._override is not None or self._rest.strip(b"\0")
        ):
            raise LaminaError(f"{self._where}: the layer is truncated: it ends inside a file")
        self._flush()
        return self._columns.index(self._position + len(self._rest))

    def _take_payload(self, data: bytes, position: int) -> int:
        """Consume what is left of the current payload from ``position`` on; returns where it ends in ``data``."""
        if not (self._payload or self._padding):
            return position
        taken = min(self._payload, len(data) - position)
        if self._hasher is not None:
            self._hasher.update(memoryview(data)[position : position + taken])
            if taken == self._payload:
                self._contents[-1] = self._hasher.digest()
                self._hasher = None
        self._payload -= taken
        padding = min(self._padding, len(data) - position - taken) if not self._payload else 0
        self._padding -= padding
        return position + taken + padding

    def _walk(self, data: bytes, position: int) -> int:
        """Go from header to header through ``data``; returns where it stopped."""
        end = len(data)
        base = self._position
        blocks, sizes, offsets, contents = self._blocks, self._sizes, self._offsets, self._contents
        add_block, add_size, add_offset, add_content = blocks.append, sizes.append, offsets.append, contents.append
        hashing, digest = self._hash, xxhash.xxh3_128_digest
        while position + BLOCK <= end:
            block = data[position : position + BLOCK]
            if self._sparse_blocks:
                self._overrides[len(blocks) - 1].sparse_map += block
                self._sparse_blocks = map_continues(block)
                position += BLOCK
                if not self._sparse_blocks:
                    offsets[-1] = base + position
                    position = self._begin_payload(data, position, sizes[-1])
                continue
            flag = block[156]
            try:
                size = int(block[124:135], 8)
                if block[135] not in b"\0 ":
                    size = parse_number(block[124:136])
            except ValueError:
                if block == ZERO_BLOCK:
                    self._ended = True
                    return position + BLOCK
                try:
                    size = parse_number(block[124:136])
                except ValueError:
                    raise self._damaged(base + position) from None
            if not 0 <= size <= MAX_SIZE:
                raise self._damaged(base + position)
            if flag == 0x30 and self._override is None and len(blocks) < _BATCH:
                # An ordinary file that is all here: nearly every member, so as little as can be is done for it.
                after = position + BLOCK + ((size + 511) & -BLOCK)
                if after <= end:
                    position += BLOCK
                    add_block(block)
                    add_size(size)
                    add_offset(base + position)
                    if not size:
                        add_content(_EMPTY_CONTENT)
                    else:
                        add_content(digest(data[position : position + size]) if hashing else _NO_CONTENT)
                    position = after
                    continue
            if flag in _EXTENSION:
                if size > MAX_EXTENSION:
                    raise self._damaged(base + position)
                whole = BLOCK + size + (-size % BLOCK)
                if position + whole > end:
                    break
                decode_headers([block], f"{self._where}, byte {base + position}")
                self._extend(flag, data[position + BLOCK : position + BLOCK + size], base + position)
                position += whole
                continue
            override, self._override = self._override, None
            if override is not None and override.size is not None and flag not in _HEADER_ONLY:
                size = override.size
            if size > MAX_SIZE or (override is not None and (override.real_size or 0) > MAX_SIZE):
                raise self._damaged(base + position)
            position += BLOCK
            if flag in _HEADER_ONLY:
                size = 0  # as engines read it, whatever the field says
            if flag == 0x53:
                override = override or Override()
                override.sparse = True
                try:
                    override.real_size, self._sparse_blocks = gnu_sparse(block)
                except ValueError:
                    raise self._damaged(base + position) from None
                if not 0 <= override.real_size <= MAX_SIZE:
                    raise self._damaged(base + position)
                override.sparse_map = block[386:482]
            if override is not None:
                self._overrides[len(blocks)] = override
            blocks.append(block)
            sizes.append(size)
            offsets.append(base + position)
            if flag not in _REGULAR or (override is not None and override.sparse):
                contents.append(_NO_CONTENT)
                if not self._sparse_blocks:
                    position = self._begin_payload(data, position, size)
            elif size == 0:
                contents.append(_EMPTY_CONTENT)
            elif position + size + 511 <= end:
                contents.append(xxhash.xxh3_128_digest(data[position : position + size]) if self._hash else _NO_CONTENT)
                position += size + (-size & 511)
            else:
                contents.append(_NO_CONTENT)
                position = self._begin_payload(data, position, size)
            if len(blocks) >= _BATCH and not self._payload and not self._sparse_blocks:
                self._flush()
        return position

    def _begin_payload(self, data: bytes, position: int, size: int) -> int:
        """Start on the last row's payload at ``position``; returns where ``data`` has no more of it."""
        self._payload = size
        self._padding = -size % BLOCK
        row = len(self._blocks) - 1
        override = self._overrides.get(row)
        sparse = override is not None and override.sparse
        if (self._hash or sparse) and self._blocks[row][156] in _REGULAR:
            self._hasher = xxhash.xxh3_128()
            if override is not None and sparse:
                # The holes are not in the payload: the map stands for them. Equal ids still mean equal contents.
                self._hasher.update(b"sparse\0%d\0%s" % (override.real_size or 0, override.sparse_map))
        if size == 0 and self._hasher is not None:
            self._contents[row] = self._hasher.digest()
            self._hasher = None
        return self._take_payload(data, position)

    def _extend(self, flag: int, payload: bytes, position: int) -> None:
        if flag == 0x67:  # global: see lamina.layers.extensions
            return
        override = self._override or Override()
        if flag == 0x4C:
            override.name = payload.partition(b"\0")[0]
        elif flag == 0x4B:
            override.link = payload.partition(b"\0")[0]
        else:
            try:
                apply_pax(payload, override)
            except ValueError as error:
                raise LaminaError(f"{self._where}: {error} at byte {position}") from None
        if len(override.name or b"") > MAX_PATH or len(override.link or b"") > MAX_PATH:
            raise LaminaError(f"{self._where}: a path longer than {MAX_PATH} bytes at byte {position}")
        self._override = override

    def _damaged(self, position: int) -> LaminaError:
        return LaminaError(f"{self._where}: bad tar header at byte {position} (damaged, or not a tar)")

    def _flush(self) -> None:
        if self._blocks:
            batch = decode_headers(self._blocks, self._where)
            self._columns.add(batch, self._sizes, self._offsets, self._contents, self._overrides)
            # Cleared in place: _walk holds on to these lists.
            for column in (self._blocks, self._sizes, self._offsets, self._contents):
                column.clear()
            self._overrides = {}


class _Columns:
    """Gathers decoded batches and makes the index of them."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._contents = bytearray()
        self._links: dict[int, bytes] = {}
        self._devices: dict[int, tuple[int, int]] = {}
        self._xattrs: dict[int, bytes] = {}

    def add(
        self,
        batch: HeaderBatch,
        sizes: list[int],
        offsets: list[int],
        contents: list[bytes],
        overrides: dict[int, Override],
    ) -> None:
        names, links = batch.names, batch.links
        mtime = np.clip(batch.mtime, -(_INT64_MAX // 10**9), _INT64_MAX // 10**9) * 10**9
        size = np.array(sizes, dtype=np.int64)
        uid, gid = batch.uid, batch.gid
        xattrs: dict[int, bytes] = {}
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
        self._keys += keys
        hashes = np.frombuffer(b"".join(contents), dtype=np.uint64).reshape(-1, 2)
        regular = kind == _FILE
        for name, column in (
            ("kind", kind),
            ("size", size),
            ("mode", (batch.mode & 0o7777).astype(np.uint16)),
            ("uid", (uid & 0xFFFFFFFF).astype(np.uint32)),
            ("gid", (gid & 0xFFFFFFFF).astype(np.uint32)),
            ("mtime", mtime),
            ("offset", np.array(offsets, dtype=np.int64)),
            ("content", np.where(regular[:, None], hashes, np.uint64(0))),
        ):
            self._parts.setdefault(name, []).append(column[rows])

    def index(self, tar_size: int) -> LayerIndex:
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
        )
