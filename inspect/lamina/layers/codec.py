"""How a blob is compressed, and its bytes uncompressed piece by piece."""

from __future__ import annotations

from typing import Literal, Protocol

from lamina.layers.block import BLOCK, ZERO_BLOCK, checksum_holds
from lamina.model import LaminaError

Codec = Literal["tar", "gzip", "zstd", "json", "empty", "unknown"]


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


def decompressor(codec: Codec, where: str) -> Decompressor:
    """What turns a blob of this kind into tar bytes.

    Raises:
        LaminaError: the kind is none lamina can read.
    """
    if codec in ("tar", "empty"):
        return _Identity()
    if codec == "gzip":
        from lamina.layers.gzip_members import Gzip  # what unpacks is loaded when something is to be unpacked

        return Gzip(where)
    if codec == "zstd":
        from lamina.layers.zstd_frames import Zstd

        return Zstd(where)
    raise LaminaError(f"{where}: unknown compression: neither tar, gzip nor zstd")
