"""Blobs that are zstd."""

from __future__ import annotations

from lamina.layers.block import PIECE
from lamina.model import LaminaError
from lamina.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

FRAMES_APART = 4 << 20
"""Unpacked bytes between two frames that are noted."""

_ZSTD_STEP = 4096

_ZSTD_OPTIONS: dict[int, int] = {DecompressionParameter.window_log_max: 27}
"""A frame may look back over 128 MiB: what zstd(1) itself takes without more options."""


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
        """See :class:`lamina.layers.codec.Decompressor`."""
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
            out = frame.decompress(piece, PIECE)
        except ZstdError as error:
            raise LaminaError(f"{self._where}: damaged zstd data ({error})") from None
        self._at += len(piece)
        # What follows a frame is handed back as a copy, so frames of a few bytes are not handed all that there is.
        if frame.eof:
            self._at -= len(frame.unused_data)
            self._step = max(_ZSTD_STEP, 2 * (len(piece) - len(frame.unused_data)))
        else:
            self._step = min(2 * self._step, PIECE)
        self.pending = self._at < len(self._input) or not (frame.eof or frame.needs_input)
        self._given += len(out)
        return out

    def finish(self) -> None:
        """See :class:`lamina.layers.codec.Decompressor`."""
        if self._at < len(self._input) or (self._frame is not None and not self._frame.eof):
            raise LaminaError(f"{self._where}: truncated zstd data")
