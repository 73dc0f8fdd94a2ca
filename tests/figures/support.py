"""Images of hand-made layers for comparing: real digests, and contents known in each of the ways there are."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence

import xxhash

from lamina.figures.image import LoadedImage, compute
from lamina.layers.index import LayerIndex
from lamina.layers.layer_reader import FileRef
from lamina.sources.base import ReadImage
from stacks import READING, Way, image_info
from tars import Member, layer_tar

WAYS: tuple[Way, ...] = tuple(READING)


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
        indexes.append(READING[way](tar))
    info = image_info(len(tars), instructions, [digest(tar) for tar in tars])
    image = compute(ReadImage(info, indexes, content), "hand-made", threading.Event())
    content.asked.clear()  # what stacking needed is another test's business
    return image, content


def image_of(*layers: Iterable[Member]) -> LoadedImage:
    """The same with all contents hashed."""
    return read(layers)[0]
