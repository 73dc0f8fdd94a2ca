"""The largest files of an image's final file system."""

from __future__ import annotations

import numpy as np

from lamina.dataclass import dataclass
from lamina.figures.image import LoadedImage


@dataclass(frozen=True, slots=True)
class LargeFile:
    """One file; of several names of one inode, the one that its bytes are counted at."""

    size: int
    """Bytes."""
    path: int
    """Of the union's path table."""
    layer: int
    """Ships it."""


def largest_files(image: LoadedImage, count: int) -> list[LargeFile]:
    """The files that take most, most bytes first, then by path; none without bytes."""
    union = image.union
    alive = union.alive(union.layer_count - 1)
    sizes = union.attributed_sizes(alive)
    if len(sizes) > count:
        # All that are as large as the last of them, so that which of equals are shown does not depend on chance.
        least = np.partition(sizes, -count)[-count]
        chosen = np.flatnonzero(sizes >= max(1, int(least)))
    else:
        chosen = np.flatnonzero(sizes > 0)
    events, sizes = alive[chosen], sizes[chosen]
    order = np.lexsort((union.path[events], -sizes))[:count]
    events, sizes = events[order], sizes[order]
    born = union.born[union.inode[events]]
    return [
        LargeFile(size, path, layer)
        for size, path, layer in zip(sizes.tolist(), union.path[events].tolist(), born.tolist(), strict=True)
    ]
