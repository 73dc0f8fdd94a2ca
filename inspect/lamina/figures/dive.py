"""dive's figures by dive's own definition, so that thresholds in a ``.dive-ci`` keep their meaning.

Per path that is a leaf in a layer's own tree: *cumulative* is the sum of its sizes over all layers that have it, a
whiteout counting the removed directory's subtree, or 0 for a file. The efficiency is the sum of each path's smallest
size over the sum of cumulatives; the waste is the sum of the cumulatives of paths seen twice or more. These are not
lamina's numbers: a file written twice counts double, a directory whose removal empties it may count not at all.
"""

from __future__ import annotations

import numpy as np

from lamina.dataclass import dataclass
from lamina.model import Kind
from lamina.stack.union import Union


@dataclass(frozen=True, slots=True)
class DiveFigures:
    """What dive would print."""

    efficiency: float
    wasted: int
    user_wasted_ratio: float | None
    """Waste over the size without layer 0; None where there are no such bytes."""


def dive_figures(union: Union, layer_sizes: list[int]) -> DiveFigures:
    """Compute dive's figures of an image.

    Args:
        union: the image's layers.
        layer_sizes: bytes of each layer's files.
    """
    count = union.paths.count
    cumulative = np.zeros(count, dtype=np.int64)
    seen = np.zeros(count, dtype=np.int64)
    smallest = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
    # Of each path, again for each layer: whether its tree has it, and the row that stays of those that name it.
    node = np.zeros(count + 1, dtype=np.int32)
    row_of = np.zeros(count, dtype=np.int32)
    for layer in range(union.layer_count):
        rows = slice(int(union.layer_start[layer]), int(union.layer_start[layer + 1]))
        paths, kinds, sizes = union.path[rows], union.kind[rows], union.size[rows]
        carried = np.flatnonzero(kinds < Kind.WHITEOUT)
        own = paths[carried]
        row_of[own] = carried  # of a path named twice the last one, as in dive's tree
        own = own[row_of[own] == carried]
        node[:] = 0
        node[paths[kinds != Kind.OPAQUE] + 1] = 1
        nodes_before = np.cumsum(node, dtype=np.int32)  # of each path: nodes above it in pre-order
        leaf = nodes_before[union.paths.end[own]] - nodes_before[own] == 1
        leaf &= own != 0
        own = own[leaf]
        own_sizes = sizes[row_of[own]]
        cumulative[own] += own_sizes
        seen[own] += 1
        smallest[own] = np.minimum(smallest[own], own_sizes)
    for record in union.whiteouts:
        cumulative[record.path] += record.bytes
        seen[record.path] += 1
        smallest[record.path] = min(smallest[record.path], record.bytes)
    total = int(cumulative.sum())
    wasted = int(cumulative[seen >= 2].sum())
    above_base = sum(layer_sizes[1:])
    return DiveFigures(
        efficiency=int(smallest[seen > 0].sum()) / total if total else 1.0,
        wasted=wasted,
        user_wasted_ratio=wasted / above_base if above_base else None,
    )
