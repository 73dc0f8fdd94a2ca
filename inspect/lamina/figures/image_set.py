"""What a set of read images shares, image by image and layer by layer, for a screen.

Two kinds of sharing are kept apart. *Transferred once*: the same layer (diff_id), wherever it stands; what a registry
or a pull skips. *Stored once*: the same stack (chain_id); what an engine's disk holds once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from lamina.dataclass import dataclass
from lamina.figures.holders import holders
from lamina.figures.image import LoadedImage
from lamina.figures.overview import overview
from lamina.figures.sharing import Pair, PullCost, SetMember, Sharing, known_image, member_of, pull_cost, share
from lamina.model import LayerInfo


@dataclass(frozen=True, slots=True)
class HeldLayer:
    """One distinct layer of a set, and who has it."""

    layer: LayerInfo
    """As the first image that has it tells of it."""
    size: int
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The figures of some loaded images, by their places."""

    images: tuple[LoadedImage, ...]
    sharing: Sharing
    frees: tuple[int, ...]
    """What removing each image frees of an engine's disk: bytes of the stacks that only it has."""
    adds: tuple[PullCost, ...]
    """What pulling each image fetches where all the others are there."""
    layers: tuple[HeldLayer, ...]
    """Every distinct layer: those that most images have first, then most bytes."""
    own: tuple[tuple[HeldLayer, ...], ...]
    """Of each image the layers that no other has, lowest first."""

    _pairs: Mapping[tuple[int, int], Pair] = field(repr=False)

    def pair(self, a: int, b: int) -> Pair:
        """Two different images of the set, in either order."""
        return self._pairs[min(a, b), max(a, b)]

    def shared(self, a: int, b: int) -> int:
        """Bytes of the layers that two images have in common."""
        return self.pair(a, b).shared

    def stored_twice(self, a: int, b: int) -> int:
        """Bytes of the layers that two images have in common, and that stand on other layers in each.

        A pull transfers them once; an engine unpacks them for each.
        """
        mine, other = self.images[a], self.images[b]
        stacks = {layer.chain_id for layer in other.info.layers}
        once = sum(
            figures.size
            for layer, figures in zip(mine.info.layers, mine.layers, strict=True)
            if layer.chain_id in stacks
        )
        return self.shared(a, b) - once


def image_set(images: Sequence[LoadedImage]) -> ImageSet:
    """Compute what a set of completely read images shares."""
    members = [member_of(image) for image in images]
    known = [known_image(image) for image in images]
    first: dict[str, tuple[LayerInfo, int]] = {}
    for member in members:
        for layer, layer_size in zip(member.layers, member.sizes, strict=True):
            first.setdefault(layer.diff_id, (layer, layer_size))
    having = holders((member.layers for member in members), "diff_id")
    held = [HeldLayer(*first[diff_id], images) for diff_id, images in having.items()]
    sharing = share(members)
    return ImageSet(
        images=tuple(images),
        sharing=sharing,
        frees=tuple(standing.frees if standing else 0 for standing in overview(known).standings),
        adds=tuple(
            pull_cost(member, _joined([*members[:number], *members[number + 1 :]]))
            for number, member in enumerate(members)
        ),
        layers=tuple(sorted(held, key=lambda layer: (-len(layer.images), -layer.size))),
        own=tuple(tuple(layer for layer in held if layer.images == (number,)) for number in range(len(members))),
        _pairs={(pair.a, pair.b): pair for pair in sharing.pairs},
    )


def _joined(members: Sequence[SetMember]) -> SetMember:
    """All layers of some images as if one image had them."""
    return SetMember(
        layers=tuple(layer for member in members for layer in member.layers),
        sizes=tuple(layer_size for member in members for layer_size in member.sizes),
        tar_sizes=tuple(tar_size for member in members for tar_size in member.tar_sizes),
    )
