"""Files of an image that hold to some conditions: of one file system, of one layer, or all versions in all layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.contents.conditions import Conditions
from lamina.contents.file_rows import NOBODY, FileRows, rows_of_view
from lamina.contents.image_files import ImageFiles
from lamina.contents.listing import list_place
from lamina.contents.place import Scope, find_place, scope_of, text_path
from lamina.figures.find_paths import PathFinder
from lamina.model import Change, LaminaError
from lamina.stack.changes import classify
from lamina.stack.union import ABSENT


def find_files(image: ImageFiles, path: str, scope: Scope | None, conditions: Conditions) -> FileRows:
    """What holds to all conditions, by path.

    Args:
        image: the image.
        path: at or below which it has to be, as a user writes it; empty: anywhere.
        scope: which file system, or which layer alone: what it carries, and removes. None: all versions in all layers;
            where removals are asked for, what was removed is told with that mark.
        conditions: what is asked.

    Raises:
        LaminaError: nothing is at the path.
    """
    rows = _versions(image, path, conditions) if scope is None else _in_scope(image, path, scope, conditions)
    return rows.take(conditions.hold(rows))


def title_of(scope: Scope | None) -> str:
    """What was searched, for people."""
    if scope is None:
        return "all layers"
    return f"layer {scope.layer}" if scope.alone else f"up to layer {scope.layer}"


def _in_scope(image: ImageFiles, path: str, scope: Scope, conditions: Conditions) -> FileRows:
    listing = list_place(image, path, scope)
    view = listing.view
    there = listing.there.copy()
    if scope.alone:
        # Folders that the layer only leads through are no finds.
        born = image.union.born[view.event] == scope.layer
        there &= (view.change != Change.UNCHANGED) | (born & (view.event != ABSENT)) | (view.own("size") > 0)
    elif conditions.changes and Change.REMOVED in conditions.changes:
        there |= view.change == Change.REMOVED
    inside = np.arange(listing.top, view.union.paths.end[listing.top], dtype=np.int32)
    return rows_of_view(view, inside[there[inside]])


def _versions(image: ImageFiles, path: str, conditions: Conditions) -> FileRows:
    union = image.union
    top = _row(image, path)
    inside = np.zeros(union.paths.count, dtype=bool)
    inside[max(top, 1) : union.paths.end[top]] = True
    finder = PathFinder(union)
    events = finder.events(inside)
    events = events[np.lexsort((union.born[events], union.path[events]))]
    change = classify(union, _before(image, events), events)
    hidden_by, replaced = finder.fates(events)
    rows = FileRows(
        union=union,
        path=union.path[events],
        event=events,
        change=change,
        size=finder.sizes(events),
        own=union.size[events],
        removed=np.zeros(len(events), dtype=np.int64),
        own_removed=np.zeros(len(events), dtype=np.int64),
        layer=union.born[events],
        hidden_by=hidden_by,
        replaced=replaced,
    )
    if conditions.changes is None or Change.REMOVED not in conditions.changes:
        return rows
    # A folder that was listed several times goes once: with the last of these.
    gone = np.flatnonzero((hidden_by != NOBODY) & ~replaced & (union.died[events] == hidden_by))
    order = np.sort(np.concatenate([np.arange(len(events)) * 2, gone * 2 + 1]))
    rows = rows.take(order // 2)
    rows.change[order % 2 == 1] = Change.REMOVED
    return rows


def _before(image: ImageFiles, events: NDArray[np.int32]) -> NDArray[np.int32]:
    """What each version takes the place of; events stand by path and layer."""
    union = image.union
    before = np.full(len(events), ABSENT, dtype=np.int32)
    follows = (union.path[events[1:]] == union.path[events[:-1]]) & (union.died[events[:-1]] >= union.born[events[1:]])
    before[1:][follows] = events[:-1][follows]
    return before


def _row(image: ImageFiles, path: str) -> int:
    """The path, whichever layer has it; links of the final file system are followed."""
    try:
        return find_place(image, path, scope_of(image)).row
    except LaminaError:
        row = image.union.paths.find(text_path(path))
        if row is None:
            raise
        return row
