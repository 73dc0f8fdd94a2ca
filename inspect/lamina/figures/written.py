"""What a container has written since it was made: the files of its read/write layer."""

from __future__ import annotations

import numpy as np

from lamina.dataclass import dataclass
from lamina.figures.image import LoadedImage
from lamina.model import Change, Kind
from lamina.stack.changes import changed_between
from lamina.stack.union import ABSENT


@dataclass(frozen=True, slots=True)
class Written:
    """One name that a container made, changed or removed."""

    path: bytes
    bytes: int
    """Of the file as it is now; 0 for what was removed."""
    before: int
    """Of the image's file that was there."""
    change: Change


def written(image: LoadedImage, count: int) -> list[Written]:
    """The names that a container's read/write layer changed, directories left out: most bytes first.

    Args:
        image: a container, read whole.
        count: no more than these many.

    Returns:
        Empty for an image.
    """
    if image.info.container is None:
        return []
    union, top = image.union, len(image.layers) - 1
    delta = changed_between(union, top - 1, top)
    shown = np.where(delta.after == ABSENT, delta.before, delta.after)
    rows = np.flatnonzero((union.kind[shown] != Kind.DIR) & (delta.change != Change.UNCHANGED))
    after = np.where(delta.after[rows] == ABSENT, 0, union.size[delta.after[rows]])
    before = np.where(delta.before[rows] == ABSENT, 0, union.size[delta.before[rows]])
    order = np.lexsort((delta.path[rows], -before, -after))[:count]
    return [
        Written(
            union.paths.path(int(delta.path[rows[place]])),
            int(after[place]),
            int(before[place]),
            Change(int(delta.change[rows[place]])),
        )
        for place in order.tolist()
    ]
