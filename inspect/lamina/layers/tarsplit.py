"""A layer's index from an engine's tar-split record: every header as it was, no content read.

An engine that unpacks a layer keeps what it needs to put the very same tar together again (vbatts/tar-split): a gzip
of JSON lines, alternately raw bytes of the tar (type 2, base64: headers and padding) and files (type 1: name, bytes,
and the CRC-64 of the content). The headers are fed to the ordinary scanner, the contents passed over.
"""

from __future__ import annotations

import binascii
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from lamina.dataclass import dataclass
from lamina.layers.block import BLOCK
from lamina.layers.codec import decompressor
from lamina.layers.index import CRC_MARK, LayerIndex
from lamina.layers.scan import EMPTY_CONTENT, NONE, LayerScanner
from lamina.model import Cancelled, LaminaError

_CHUNK = 256 << 10
_MEMBERS = 2000  # handed to the scanner together
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
        reading = _Reading(self.where)
        try:
            with Path(self.path).open("rb") as file:
                lines = _lines(iter(lambda: file.read(_CHUNK), b""), self.where)
                for number, line in enumerate(lines):
                    if not number % _LINES and cancel.is_set():
                        raise Cancelled
                    reading.take(line)
        except OSError as error:
            raise LaminaError(f"{self.where}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise LaminaError(f"{self.where}: malformed tar-split record") from None
        index = reading.finish()
        if not index.tar_size:  # even an empty tar has its end marker; an empty record was never written whole
            raise LaminaError(f"{self.where}: empty tar-split record")
        advance(index.tar_size)
        return index


class _Reading:
    """Takes a record's lines. Ordinary members are gathered and handed to the scanner by the hundred."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._scanner = LayerScanner(where=where, hash_within=NONE)
        self._segment = b""  # raw bytes since the last file
        self._padding = 0  # how many of them belong to the payload before
        self._blocks: list[bytes] = []
        self._contents: list[bytes] = []

    def take(self, line: bytes) -> None:
        """Take a line.

        Raises:
            LaminaError: the content of a member is needed.
            ValueError: it is of no shape that is known.
        """
        # The two shapes that all lines have, taken apart by hand: a JSON parser would take most of the time. A quote
        # inside a name is escaped, so the last `"size":` is the field.
        if line.startswith(b'{"type":2,"payload":"'):
            segment = binascii.a2b_base64(line[21 : line.index(b'"', 21)])
            self._segment = self._segment + segment if self._segment else segment
            return
        if not line.startswith(b'{"type":1,"name'):
            raise ValueError("neither a segment nor a file")
        start = line.rfind(b'"size":')
        size, content = 0, EMPTY_CONTENT
        if start >= 0:  # else a member without content
            size_text, payload, rest = line[start + 7 :].split(b",", 2)
            if not (payload.startswith(b'"payload":"') and rest.startswith(b'"position":')):
                raise ValueError("a file without a checksum")
            size = int(size_text)
            content = binascii.a2b_base64(payload[11:-1])[:8].rjust(8, b"\0") + CRC_MARK
            if size <= 0:
                raise self._content_needed()
        segment, self._segment = self._segment, b""
        if len(segment) == self._padding + BLOCK and _is_ordinary(segment, self._padding, size):
            self._blocks.append(segment[self._padding :])
            self._contents.append(content)
            if len(self._blocks) >= _MEMBERS:
                self._hand_on()
        else:
            self._hand_on()
            self._scanner.feed(segment[self._padding :])
            if self._scanner.skippable != size + -size % BLOCK:
                # A sparse file, or a header that says otherwise: the export has the bytes.
                raise self._content_needed()
            if size:
                self._scanner.skip(size + -size % BLOCK, content)
        self._padding = -size % BLOCK

    def finish(self) -> LayerIndex:
        """The index of the whole record.

        Raises:
            LaminaError: it ends in the middle of a member.
        """
        self._hand_on()
        if len(self._segment) < self._padding:  # a tar may end so, but then it is longer by the padding
            raise self._content_needed()
        self._scanner.feed(self._segment[self._padding :])
        return self._scanner.finish()

    def _hand_on(self) -> None:
        if self._blocks:
            self._scanner.take_headers(b"".join(self._blocks), self._contents)
            self._blocks.clear()
            self._contents = []

    def _content_needed(self) -> LaminaError:
        return LaminaError(f"{self._where}: a member whose content is needed")


def _is_ordinary(data: bytes, at: int, size: int) -> bool:
    """Whether the header at ``at`` has no oddity, and says that this many bytes of content follow."""
    flag = data[at + 156]
    if flag == 0x30:
        # The twelfth character of a size is a digit, a blank or NUL.
        return not data[at + 135] & 0xDF and int(data[at + 124 : at + 135], 8) == size
    return 0x31 <= flag <= 0x36 and not size


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
