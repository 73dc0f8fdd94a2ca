"""Which file a path means: in the final file system, in that after some layer, or in one layer alone."""

from __future__ import annotations

import numpy as np

from lamina.contents.image_files import ImageFiles
from lamina.dataclass import dataclass
from lamina.figures.links import follow_text
from lamina.figures.path_history import path_history
from lamina.model import Change, Kind, LaminaError
from lamina.names import display_name
from lamina.stack.union import ABSENT


@dataclass(frozen=True, slots=True)
class Scope:
    """Which files are meant: those after a layer, or those of that layer alone."""

    layer: int
    """The last that counts."""
    alone: bool = False
    """Whether only what it carries counts."""


def scope_of(image: ImageFiles, layer: int | None = None, up_to: int | None = None) -> Scope:
    """What a command's options mean.

    Args:
        image: the image.
        layer: one layer alone.
        up_to: the file system after this layer; neither: after the last.

    Raises:
        LaminaError: there is no such layer.
    """
    number = layer if layer is not None else up_to
    count = image.union.layer_count
    if number is not None and not 0 <= number < count:
        raise LaminaError(f"{image.name} has layers 0 to {count - 1}: there is no layer {number}")
    return Scope(count - 1 if number is None else number, alone=layer is not None)


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at a path."""

    path: bytes
    """Where it was found, ``usr/lib/x``: links on the way followed; the root's is empty."""
    row: int
    """Of the union's path table."""
    event: int
    """That put it there; :data:`ABSENT` for the root where no layer lists it, and for a folder that a layer only adds
    to."""
    kind: Kind

    @property
    def shown(self) -> str:
        """The path for people."""
        return display_name(self.path) or "/"


def text_path(path: str) -> bytes:
    """A path as a user writes it, ``/usr//lib/`` or ``./usr/lib``, as a union has it; ``..`` is left in it."""
    return b"/".join(part for part in path.encode("utf-8", "surrogateescape").split(b"/") if part not in (b"", b"."))


def find_place(image: ImageFiles, path: str, scope: Scope, *, last_link: bool = True) -> Place:
    """What a path leads to.

    Args:
        image: the image.
        path: as a user writes it.
        scope: where to look.
        last_link: whether a symbolic link at its end is followed, too.

    Raises:
        LaminaError: nothing is there; the error says in which layers something was.
    """
    union, text = image.union, text_path(path)
    paths = union.paths
    end = follow_text(union, text, scope.layer, last=last_link)
    if end.endless:
        raise LaminaError(f"{_shown(text)} of {image.name}: its links lead in a circle")
    row = end.row
    if scope.alone:
        # A layer may carry what the file system after it has elsewhere, behind a link.
        mine = paths.find(text)
        if mine is not None and _carried(image, mine, scope.layer) and not (last_link and _is_link(image, mine, scope)):
            row = mine
    there = row is not None and (_carried(image, row, scope.layer) if scope.alone else _is_there(image, row, scope))
    if row is None or not there:
        raise _absent(image, text, end.path, scope)
    event = _event(image, row, scope)
    return Place(paths.path(row), row, event, Kind(int(union.kind[event])) if event != ABSENT else Kind.DIR)


def event_in(image: ImageFiles, row: int, layer: int) -> int:
    """What a layer put at a path; :data:`ABSENT` where it is nothing that stays.

    Args:
        image: the image.
        row: of the union's path table.
        layer: its number.
    """
    return _event(image, row, Scope(layer, alone=True))


def _event(image: ImageFiles, row: int, scope: Scope) -> int:
    union = image.union
    events = np.flatnonzero(union.path == row)
    born, died = union.born[events], union.died[events]
    if scope.alone:
        mask = (born == scope.layer) & (died > born)
    else:
        mask = (born <= scope.layer) & (died > scope.layer)
    found = events[mask]
    return int(found[-1]) if found.size else ABSENT


def _is_there(image: ImageFiles, row: int, scope: Scope) -> bool:
    return row == 0 or _event(image, row, scope) != ABSENT


def _carried(image: ImageFiles, row: int, layer: int) -> bool:
    """Whether a layer carries a path, or something below it."""
    union = image.union
    first, stop = union.layer_start[layer : layer + 2].tolist()
    mine = union.path[first:stop]
    return bool(((mine >= row) & (mine < union.paths.end[row]) & (union.died[first:stop] > layer)).any())


def _is_link(image: ImageFiles, row: int, scope: Scope) -> bool:
    event = _event(image, row, scope)
    return event != ABSENT and image.union.kind[event] == Kind.SYMLINK


def _absent(image: ImageFiles, asked: bytes, reached: bytes, scope: Scope) -> LaminaError:
    """The error for a path where nothing is, which tells where something was."""
    shown, union = _shown(asked), image.union
    leads = f" (which leads to {_shown(reached)})" if reached != asked else ""
    where = image.name
    last = scope.layer == union.layer_count - 1
    if scope.alone:
        where = f"layer {scope.layer} of {where}"
    elif not last:
        where = f"{where} up to layer {scope.layer}"
    row = union.paths.find(reached)
    steps = [] if row is None else path_history(union, row)
    said = [f"layer {step.layer} {'removes' if step.change is Change.REMOVED else 'has'} it" for step in steps]
    more = f": {', '.join(said)}" if said else ""
    return LaminaError(f"no {shown}{leads} in {where}{more}")


def _shown(path: bytes) -> str:
    return display_name(path) or "/"
