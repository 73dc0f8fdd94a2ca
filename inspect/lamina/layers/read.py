"""Read one layer from its source: decompress, scan, and check digests in passing."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable

from lamina.layers.block import BLOCK
from lamina.layers.codec import Decompressor, decompressor, sniff
from lamina.layers.index import LayerIndex
from lamina.layers.scan import ALL, LayerScanner
from lamina.model import Cancelled, LaminaError

_WINDOW = 128 << 10
_WIDE_WINDOW = 1 << 20
"""Bytes read at a time where files are small, and next to nothing is passed over."""

_WORTH_READING = 64 << 10
"""Bytes of a file that are read on to their end for its content id: as many as passing over them would save little."""


class StreamScan:
    """A layer's blob pushed in as raw bytes, of whatever compression, every content hashed.

    Args:
        where: names the layer in errors.
        want_digest: compute :attr:`digest`.
        want_diff_id: compute :attr:`diff_id`.
        cancel: looked at between pieces of what a chunk unpacks to, which can be gigabytes.
    """

    def __init__(
        self,
        where: str,
        *,
        want_digest: bool = False,
        want_diff_id: bool = False,
        cancel: threading.Event | None = None,
    ) -> None:
        self._where = where
        self._cancel = cancel
        self._head = b""
        self._codec: Decompressor | None = None
        self._scanner = LayerScanner(where=where, hash_within=ALL)
        self._plain = False
        self._raw = hashlib.sha256() if want_digest else None
        self._tar = hashlib.sha256() if want_diff_id else None

    @property
    def digest(self) -> str:
        """Digest of the raw bytes so far; needs ``want_digest``."""
        if self._raw is None and self._plain and self._tar is not None:
            return self.diff_id  # of a plain tar both are one
        assert self._raw is not None
        return f"sha256:{self._raw.hexdigest()}"

    @property
    def diff_id(self) -> str:
        """Digest of the uncompressed bytes so far; needs ``want_diff_id``."""
        assert self._tar is not None
        return f"sha256:{self._tar.hexdigest()}"

    def feed(self, raw: bytes) -> None:
        """Take the next bytes of the blob.

        Raises:
            LaminaError: the data is damaged, or of no kind lamina reads.
            Cancelled: ``cancel`` was set; the scan is of no use any more.
        """
        if self._codec is None:
            self._head += raw
            if len(self._head) < BLOCK:
                return
            raw, self._head = self._head, b""
            self._begin(raw)
        self._push(raw)

    def _begin(self, raw: bytes) -> None:
        kind = sniff(raw[:BLOCK])
        self._plain = kind in ("tar", "empty")
        self._codec = decompressor(kind, self._where)
        if self._plain and self._raw is not None and self._tar is not None:
            self._raw = None  # the same bytes need not be hashed twice

    def _push(self, raw: bytes) -> None:
        assert self._codec is not None
        if self._raw is not None:
            self._raw.update(raw)
        while True:
            data = self._codec.feed(raw)
            if self._tar is not None:
                self._tar.update(data)
            self._scanner.feed(data)
            if not self._codec.pending:
                return
            if self._cancel is not None and self._cancel.is_set():
                raise Cancelled
            raw = b""

    def finish(self) -> LayerIndex:
        """The index of the whole blob.

        Raises:
            LaminaError: the data ends too early, or is of no kind lamina reads.
        """
        if self._codec is None:
            raw, self._head = self._head, b""
            self._begin(raw)
            self._push(raw)
        assert self._codec is not None
        self._codec.finish()
        return self._scanner.finish()


def scan_stream(
    chunks: Iterable[bytes],
    *,
    where: str,
    digest: str | None = None,
    diff_id: str | None = None,
    cancel: threading.Event,
    advance: Callable[[int], None],
) -> LayerIndex:
    """Read a layer's blob to its end.

    Args:
        chunks: the raw bytes of the blob.
        where: names the layer in errors.
        digest: what the raw bytes must hash to; None: not checked.
        diff_id: what the uncompressed bytes must hash to; None: not checked.
        cancel: looked at before every chunk.
        advance: notified of the bytes of every chunk.

    Raises:
        LaminaError: damaged, truncated, of unknown kind, or not what its digest says.
        Cancelled: ``cancel`` was set.
    """
    scan = StreamScan(where, want_digest=digest is not None, want_diff_id=diff_id is not None, cancel=cancel)
    for chunk in chunks:
        if cancel.is_set():
            raise Cancelled
        scan.feed(chunk)
        advance(len(chunk))
    index = scan.finish()
    if digest is not None and scan.digest != digest:
        raise LaminaError(f"{where}: its bytes hash to {scan.digest}, not to the digest the manifest gives")
    if diff_id is not None and scan.diff_id != diff_id:
        raise LaminaError(f"{where}: its tar hashes to {scan.diff_id}, not to the diff_id the config gives")
    return index


def scan_plain(
    fd: int,
    offset: int,
    size: int,
    *,
    where: str,
    cancel: threading.Event,
    advance: Callable[[int], None],
) -> LayerIndex:
    """Scan a plain layer tar in place, inside an open file, passing over what large files contain.

    Small files are in what is read anyway, so their content ids are made in passing. Windows are read with pread, not
    mapped: a map's pages would count as our memory, and a file cut short meanwhile would end the process.

    Args:
        fd: an open, seekable file.
        offset: where the layer starts, bytes.
        size: bytes of the layer.
        where: names the layer in errors.
        cancel: looked at before every window.
        advance: notified of how many bytes each step read or passed over.

    Raises:
        LaminaError: damaged, truncated, or unreadable.
        Cancelled: ``cancel`` was set.
    """
    scanner = LayerScanner(where=where, hash_within=_WORTH_READING)
    position, end = offset, offset + size
    window = _WINDOW
    while position < end:
        if cancel.is_set():
            raise Cancelled
        try:
            data = os.pread(fd, min(window, end - position), position)
        except OSError as error:
            raise LaminaError(f"{where}: {error.strerror or error}") from None
        if not data:
            raise LaminaError(f"{where}: the file ends inside this layer")
        scanner.feed(data)
        skipped = min(scanner.skippable, end - position - len(data))
        if skipped:
            scanner.skip(skipped)
        advance(len(data) + skipped)
        position += len(data) + skipped
        window = _WINDOW if skipped else _WIDE_WINDOW
    return scanner.finish()
