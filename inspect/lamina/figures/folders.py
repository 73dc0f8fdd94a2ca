"""The final file system cut into folders of a size worth seeing: what a map of it is drawn of."""

from __future__ import annotations

import builtins
import heapq

import numpy as np

from lamina.dataclass import dataclass
from lamina.figures.image import LoadedImage
from lamina.model import Kind

_SPLIT = 20  # children of one folder that are told apart; the others stay together
_LEVELS = 2  # below the root, of what has a colour of its own


@dataclass(frozen=True, slots=True)
class FolderShare:
    """A part of the final file system."""

    path: builtins.bytes
    """A folder or a file; empty for the root."""
    bytes: int
    top: builtins.bytes
    """The folder two levels below the root that it stands in, or what stands above that."""
    folder: bool
    rest: bool = False
    """Whether it is what is left of the folder, beside the parts that are told apart."""


def folder_shares(image: LoadedImage, most: int) -> list[FolderShare]:
    """The final file system in parts that add up to what is visible: each time the largest folder is taken apart.

    Args:
        image: completely read.
        most: parts, about.
    """
    union, paths = image.union, image.union.paths
    alive = union.alive(union.layer_count - 1)
    own = np.zeros(paths.count, dtype=np.int64)
    own[union.path[alive]] = union.attributed_sizes(alive)
    folder = np.zeros(paths.count, dtype=bool)
    folder[union.path[alive]] = union.kind[alive] == Kind.DIR
    folder[0] = True
    sums = paths.subtree_sums(own)
    queue = [(-int(sums[0]), 0, b"")]
    shares: list[FolderShare] = []
    while queue and len(queue) + len(shares) < most:
        size, path, top = heapq.heappop(queue)
        if not folder[path]:
            shares.append(FolderShare(paths.path(path), -size, top, folder=False))
            continue
        children = paths.children(path)
        children = children[sums[children] > 0]
        children = children[np.argsort(-sums[children], kind="stable")][:_SPLIT]
        for child in children.tolist():
            within = paths.path(child) if paths.depth[child] <= _LEVELS else top
            heapq.heappush(queue, (-int(sums[child]), child, within))
        left = -size - int(sums[children].sum())
        if left:
            shares.append(FolderShare(paths.path(path), left, top, folder=True, rest=True))
    shares += [
        FolderShare(paths.path(path), -size, top, folder=bool(folder[path])) for size, path, top in queue if size
    ]
    return sorted(shares, key=lambda share: (-share.bytes, share.path, share.rest))
