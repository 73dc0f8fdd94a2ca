"""The layers of an image that was read, joined: what all figures and views are computed from."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from lamina.layers.layer_reader import FileRef
from lamina.model import Cancelled
from lamina.sources.base import Content, ReadImage
from lamina.stack.stored import StackedImage
from lamina.stack.union import Union, build_union


def stack(read: ReadImage, cancel: threading.Event) -> StackedImage:
    """The layers of an image that was read, joined: as they were kept, or from their indexes.

    Raises:
        LaminaError: content that has to be compared can't be read, or the layers can't be stacked.
        Cancelled: ``cancel`` was set while layers were stacked.
    """
    stacked = read.stacked
    if stacked is None:
        facts = tuple(None if layer is None else layer.facts for layer in read.layers)
        # Of a reading that was stopped what is there is stacked all the same.
        union = build_union(read.layers, None if cancel.is_set() else cancel)
        read.layers = [None] * len(read.layers)  # the union has all of it
        stacked = StackedImage(union, facts)
        try:
            wanted = union.wanted_content()
            if wanted.size:
                union.content[wanted] = read_content(union, read.content, wanted, cancel)
        except Cancelled:
            pass  # what content could not be compared counts as changed
        else:
            read.keep_stacked(stacked)
    return stacked


def read_content(
    union: Union, content: Content | None, inodes: NDArray[np.int32], cancel: threading.Event
) -> NDArray[np.uint64]:
    """The content ids of these inodes, shape (n, 2), from the files themselves; zeros where they can't be had.

    Raises:
        LaminaError: the source can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    ids = np.zeros((len(inodes), 2), dtype=np.uint64)
    if content is None or not inodes.size:
        return ids
    wanted: dict[int, list[FileRef]] = {}
    rows: dict[int, NDArray[np.int64]] = {}
    for layer in np.flatnonzero(np.bincount(union.born[inodes])).tolist():
        mine = np.flatnonzero(union.born[inodes] == layer)
        mine = mine[np.argsort(union.offset[inodes[mine]], kind="stable")]
        events = inodes[mine]
        paths = union.paths.texts(union.path[events]) if content.needs_paths else [b""] * len(events)
        rows[layer] = mine
        wanted[layer] = list(map(FileRef, union.offset[events].tolist(), union.size[events].tolist(), paths))
    for layer, hashes in content.hashes(wanted, cancel).items():
        ids[rows[layer]] = np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, 2)
    return ids
