"""Bytes that images could share and don't: the same contents, shipped in layers that are not the same.

Two layers of two images make a near miss where neither image has the other's layer, and files of both have the same
content. Candidates are files of equal size; only they are hashed, each once.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamina.load import LoadedImage
from lamina.model import Kind

MIN_SIZE = 4096
"""Bytes below which a file is no candidate, as for duplicates."""

_TOP_DIRECTORIES = 5


@dataclass(frozen=True, slots=True)
class LayerOf:
    """A layer by its place: in the first image of the set that has it."""

    image: int
    layer: int


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Two layers that hold the same contents and are not shared."""

    a: LayerOf
    b: LayerOf
    size: int
    """Bytes of the contents that both hold, each once: what one common layer would save."""
    files: int
    """How many contents that are."""
    same_instruction: bool
    """The same instruction made both: a build that is not reproducible, or is ordered in another way."""
    only_times: bool
    """Both hold the same files; at most times of modification differ."""
    directories: tuple[tuple[bytes, int], ...]
    """Where in ``a`` they stand, with bytes: most first, at most three levels deep, the first few."""


@dataclass(frozen=True, slots=True)
class _Files:
    """The candidate files of one layer."""

    place: LayerOf
    inodes: NDArray[np.int32]
    sizes: NDArray[np.int64]
    ids: NDArray[np.uint64]


def find_near_misses(images: Sequence[LoadedImage], cancel: threading.Event | None = None) -> list[NearMiss]:
    """Near misses of a set of images, most bytes first.

    Raises:
        LaminaError: a source can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    holders: dict[str, set[int]] = defaultdict(set)
    places: dict[str, LayerOf] = {}
    for number, image in enumerate(images):
        for layer in image.info.layers:
            holders[layer.diff_id].add(number)
            places.setdefault(layer.diff_id, LayerOf(number, layer.index))
    layers = _hashed(images, list(places.values()), cancel)
    shared: dict[tuple[int, int], list[int]] = defaultdict(list)  # pair of layers -> rows of the first one
    by_content: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, files in enumerate(layers):
        keys = np.column_stack([files.sizes.astype(np.uint64), files.ids])
        _, firsts = np.unique(keys, axis=0, return_index=True) if len(keys) else (keys, [])
        for row in np.sort(np.asarray(firsts, dtype=np.int64)).tolist():
            by_content[keys[row].tobytes()].append((number, row))
    diff_ids = list(places)
    for having in by_content.values():
        for position, (first, row) in enumerate(having):
            for second, _ in having[position + 1 :]:
                # Layers that stand together in one image are not missed sharing but duplicates.
                if not holders[diff_ids[first]] & holders[diff_ids[second]]:
                    shared[first, second].append(row)
    found = [
        _near_miss(images, layers[first], layers[second], np.array(rows, dtype=np.int64))
        for (first, second), rows in shared.items()
    ]
    return sorted(found, key=lambda miss: (-miss.size, miss.a.image, miss.a.layer, miss.b.image, miss.b.layer))


def _hashed(images: Sequence[LoadedImage], places: Sequence[LayerOf], cancel: threading.Event) -> list[_Files]:
    """The candidates of every layer with their content ids, all of one kind."""
    inodes, sizes = [], []
    for place in places:
        union = images[place.image].union
        events = np.arange(union.layer_start[place.layer], union.layer_start[place.layer + 1], dtype=np.int32)
        events = events[(union.kind[events] == Kind.FILE) & (union.size[events] >= MIN_SIZE)]
        inodes.append(events)
        sizes.append(union.size[events])
    owner = np.repeat(np.arange(len(places)), [len(column) for column in sizes])
    every = np.concatenate(sizes) if sizes else np.zeros(0, dtype=np.int64)
    # A size is a candidate where more than one layer has it.
    pairs = np.unique(np.column_stack([every, owner]), axis=0)
    distinct, counts = np.unique(pairs[:, 0], return_counts=True)
    common = distinct[counts > 1]
    found = []
    for place, events, column in zip(places, inodes, sizes, strict=True):
        wanted = np.isin(column, common)
        found.append(_Files(place, events[wanted], column[wanted], np.zeros((int(wanted.sum()), 2), dtype=np.uint64)))
    for number, image in enumerate(images):
        mine = [files for files in found if files.place.image == number]
        asked = np.concatenate([files.inodes for files in mine]) if mine else np.zeros(0, dtype=np.int32)
        ids = image.union.content[asked]
        missing = ~image.union.known(asked) | image.union.has_checksum(asked)
        ids[missing] = image.read_content(asked[missing], cancel)
        start = 0
        for files in mine:
            files.ids[:] = ids[start : start + len(files.inodes)]
            start += len(files.inodes)
    return found


def _near_miss(images: Sequence[LoadedImage], a: _Files, b: _Files, rows: NDArray[np.int64]) -> NearMiss:
    image_a, image_b = images[a.place.image], images[b.place.image]
    instruction_a = image_a.info.layers[a.place.layer].instruction
    instruction_b = image_b.info.layers[b.place.layer].instruction
    sizes = a.sizes[rows]
    return NearMiss(
        a=a.place,
        b=b.place,
        size=int(sizes.sum()),
        files=len(rows),
        same_instruction=bool(instruction_a) and instruction_a == instruction_b,
        only_times=_same_but_times(image_a, a.place.layer, image_b, b.place.layer),
        directories=_directories(image_a, a.inodes[rows], sizes),
    )


def _directories(
    image: LoadedImage, inodes: NDArray[np.int32], sizes: NDArray[np.int64]
) -> tuple[tuple[bytes, int], ...]:
    paths = image.union.paths
    top = paths.parent[image.union.path[inodes]]
    while (deep := paths.depth[top] > 3).any():
        top = np.where(deep, paths.parent[top], top)
    distinct, group = np.unique(top, return_inverse=True)
    totals = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(totals, group, sizes)
    order = np.argsort(-totals, kind="stable")[:_TOP_DIRECTORIES]
    return tuple((paths.path(int(distinct[row])), int(totals[row])) for row in order.tolist())


def _same_but_times(a: LoadedImage, layer_a: int, b: LoadedImage, layer_b: int) -> bool:
    """Whether two layers carry the same members but for their times; small files are told apart by their size."""
    if a.layers[layer_a].size != b.layers[layer_b].size or a.layers[layer_a].files != b.layers[layer_b].files:
        return False
    columns = []
    for image, layer in ((a, layer_a), (b, layer_b)):
        union = image.union
        rows = np.arange(union.layer_start[layer], union.layer_start[layer + 1], dtype=np.int32)
        paths = union.paths.texts(union.path[rows])
        numbers = np.column_stack(
            [union.kind[rows], union.size[rows], union.mode[rows], union.uid[rows], union.gid[rows]]
        )
        columns.append(sorted(zip(paths, map(tuple, numbers.tolist()), strict=True)))
    return columns[0] == columns[1]
