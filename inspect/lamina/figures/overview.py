"""All images of an engine at once: what each holds alone, what they share, what removing one frees.

From what the engine tells of its images; no layer is read. Here a layer is stored once per *chain_id*, the stack it
stands in, since that is what an engine's disk holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lamina.dataclass import dataclass
from lamina.figures.holders import holders
from lamina.model import KnownImage


@dataclass(frozen=True, slots=True)
class Standing:
    """One image among the others."""

    frees: int
    """Bytes of layers that no other image has: what removing it frees, once no container uses it."""
    shared: int
    """Bytes of layers that other images have too."""
    shared_with: int
    """How many other images have a layer of it."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of an engine."""

    images: tuple[KnownImage, ...]
    standings: tuple[Standing | None, ...]
    """None for an image some of whose layers have no known size."""
    sum: int
    """Bytes of all images, each for itself."""
    on_disk: int
    """Bytes of all layers, each once."""
    dangling: int
    """How many images no tag leads to."""
    reclaimable: int
    """Bytes that only images without containers have: what removing all of those frees."""
    saved: int
    """Bytes that sharing saves, of the layers whose sizes are known."""


def overview(images: Sequence[KnownImage]) -> Overview:
    """Compute an engine's figures from what it tells of its images."""
    having = holders((image.layers for image in images), "chain_id")
    size_of: dict[str, int] = {}
    for image in images:
        for layer, size in zip(image.layers, image.sizes, strict=True):
            if size is not None:
                # One engine may tell a layer's size with one image and not with another.
                size_of[layer.chain_id] = max(size, size_of.get(layer.chain_id, 0))
    used = {layer.chain_id for image in images if image.containers for layer in image.layers}
    return Overview(
        images=tuple(images),
        standings=tuple(_standing(image, number, having, size_of) for number, image in enumerate(images)),
        sum=sum(image.size or 0 for image in images),
        on_disk=sum(size_of.values()),
        dangling=sum(image.dangling for image in images),
        reclaimable=sum(size for chain, size in size_of.items() if chain not in used),
        saved=sum(size * (len(having[chain]) - 1) for chain, size in size_of.items()),
    )


def frees_together(images: Sequence[KnownImage], removed: Collection[str]) -> int:
    """Bytes that removing some images of an engine at once frees: of the layers that no other image stands on.

    Args:
        images: all of the engine's.
        removed: the IDs of those that go.
    """
    kept = {layer.chain_id for image in images if image.summary.id not in removed for layer in image.layers}
    size_of: dict[str, int] = {}
    for image in images:
        for layer, size in zip(image.layers, image.sizes, strict=True):
            if layer.chain_id not in kept and size is not None:
                size_of[layer.chain_id] = max(size, size_of.get(layer.chain_id, 0))
    return sum(size_of.values())


def _standing(
    image: KnownImage, number: int, having: dict[str, tuple[int, ...]], size_of: dict[str, int]
) -> Standing | None:
    frees = shared = 0
    others: set[int] = set()
    for layer in image.layers:
        size = size_of.get(layer.chain_id)
        if size is None:
            return None
        images = having[layer.chain_id]
        if len(images) == 1:
            frees += size
        else:
            shared += size
            others.update(images)
    others.discard(number)
    return Standing(frees, shared, len(others))
