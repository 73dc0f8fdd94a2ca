"""Same content at more than one place of an image's final file system."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lamina.among import among
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.figures.image import LoadedImage
from lamina.stack.union import IdKind

MIN_SIZE = 4096
"""Bytes below which a file is no candidate: smaller ones cost a disk block anyway, and there are hosts of them."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One content that several inodes hold. Names of one inode (hard links) are one place."""

    size: int
    """Bytes of one copy."""
    paths: tuple[bytes, ...]

    @property
    def bytes(self) -> int:
        """What all copies but one cost."""
        return self.size * (len(self.paths) - 1)


def find_duplicates(image: LoadedImage, cancel: threading.Event | None = None) -> list[Duplicate]:
    """Duplicates of the final file system, most bytes first.

    Only files that share their size with another one are looked into, and of those only the ones whose content the
    scan did not see. Content is the same where its XXH3-128 is, or its SHA-256 where tables of contents tell that.

    Raises:
        LaminaError: the source can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    union = image.union
    names = union.alive(union.layer_count - 1)
    names = names[union.regular()[names]]
    names = names[union.size[union.inode[names]] >= MIN_SIZE]
    inodes, first = np.unique(union.inode[names], return_index=True)
    paths = union.path[names[first]]
    sizes = union.size[inodes]
    _, group, members = np.unique(sizes, return_inverse=True, return_counts=True)
    candidates = members[group] > 1
    inodes, paths, sizes = inodes[candidates], paths[candidates], sizes[candidates]
    ids = _exact_ids(image, inodes, cancel or threading.Event())
    known = ids.any(axis=1)  # contents that can't be had are nobody's copies
    ids, paths, sizes = ids[known], paths[known], sizes[known]
    order = np.lexsort((paths, ids[:, 1], ids[:, 0], sizes))
    sizes, paths, ids = sizes[order], paths[order], ids[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sizes[1:] != sizes[:-1]) | (ids[1:] != ids[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    copies = np.diff(np.append(starts, len(order)))
    several = np.repeat(copies > 1, copies)
    names_of = iter(union.paths.texts(paths[several]))
    starts, copies = starts[copies > 1], copies[copies > 1]
    found = [
        Duplicate(size, tuple(islice(names_of, count)))
        for size, count in zip(sizes[starts].tolist(), copies.tolist(), strict=True)
    ]
    return sorted(found, key=lambda duplicate: (-duplicate.bytes, duplicate.paths))


def _exact_ids(image: LoadedImage, inodes: NDArray[np.int32], cancel: threading.Event) -> NDArray[np.uint64]:
    """Ids that can be compared, none of them a mere checksum; one of another kind stays where it meets none."""
    union = image.union
    image.learn_content(inodes[~union.known(inodes)], cancel)
    ids = union.content[inodes]
    kinds, sizes = union.id_kinds(inodes), union.size[inodes]
    if not kinds.any():
        return ids
    _, group, members = np.unique(
        np.column_stack([sizes.astype(np.uint64), ids]), axis=0, return_inverse=True, return_counts=True
    )
    doubtful = (kinds == IdKind.CRC) & (members[group.ravel()] > 1)
    for kind in distinct(kinds):
        doubtful |= (kinds != IdKind.XXH3) & (kinds != kind) & among(sizes, sizes[kinds == kind])
    rows = np.flatnonzero(doubtful)
    ids[rows] = image.read_content(inodes[rows], cancel)
    return ids
