"""Runs of ordinary members in a piece of a tar, found all at once.

A header stands at a multiple of 512 bytes and names its format at a fixed place. So all blocks that may be headers are
looked at together; where each one's member ends just where the next one stands, the chain holds. What looks like a
header inside a payload (a tar within a tar) is in nobody's chain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.layers.block import BLOCK
from lamina.layers.headers import plain_payloads

_MAGIC_AT = 257
_MAGIC = int.from_bytes(b"usta", "little")
_WORTH = 8 * BLOCK  # bytes below which one member after the other is faster


class Runs:
    """The ordinary members of a piece of a tar: without any oddity, and here whole.

    Args:
        data: the piece.
        start: where in it a header stands.
    """

    def __init__(self, data: bytes, start: int) -> None:
        count = (len(data) - start) // BLOCK
        if count * BLOCK < _WORTH:
            self._at = np.zeros(0, dtype=np.int64)
            return
        blocks = np.frombuffer(data, dtype=np.uint8, count=count * BLOCK, offset=start).reshape(-1, BLOCK)
        magic = np.ndarray((count,), dtype="<u4", buffer=data, offset=start + _MAGIC_AT, strides=(BLOCK,))
        rows = np.flatnonzero(magic == _MAGIC)
        self._headers = blocks[rows]
        self._at = rows * BLOCK + start
        self._payloads = plain_payloads(self._headers)
        self._ends = self._at + BLOCK + (self._payloads + (BLOCK - 1)) // BLOCK * BLOCK
        ordinary = (self._payloads >= 0) & (self._ends <= len(data))
        self._odd = np.append(np.flatnonzero(~ordinary), len(rows))
        self._broken = np.append(np.flatnonzero(self._ends[:-1] != self._at[1:]) + 1, len(rows))

    def find(self, position: int) -> slice | None:
        """The members of the longest run that begins with the header at ``position``; None where none does."""
        first = int(np.searchsorted(self._at, position))
        if first == len(self._at) or self._at[first] != position:
            return None
        odd = int(self._odd[np.searchsorted(self._odd, first)])
        broken = int(self._broken[np.searchsorted(self._broken, first, side="right")])
        stop = min(odd, broken)
        return slice(first, stop) if stop > first else None

    def headers(self, run: slice) -> NDArray[np.uint8]:
        """The header blocks of a run, one a row."""
        return self._headers[run]

    def at(self, run: slice) -> NDArray[np.int64]:
        """Where in the data each header stands."""
        return self._at[run]

    def payloads(self, run: slice) -> NDArray[np.int64]:
        """Bytes of each payload, which follows its header."""
        return self._payloads[run]

    def end(self, run: slice) -> int:
        """Where the last member ends."""
        return int(self._ends[run.stop - 1])
