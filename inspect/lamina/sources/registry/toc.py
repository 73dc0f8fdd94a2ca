"""Layers that bring a table of contents: listed by a ranged read or two, their files left where they are.

A table counts only where the manifest, which is held against its digest, vouches for it. Sources: the stargz
snapshotter's docs/estargz.md; containers/storage, pkg/chunked (annotations and footer of zstd:chunked).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping

from lamina import limits
from lamina.dataclass import dataclass
from lamina.layers.block import BLOCK
from lamina.layers.codec import decompressor
from lamina.layers.index import LayerIndex
from lamina.layers.read import StreamScan
from lamina.layers.rows import LayerRows
from lamina.layers.toc import sha_id, toc_index
from lamina.model import Kind, LaminaError
from lamina.sources.json_checks import is_digest
from lamina.sources.registry.client import RegistryClient
from lamina.sources.registry.layer_stream import read_range

_STARGZ_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
_CHUNKED = ("io.github.containers.zstd-chunked.manifest-", "io.containers.zstd-chunked.manifest-")
"""What zstd:chunked annotations begin with, now and before 2023."""
_ENTRIES = "1"
"""The type of a zstd:chunked table that has the entries of eStargz."""
_FOOTER_SIZE = 51
# An empty gzip member with one extra field: where the table begins, in hexadecimal.
_FOOTER = re.compile(
    rb"\x1f\x8b\x08\x04.{6}\x1a\x00SG\x16\x00([0-9a-f]{16})STARGZ\x01\x00\x00\xff\xff\x00{8}", re.DOTALL
)
_STARGZ_NAME = b"stargz.index.json"


@dataclass(frozen=True, slots=True)
class TocPlace:
    """A table of contents as a manifest tells of it."""

    digest: str
    """Of the JSON (eStargz), or of its compressed bytes (zstd:chunked)."""
    start: int | None = None
    """First byte in the blob; None where only the blob's footer knows."""
    size: int = 0
    """Compressed bytes; 0 likewise."""


def toc_place(annotations: Mapping[str, str]) -> TocPlace | None:
    """What a layer's descriptor says of its table; None where it has none that can be relied on."""
    digest = annotations.get(_STARGZ_DIGEST, "")
    if is_digest(digest):
        return TocPlace(digest)
    for prefix in _CHUNKED:
        digest = annotations.get(f"{prefix}checksum", "")
        numbers = annotations.get(f"{prefix}position", "").split(":")
        if is_digest(digest) and len(numbers) == 4 and all(re.fullmatch(r"\d{1,15}", number) for number in numbers):
            start, size, _, kind = numbers
            if kind == _ENTRIES and int(start) > 0 and 0 < int(size) <= limits.TOC:
                return TocPlace(digest, int(start), int(size))
    return None


def fetch_toc(
    client: RegistryClient,
    blob: str,
    blob_size: int,
    place: TocPlace,
    where: str,
    cancel: threading.Event,
    advance: Callable[[int], None],
) -> LayerIndex:
    """A layer's index from its table of contents.

    Args:
        client: the repository.
        blob: the layer's digest.
        blob_size: bytes of it.
        place: where its table is.
        where: names the layer in errors.
        cancel: ends the waiting and the reading.
        advance: notified of bytes that were fetched.

    Raises:
        LaminaError: it can't be had, is another one than the manifest vouches for, or doesn't say all: the layer has
            to be read.
        Cancelled: ``cancel`` was set.
    """

    def part(start: int, size: int) -> bytes:
        data = read_range(client, blob, start, size, where, cancel)
        advance(len(data))
        return data

    if place.start is not None:
        packed = part(place.start, place.size)
        _check(packed, place.digest, where)
        return toc_index(_unpacked("zstd", packed, where), where, cancel)
    footer = _FOOTER.fullmatch(part(max(1, blob_size - _FOOTER_SIZE), _FOOTER_SIZE))
    start = 0 if footer is None else int(footer[1], 16)
    size = blob_size - _FOOTER_SIZE - start
    if not start > 0 or not 0 < size <= limits.TOC:
        raise LaminaError(f"{where}: its footer leads to no table of contents")
    tar = _unpacked("gzip", part(start, size), where)
    # The table is itself the layer's last member.
    scan = StreamScan(where)
    scan.feed(tar)
    member = scan.finish()
    if member.keys() != [_STARGZ_NAME] or member.kind[0] != Kind.FILE:
        raise LaminaError(f"{where}: its table of contents is not where its footer says")
    offset, length = int(member.offset[0]), int(member.size[0])
    document = tar[offset : offset + length]
    _check(document, place.digest, where)
    own = LayerRows()
    own.add(
        _STARGZ_NAME,
        Kind.FILE,
        size=length,
        mode=int(member.mode[0]),
        uid=int(member.uid[0]),
        gid=int(member.gid[0]),
        mtime=int(member.mtime[0]),
        content=sha_id(place.digest),
    )
    return toc_index(document, where, cancel, own.index())


def _check(data: bytes, digest: str, where: str) -> None:
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise LaminaError(f"{where}: its table of contents is not the one that the manifest names")


def _unpacked(kind: str, data: bytes, where: str) -> bytes:
    codec = decompressor("gzip" if kind == "gzip" else "zstd", where)
    parts = [codec.feed(data)]
    while codec.pending:
        if sum(map(len, parts)) > limits.TOC + 2 * BLOCK:
            raise LaminaError(f"{where}: its table of contents has more than {limits.TOC >> 20} MiB")
        parts.append(codec.feed(b""))
    codec.finish()
    return b"".join(parts)
