"""Two slow and obvious references for stacked layers, sharing no code with lamina.

One extracts the layers into a real folder with the operating system's calls; the other keeps a dictionary from path to
inode objects and notes why each inode dies. Both take layers as lists of members, not as tars.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tars import Member

# What a member is.

_WHITEOUT = b".wh."
_OPAQUE = b".wh..wh..opq"


def path_of(member: Member) -> bytes:
    """Where a member stands; names in these tests hold nothing worse than ``./`` or ``/`` in front."""
    return member.name.removeprefix(b"./").strip(b"/")


def name_of(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def parent_of(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def ancestors_of(path: bytes) -> list[bytes]:
    """From the outermost to the parent, without the root."""
    parts = path.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts))]


def is_opaque(member: Member) -> bool:
    return name_of(path_of(member)) == _OPAQUE


def is_whiteout(member: Member) -> bool:
    return name_of(path_of(member)).startswith(_WHITEOUT) and not is_opaque(member)


def is_marker(member: Member) -> bool:
    return is_whiteout(member) or is_opaque(member)


def removed_by(member: Member) -> bytes:
    """The path a whiteout removes."""
    path = path_of(member)
    parent, name = parent_of(path), name_of(path).removeprefix(_WHITEOUT)
    return parent + b"/" + name if parent else name


# Extraction into a real folder.


def extract(layer: Sequence[Member], folder: Path) -> None:
    """Put one layer onto what earlier layers left in a folder."""
    root = os.fsencode(folder)

    def real(path: bytes) -> bytes:
        return os.path.join(root, path)

    def is_dir(path: bytes) -> bool:
        return not os.path.islink(real(path)) and os.path.isdir(real(path))

    def reachable(path: bytes) -> bool:
        """Whether all parents are directories: nothing may be followed through a symbolic link."""
        return all(is_dir(ancestor) for ancestor in ancestors_of(path))

    def remove(path: bytes) -> None:
        if is_dir(path):
            shutil.rmtree(real(path))
        elif os.path.lexists(real(path)):
            os.unlink(real(path))

    for member in filter(is_whiteout, layer):
        if reachable(removed_by(member)):
            remove(removed_by(member))
    for member in filter(is_opaque, layer):
        path = parent_of(path_of(member))
        if path == b"" or (reachable(path) and is_dir(path)):
            for name in os.listdir(real(path)):
                remove(os.path.join(path, name))
    for member in layer:
        if is_marker(member):
            continue
        path = path_of(member)
        for ancestor in ancestors_of(path):
            if not is_dir(ancestor):
                remove(ancestor)
                os.mkdir(real(ancestor))
        if member.flag == b"5":
            if path and not is_dir(path):
                remove(path)
                os.mkdir(real(path))
            os.chmod(real(path), member.mode)
            continue
        remove(path)
        if member.flag == b"0":
            with open(real(path), "wb") as out:
                out.write(member.content)
            os.chmod(real(path), member.mode)
        elif member.flag == b"1":
            os.link(real(member.link), real(path), follow_symlinks=False)
        elif member.flag == b"2":
            os.symlink(member.link, real(path))
        elif member.flag == b"6":
            os.mkfifo(real(path))
            os.chmod(real(path), member.mode)
        else:
            raise AssertionError(f"the reference knows no {member.flag!r}")


@dataclass(frozen=True)
class Found:
    """What the operating system says of one path."""

    kind: str
    size: int
    names: int
    """Of a regular file: how many names it has."""
    content: bytes
    """Of a regular file, or a symbolic link's target."""
    mode: int
    same_as: frozenset[bytes]
    """Of a regular file: all paths that lead to it."""


def file_system(folder: Path) -> dict[bytes, Found]:
    """Everything below a folder, by path."""
    root = os.fsencode(folder)
    status: dict[bytes, os.stat_result] = {}
    for place, directories, files in os.walk(root, followlinks=False):
        for name in directories + files:
            whole = os.path.join(place, name)
            status[os.path.relpath(whole, root)] = os.lstat(whole)
    by_inode: dict[int, set[bytes]] = {}
    for path, found in status.items():
        by_inode.setdefault(found.st_ino, set()).add(path)

    def content(path: bytes, mode: int) -> bytes:
        if stat.S_ISREG(mode):
            with open(os.path.join(root, path), "rb") as opened:
                return opened.read()
        return os.readlink(os.path.join(root, path)) if stat.S_ISLNK(mode) else b""

    return {
        path: Found(
            kind=_WORDS[stat.S_IFMT(found.st_mode)],
            size=found.st_size if stat.S_ISREG(found.st_mode) else 0,
            names=found.st_nlink if stat.S_ISREG(found.st_mode) else 0,
            content=content(path, found.st_mode),
            mode=stat.S_IMODE(found.st_mode),
            same_as=frozenset(by_inode[found.st_ino]) if stat.S_ISREG(found.st_mode) else frozenset(),
        )
        for path, found in status.items()
    }


_WORDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo"}


# A dictionary of inodes.


@dataclass(eq=False)
class Inode:
    """The bytes of one regular file that a layer ships."""

    path: bytes
    layer: int
    member: Member
    names: int = 0
    deaths: list[tuple[int, str, str, bytes]] = field(default_factory=list)
    """(layer, phase, cause, path) of every name that was lost."""

    @property
    def size(self) -> int:
        return len(self.member.content)


@dataclass(eq=False)
class Node:
    """What stands at a path."""

    kind: str
    born: int
    order: int
    """Counts up over all members: the earlier of two names has the smaller one."""
    member: Member | None
    """None for a directory that is only implied."""
    inode: Inode | None = None

    @property
    def metadata(self) -> tuple[object, ...] | None:
        """Mode, owner, time and extended attributes: a hard link's are its inode's."""
        return metadata_of(self.inode.member if self.inode else self.member)


def metadata_of(member: Member | None) -> tuple[object, ...] | None:
    if member is None:
        return None
    # A directory's time tells only that something was put in it.
    time = 0 if member.flag == b"5" else member.mtime
    return member.mode, member.uid, member.gid, time, tuple(sorted(member.pax.items()))


_FLAGS = {b"0": "file", b"1": "file", b"2": "symlink", b"5": "dir", b"6": "fifo", b"3": "device"}

State = dict[bytes, Node]


class Dictionary:
    """The file system after each layer, and what died on the way."""

    def __init__(self) -> None:
        self.now: State = {}
        self.states: list[State] = []
        """After each layer."""
        self.inodes: list[Inode] = []
        self._order = 0

    def apply(self, layer: Sequence[Member]) -> None:
        self.begin([member for member in layer if is_marker(member)])
        for member in layer:
            if not is_marker(member):
                self.put(member)
        self.end()

    def begin(self, markers: Sequence[Member]) -> None:
        """Start a layer: its markers act before its members, wherever they stand."""
        for member in filter(is_whiteout, markers):
            self._lose_tree(removed_by(member), "whiteout", "removed")
        for member in filter(is_opaque, markers):
            for path in self._below(parent_of(path_of(member))):
                self._lose(path, "opaque", "opaque")

    def end(self) -> None:
        self.states.append(dict(self.now))

    def can_link(self, link: Member) -> bool:
        """Whether the operating system could make this hard link now, the way to its name cleared first."""
        path, target = path_of(link), self.now.get(link.link)
        cleared = [path, *ancestors_of(path)]
        return (
            target is not None
            and target.inode is not None
            and link.link not in cleared
            and not link.link.startswith(path + b"/")
        )

    @property
    def _layer(self) -> int:
        return len(self.states)

    def _below(self, path: bytes) -> list[bytes]:
        prefix = path + b"/" if path else b""
        return [other for other in self.now if other.startswith(prefix) and other != path]

    def _lose_tree(self, path: bytes, phase: str, cause: str) -> None:
        for other in self._below(path):
            self._lose(other, phase, cause)
        if path in self.now:
            self._lose(path, phase, cause)

    def _lose(self, path: bytes, phase: str, cause: str) -> None:
        inode = self.now.pop(path).inode
        if inode is not None:
            inode.names -= 1
            inode.deaths.append((self._layer, phase, cause, path))

    def _need_directory(self, path: bytes) -> None:
        if path in self.now and self.now[path].kind == "dir":
            return
        if path in self.now:
            self._lose(path, "members", "replaced")
        self._order += 1
        self.now[path] = Node("dir", self._layer, self._order, None)

    def put(self, member: Member) -> None:
        """Place one member."""
        path = path_of(member)
        if path:
            for ancestor in (b"", *ancestors_of(path)):
                self._need_directory(ancestor)
        kind = _FLAGS[member.flag]
        inode = None
        if member.flag == b"0":
            inode = Inode(path, self._layer, member)
            self.inodes.append(inode)
        elif member.flag == b"1":
            inode = self.now[member.link].inode
        old = self.now.get(path)
        if old is not None and not (old.kind == kind == "dir"):
            if old.inode is not None and inode is not None:
                self._lose(path, "members", _difference(old.inode, inode))
            else:
                self._lose_tree(path, "members", "replaced")
        self._order += 1
        self.now[path] = Node(kind, self._layer, self._order, member, inode)
        if inode is not None:
            inode.names += 1

    # What can be asked in the end.

    def dead(self) -> list[Inode]:
        return [inode for inode in self.inodes if inode.names == 0]

    def visible(self) -> int:
        return sum(inode.size for inode in _inodes(self.now))

    def attributed(self, layer: int) -> dict[bytes, int]:
        """Bytes by path after a layer, every inode once, at its oldest name that is left."""
        oldest: dict[int, tuple[int, bytes, int]] = {}
        for path, node in self.states[layer].items():
            if node.inode is not None:
                candidate = (node.order, path, node.inode.size)
                oldest[id(node.inode)] = min(oldest.get(id(node.inode), candidate), candidate)
        return {path: size for _, path, size in oldest.values()}


def _inodes(state: State) -> Iterator[Inode]:
    seen = set()
    for node in state.values():
        if node.inode is not None and id(node.inode) not in seen:
            seen.add(id(node.inode))
            yield node.inode


def _difference(old: Inode, new: Inode) -> str:
    if old.member.content != new.member.content:
        return "overwritten"
    return "identical" if metadata_of(old.member) == metadata_of(new.member) else "metadata"


def dictionary_of(layers: Sequence[Sequence[Member]]) -> Dictionary:
    reference = Dictionary()
    for layer in layers:
        reference.apply(layer)
    return reference


# The change of a path between two states.


def change_between(old: Node | None, new: Node | None) -> str:
    if old is None:
        return "ADDED"
    if new is None:
        return "REMOVED"
    if old.kind != new.kind:
        return "MODIFIED"
    if old.inode is not None and new.inode is not None and old.inode.member.content != new.inode.member.content:
        return "MODIFIED"
    if old.member is None or new.member is None:
        return "UNCHANGED"  # an implied directory has no metadata that could differ
    if old.kind == "symlink" and old.member.link != new.member.link:
        return "MODIFIED"
    if old.kind == "device" and old.member.device != new.member.device:
        return "MODIFIED"
    return "UNCHANGED" if old.metadata == new.metadata else "METADATA"
