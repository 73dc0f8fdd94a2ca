"""In which pieces a layer's members can be placed at once: where their order among each other doesn't matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.model import Kind
from lamina.stack.paths import PathTable

Rows = NDArray[np.int32]


def superseded_directories(table: PathTable, paths: Rows, kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Directory members that the same layer names again, with nothing but directories at that path and above it.

    Builders list directories many times over; only the last one's metadata counts, so that they cost no batch.
    """
    superseded = np.zeros(len(paths), dtype=bool)
    order = np.argsort(paths, kind="stable")
    ordered = paths[order]
    repeats = ordered[1:] == ordered[:-1]
    if not repeats.any():
        return superseded
    directory = kinds == Kind.DIR
    starts = np.flatnonzero(np.concatenate([[True], ~repeats]))
    all_dirs = np.logical_and.reduceat(directory[order], starts)
    in_dir_run = np.repeat(all_dirs, np.diff(np.append(starts, len(order))))
    rows = order[:-1][repeats & in_dir_run[:-1]]
    # Where the layer also makes a parent a non-directory, it matters when the directory came: leave all as they are.
    candidates = np.sort(paths[rows])
    solid = paths[~directory]
    inside = np.searchsorted(candidates, table.end[solid]) > np.searchsorted(candidates, solid + 1)
    if not inside.any():
        superseded[rows] = True
    return superseded


def batch_bounds(paths: PathTable, rows: Rows, kinds: NDArray[np.uint8]) -> list[int]:
    """Where to cut a layer's members so that within a piece their order doesn't matter.

    No piece holds a path twice, nor a non-directory together with something below it.
    """
    count = len(rows)
    if not count:
        return [0]
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    repeats = np.flatnonzero(ordered[1:] == ordered[:-1])
    spans = list(zip(order[repeats].tolist(), order[repeats + 1].tolist(), strict=True))
    cuts = _cuts(spans)
    if len(cuts) > limits.ROUNDS + 1:
        return [*cuts, count]  # more than anybody takes, and what follows costs members for each of them
    # Of what is no directory only that matters below which some layer puts something.
    solid = np.flatnonzero((kinds != Kind.DIR) & (paths.end[rows] > rows + 1))
    first = np.searchsorted(ordered, rows[solid] + 1)
    last = np.searchsorted(ordered, paths.end[rows[solid]])
    for position, low, high in zip(
        solid[last > first].tolist(), first[last > first].tolist(), last[last > first].tolist(), strict=True
    ):
        # Only the neighbours in tar order matter: a cut that parts them parts all further ones.
        others = order[low:high]
        before, after = others[others < position], others[others > position]
        if before.size:
            spans.append((int(before.max()), position))
        if after.size:
            spans.append((position, int(after.min())))
    return [*_cuts(spans), count]


def _cuts(spans: list[tuple[int, int]]) -> list[int]:
    """The fewest cuts that part both ends of every span, after the first piece's beginning."""
    cuts = [0]
    for low, high in sorted(spans, key=lambda span: span[1]):
        if cuts[-1] <= low:
            cuts.append(high)
    return cuts
