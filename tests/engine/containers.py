"""A small image and what a container does with it, every byte known."""

from __future__ import annotations

import io
import tarfile

from engine.images import base_tar

WROTE = r"""
printf '%01234d' 0 > /data/conf
chmod 600 /data/mode
rm /data/big
rm -rf /data/anew; mkdir /data/anew; printf '%050d' 0 > /data/anew/new; printf '%070d' 0 > /data/anew/kept
rm -rf /data/dir; echo hi > /data/dir
mkdir -p /var/new/deep; printf '%04096d' 0 > /var/new/deep/f; ln /var/new/deep/f /var/new/deep/g
ln -s f /var/new/deep/s
cp -p /data/same /tmp/k; cat /tmp/k > /data/same
touch /var/new/written
"""
TO_FOLDER = "rm /data/file; mkdir /data/file; echo abc > /data/file/in\n"

SIZES = {
    "data/conf": (1234, 1000),
    "data/mode": (20_000, 20_000),
    "data/big": (0, 500_000),
    "data/anew/new": (50, 0),
    "data/anew/kept": (70, 100),
    "data/anew/old": (0, 7000),
    "data/anew/sub/deep": (0, 900),
    "data/dir": (3, 0),
    "data/dir/x": (0, 11),
    "var/new/deep/f": (4096, 0),
    "var/new/deep/g": (0, 0),
    "var/new/deep/s": (0, 0),
    "tmp/k": (800, 0),
    "data/same": (800, 800),
    "var/new/written": (0, 0),
    "data/file/in": (4, 0),
}
"""Path -> (bytes that the container wrote there, bytes that the image has there), of all that are no directories."""

BECOMES_A_FOLDER = ("data/file", 5)
WRITTEN = sum(size for size, _ in SIZES.values())

CHANGES = {
    **dict.fromkeys(SIZES, "added"),
    "data/conf": "modified",
    "data/mode": "metadata",
    "data/same": "metadata",
    "data/anew/kept": "modified",
    "data/dir": "modified",
    **dict.fromkeys(("data/big", "data/anew/old", "data/anew/sub/deep", "data/dir/x"), "removed"),
}
"""Of each of them."""

CAUSES = {
    "data/conf": "overwritten",
    "data/mode": "metadata",
    "data/same": "metadata",
    "data/anew/kept": "overwritten",
    "data/dir/x": "replaced",
    "data/file": "replaced",
    **dict.fromkeys(("data/big", "data/anew/old", "data/anew/sub/deep"), "removed"),
}
"""Of every file of the image that is hidden."""


def image_tar() -> bytes:
    """The image's only layer."""
    files = {path: before for path, (_, before) in SIZES.items() if before} | dict([BECOMES_A_FOLDER])
    return tar_of({path: b"b" * size for path, size in files.items()}, base_tar())


def tar_of(files: dict[str, bytes], start: bytes = b"") -> bytes:
    """A tar of some files, put behind what is in another."""
    with io.BytesIO(start) as buffer:
        with tarfile.open(fileobj=buffer, mode="a" if start else "w") as archive:
            for path, data in files.items():
                member = tarfile.TarInfo(path)
                member.size, member.mtime = len(data), 1_700_000_000
                archive.addfile(member, io.BytesIO(data))
        return buffer.getvalue()
