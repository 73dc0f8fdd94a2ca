"""Bytes packed and sealed, so that a damaged, truncated, foreign or future file reads as nothing at all.

``LAMINA`` and a format number, an XXH3-128 of the rest, then zstd data.
"""

from __future__ import annotations

import struct
import threading

import xxhash

FORMAT = 3
"""Raised with every change of what is stored or of how layers are read."""

_MAGIC = b"LAMINA" + struct.pack("<H", FORMAT)
_SUM = 16
_MAX = 4 << 30  # bytes unpacked: more is not ours


def seal(raw: bytes) -> bytes:
    """Pack bytes."""
    from lamina.zstd import ZstdCompressor  # where nothing is kept, it is not needed

    compressor = ZstdCompressor(level=1)
    compressor.set_pledged_input_size(len(raw))
    body = compressor.compress(raw, ZstdCompressor.FLUSH_FRAME)
    return _MAGIC + xxhash.xxh3_128_digest(body) + body


def unseal(data: bytes) -> bytes | None:
    """The bytes again; None for anything that is not whole and of this format."""
    from lamina.zstd import ZstdDecompressor, ZstdError, get_frame_info

    start = len(_MAGIC) + _SUM
    body = data[start:]
    if data[: len(_MAGIC)] != _MAGIC or xxhash.xxh3_128_digest(body) != data[len(_MAGIC) : start]:
        return None
    try:
        size: int | None = get_frame_info(body).decompressed_size
        if size is None or size > _MAX:
            return None
        frame = ZstdDecompressor()
        raw = frame.decompress(body, size)
    except (ZstdError, ValueError, MemoryError):
        return None
    return raw if frame.eof and not frame.unused_data else None


class Unsealing:
    """Bytes that are unpacked on a thread, while what they are to be used with is loaded.

    Args:
        data: what :func:`seal` gave.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._raw: bytes | None = None
        self._thread = threading.Thread(target=self._run, name="lamina-unsealing", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._raw = unseal(self._data)

    def result(self) -> bytes | None:
        """What :func:`unseal` gives; waits for it."""
        self._thread.join()
        return self._raw
