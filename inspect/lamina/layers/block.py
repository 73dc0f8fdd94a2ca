"""One 512-byte block of a tar: its numbers and its checksum (POSIX.1-1988 ustar, GNU tar, V7; see tar(5))."""

from __future__ import annotations

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
PIECE = 1 << 20
"""Bytes that are unpacked at a time: bounds what a decompression bomb can make us hold."""


def parse_number(field: bytes) -> int:
    """One numeric header field: octal text, or base-256 where the first bit is set.

    Raises:
        ValueError: neither of both.
    """
    first = field[0]
    if first in (0x80, 0xFF):
        value = int.from_bytes(field[1:], "big")
        return value - (1 << 8 * (len(field) - 1)) if first == 0xFF else value
    if first & 0x80:  # GNU and star use all bits but the first
        return int.from_bytes(bytes((first & 0x7F,)) + field[1:], "big")
    text = field.partition(b"\0")[0].strip()
    # int() would take "0o17", "1_0" and signs, which no tar writes.
    if not text:
        return 0
    if not all(0x30 <= c <= 0x37 for c in text):
        raise ValueError(f"not a number: {field!r}")
    return int(text, 8)


def checksum_holds(block: bytes) -> bool:
    """Whether a header's checksum is the sum of its bytes, its own field read as blanks."""
    try:
        stated = parse_number(block[148:156])
    except ValueError:
        return False
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    # Old tars summed signed bytes.
    return stated == total or stated == total - 256 * sum(byte > 127 for byte in rest)
