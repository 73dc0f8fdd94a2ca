"""Blobs that are gzip."""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import Any

from lamina.layers.block import PIECE
from lamina.model import LaminaError

_inflate: ModuleType
try:
    from isal import isal_zlib as _inflate  # three to four times as fast as zlib
except ImportError:  # no wheel for this machine
    _inflate = zlib


class Gzip:
    """Gzip, of several members too (pigz, estargz); padding after the last is ignored as gzip(1) does.

    Args:
        where: names it in errors.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._member: Any = None
        self._padding = False
        self._input = b""
        self.pending = False

    def feed(self, data: bytes) -> bytes:
        """See :class:`lamina.layers.codec.Decompressor`."""
        data = self._input + data if self._input else data
        self._input = b""
        self.pending = False
        if self._member is None or self._member.eof:
            data = self._next_member(data)
            if not data:
                return b""
        try:
            out: bytes = self._member.decompress(data, PIECE)
        except (zlib.error, _inflate.error) as error:
            raise LaminaError(f"{self._where}: damaged gzip data ({error})") from None
        self._input = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self.pending = bool(self._input) or len(out) >= PIECE
        return out

    def _next_member(self, data: bytes) -> bytes:
        """Begin a member; what its header still lacks is waited for: ISA-L loses its way in some cut ones."""
        if self._padding or data[:1] != b"\x1f":
            if data.strip(b"\0"):
                raise LaminaError(f"{self._where}: rubbish after the gzip data")
            self._padding = bool(data) or self._padding
            return b""
        if _header_length(data) is None:
            if len(data) > _MAX_HEADER:
                raise LaminaError(f"{self._where}: damaged gzip data (a header without end)")
            self._input = data
            return b""
        if data[:2] != b"\x1f\x8b":
            raise LaminaError(f"{self._where}: rubbish in the gzip data")
        self._member = _inflate.decompressobj(wbits=31)
        return data

    def finish(self) -> None:
        """See :class:`lamina.layers.codec.Decompressor`."""
        if (self._member is not None and not self._member.eof) or self._input:
            raise LaminaError(f"{self._where}: truncated gzip data")


_MAX_HEADER = 1 << 20  # bytes: extra fields end at 64 KiB, names and comments are short


def _header_length(data: bytes) -> int | None:
    """Bytes of a gzip member's header (RFC 1952, 2.3); None where it is not all there."""
    if len(data) < 10:
        return None
    flags, end = data[3], 10
    if flags & 4:  # extra field
        if len(data) < end + 2:
            return None
        end += 2 + int.from_bytes(data[end : end + 2], "little")
    for flag in (8, 16):  # name, comment
        if flags & flag:
            zero = data.find(b"\0", end)
            if zero < 0:
                return None
            end = zero + 1
    if flags & 2:  # checksum of the header
        end += 2
    return end if len(data) >= end else None
