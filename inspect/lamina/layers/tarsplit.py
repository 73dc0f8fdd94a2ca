"""A layer's index from an engine's tar-split record: every header as it was, no content read.

An engine that unpacks a layer keeps what it needs to put the very same tar together again (vbatts/tar-split): a gzip
of JSON lines, alternately raw bytes of the tar (type 2, base64: headers and padding) and files (type 1: name, bytes,
and the CRC-64 of the content). The raw bytes are fed to the ordinary scanner, the contents passed over.
"""

from __future__ import annotations

import binascii
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lamina.layers.block import BLOCK
from lamina.layers.codec import decompressor
from lamina.layers.index import CRC_MARK, LayerIndex
from lamina.layers.scan import NONE, LayerScanner
from lamina.model import Cancelled, LaminaError

_CHUNK = 256 << 10
_LINES = 20_000  # between two looks at the cancel event


@dataclass(frozen=True, slots=True)
class TarSplitJob:
    """One tar-split record to a layer's index."""

    path: str
    where: str

    @property
    def cost(self) -> int:
        """How much work it is, in bytes to be read whole: headers pack well."""
        try:
            return Path(self.path).stat().st_size * 40
        except OSError:
            return 0

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> LayerIndex:
        """Do it.

        Raises:
            LaminaError: the record is unreadable, or of a shape that this reading can't be exact on.
            Cancelled: ``cancel`` was set.
        """
        scanner = LayerScanner(where=self.where, hash_within=NONE)
        try:
            with Path(self.path).open("rb") as file:
                lines = _lines(iter(lambda: file.read(_CHUNK), b""), self.where)
                for number, line in enumerate(lines):
                    if not number % _LINES and cancel.is_set():
                        raise Cancelled
                    self._take(line, scanner)
        except OSError as error:
            raise LaminaError(f"{self.where}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise LaminaError(f"{self.where}: malformed tar-split record") from None
        index = scanner.finish()
        if not index.tar_size:  # even an empty tar has its end marker; an empty record was never written whole
            raise LaminaError(f"{self.where}: empty tar-split record")
        advance(index.tar_size)
        return index

    def _take(self, line: bytes, scanner: LayerScanner) -> None:
        # The two shapes that all lines have, taken apart by hand: a JSON parser would take most of the time. A quote
        # inside a name is escaped, so the last `"size":` is the field.
        if line.startswith(b'{"type":2,"payload":"'):
            scanner.feed(binascii.a2b_base64(line[21 : line.index(b'"', 21)]))
            return
        if not line.startswith(b'{"type":1,"name'):
            raise ValueError("neither a segment nor a file")
        start = line.rfind(b'"size":')
        if start < 0:  # a member without content
            if scanner.skippable:
                raise ValueError("a file without a size")
            return
        size_text, payload, rest = line[start + 7 :].split(b",", 2)
        if not (payload.startswith(b'"payload":"') and rest.startswith(b'"position":')):
            raise ValueError("a file without a checksum")
        size = int(size_text)
        if size <= 0 or scanner.skippable != size + -size % BLOCK:
            # A sparse file, or a header that says otherwise: the export has the bytes.
            raise LaminaError(f"{self.where}: a member whose content is needed")
        scanner.skip(size, binascii.a2b_base64(payload[11:-1])[:8].rjust(8, b"\0") + CRC_MARK)


def _lines(chunks: Iterator[bytes], where: str) -> Iterator[bytes]:
    codec = decompressor("gzip", where)
    rest = b""
    for chunk in chunks:
        data = codec.feed(chunk)
        while True:
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
            if not codec.pending:
                break
            data = codec.feed(b"")
    codec.finish()
    if rest:
        yield rest
