"""Images of layers made by hand, stacked, and what tests say of them."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import xxhash

import builders
from lamina.figures.image import LoadedImage, compute, load
from lamina.layers.index import CRC_MARK, UNKNOWN_SIZE, LayerIndex
from lamina.layers.layer_reader import FileRef
from lamina.layers.scan import ALL, NONE, LayerScanner
from lamina.layers.toc import sha_id
from lamina.model import Cause, ImageInfo, Kind, LayerInfo
from lamina.sources.base import ReadImage
from tars import Member, as_bytes, layer_tar

WHERE = "layer 7 (sha256:0123) of test.tar"
"""What the scanned layer is called; errors must name it."""


def scan(tar: bytes, *, chunk: int | None = None, hash_content: bool = True) -> LayerIndex:
    """The index of a tar, fed whole or in pieces of some length."""
    scanner = LayerScanner(where=WHERE, hash_within=ALL if hash_content else NONE)
    for start in range(0, len(tar), chunk or max(len(tar), 1)):
        scanner.feed(tar[start : start + (chunk or len(tar))])
    return scanner.finish()


def checksum(content: bytes) -> bytes:
    """Eight bytes that stand for a content; which function makes them is the engine's business."""
    return hashlib.sha256(content).digest()[:8]


def recorded(tar: bytes, *, colliding: bool = False) -> LayerIndex:
    """An index as a reading of an engine's record gives it: contents passed over, each with its checksum."""
    scanner = LayerScanner(where=WHERE, hash_within=NONE)
    position = 0
    while position < len(tar):
        scanner.feed(tar[position : position + 512])
        position += 512
        if skip := scanner.skippable:
            content = tar[position : position + skip]
            scanner.skip(skip, (b"collide!" if colliding else checksum(content)) + CRC_MARK)
            position += skip
    return scanner.finish()


def listed(tar: bytes) -> LayerIndex:
    """An index as a table of contents gives it: contents known by their SHA-256."""
    index = recorded(tar)
    content = index.content.copy()
    with_bytes = (index.kind == Kind.FILE) & (index.size > 0)
    for row in np.flatnonzero(with_bytes).tolist():
        start, size = int(index.offset[row]), int(index.size[row])
        content[row] = np.frombuffer(sha_id(builders.sha256(tar[start : start + size])), dtype=np.uint64)
    return dataclasses.replace(index, content=content, tar_size=UNKNOWN_SIZE)


Way = Literal["hashed", "listed", "passed over", "recorded"]
"""How a layer's contents are known: hashed in passing; not until they are asked for, as in a plain archive; by an
engine's checksum, as in its own store; or by the SHA-256 of a table of contents."""
READING: dict[Way, Callable[[bytes], LayerIndex]] = {
    "hashed": scan,
    "listed": listed,
    "passed over": lambda tar: scan(tar, hash_content=False),
    "recorded": recorded,
}


def paths(index: LayerIndex) -> list[bytes]:
    """The paths of an index's rows."""
    keys = index.keys()
    return [key.replace(b"\0", b"/") for key in keys]


def image_info(count: int, instructions: Sequence[str] = (), diff_ids: Sequence[str] = ()) -> ImageInfo:
    """A head for images whose head does not matter."""
    ids = [*diff_ids, *(f"sha256:{number:064x}" for number in range(len(diff_ids), count))]
    return ImageInfo(
        target="test.tar",
        id="sha256:" + "a" * 64,
        tags=("test:latest",),
        platform="linux/amd64",
        created="2024-01-01T00:00:00Z",
        layers=tuple(
            LayerInfo(
                index=index,
                diff_id=ids[index],
                chain_id="sha256:" + hashlib.sha256(" ".join(ids[: index + 1]).encode()).hexdigest(),
                instruction=instructions[index] if index < len(instructions) else f"RUN step {index}",
                created="2024-01-01T00:00:00Z",
            )
            for index in range(count)
        ),
    )


def stack(*layers: Iterable[Member] | bytes, instructions: Sequence[str] = ()) -> LoadedImage:
    """An image of these layers, each given by its members or its tar; contents hashed in passing."""
    tars = [layer if isinstance(layer, bytes) else layer_tar(*layer) for layer in layers]
    read = ReadImage(image_info(len(tars), instructions), [scan(tar) for tar in tars])
    return compute(read, "hand-made", threading.Event())


def opened(folder: Path, *layers: Iterable[Member] | bytes, instructions: Sequence[str] = ()) -> LoadedImage:
    """The same written to a docker-archive and opened as a user would: payloads skipped, contents read when needed."""
    tars = [layer if isinstance(layer, bytes) else layer_tar(*layer) for layer in layers]
    history = [{"created_by": layer.instruction} for layer in image_info(len(tars), instructions).layers]
    image = builders.Image(tars, extra={"history": history})
    return load(builders.archive(folder, builders.old_docker(image)), None)


Stacking = Callable[..., LoadedImage]
"""Makes an image of layers, as :func:`stack` does."""


class Tars:
    """File contents out of the layers' tars, as a seekable source gives them; notes what was asked for."""

    needs_paths = True

    def __init__(self, tars: Sequence[bytes]) -> None:
        self.tars = tars
        self.asked: list[tuple[int, bytes]] = []
        """(layer, path) of every file read."""

    def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        found = {}
        for layer, refs in files.items():
            assert refs == sorted(refs), "not in ascending order of their offsets"
            assert all(ref.size for ref in refs), "an empty file is read"
            self.asked += [(layer, ref.path) for ref in refs]
            contents = [self.tars[layer][ref.offset : ref.offset + ref.size] for ref in refs]
            found[layer] = [xxhash.xxh3_128_digest(content) for content in contents]
        return found


@dataclass(frozen=True, order=True)
class Wasted:
    """A waste row, to be written down in a test."""

    path: bytes
    bytes: int
    cause: str
    layer: int
    hidden_by: int


def wasted(path: str | bytes, size: int, cause: Cause | str, layer: int, hidden_by: int) -> Wasted:
    word = cause if isinstance(cause, str) else cause.word
    return Wasted(as_bytes(path), size, word, layer, hidden_by)


def waste_of(image: LoadedImage) -> list[Wasted]:
    """An image's waste rows, in the table's order."""
    return [Wasted(row.path, row.bytes, row.cause.word, row.layer, row.hidden_by) for row in image.waste]


def problems_of_sums(image: LoadedImage) -> list[str]:
    """What does not add up among an image's figures; every image's must."""
    problems = []
    if image.size != image.visible + image.wasted:
        problems.append("size is not visible + wasted")
    if sum(row.bytes for row in image.waste) != image.wasted:
        problems.append("the waste rows' sum is not what is wasted")
    if sum(layer.wasted for layer in image.layers) != image.wasted:
        problems.append("the layers' wasted bytes are not what is wasted")
    if sum(layer.size for layer in image.layers) != image.size:
        problems.append("the layers' sizes are not the image's size")
    return problems
