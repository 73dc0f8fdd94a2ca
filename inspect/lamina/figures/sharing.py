"""What the images of a set share, from their layers alone.

Two images share a layer where both have its diff_id. An engine's disk stores a layer once per *chain_id*: the same
layer on another base is another one there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from lamina.dataclass import dataclass
from lamina.figures.holders import holders
from lamina.model import ImageSummary, KnownImage, LayerInfo

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage


@dataclass(frozen=True, slots=True)
class SetMember:
    """One image of a set: its layers with their sizes."""

    layers: tuple[LayerInfo, ...]
    sizes: tuple[int, ...]
    """Bytes of each layer's files."""
    tar_sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class PullCost:
    """Bytes to fetch for one image where another is present."""

    bytes: int
    compressed: bool
    """Whether every layer was counted as its blob is transferred; else uncompressed tars are among them."""


@dataclass(frozen=True, slots=True)
class SharedLayer:
    """A layer that two or more images of the set have."""

    diff_id: str
    size: int
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images of the set, by their indexes."""

    a: int
    b: int
    shared: int
    """Bytes of the layers both have."""
    b_given_a: PullCost
    a_given_b: PullCost


@dataclass(frozen=True, slots=True)
class Sharing:
    """The figures of a set."""

    sum: int
    on_disk: int
    unique: tuple[int, ...]
    """Of each image: bytes of layers that no other image has."""
    shared: tuple[int, ...]
    layers: tuple[SharedLayer, ...]
    """Most bytes first."""
    pairs: tuple[Pair, ...]


def pull_cost(wanted: SetMember, present: SetMember) -> PullCost:
    """What pulling ``wanted`` fetches where ``present`` is there: the layers whose diff_id is new."""
    have = {layer.diff_id for layer in present.layers}
    total, compressed = 0, True
    fetched = set()
    for layer, tar_size in zip(wanted.layers, wanted.tar_sizes, strict=True):
        if layer.diff_id in have or layer.diff_id in fetched:
            continue
        fetched.add(layer.diff_id)  # a layer that stands twice is fetched once
        if layer.blob_size is None or layer.blob_size == tar_size:
            compressed = False
        total += tar_size if layer.blob_size is None else layer.blob_size
    return PullCost(total, compressed)


def share(members: Sequence[SetMember]) -> Sharing:
    """Compute what a set of images shares."""
    having = holders((member.layers for member in members), "diff_id")
    size_of: dict[str, int] = {}
    chains: dict[str, int] = {}
    for member in members:
        for layer, size in zip(member.layers, member.sizes, strict=True):
            size_of[layer.diff_id] = size
            chains[layer.chain_id] = size
    unique = tuple(
        sum(size for layer, size in zip(member.layers, member.sizes, strict=True) if len(having[layer.diff_id]) == 1)
        for member in members
    )
    common = [SharedLayer(diff_id, size_of[diff_id], images) for diff_id, images in having.items() if len(images) > 1]
    return Sharing(
        sum=sum(member.size for member in members),
        on_disk=sum(chains.values()),
        unique=unique,
        shared=tuple(member.size - own for member, own in zip(members, unique, strict=True)),
        layers=tuple(sorted(common, key=lambda layer: (-layer.size, layer.diff_id))),
        pairs=tuple(_pair(members, a, b) for a, b in combinations(range(len(members)), 2)),
    )


def _pair(members: Sequence[SetMember], a: int, b: int) -> Pair:
    first, second = members[a], members[b]
    mine = {layer.diff_id: size for layer, size in zip(first.layers, first.sizes, strict=True)}
    theirs = {layer.diff_id for layer in second.layers}
    return Pair(
        a=a,
        b=b,
        shared=sum(size for diff_id, size in mine.items() if diff_id in theirs),
        b_given_a=pull_cost(second, first),
        a_given_b=pull_cost(first, second),
    )


def member_of(image: LoadedImage) -> SetMember:
    """A loaded image as a member of a set."""
    return SetMember(
        layers=image.info.layers,
        sizes=tuple(layer.size for layer in image.layers),
        tar_sizes=tuple(layer.tar_size or 0 for layer in image.layers),  # where it is unknown the blob's size is not
    )


def as_transferred(image: KnownImage) -> KnownImage:
    """An image no layer of which was read, with the sizes that its manifest tells; else those of its source."""
    sizes = tuple(
        known if layer.blob_size is None else layer.blob_size
        for layer, known in zip(image.layers, image.sizes, strict=True)
    )
    return dataclasses.replace(image, sizes=sizes)


def known_member(image: KnownImage) -> SetMember:
    """An image no layer of which was read as a member of a set; sizes that nobody knows count as nothing."""
    sizes = tuple(size or 0 for size in image.sizes)
    # Of a blob whose size a manifest tells, nobody knows how large the tar in it is.
    tars = tuple(0 if layer.blob_size else size for layer, size in zip(image.layers, sizes, strict=True))
    return SetMember(image.layers, sizes, tars)


def known_image(image: LoadedImage) -> KnownImage:
    """A loaded image as a source tells of one, every size known."""
    info = image.info
    summary = ImageSummary(info.target, info.id, info.tags, info.digests, info.created, layers=len(info.layers))
    return KnownImage(summary, info.layers, tuple(layer.size for layer in image.layers))
