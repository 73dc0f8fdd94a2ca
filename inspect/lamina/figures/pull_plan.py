"""What a pull will fetch, told before it is made: from the manifest, and from what the engine has."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.model import ImageInfo, KnownImage, LayerInfo


class Presence(enum.Enum):
    """Whether an engine has a layer already."""

    HERE = "here"
    """On the very same layers: nothing is fetched, nothing more is stored."""
    ELSEWHERE = "elsewhere"
    """In another image, on other layers: it need not be fetched, but is unpacked again."""
    NEW = "new"


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """One layer of the image that is wanted."""

    layer: LayerInfo
    presence: Presence
    holder: str
    """An image of the engine that has it, as it is called there; "" where none has."""
    fetched: int
    """Bytes that come over the network."""
    stored: int | None
    """Bytes of files that the engine's disk takes for it; None where nobody knows before it is unpacked."""


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull will do."""

    info: ImageInfo
    layers: tuple[PlannedLayer, ...]

    @property
    def size(self) -> int:
        """Bytes of all layers as they are transferred, each once."""
        sizes: dict[str, int] = {}
        for row in self.layers:  # of a layer that stands twice the first is fetched
            sizes.setdefault(row.layer.diff_id, row.layer.blob_size or 0)
        return sum(sizes.values())

    @property
    def fetched(self) -> int:
        """Bytes that will come over the network."""
        return sum(row.fetched for row in self.layers)

    @property
    def saved(self) -> int:
        """Bytes that need not come, because layers are here."""
        return self.size - self.fetched

    @property
    def stored(self) -> int | None:
        """Bytes of files that the engine's disk will take; None where layers are new, whose files nobody knows yet."""
        sizes = [row.stored for row in self.layers]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def plan_pull(info: ImageInfo, present: Sequence[KnownImage], *, by_position: bool) -> PullPlan:
    """Compute what pulling an image will fetch.

    Args:
        info: the image, from its manifest and config; each layer with its ``blob_size``.
        present: the engine's images.
        by_position: whether the engine looks no further than the first layer that it lacks, and fetches all above it,
            as Docker's classic store does; else it fetches only what no image has.
    """
    stacks: dict[str, str] = {}
    holders: dict[str, tuple[str, int | None]] = {}
    for image in present:
        for layer, size in zip(image.layers, image.sizes, strict=True):
            stacks.setdefault(layer.chain_id, image.summary.target)
            holders.setdefault(layer.diff_id, (image.summary.target, size))
    rows: list[PlannedLayer] = []
    lacking = False
    seen: set[str] = set()
    for layer in info.layers:
        holder, size = holders.get(layer.diff_id, ("", None))
        if layer.chain_id in stacks and not lacking:
            rows.append(PlannedLayer(layer, Presence.HERE, stacks[layer.chain_id], 0, 0))
            continue
        lacking = True
        comes = layer.diff_id not in seen and (by_position or not holder)
        seen.add(layer.diff_id)
        presence = Presence.ELSEWHERE if holder else Presence.NEW
        rows.append(PlannedLayer(layer, presence, holder, (layer.blob_size or 0) if comes else 0, size))
    return PullPlan(info, tuple(rows))
