"""Bytes that images could share and don't: the same contents, shipped in layers that are not the same.

Two layers of two images make a near miss where neither image has the other's layer, and files of both have the same
content. Candidates are files of equal size; only they are hashed, each once.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lamina.among import among
from lamina.dataclass import dataclass
from lamina.figures.duplicates import MIN_SIZE
from lamina.figures.image import LoadedImage
from lamina.model import Kind
from lamina.stack.union import IdKind, Union

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
    """Both hold the same files; only times of modification or the order differ."""
    directories: tuple[tuple[bytes, int], ...]
    """Where in ``a`` they stand, with bytes: most first, at most three levels deep, the first few."""
    paths: NDArray[np.int32] = field(compare=False, repr=False, default_factory=lambda: np.zeros(0, dtype=np.int32))
    """Of each content: a row of the path table of ``a``'s image."""
    sizes: NDArray[np.int64] = field(compare=False, repr=False, default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Its bytes."""


@dataclass(slots=True)
class _Layer:
    """One layer of the set."""

    place: LayerOf
    image: LoadedImage
    inodes: NDArray[np.int32]
    """Its candidates."""
    sizes: NDArray[np.int64]
    ids: NDArray[np.uint64]
    """Their contents; zeros where those can't be had."""
    exact: IdKind
    """Of which kind all of the set's ids are."""
    _every: NDArray[np.uint64] | None = None

    @property
    def rows(self) -> NDArray[np.int32]:
        """All its members."""
        start, stop = self.image.union.layer_start[self.place.layer : self.place.layer + 2].tolist()
        return np.arange(start, stop, dtype=np.int32)

    def every_id(self, cancel: threading.Event) -> NDArray[np.uint64]:
        """Content ids of all its members; what is no candidate may have to be read for it, once."""
        if self._every is None:
            union, rows = self.image.union, self.rows
            ids = union.content[rows]
            ids[self.inodes - rows[0]] = self.ids
            read = np.zeros(len(rows), dtype=bool)
            read[self.inodes - rows[0]] = True
            wanted = (
                (union.kind[rows] == Kind.FILE) & (union.size[rows] > 0) & ~read & _inexact(union, rows, self.exact)
            )
            ids[wanted] = self.image.read_content(rows[wanted], cancel)
            self._every = ids
        return self._every


def _inexact(union: Union, rows: NDArray[np.int32], exact: IdKind) -> NDArray[np.bool_]:
    """Which members have no id of the kind that is compared; a checksum is no proof that people should act on."""
    inexact: NDArray[np.bool_] = ~union.known(rows) | (union.id_kinds(rows) != exact)
    return inexact


def _exact(images: Sequence[LoadedImage]) -> IdKind:
    """The kind of ids to compare: of tables of contents where all have those, else what reading gives."""
    for image in images:
        union = image.union
        files = np.flatnonzero((union.kind == Kind.FILE) & (union.size > 0)).astype(np.int32)
        if (union.id_kinds(files) != IdKind.SHA).any():
            return IdKind.XXH3
    return IdKind.SHA


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
        for info in image.info.layers:
            holders[info.diff_id].add(number)
            places.setdefault(info.diff_id, LayerOf(number, info.index))
    layers = _hashed(images, list(places.values()), cancel)
    shared: dict[tuple[int, int], list[int]] = defaultdict(list)  # pair of layers -> rows of the first one
    by_content: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, layer in enumerate(layers):
        keys = np.column_stack([layer.sizes.astype(np.uint64), layer.ids])
        found_here: dict[bytes, int] = {}
        # Contents that can't be had are nobody's copies.
        for row in np.flatnonzero(layer.ids.any(axis=1)).tolist():
            found_here.setdefault(keys[row].tobytes(), row)
        for key, row in found_here.items():
            by_content[key].append((number, row))
    diff_ids = list(places)
    for having in by_content.values():
        for position, (first, row) in enumerate(having):
            for second, _ in having[position + 1 :]:
                # Layers that stand together in one image are not missed sharing but duplicates.
                if not holders[diff_ids[first]] & holders[diff_ids[second]]:
                    shared[first, second].append(row)
    found = [
        _near_miss(layers[first], layers[second], np.array(rows, dtype=np.int64), cancel)
        for (first, second), rows in shared.items()
    ]
    return sorted(found, key=lambda miss: (-miss.size, miss.a.image, miss.a.layer, miss.b.image, miss.b.layer))


def _hashed(images: Sequence[LoadedImage], places: Sequence[LayerOf], cancel: threading.Event) -> list[_Layer]:
    """Every layer with the content ids of its candidates, all of one kind."""
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
    found, exact = [], _exact(images)
    for place, events, column in zip(places, inodes, sizes, strict=True):
        wanted = among(column, common)
        ids = np.zeros((int(wanted.sum()), 2), dtype=np.uint64)
        found.append(_Layer(place, images[place.image], events[wanted], column[wanted], ids, exact))
    for number, image in enumerate(images):
        mine = [layer for layer in found if layer.place.image == number]
        asked = np.concatenate([layer.inodes for layer in mine]) if mine else np.zeros(0, dtype=np.int32)
        ids = image.union.content[asked]
        missing = _inexact(image.union, asked, exact)
        ids[missing] = image.read_content(asked[missing], cancel)
        start = 0
        for layer in mine:
            layer.ids[:] = ids[start : start + len(layer.inodes)]
            start += len(layer.inodes)
    return found


def _near_miss(a: _Layer, b: _Layer, rows: NDArray[np.int64], cancel: threading.Event) -> NearMiss:
    instruction_a = a.image.info.layers[a.place.layer].instruction
    instruction_b = b.image.info.layers[b.place.layer].instruction
    sizes = a.sizes[rows]
    return NearMiss(
        a=a.place,
        b=b.place,
        size=int(sizes.sum()),
        files=len(rows),
        same_instruction=bool(instruction_a) and instruction_a == instruction_b,
        only_times=_same_but_times(a, b, cancel),
        directories=_directories(a.image, a.inodes[rows], sizes),
        paths=a.image.union.path[a.inodes[rows]],
        sizes=sizes,
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


def _same_but_times(a: _Layer, b: _Layer, cancel: threading.Event) -> bool:
    """Whether two layers carry the same members but for their times and their order.

    Only where all else is the same are files read that are too small to be candidates.
    """
    if len(a.rows) != len(b.rows) or a.image.layers[a.place.layer].size != b.image.layers[b.place.layer].size:
        return False
    described = [_members(layer) for layer in (a, b)]
    orders = [sorted(range(len(members)), key=members.__getitem__) for members in described]
    if any(described[0][one] != described[1][other] for one, other in zip(*orders, strict=True)):
        return False
    ids = [layer.every_id(cancel)[order] for layer, order in zip((a, b), orders, strict=True)]
    union, rows = a.image.union, a.rows[orders[0]]
    files = (union.kind[rows] == Kind.FILE) & (union.size[rows] > 0)
    return bool((ids[0][files] == ids[1][files]).all() and ids[0][files].any(axis=1).all())


def _members(layer: _Layer) -> list[tuple[bytes, list[int], bytes, bytes]]:
    """What each member of a layer is, times and contents apart."""
    union, rows = layer.image.union, layer.rows
    table = np.column_stack([union.kind[rows], union.size[rows], union.mode[rows], union.uid[rows], union.gid[rows]])
    return [
        (path, numbers, union.link_texts[link], union.xattr_texts[xattr])
        for path, numbers, link, xattr in zip(
            union.paths.texts(union.path[rows]),
            table.tolist(),
            union.link[rows].tolist(),
            union.xattr[rows].tolist(),
            strict=True,
        )
    ]
