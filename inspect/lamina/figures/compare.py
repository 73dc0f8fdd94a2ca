"""Two images held against each other: what the step from one to the other costs, and what it changes."""

from __future__ import annotations

import threading
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.figures.divergence import Divergence, divergence_of
from lamina.figures.flatten import final_names, flatten
from lamina.figures.image import LoadedImage, Tally
from lamina.figures.sharing import PullCost, member_of, pull_cost
from lamina.model import Change, Kind
from lamina.stack.changes import Delta, changed_between
from lamina.stack.union import ABSENT, IdKind, Union, build_union
from lamina.stack.view import View, removed_bytes, view_step


@dataclass(slots=True)
class Comparison:
    """Image ``b`` against image ``a``."""

    a: LoadedImage
    b: LoadedImage
    pull: PullCost
    """What pulling ``b`` fetches where ``a`` is there; a push to a registry that has ``a`` sends the same layers."""
    disk: int
    """Bytes of files that an engine stores more: the layers of ``b`` on a stack that ``a`` doesn't have."""
    divergence: Divergence | None
    """None where one stack is the other, or the beginning of it."""
    union: Union = field(repr=False)
    """Two layers: the final file system of ``a``, and that of ``b``."""
    added: Tally
    modified: Tally
    metadata: Tally
    removed: Tally

    def view(self, *, of_changed: bool = True) -> View:
        """What ``b`` changed against ``a``, by content, wherever in the layers it stands.

        Args:
            of_changed: whether only the bytes of what changed count; else those of all files do.
        """
        return view_step(self.union, 0, 1, of_changed=of_changed)


def compare(a: LoadedImage, b: LoadedImage, cancel: threading.Event | None = None) -> Comparison:
    """Compare two images.

    Raises:
        LaminaError: content that has to be compared can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    first, second = member_of(a), member_of(b)
    chains = {layer.chain_id for layer in a.info.layers}
    union = _joined(a, b, cancel or threading.Event())
    delta = changed_between(union, 0, 1)
    tallies = {change: _tally(union, delta, change) for change in (Change.ADDED, Change.MODIFIED, Change.METADATA)}
    shown = np.where(delta.after == ABSENT, delta.before, delta.after)
    named = union.kind[shown] != Kind.DIR
    _, gone = removed_bytes(union, delta, 0, 1)
    return Comparison(
        a=a,
        b=b,
        pull=pull_cost(second, first),
        disk=sum(
            figures.size for layer, figures in zip(b.info.layers, b.layers, strict=True) if layer.chain_id not in chains
        ),
        divergence=divergence_of(a.info.layers, b.info.layers),
        union=union,
        added=tallies[Change.ADDED],
        modified=tallies[Change.MODIFIED],
        metadata=tallies[Change.METADATA],
        removed=Tally(int((named & (delta.change == Change.REMOVED)).sum()), int(gone.sum())),
    )


def _tally(union: Union, delta: Delta, change: Change) -> Tally:
    events = delta.after[delta.change == change]
    events = events[union.kind[events] != Kind.DIR]
    return Tally(len(events), int(union.size[events].sum()))


def _joined(a: LoadedImage, b: LoadedImage, cancel: threading.Event) -> Union:
    """Both final file systems as two layers, the second emptying the root first: a range view then compares them."""
    names_a, names_b = final_names(a.union), final_names(b.union)
    # The bytes of a file with several names stand at one that is a file in both: to add a name adds no bytes.
    first, inodes_a = flatten(a.union, names_a, preferred=names_b.files(b.union))
    second, inodes_b = flatten(b.union, names_b, preferred=names_a.files(a.union), over=True)
    union = build_union([first, second])
    _learn_contents(union, (a, b), (inodes_a, inodes_b), cancel)
    return union


def _learn_contents(
    union: Union,
    images: tuple[LoadedImage, LoadedImage],
    inodes: tuple[NDArray[np.int32], NDArray[np.int32]],
    cancel: threading.Event,
) -> None:
    """Make the content ids of the joined file systems comparable, reading as little as that takes.

    Two versions of an image have most files from the same member of the same layer. Those are the same file, which no
    reading has to show; and where one of them is to be compared with another file, it is read once for both.
    """
    rows = np.flatnonzero((union.kind == Kind.FILE) & (union.size > 0)).astype(np.int32)
    origin_of = _origins(images, inodes)[rows]
    _, firsts, which = np.unique(origin_of, axis=0, return_index=True, return_inverse=True)
    which = which.ravel()
    ids = np.zeros((len(firsts), 2), dtype=np.uint64)
    kinds = union.id_kinds(rows)
    for kind in (IdKind.CRC, IdKind.SHA, IdKind.XXH3):  # the last are good for all
        of_kind = (kinds == kind) & union.known(rows)
        ids[which[of_kind]] = union.content[rows[of_kind]]
    union.content[rows] = ids[which]
    number = np.full(union.event_count, ABSENT, dtype=np.int64)
    number[rows] = which
    needed = np.zeros(len(firsts), dtype=bool)
    needed[_meeting(union, number)] = True
    speakers = rows[firsts]
    unknown = needed & ~union.known(speakers)
    kinds = union.id_kinds(speakers)
    if len(distinct(kinds[needed])) > 1:
        unknown |= needed & (kinds != IdKind.XXH3)  # ids of two kinds can't be compared
    start = int(union.layer_start[1])
    for image, sources, offset, mine in (
        (images[0], inodes[0], 0, unknown & (speakers < start)),
        (images[1], inodes[1], start, unknown & (speakers >= start)),
    ):
        if mine.any():
            ids[mine] = image.read_content(sources[speakers[mine] - offset], cancel)
    # What is compared with nothing but itself gets a mark of its own.
    unread = np.flatnonzero(~ids.any(axis=1))
    ids[unread] = np.column_stack([unread.astype(np.uint64) + 1, np.full(len(unread), _OWN, dtype=np.uint64)])
    union.content[rows] = ids[which]


_OWN = np.frombuffer(b"lamsameo", dtype=np.uint64)[0]
"""The second half of a content id that stands for one member of one layer."""


def _origins(
    images: tuple[LoadedImage, LoadedImage], inodes: tuple[NDArray[np.int32], NDArray[np.int32]]
) -> NDArray[np.int64]:
    """Per row of both flat layers: (layer, row there, size), the same for the same file."""
    columns = []
    for image, sources, layers in zip(images, inodes, _layer_numbers(*images), strict=True):
        union = image.union
        if not union.event_count:  # nothing but the marker that empties the root
            columns.append(np.zeros((len(sources), 3), dtype=np.int64))
            continue
        born = union.born[sources]
        columns.append(np.column_stack([layers[born], sources - union.layer_start[born], union.size[sources]]))
    return np.concatenate(columns)


def _layer_numbers(a: LoadedImage, b: LoadedImage) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each layer of two images, equal where both have the layer."""
    numbers = np.arange(len(a.info.layers) + len(b.info.layers), dtype=np.int64)
    mine, others = numbers[: len(a.info.layers)], numbers[len(a.info.layers) :]
    index_of = {layer.diff_id: layer.index for layer in a.info.layers}
    for layer in b.info.layers:
        index = index_of.get(layer.diff_id)
        if index is not None and _agree(a.union, index, b.union, layer.index):
            others[layer.index] = index
    return mine, others


def _agree(a: Union, layer_a: int, b: Union, layer_b: int) -> bool:
    """Whether two layers of one diff_id are the same as far as they were read: archives may claim what is not so."""
    of_a = slice(int(a.layer_start[layer_a]), int(a.layer_start[layer_a + 1]))
    of_b = slice(int(b.layer_start[layer_b]), int(b.layer_start[layer_b + 1]))
    if not np.array_equal(a.size[of_a], b.size[of_b]) or not np.array_equal(a.mtime[of_a], b.mtime[of_b]):
        return False
    rows_a = np.arange(of_a.start, of_a.stop, dtype=np.int32)
    rows_b = np.arange(of_b.start, of_b.stop, dtype=np.int32)
    both = a.known(rows_a) & b.known(rows_b) & (a.id_kinds(rows_a) == b.id_kinds(rows_b))
    return np.array_equal(a.content[of_a][both], b.content[of_b][both])


def _meeting(union: Union, number: NDArray[np.int64]) -> NDArray[np.int64]:
    """The files, by their numbers, whose content decides whether a path changed."""
    sides = []
    names = np.flatnonzero(union.regular())
    for layer in (0, 1):
        mine = names[union.born[names] == layer]
        side = np.full(union.paths.count, ABSENT, dtype=np.int32)
        side[union.path[mine]] = union.inode[mine]
        sides.append(side)
    both = (sides[0] != ABSENT) & (sides[1] != ABSENT)
    old, new = sides[0][both], sides[1][both]
    alike = (union.size[old] == union.size[new]) & (union.size[old] > 0) & (number[old] != number[new])
    return np.concatenate([number[old[alike]], number[new[alike]]])
