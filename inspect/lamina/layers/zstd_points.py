"""A layer of several zstd frames read at any offset: where frames begin is noted on the way, and kept.

What zstd(1), umoci and Docker write is one frame, which can be unpacked from its beginning only; zstd:chunked, pzstd
and what is made to be sought in have many (RFC 8878, section 3).
"""

from __future__ import annotations

import bisect
import itertools
import os
import struct
import threading
from collections.abc import Callable, Iterator

from lamina.layers.tar_bytes import ForwardTar, file_chunks
from lamina.layers.zstd_frames import Zstd

_POINT = struct.Struct("<QQ")  # bytes of the blob, bytes of the tar
_MAGIC = b"zstd frames 1\n"
_NEAR = 32 << 20  # bytes of the tar that are unpacked in a moment


class PointedZstd:
    """The tar of a zstd blob, a :class:`~lamina.layers.tar_bytes.TarBytes`.

    Args:
        fd: the open file, which is closed with this.
        start: where the blob begins in it.
        size: its bytes.
        where: names it in errors.
        cancel: looked at while it is unpacked.
        points: what was handed to ``keep`` before; None: nothing is known.
        keep: takes all points when this is closed, if there are new ones.
    """

    def __init__(
        self,
        fd: int,
        start: int,
        size: int,
        where: str,
        cancel: threading.Event,
        points: bytes | None = None,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        self._fd = fd
        self._start = start
        self._size = size
        self._where = where
        self._cancel = cancel
        self._keep = keep
        self._points = _read_points(points or b"", size)
        self._known = len(self._points)
        gaps = [after[1] - before[1] for before, after in itertools.pairwise(self._points)]
        self.random = bool(gaps) and max(gaps) <= _NEAR
        """Whether all that is known of lies close behind the beginning of a frame."""
        self._tar: ForwardTar | None = None
        self._codec: Zstd | None = None
        self._from = self._points[0]
        self._at = 0  # how far the open frame was read, bytes of the tar

    def read(self, offset: int, size: int) -> bytes:
        """See :class:`~lamina.layers.tar_bytes.TarBytes`."""
        return b"".join(self.pieces(offset, size))

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """See :class:`~lamina.layers.tar_bytes.TarBytes`."""
        self._learn()
        point = self._points[bisect.bisect_right(self._points, offset, key=lambda point: point[1]) - 1]
        if self._tar is None or not point[1] <= self._at <= offset:
            self._begin(point)
        assert self._tar is not None
        for piece in self._tar.pieces(offset - self._from[1], size):
            offset += len(piece)
            self._at = offset
            yield piece

    def _begin(self, point: tuple[int, int]) -> None:
        """Unpack from the beginning of a frame on."""
        if self._tar is not None:
            self._tar.close()
        raw = self._start + point[0], self._size - point[0]
        self._tar = ForwardTar(
            lambda: file_chunks(os.dup(self._fd), *raw, self._where), self._where, self._cancel, codec=self._made_codec
        )
        self._from, self._at = point, point[1]

    def _made_codec(self) -> Zstd:
        self._codec = Zstd(self._where)
        return self._codec

    def _learn(self) -> None:
        """Take in the frames that were passed beyond the last one known."""
        if self._codec is not None:
            seen = [(raw + self._from[0], tar + self._from[1]) for raw, tar in self._codec.frames]
            self._points += [point for point in seen if point[0] > self._points[-1][0]]

    def close(self) -> None:
        """See :class:`~lamina.layers.tar_bytes.TarBytes`."""
        try:
            self._learn()
            if self._keep is not None and len(self._points) > self._known:
                self._keep(_MAGIC + b"".join(_POINT.pack(*point) for point in self._points))
            if self._tar is not None:
                self._tar.close()
        finally:
            os.close(self._fd)


def _read_points(text: bytes, size: int) -> list[tuple[int, int]]:
    """Points as they were kept, ascending; the beginning alone where they are none."""
    beginning = [(0, 0)]
    if not text.startswith(_MAGIC) or (len(text) - len(_MAGIC)) % _POINT.size:
        return beginning
    points = list(_POINT.iter_unpack(text[len(_MAGIC) :]))
    ascending = all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(points))
    return points if points[:1] == beginning and ascending and points[-1][0] < size else beginning
