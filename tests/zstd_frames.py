"""Zstandard for tests, whichever Python brings it."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["compress_zstd", "zstd"]


def compress_zstd(data: bytes, level: int = 3) -> bytes:
    """One frame."""
    return zstd.compress(data, level)
