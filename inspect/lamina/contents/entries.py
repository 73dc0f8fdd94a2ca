"""What is taken out: a file or a folder with all below it, as members that can be written in their order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamina.contents.image_files import ImageFiles
from lamina.contents.place import Place, Scope
from lamina.dataclass import dataclass
from lamina.layers.layer_reader import FileRef
from lamina.model import Kind
from lamina.stack.union import ABSENT, Union

WHITEOUT = b".wh."
"""Before a name that a layer removes (OCI image spec, layer.md)."""
OPAQUE = b".wh..wh..opq"
"""In a directory of which a layer removes all that was in it."""

_IMPLIED_MODE = 0o755  # of a directory that no layer lists
_REGULAR = (Kind.FILE, Kind.HARDLINK)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is taken out."""

    path: bytes
    """Below the folder that all goes to; empty for that folder itself."""
    kind: Kind
    """FILE for the name that carries the bytes; HARDLINK for other names of it."""
    mode: int
    uid: int
    gid: int
    mtime: int | None
    """Nanoseconds since the epoch; None where nobody says."""
    link: bytes = b""
    """Of a symbolic link its target; of a hard link the :attr:`path` of another entry; of a device its numbers."""
    layer: int = 0
    """Of a file: the layer that its bytes are in."""
    file: FileRef | None = None
    """Of a file: where they are there."""

    @property
    def size(self) -> int:
        """Bytes of a file as it reads back; 0 for all else."""
        return 0 if self.file is None else self.file.size


@dataclass(frozen=True, slots=True)
class Entries:
    """Everything that is taken out, in the order in which it can be written."""

    folders: list[Entry]
    """Parents first."""
    files: list[Entry]
    """By layer and by where they stand in it."""
    hard_links: list[Entry]
    others: list[Entry]
    """Symbolic links, devices, pipes; of one layer alone also its removals, as empty files."""
    lost: list[bytes]
    """Hard links of one layer whose file is in another."""

    @property
    def count(self) -> int:
        """Of all."""
        return len(self.folders) + len(self.files) + len(self.hard_links) + len(self.others)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)

    def files_by_layer(self) -> dict[int, list[Entry]]:
        """The files by the layer that their bytes are in, each by where it stands there."""
        found: dict[int, list[Entry]] = {}
        for entry in self.files:
            found.setdefault(entry.layer, []).append(entry)
        return found

    def __iter__(self) -> Iterator[Entry]:
        yield from self.folders
        yield from self.files
        yield from self.hard_links
        yield from self.others


def select(image: ImageFiles, place: Place, scope: Scope, name: bytes) -> Entries:
    """What stands at a place and below it.

    Args:
        image: the image.
        place: what to take.
        scope: where it was found.
        name: what it is to be called; empty where a folder's content goes right into another folder.
    """
    union = image.union
    rows = _events(union, place, scope)
    prefix = len(place.path)
    texts = [_below(name, text[prefix:].lstrip(b"/")) for text in union.paths.texts(union.path[rows])]
    found = Entries([], [], [], [], [])
    carriers: dict[int, bytes] = {}  # inode -> the entry that has its bytes
    if place.event == ABSENT and name:
        found.folders.append(Entry(name, Kind.DIR, _IMPLIED_MODE, 0, 0, None))
    columns = (union.kind, union.mode, union.uid, union.gid, union.mtime, union.inode, union.link)
    for event, text, (kind, mode, uid, gid, mtime, inode, link) in zip(
        rows.tolist(), texts, zip(*(column[rows].tolist() for column in columns), strict=True), strict=True
    ):
        if event >= union.implicit:
            found.folders.append(Entry(text, Kind.DIR, _IMPLIED_MODE, 0, 0, None))
        elif kind == Kind.DIR:
            found.folders.append(Entry(text, Kind.DIR, mode, uid, gid, mtime))
        elif kind in (Kind.WHITEOUT, Kind.OPAQUE):
            parent, slash, last = text.rpartition(b"/")
            marker = text + b"/" + OPAQUE if kind == Kind.OPAQUE else parent + slash + WHITEOUT + last
            found.others.append(Entry(marker.lstrip(b"/"), Kind(kind), mode, uid, gid, mtime))
        elif kind not in _REGULAR:
            found.others.append(Entry(text, Kind(kind), mode, uid, gid, mtime, union.link_texts[link]))
        elif inode == ABSENT or (scope.alone and union.born[inode] != scope.layer):
            found.lost.append(text)
        elif inode in carriers:
            found.hard_links.append(Entry(text, Kind.HARDLINK, mode, uid, gid, mtime, carriers[inode]))
        else:
            carriers[inode] = text
            found.files.append(_file(image, inode, text))
    found.files.sort(key=_stored_at)
    return found


def _file(image: ImageFiles, inode: int, text: bytes) -> Entry:
    """A file as the event that carries it describes it, whichever of its names was met first."""
    union = image.union
    mode, uid, gid, mtime = (int(column[inode]) for column in (union.mode, union.uid, union.gid, union.mtime))
    return Entry(text, Kind.FILE, mode, uid, gid, mtime, layer=int(union.born[inode]), file=image.file_ref(inode))


def _stored_at(entry: Entry) -> tuple[int, int]:
    assert entry.file is not None
    return entry.layer, entry.file.offset


def _below(name: bytes, rest: bytes) -> bytes:
    return name + b"/" + rest if name and rest else name or rest


def _events(union: Union, place: Place, scope: Scope) -> NDArray[np.int64]:
    """The events at a place and below it, parents first, a path's own bytes before names that link to them."""
    if scope.alone:
        first, stop = union.layer_start[scope.layer : scope.layer + 2].tolist()
        rows = np.arange(first, stop)
        # What a layer has itself removed again is no part of it; its removals of lower layers' paths are.
        rows = rows[(union.died[rows] > scope.layer) | (union.kind[rows] >= Kind.WHITEOUT)]
        implied = np.arange(union.implicit, union.event_count)
        rows = np.concatenate([rows, implied[union.born[implied] == scope.layer]])
    else:
        rows = np.flatnonzero((union.born <= scope.layer) & (union.died > scope.layer))
    inside = (union.path[rows] >= place.row) & (union.path[rows] < union.paths.end[place.row])
    rows = rows[inside]
    ordered: NDArray[np.int64] = rows[np.lexsort((union.kind[rows] == Kind.HARDLINK, union.path[rows]))]
    return ordered
