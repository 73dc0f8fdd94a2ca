"""Images, figures and other processes for the tests of what is kept."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import builders
import lamina
from builders import Image
from lamina.cache.cache import Cache
from lamina.cache.folder import CacheFolder
from lamina.figures.image import load
from lamina.reports.image import build
from lamina.reports.json_text import to_json
from needs import unavailable
from opening import resolve
from tars import directory, file, hardlink, layer_tar, opaque, symlink, whiteout

NOBODY = 65534
COMMAND = Path(sys.executable).with_name("lamina")
PACKAGE_ROOT = Path(lamina.__file__).parents[1]

TWIN, OTHER = b"the same twice " * 400, b"never the same " * 400  # above the size from which duplicates are looked for


@functools.cache
def rich_layers() -> tuple[bytes, ...]:
    """Layers in which every figure says something: all causes, duplicates, links, and two contents of one size."""
    assert len(TWIN) == len(OTHER)
    below = [
        directory("srv", mode=0o700),
        *(file(f"srv/{n}", bytes([n]) * 50 * (n + 1)) for n in range(20)),
        file("twin/a", TWIN),
        file("twin/b", OTHER),
        file("same", b"copied over itself" * 300),
        file("changed", b"first" * 1000),
        file("mode", b"m" * 5000),
        file("long/" + "x" * 200, b"long"),
        file(b"not-utf8-\xff", b"bytes", pax={b"SCHILY.xattr.user.x": b"1"}),
        hardlink("twin/second-name", "twin/a"),
        file("folder/in", 4000),
        file("emptied/in", 3000),
        symlink("soft", "twin/a"),
    ]
    above = [
        file("twin/c", TWIN),
        file("twin/d", OTHER),
        file("same", b"copied over itself" * 300),
        file("changed", b"other" * 1000),
        file("mode", b"m" * 5000, mode=0o600),
        whiteout("srv/7"),
        file("folder", b"a file in the place of a folder"),
        opaque("emptied"),
    ]
    return layer_tar(*below), layer_tar(*above), layer_tar(whiteout("srv/8"), file("new", 300))


def rich_image(*tags: str) -> Image:
    return Image(rich_layers(), tags or ("rich:1",))


def cache_in(folder: Path) -> Cache:
    return Cache(CacheFolder(folder))


def figures(target: str | Path, cache: Cache | None = None, *, stdin: Any = None, verify: bool = False) -> Any:
    """Every figure of one image, as the report has them."""
    source, name = resolve(str(target), stdin=stdin, cache=cache)
    return json.loads(to_json(build([load(source, name, verify=verify)])))["images"][0]


def without_names(image: Any) -> Any:
    """A report's image without what the same layers are called elsewhere, and what a pipe has no way back to."""
    layers = [{key: layer[key] for key in layer if key not in ("digest", "blob_size")} for layer in image["layers"]]
    names = ("target", "tags", "id", "created", "blob_size", "layers")
    packages = ("packages", "unowned", "package_records")
    return {**{key: image[key] for key in image if key not in names + packages}, "layers": layers}


def written(folder: Path, members: builders.Members, name: str = "image.tar") -> Path:
    """An archive of these members."""
    path = folder / name
    path.write_bytes(builders.pack(members))
    return path


# -- other processes and other users -----------------------------------------------------------------------------------


def python(*code: str, **options: Any) -> subprocess.Popen[bytes]:
    """Another Python that can import lamina, running this code; its arguments come after it."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-c", *code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        **options,
    )


def report_command(target: Path, cache: Path | str) -> tuple[int, bytes, bytes]:
    """What ``lamina report --json`` ends with, prints, and complains of."""
    done = subprocess.run(
        [COMMAND, "report", "--json", target],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env={**os.environ, "LAMINA_CACHE": str(cache)},
    )
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def folder_for(user: int) -> Iterator[Path]:
    """A folder that belongs to another user, and that this one can get to: pytest's own can't be entered."""
    if os.geteuid() != 0:
        unavailable("needs root, to act as another user")
    with tempfile.TemporaryDirectory(prefix="lamina-cache-") as name:
        os.chmod(name, 0o755)
        folder = Path(name) / "theirs"
        folder.mkdir(mode=0o700)
        os.chown(folder, user, user)
        yield folder


@contextlib.contextmanager
def acting_as(user: int) -> Iterator[None]:
    """This process as another user, for all that the kernel asks; only root can, and come back.

    No other process: the interpreter may stand where other users can't get to.
    """
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


@contextlib.contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own that holds only so much."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        unavailable("needs root and mount, for a full disk")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "lamina-test", folder],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        unavailable(f"a small tmpfs can't be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def kept(folder: Path, suffix: str = ".lamina") -> Sequence[Path]:
    """What is kept in a cache folder."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
