"""Where the blocks of zstd data end: RFC 8878, section 3.1.

A block unpacks to 128 KiB at the most, whatever its bytes. So who knows where blocks end can unpack a bounded amount
at a time.
"""

from __future__ import annotations

_FRAME = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"  # behind a byte from 0x50 to 0x5F
_DICTIONARY_ID = (0, 1, 2, 4)  # bytes, by the last two bits of a frame's descriptor
_CONTENT_SIZE = (0, 2, 4, 8)  # bytes, by its first two bits; one byte in place of none for a single segment
_RLE = 1


class ZstdBlocks:
    """Follows zstd data that comes in pieces, frame by frame and block by block."""

    def __init__(self) -> None:
        self._in_frame = False
        self._checksum = 0  # bytes behind the frame's last block
        self._left = 0  # bytes of the header or block that is being passed
        self._is_block = False

    def advance(self, data: bytes, start: int, blocks: int) -> int:
        """Go on in ``data`` from ``start``, where the last call stopped, past at most so many ends of blocks.

        Returns:
            Where it stopped: at the end of a block, of the data, or before a header that is not all there.
        """
        at, end = start, len(data)
        while at < end and blocks:
            if not self._left:
                self._left = self._next(data, at)
                if not self._left:
                    break
            step = min(self._left, end - at)
            at += step
            self._left -= step
            if self._is_block and not self._left:
                blocks -= 1
        return at

    def _next(self, data: bytes, at: int) -> int:
        """Bytes of the frame header, skippable frame or block that begins here; 0 where they can't be told yet."""
        there = len(data) - at
        if self._in_frame:
            if there < 3:
                return 0
            header = int.from_bytes(data[at : at + 3], "little")
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            self._is_block = True
            self._in_frame = not last
            return 3 + (1 if kind == _RLE else size) + (self._checksum if last else 0)
        self._is_block = False
        if there < 8:  # no frame is shorter
            return 0
        if data[at + 1 : at + 4] == _SKIPPABLE and data[at] >> 4 == 5:
            return 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] != _FRAME:
            return there  # rubbish: whoever unpacks it says so
        descriptor = data[at + 4]
        single_segment = descriptor >> 5 & 1
        content_size = _CONTENT_SIZE[descriptor >> 6] or single_segment
        self._checksum = 4 * (descriptor >> 2 & 1)
        self._in_frame = True
        return 5 + (1 - single_segment) + _DICTIONARY_ID[descriptor & 3] + content_size
