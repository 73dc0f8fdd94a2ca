"""The union of all layers against what others make of the same layers: the kernel's overlay, and umoci."""

from __future__ import annotations

import os
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from engine.images import APP1, APP2
from engine.tools import run
from lamina.figures import image as load
from lamina.model import Kind
from lamina.sources.engine.source import EngineSource
from needs import tool, unavailable

File = tuple[str, int, tuple[int, int], bytes | int]
"""Kind, permission bits (0 for symbolic links), (uid, gid), and the link's target or the content's bytes."""

# What the engine itself lays into every container, whatever the image has there.
ENGINES_OWN = (
    b".dockerenv",
    b"dev",
    b"proc",
    b"sys",
    b"etc/hosts",
    b"etc/hostname",
    b"etc/resolv.conf",
    b"etc/mtab",
)


def ours(host: str, name: str) -> dict[bytes, File]:
    """The final file system as lamina sees it."""
    image = load.load(EngineSource(host), name, cancel=threading.Event())
    union = image.union
    files: dict[bytes, File] = {}
    for event in union.alive(union.layer_count - 1).tolist():
        path = union.paths.path(int(union.path[event]))
        kind = Kind(int(union.kind[event]))
        inode = int(union.inode[event]) if kind == Kind.HARDLINK else event
        mode, owner = int(union.mode[inode]), (int(union.uid[inode]), int(union.gid[inode]))
        if event >= union.implicit:
            mode = 0o755  # no layer carries this directory: whoever unpacks the layers makes it so
        if kind in (Kind.FILE, Kind.HARDLINK):
            files[path] = ("file", mode, owner, int(union.size[inode]))
        elif kind == Kind.SYMLINK:
            files[path] = ("link", 0, owner, union.link_texts[int(union.link[event])])
        elif path:
            files[path] = (kind.name.lower(), mode, owner, 0)
    return files


def of_tar(stream: tarfile.TarFile) -> dict[bytes, File]:
    """A root file system's tar, by the standard library."""
    files: dict[bytes, File] = {}
    for member in stream:
        path = os.fsencode(member.name.strip("/"))
        mode, owner = member.mode & 0o7777, (member.uid, member.gid)
        if member.isreg():
            files[path] = ("file", mode, owner, member.size)
        elif member.islnk():
            files[path] = files[os.fsencode(member.linkname.strip("/"))]
        elif member.issym():
            files[path] = ("link", 0, owner, os.fsencode(member.linkname))
        elif path:
            files[path] = ("dir" if member.isdir() else "fifo", mode, owner, 0)
    return files


def of_folder(root: bytes) -> dict[bytes, File]:
    """An unpacked root file system, by the kernel."""
    files: dict[bytes, File] = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            full = os.path.join(folder, name)
            status = os.lstat(full)
            path, mode = os.path.relpath(full, root), status.st_mode & 0o7777
            owner = (status.st_uid, status.st_gid)
            if stat.S_ISREG(status.st_mode):
                files[path] = ("file", mode, owner, status.st_size)
            elif stat.S_ISLNK(status.st_mode):
                files[path] = ("link", 0, owner, os.readlink(full))
            else:
                files[path] = ("dir" if stat.S_ISDIR(status.st_mode) else "fifo", mode, owner, 0)
    return files


def is_engines_own(path: bytes) -> bool:
    """Whether the engine made this path, not the image."""
    return any(path == own or path.startswith(own + b"/") for own in ENGINES_OWN)


@pytest.mark.parametrize("name", [APP1, APP2])
def test_the_union_is_what_a_container_sees(built: str, tmp_path: Path, name: str) -> None:
    client = docker.APIClient(base_url=built, timeout=60)
    exported = tmp_path / "export.tar"
    try:
        container = client.create_container(name, command=["/bin/sh"], network_disabled=True)["Id"]
        try:
            with exported.open("wb") as out:
                out.writelines(client.export(container))
        finally:
            client.remove_container(container)
    finally:
        client.close()
    with tarfile.open(exported) as stream:
        theirs = {path: file for path, file in of_tar(stream).items() if not is_engines_own(path)}
    assert {path: file for path, file in ours(built, name).items() if not is_engines_own(path)} == theirs
    assert len(theirs) > 200


def test_the_union_is_what_umoci_unpacks(built: str, copy_of: Callable[[str], str], tmp_path: Path) -> None:
    if os.geteuid():
        unavailable("unpacking owners and capabilities needs root")
    layout = copy_of("oci-layout-gzip")
    bundle = tmp_path / "bundle"
    run(tool("umoci"), "unpack", "--image", f"{layout}:app", bundle)
    assert ours(built, APP1) == of_folder(os.fsencode(bundle / "rootfs"))
