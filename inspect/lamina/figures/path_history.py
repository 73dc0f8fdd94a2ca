"""What became of one path, layer by layer."""

from __future__ import annotations

import numpy as np

from lamina.dataclass import dataclass
from lamina.model import Change, Kind
from lamina.stack.changes import change_word, classify
from lamina.stack.union import ABSENT, Union


@dataclass(frozen=True, slots=True)
class PathVersion:
    """What one layer did to a path."""

    layer: int
    change: Change
    """Against what was there before; UNCHANGED where the same was shipped again."""
    kind: Kind
    """Of what is there then; of what was there where it was removed."""
    size: int
    """Bytes that the layer ships for it: none for a hard link, a directory, or what was only removed."""
    leads_to: int
    """Bytes of the file that the name leads to; 0 for what is none."""
    mode: int
    uid: int
    gid: int
    mtime: int
    """Nanoseconds since the epoch."""
    link: bytes
    """Target of a symbolic or hard link; empty for all else."""
    hidden_by: int | None
    """The layer that removes or replaces it; None where it is there in the end. Of a removal: None."""
    listed: bool = True
    """Whether a layer lists it: a folder that a path only needs has neither mode nor owner nor time."""

    @property
    def word(self) -> str:
        """The change in a word or two."""
        return change_word(self.change, self.kind)


def path_history(union: Union, path: int) -> list[PathVersion]:
    """Every layer that touched a path, the lowest first; what a layer itself hides again is left out.

    Args:
        union: the image.
        path: row of ``union.paths``.
    """
    events = np.flatnonzero((union.path == path) & (union.died > union.born)).astype(np.int32)
    events = events[np.argsort(union.born[events], kind="stable")]
    found: list[PathVersion] = []
    before = ABSENT
    for event in events.tolist():
        born, died = int(union.born[event]), int(union.died[event])
        if before != ABSENT and union.died[before] < born:
            found.append(_removal(union, before))
            before = ABSENT
        pair = np.array([before], dtype=np.int32), np.array([event], dtype=np.int32)
        change = Change(int(classify(union, *pair)[0]))
        found.append(_version(union, event, born, change, died if died < union.layer_count else None))
        before = event
    if before != ABSENT and union.died[before] < union.layer_count:
        found.append(_removal(union, before))
    return found


def _removal(union: Union, event: int) -> PathVersion:
    return _version(union, event, int(union.died[event]), Change.REMOVED, None)


def _version(union: Union, event: int, layer: int, change: Change, hidden_by: int | None) -> PathVersion:
    inode = int(union.inode[event])
    carrier = event if inode == ABSENT else inode
    kind = Kind(int(union.kind[event]))
    ships = change is not Change.REMOVED and event < union.implicit
    return PathVersion(
        layer=layer,
        change=change,
        kind=kind,
        size=int(union.size[event]) if ships else 0,
        leads_to=int(union.size[carrier]) if kind in (Kind.FILE, Kind.HARDLINK) else 0,
        mode=int(union.mode[carrier]),
        uid=int(union.uid[carrier]),
        gid=int(union.gid[carrier]),
        mtime=int(union.mtime[carrier]),
        link=union.link_texts[int(union.link[event])] if kind in (Kind.SYMLINK, Kind.HARDLINK) else b"",
        hidden_by=hidden_by,
        listed=event < union.implicit,
    )
