"""Images of hand-made layers for comparing: real digests, and contents known in each of the ways there are."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from typing import Literal

import xxhash

from lamina.figures.image import LoadedImage, compute
from lamina.layers.index import CRC_MARK, LayerIndex
from lamina.layers.scan import NONE, LayerScanner
from lamina.sources.base import FileRef, ReadImage
from stacks import WHERE, image_info, scan
from tars import Member, layer_tar

Way = Literal["hashed", "passed over", "recorded"]
"""How a layer's contents are known: hashed in passing; not until they are asked for, as in a plain archive; or by an
engine's checksum, as in its own store."""
WAYS: tuple[Way, ...] = ("hashed", "passed over", "recorded")


class Tars:
    """Contents out of the layers' tars; notes what was asked."""

    needs_paths = True

    def __init__(self, tars: Sequence[bytes]) -> None:
        self.tars = tars
        self.asked: list[tuple[int, bytes]] = []
        """(layer, path)."""

    def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        self.asked += [(layer, ref.path) for layer, refs in files.items() for ref in refs]
        return {
            layer: [xxhash.xxh3_128_digest(self.tars[layer][ref.offset : ref.offset + ref.size]) for ref in refs]
            for layer, refs in files.items()
        }


def recorded(tar: bytes) -> LayerIndex:
    """An index with checksums for contents."""
    scanner = LayerScanner(where=WHERE, hash_within=NONE)
    position = 0
    while position < len(tar):
        scanner.feed(tar[position : position + 512])
        position += 512
        if skip := scanner.skippable:
            content = tar[position : position + skip]
            scanner.skip(skip, hashlib.sha256(content).digest()[:8] + CRC_MARK)
            position += skip
    return scanner.finish()


def digest(tar: bytes) -> str:
    return "sha256:" + hashlib.sha256(tar).hexdigest()


def read(
    layers: Iterable[Iterable[Member]], ways: Sequence[Way] = ("hashed",) * 20, instructions: Sequence[str] = ()
) -> tuple[LoadedImage, Tars]:
    """An image under its true diff_ids, each layer read in its way; and what was read of it afterwards."""
    tars = [layer_tar(*layer) for layer in layers]
    content = Tars(tars)
    indexes: list[LayerIndex | None] = []
    for way, tar in zip(ways, tars, strict=False):
        indexes.append(recorded(tar) if way == "recorded" else scan(tar, hash_content=way == "hashed"))
    info = image_info(len(tars), instructions, [digest(tar) for tar in tars])
    image = compute(ReadImage(info, indexes, content), "hand-made", threading.Event())
    content.asked.clear()  # what stacking needed is another test's business
    return image, content


def image_of(*layers: Iterable[Member]) -> LoadedImage:
    """The same with all contents hashed."""
    return read(layers)[0]
