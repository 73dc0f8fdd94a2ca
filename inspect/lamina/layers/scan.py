"""Scan a layer's tar to its index, whatever way the bytes come.

One push parser serves file windows (payloads skipped), decompressors and streams. It walks from header to header,
noting where each stands, and leaves the fields to be decoded by the thousand (:mod:`lamina.layers.headers`).
"""

from __future__ import annotations

import numpy as np
import xxhash
from numpy.typing import NDArray

from lamina import limits
from lamina.layers.block import BLOCK, ZERO_BLOCK, parse_number
from lamina.layers.extensions import Override, apply_pax, gnu_sparse, map_continues
from lamina.layers.headers import decode_headers, plain_payloads
from lamina.layers.index import LayerIndex
from lamina.layers.index_builder import IndexBuilder
from lamina.layers.runs import Runs
from lamina.model import LaminaError

_BATCH = 4096
_NO_CONTENT = bytes(16)
EMPTY_CONTENT = xxhash.xxh3_128_digest(b"")
"""The content id of a file without content."""

# Type flags: what carries a payload, what a row is made of (tar(5)).
_REGULAR = frozenset(b"0\x007S")
_HEADER_ONLY = frozenset(b"123456")
_EXTENSION = frozenset(b"xgXLK")
_ORDINARY = frozenset(b"0123456")

ALL = 1 << 62
"""Of contents to be hashed: all of them."""
NONE = -1
"""Of contents to be hashed: none."""


class LayerScanner:
    """Push parser of one uncompressed layer tar.

    Args:
        where: names the layer in errors, ``layer 3 (sha256:ab…) of web.tar``.
        hash_within: compute in passing the content id of every regular file of which no more than this many bytes are
            still to be fed when its header is met: :data:`ALL`, :data:`NONE`, or as many as are worth reading on for.
            The rest of other payloads may be skipped.
    """

    def __init__(self, *, where: str, hash_within: int) -> None:
        self._where = where
        self._hash_within = hash_within
        self._rest: list[bytes] = []  # an unfinished header or extension, in pieces
        self._rest_bytes = 0
        self._wanted = BLOCK  # bytes with which it is whole
        self._position = 0  # bytes of the tar consumed before the next fed byte
        self._payload = 0  # bytes of content still to come
        self._padding = 0  # and of padding after it
        self._hasher: xxhash.xxh3_128 | None = None
        self._sparse_blocks = False
        self._ended = False
        # Of the rows of the data being walked: where in it their headers stand.
        self._at: list[int] = []
        self._extensions_at: list[int] = []
        # Of the rows since the last flush.
        self._headers: list[NDArray[np.uint8]] = []
        self._extensions: list[NDArray[np.uint8]] = []
        self._sizes: list[int] = []
        self._offsets: list[NDArray[np.int64]] = []
        self._contents: list[bytes] = []
        self._overrides: dict[int, Override] = {}
        self._override: Override | None = None
        self._columns = IndexBuilder()

    @property
    def skippable(self) -> int:
        """Bytes that the next feed may leave out, by :meth:`skip`: the rest of a payload nobody needs."""
        if self._ended or self._hasher is not None or self._rest:
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
            # Joined when it is whole only: pieces may be of one byte, and an extension of millions.
            self._rest.append(data)
            self._rest_bytes += len(data)
            if self._rest_bytes < self._wanted:
                return
            data = b"".join(self._rest)
            self._rest, self._rest_bytes = [], 0
        position = self._take_payload(data, 0) if self._payload or self._padding else 0
        if not (self._payload or self._padding):
            position = self._walk(data, position)
        self._position += position
        self._keep(data[position:])

    def _keep(self, rest: bytes) -> None:
        if self._ended:
            self._position += len(rest)
        elif rest:
            self._rest, self._rest_bytes = [rest], len(rest)

    def finish(self) -> LayerIndex:
        """The index of all that was fed.

        Raises:
            LaminaError: the tar ends in the middle of a member.
        """
        # A tar may lack its end marker, and padding of the last member: readers everywhere accept both.
        if not self._ended and (
            self._payload or self._sparse_blocks or self._override is not None or b"".join(self._rest).strip(b"\0")
        ):
            raise LaminaError(f"{self._where}: the layer is truncated: it ends inside a file")
        self._flush()
        if self._columns.total > limits.LAYER:
            raise LaminaError(f"{self._where}: its files claim more than {limits.LAYER} bytes together: damaged")
        return self._columns.index(self._position + self._rest_bytes)

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
        start, end = position, len(data)
        self._wanted = BLOCK
        runs: Runs | None = None
        while position + BLOCK <= end and not self._ended:
            if self._sparse_blocks:
                position = self._sparse_block(data, position)
                continue
            flag = data[position + 156]
            if self._override is None and flag in _ORDINARY:
                runs = runs or Runs(data, position)
                run = runs.find(position)
                if run is not None:
                    self._gather(data, start)  # what came before
                    self._take_run(data, runs, run)
                    position = runs.end(run)
                    continue
            if flag in _EXTENSION:
                size = self._size(data, position)
                if size > limits.EXTENSION:
                    raise self._damaged(self._position + position)
                whole = BLOCK + size + (-size % BLOCK)
                if position + whole > end:
                    self._wanted = whole
                    break
                self._extensions_at.append(position)
                self._extend(flag, data[position + BLOCK : position + BLOCK + size], self._position + position)
                position += whole
            elif data[position : position + BLOCK] == ZERO_BLOCK:
                self._ended = True
                position += BLOCK
            else:
                position = self._member(data, position, flag)
        self._gather(data, start)
        # The last row may still want its content or its sparse map.
        if len(self._sizes) >= _BATCH and not self._payload and not self._sparse_blocks:
            self._flush()
        return position

    def _take_run(self, data: bytes, runs: Runs, run: slice) -> None:
        """Take the members of a run, which are nearly all there are."""
        at, payloads = runs.at(run) + BLOCK, runs.payloads(run)
        if self._hash_within >= 0:
            digest, view = xxhash.xxh3_128_digest, memoryview(data)
            contents = [digest(view[a:b]) for a, b in zip(at.tolist(), (at + payloads).tolist(), strict=True)]
        else:
            contents = [_NO_CONTENT if size else EMPTY_CONTENT for size in payloads.tolist()]
        self._take(runs.headers(run), payloads, at + self._position, contents)

    def _take(
        self, headers: NDArray[np.uint8], sizes: NDArray[np.int64], offsets: NDArray[np.int64], contents: list[bytes]
    ) -> None:
        self._headers.append(headers)
        self._sizes += sizes.tolist()
        self._offsets.append(offsets)
        self._contents += contents

    def take_headers(self, blocks: bytes, contents: list[bytes]) -> None:
        """Take ordinary members of which only the headers are there: payloads and padding were passed over.

        Between two members only, and of members without any oddity (:func:`plain_payloads`) only.

        Args:
            blocks: the headers, one after another.
            contents: the content id of each, 16 bytes.
        """
        headers = np.frombuffer(blocks, dtype=np.uint8).reshape(-1, BLOCK)
        payloads = plain_payloads(headers)
        busy = self._ended or self._rest or self._payload or self._padding or self._sparse_blocks or self._override
        if busy or (payloads < 0).any():
            raise LaminaError(f"{self._where}: members where none can be")
        ends = self._position + np.cumsum(BLOCK + (payloads + (BLOCK - 1)) // BLOCK * BLOCK)
        starts = np.concatenate([[self._position], ends[:-1]])
        self._take(headers, payloads, starts + BLOCK, contents)
        self._position = int(ends[-1])
        if len(self._sizes) >= _BATCH:
            self._flush()

    def _member(self, data: bytes, position: int, flag: int) -> int:
        """Take one member of whatever kind; returns where the walk goes on."""
        start = position
        size = self._size(data, position)
        override, self._override = self._override, None
        if override is not None and override.size is not None and flag not in _HEADER_ONLY:
            size = override.size
        if size > limits.FILE or (override is not None and (override.real_size or 0) > limits.FILE):
            raise self._damaged(self._position + position)
        position += BLOCK
        if flag in _HEADER_ONLY:
            size = 0  # as engines read it, whatever the field says
        if flag == 0x53:
            override = override or Override(start=self._position + start)
            override.sparse = True
            block = data[start:position]
            try:
                override.real_size, self._sparse_blocks = gnu_sparse(block)
            except ValueError:
                raise self._damaged(self._position + start) from None
            if not 0 <= override.real_size <= limits.FILE:
                raise self._damaged(self._position + start)
            override.sparse_map = bytearray(block[386:482])
        if override is not None:
            self._overrides[len(self._sizes)] = override
        self._at.append(start)
        self._sizes.append(size)
        self._contents.append(_NO_CONTENT)
        if self._sparse_blocks:
            return position
        return self._begin_payload(data, position, regular=flag in _REGULAR)

    def _size(self, data: bytes, position: int) -> int:
        """What the header at ``position`` says of its size."""
        try:
            size = parse_number(data[position + 124 : position + 136])
        except ValueError:
            raise self._damaged(self._position + position) from None
        if not 0 <= size <= limits.FILE:
            raise self._damaged(self._position + position)
        return size

    def _sparse_block(self, data: bytes, position: int) -> int:
        """Take one more block of the last row's sparse map; returns where the walk goes on."""
        block = data[position : position + BLOCK]
        sparse_map = self._overrides[len(self._sizes) - 1].sparse_map
        if len(sparse_map) > limits.EXTENSION:
            raise LaminaError(f"{self._where}: a sparse map of more than {limits.EXTENSION} bytes")
        sparse_map += block
        self._sparse_blocks = map_continues(block)
        position += BLOCK
        return position if self._sparse_blocks else self._begin_payload(data, position, regular=True)

    def _begin_payload(self, data: bytes, position: int, *, regular: bool) -> int:
        """Start on the last row's payload at ``position``; returns where ``data`` has no more of it."""
        size = self._sizes[-1]
        self._payload = size
        self._padding = -size % BLOCK
        override = self._overrides.get(len(self._sizes) - 1)
        if override is not None and override.sparse:
            # The holes are not in the payload: the map stands for them. Equal ids still mean equal contents.
            self._hasher = xxhash.xxh3_128(b"sparse\0%d\0%s" % (override.real_size or 0, override.sparse_map))
            override.sparse_map = b""  # of megabytes, it may be
        elif regular and max(size - (len(data) - position), 0) <= self._hash_within:
            self._hasher = xxhash.xxh3_128()
        elif regular and not size:
            self._contents[-1] = EMPTY_CONTENT
        if size == 0 and self._hasher is not None:
            self._contents[-1] = self._hasher.digest()
            self._hasher = None
        return self._take_payload(data, position)

    def _extend(self, flag: int, payload: bytes, position: int) -> None:
        if flag == 0x67:  # global: see lamina.layers.extensions
            return
        override = self._override or Override(start=position)
        if flag == 0x4C:
            override.name = payload.partition(b"\0")[0]
        elif flag == 0x4B:
            override.link = payload.partition(b"\0")[0]
        else:
            try:
                apply_pax(payload, override)
            except ValueError as error:
                raise LaminaError(f"{self._where}: {error} at byte {position}") from None
        if len(override.name or b"") > limits.PATH or len(override.link or b"") > limits.PATH:
            raise LaminaError(f"{self._where}: a path longer than {limits.PATH} bytes at byte {position}")
        self._override = override

    def _damaged(self, position: int) -> LaminaError:
        return LaminaError(f"{self._where}: bad tar header at byte {position} (damaged, or not a tar)")

    def _gather(self, data: bytes, start: int) -> None:
        """Keep the headers of the rows since the last call, which stand in ``data`` from ``start`` on."""
        if not (self._at or self._extensions_at):
            return
        blocks = np.frombuffer(data, dtype=np.uint8, count=(len(data) - start) // BLOCK * BLOCK, offset=start)
        blocks = blocks.reshape(-1, BLOCK)
        if self._extensions_at:
            self._extensions.append(blocks[[(at - start) // BLOCK for at in self._extensions_at]])
            self._extensions_at.clear()
        if self._at:
            at = np.array(self._at, dtype=np.int64)
            self._at.clear()
            self._headers.append(blocks[(at - start) // BLOCK])
            self._offsets.append(at + (self._position + BLOCK))

    def _flush(self) -> None:
        if self._extensions:  # what they say was taken already: here wrong checksums come to light
            decode_headers(np.concatenate(self._extensions), self._where)
            self._extensions.clear()
        if self._sizes:
            batch = decode_headers(np.concatenate(self._headers), self._where)
            if not ((batch.size >= 0) & (batch.size <= limits.FILE)).all():
                raise LaminaError(f"{self._where}: bad tar header: a size out of all bounds (damaged, or not a tar)")
            offsets = np.concatenate(self._offsets)
            self._columns.add(batch, self._sizes, offsets, self._contents, self._overrides)
            if self._columns.name_bytes > limits.NAMES:
                raise LaminaError(f"{self._where}: more than {limits.NAMES} bytes of file names")
            for column in (self._headers, self._sizes, self._offsets, self._contents):
                column.clear()
            self._overrides = {}
