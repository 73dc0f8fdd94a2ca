"""What a text finds in an image beside what a view shows of it."""

from __future__ import annotations

import numpy as np

from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.figures.find_paths import PathFinder
from lamina.model import Change, Kind
from lamina.stack.view import View


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Versions of paths that a view does not show."""

    count: int
    layers: int
    """How many layers ship them."""
    layer: int
    """The first of these; 0 where there is none."""
    died: int | None
    """Of a single one: the layer that hides it, None where none does."""
    replaced: bool
    """Of a single one: whether that layer puts something in its place."""


def elsewhere(finder: PathFinder, view: View, text: str) -> Elsewhere:
    """What a filter's text finds in the layers and the view leaves out.

    A directory that the view has counts as shown, whichever layers list it.

    Args:
        finder: of the view's image.
        view: what is shown.
        text: the filter's; empty finds nothing.
    """
    if not text:
        return Elsewhere(0, 0, 0, None, replaced=False)
    union = finder.union
    matched = finder.names.search(text)
    matched[0] = False
    events = finder.events(matched)
    paths = union.path[events]
    there = view.present[paths] & (view.change[paths] != Change.REMOVED)
    shown = there & ((view.event[paths] == events) | (union.kind[events] == Kind.DIR))
    events = events[~shown]
    layers = distinct(union.born[events])
    died, replaced = finder.fates(events[:1]) if len(events) == 1 else (np.array([-1]), np.array([False]))
    return Elsewhere(
        count=len(events),
        layers=len(layers),
        layer=int(layers[0]) if len(layers) else 0,
        died=int(died[0]) if died[0] >= 0 else None,
        replaced=bool(replaced[0]),
    )
