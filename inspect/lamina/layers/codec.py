"""How a blob is compressed, and its bytes uncompressed piece by piece."""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import Any, Literal, Protocol

from lamina.layers.block import BLOCK, ZERO_BLOCK, checksum_holds
from lamina.model import LaminaError
from lamina.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

_inflate: ModuleType
try:
    from isal import isal_zlib as _inflate  # three to four times as fast as zlib
except ImportError:  # no wheel for this machine
    _inflate = zlib

Codec = Literal["tar", "gzip", "zstd", "json", "empty", "unknown"]

_PIECE = 1 << 20  # bytes of output at a time: bounds what a decompression bomb can make us hold


def sniff(head: bytes) -> Codec:
    """What a blob is, from its first 512 bytes (all of it where shorter)."""
    if not head:
        return "empty"
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[:4] == b"\x28\xb5\x2f\xfd" or (len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5):
        return "zstd"
    if head[257:262] == b"ustar" or head[:BLOCK] == ZERO_BLOCK:
        return "tar"
    if len(head) >= BLOCK and head[148:156].strip(b"\0 ") and checksum_holds(head[:BLOCK]):  # V7, without a magic
        return "tar"
    if head.lstrip()[:1] in (b"{", b"["):
        return "json"
    return "unknown"


class Decompressor(Protocol):
    """Bytes in, bytes out, bounded."""

    pending: bool
    """More output can be had without input: call ``feed(b"")``."""

    def feed(self, data: bytes) -> bytes:
        """Uncompressed bytes, about a MiB at the most at a time.

        Raises:
            LaminaError: the data is damaged.
        """

    def finish(self) -> None:
        """Say that no more input comes.

        Raises:
            LaminaError: the data ends too early.
        """


class _Identity:
    pending = False

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> None:
        pass


class _Gzip:
    """Gzip, of several members too (pigz, estargz); padding after the last is ignored as gzip(1) does."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._member: Any = None
        self._padding = False
        self._input = b""
        self.pending = False

    def feed(self, data: bytes) -> bytes:
        data = self._input + data if self._input else data
        self._input = b""
        self.pending = False
        if self._member is None or self._member.eof:
            data = self._next_member(data)
            if not data:
                return b""
        try:
            out: bytes = self._member.decompress(data, _PIECE)
        except (zlib.error, _inflate.error) as error:
            raise LaminaError(f"{self._where}: damaged gzip data ({error})") from None
        self._input = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self.pending = bool(self._input) or len(out) >= _PIECE
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


class Zstd:
    """Zstandard, of several frames too, skippable ones among them (zstd:chunked keeps its table there).

    Args:
        where: names it in errors.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._frame: ZstdDecompressor | None = None
        self._input = b""
        self._before = 0  # bytes that came before the input
        self._at = 0  # bytes of the input that were taken
        self._given = 0
        self._step = _ZSTD_STEP  # bytes to be handed over at a time
        self.pending = False
        self.frames: list[tuple[int, int]] = []
        """Where frames begin, in the blob and in what is unpacked; those left out that are close to one before."""

    def feed(self, data: bytes) -> bytes:
        """See :class:`Decompressor`."""
        if data:
            self._before += self._at
            self._input, self._at = self._input[self._at :] + data, 0
        frame = self._frame
        if frame is None or frame.eof:
            if self._at == len(self._input):
                self.pending = False
                return b""
            frame = self._frame = ZstdDecompressor(options=_ZSTD_OPTIONS)
            if not self.frames or self._given - self.frames[-1][1] >= FRAMES_APART:
                self.frames.append((self._before + self._at, self._given))
        piece = self._input[self._at : self._at + self._step] if frame.needs_input else b""
        try:
            out = frame.decompress(piece, _PIECE)
        except ZstdError as error:
            raise LaminaError(f"{self._where}: damaged zstd data ({error})") from None
        self._at += len(piece)
        # What follows a frame is handed back as a copy, so frames of a few bytes are not handed all that there is.
        if frame.eof:
            self._at -= len(frame.unused_data)
            self._step = max(_ZSTD_STEP, 2 * (len(piece) - len(frame.unused_data)))
        else:
            self._step = min(2 * self._step, _PIECE)
        self.pending = self._at < len(self._input) or not (frame.eof or frame.needs_input)
        self._given += len(out)
        return out

    def finish(self) -> None:
        """See :class:`Decompressor`."""
        if self._at < len(self._input) or (self._frame is not None and not self._frame.eof):
            raise LaminaError(f"{self._where}: truncated zstd data")


FRAMES_APART = 4 << 20
"""Unpacked bytes between two frames that are noted."""

_ZSTD_STEP = 4096

_ZSTD_OPTIONS: dict[int, int] = {DecompressionParameter.window_log_max: 27}
"""A frame may look back over 128 MiB: what zstd(1) itself takes without more options."""


def decompressor(codec: Codec, where: str) -> Decompressor:
    """What turns a blob of this kind into tar bytes.

    Raises:
        LaminaError: the kind is none lamina can read.
    """
    if codec in ("tar", "empty"):
        return _Identity()
    if codec == "gzip":
        return _Gzip(where)
    if codec == "zstd":
        return Zstd(where)
    raise LaminaError(f"{where}: unknown compression: neither tar, gzip nor zstd")
