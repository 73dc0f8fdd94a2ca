"""Which images of an engine nobody seems to need, and what removing them frees.

Only what says so by itself: images that no tag leads to, and versions of a repository older than its newest. What a
container, running or not, was made from is never among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.figures.holders import holders
from lamina.model import KnownImage
from lamina.names import repository_of


@dataclass(frozen=True, slots=True)
class Removal:
    """Some images that could go together."""

    repository: str
    """Whose older versions they are; "" for images that no tag leads to. Untrusted."""
    ids: tuple[str, ...]
    bytes: int
    """What removing all of them frees: the stacks (chain_ids) that no other image stands on."""


def removals(images: Sequence[KnownImage]) -> list[Removal]:
    """What could be removed, most bytes first; nothing that frees none."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, image in enumerate(images):
        repositories = {repository_of(tag) for tag in image.summary.tags}
        if len(repositories) <= 1:  # what several repositories name is somebody's version still
            groups[repositories.pop() if repositories else ""].append(number)
    group_of: dict[int, str] = {}
    for name, numbers in groups.items():
        if name:
            newest = max(numbers, key=lambda number: (images[number].summary.created or "", -number))
            numbers.remove(newest)
        group_of.update((number, name) for number in numbers if not images[number].containers)
    freed: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = {}
    for image in images:
        for layer, size in zip(image.layers, image.sizes, strict=True):
            sizes[layer.chain_id] = max(size or 0, sizes.get(layer.chain_id, 0))
    for chain, having in holders((image.layers for image in images), "chain_id").items():
        of = {group_of.get(number) for number in having}
        only = of.pop()
        if not of and only is not None:
            freed[only] += sizes[chain]
    found = [
        Removal(name, tuple(images[number].summary.id for number in groups[name] if number in group_of), size)
        for name, size in freed.items()
        if size
    ]
    return sorted(found, key=lambda removal: (-removal.bytes, removal.repository))
