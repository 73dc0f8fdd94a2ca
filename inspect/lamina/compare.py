"""Two images held against each other: what the step from one to the other costs, and what it changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from lamina.changes import Delta, changed_between
from lamina.flatten import flatten
from lamina.load import LoadedImage, Tally
from lamina.model import Change, Kind
from lamina.sharing import PullCost, member_of, pull_cost
from lamina.union import ABSENT, Union, build_union
from lamina.view import View, removed_bytes, view_range


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two stacks of layers part."""

    index: int
    """The first layer that is not the same in both; all below it are stored once."""
    before: str | None
    """Its instruction in the older image; None where that has no such layer."""
    after: str | None
    """The same in the newer one."""

    @property
    def same_instruction(self) -> bool:
        """Whether the same instruction gave another layer: a build that is not reproducible, or changed input."""
        return self.before is not None and self.before == self.after


@dataclass(slots=True)
class Comparison:
    """Image ``b`` against image ``a``."""

    a: LoadedImage
    b: LoadedImage
    pull: PullCost
    """What pulling ``b`` fetches where ``a`` is there; a push to a registry that has ``a`` sends the same layers."""
    disk: int
    """Bytes of files that an engine stores more: the layers of ``b`` on a stack that ``a`` doesn't have."""
    parting: Parting | None
    """None where one stack is the other, or the beginning of it."""
    union: Union = field(repr=False)
    """Two layers: the final file system of ``a``, and that of ``b``."""
    added: Tally
    modified: Tally
    metadata: Tally
    removed: Tally

    def view(self) -> View:
        """What ``b`` changed against ``a``, by content, wherever in the layers it stands."""
        return view_range(self.union, 0, 1, shipped=False)


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
        parting=_parting(a, b),
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


def _parting(a: LoadedImage, b: LoadedImage) -> Parting | None:
    old, new = a.info.layers, b.info.layers
    index = 0
    while index < min(len(old), len(new)) and old[index].chain_id == new[index].chain_id:
        index += 1
    if index >= len(old) or index >= len(new):
        return None
    return Parting(index, old[index].instruction, new[index].instruction)


def _joined(a: LoadedImage, b: LoadedImage, cancel: threading.Event) -> Union:
    """Both final file systems as two layers, the second emptying the root first: a range view then compares them."""
    first, inodes_a = flatten(a.union)
    second, inodes_b = flatten(b.union, over=True)
    union = build_union([first, second])
    wanted = union.wanted_content()
    start = int(union.layer_start[1])
    for image, inodes, events, base in (
        (a, inodes_a, wanted[wanted < start], 0),
        (b, inodes_b, wanted[wanted >= start], start),
    ):
        if events.size:
            union.content[events] = image.read_content(inodes[events - base], cancel)
    return union
