"""What stands in a folder or a tar, in one form to be compared."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path
from typing import NamedTuple

MOUNT_POINTS = frozenset(
    (
        ".dockerenv",
        *("dev", "dev/console", "dev/pts", "dev/shm", "proc", "sys"),
        *("etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"),
        "",
    )
)
"""What an engine puts into every container to mount something there, and the folders whose time that changes."""


class Thing(NamedTuple):
    """One path of a file system."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    """Seconds."""
    content: str
    """Digest of a file, target of a link, numbers of a device."""
    names: tuple[str, ...] = ()
    """Of a file with several: all of them."""


def things_of_tar(data: bytes) -> dict[str, Thing]:
    """By path what a tar has, as tarfile reads it."""
    found: dict[str, Thing] = {}
    links: dict[str, list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name = member.name.strip("/").removeprefix("./")
            name = "" if name == "." else name
            if member.islnk():
                links.setdefault(member.linkname, []).append(name)
                continue
            content = member.linkname if member.issym() else ""
            if member.isfile():
                opened = archive.extractfile(member)
                assert opened is not None
                content = hashlib.sha256(opened.read()).hexdigest()
            elif member.ischr() or member.isblk():
                content = f"{member.devmajor}:{member.devminor}"
            kind = "0" if member.isfile() else member.type.decode()
            found[name] = Thing(kind, stat.S_IMODE(member.mode), member.uid, member.gid, int(member.mtime), content)
    for target, names in links.items():
        every = tuple(sorted((target, *names)))
        for name in every:
            found[name] = found[target]._replace(names=every)
    return found


_KINDS = {
    stat.S_IFREG: "0",
    stat.S_IFLNK: "2",
    stat.S_IFCHR: "3",
    stat.S_IFBLK: "4",
    stat.S_IFDIR: "5",
    stat.S_IFIFO: "6",
}


def things_of_folder(root: Path) -> dict[str, Thing]:
    """By path what a folder has, links not followed."""
    found: dict[str, Thing] = {}
    inodes: dict[int, list[str]] = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for raw in [b"", *folders, *files] if os.fsencode(root) == folder else [*folders, *files]:
            path = os.path.join(folder, raw) if raw else folder
            name = os.fsdecode(os.path.relpath(path, os.fsencode(root)))
            name = "" if name == "." else name
            status = os.lstat(path)
            content = ""
            if stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
                inodes.setdefault(status.st_ino, []).append(name)
            elif stat.S_ISLNK(status.st_mode):
                content = os.fsdecode(os.readlink(path))
            elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                content = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
            found[name] = Thing(
                _KINDS[stat.S_IFMT(status.st_mode)],
                stat.S_IMODE(status.st_mode),
                status.st_uid,
                status.st_gid,
                status.st_mtime_ns // 10**9,
                content,
            )
    for names in inodes.values():
        if len(names) > 1:
            for name in names:
                found[name] = found[name]._replace(names=tuple(sorted(names)))
    return found


def listed(archive: Path) -> set[str]:
    """The folders that the layers of a ``docker save`` say something of; others are made as they are needed."""
    found: set[str] = set()
    with tarfile.open(archive) as outer:
        for member in outer:
            if member.isfile() and member.name.endswith("layer.tar"):
                layer = outer.extractfile(member)
                assert layer is not None
                with tarfile.open(fileobj=layer) as inner:
                    found |= {name.name.strip("/").removeprefix("./") for name in inner if name.isdir()}
    return found


def timeless(things: dict[str, Thing], listed: set[str]) -> dict[str, Thing]:
    """The same, where the times of folders that nobody lists don't count."""
    return {
        path: thing._replace(mtime=0) if thing.kind == "5" and path not in listed else thing
        for path, thing in things.items()
    }


def without(things: dict[str, Thing], kinds: str = "", paths: frozenset[str] = MOUNT_POINTS) -> dict[str, Thing]:
    """What is left without some kinds and some paths."""
    return {path: thing for path, thing in things.items() if thing.kind not in kinds and path not in paths}
