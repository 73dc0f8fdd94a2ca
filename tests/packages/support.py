"""Images made by hand, for the packages in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import builders
import lamina
from lamina.packages.find_packages import find_packages
from lamina.packages.model import Package, PackageTable
from tars import Member, file, layer_tar

STATUS = b"var/lib/dpkg/status"


def table(folder: Path, *layers: Iterable[Member]) -> PackageTable:
    """The packages of an image of these layers; of every image the sum must be what is visible."""
    tars = [layer_tar(*layer) for layer in layers]
    path = folder / "image.tar"
    path.write_bytes(builders.pack(builders.old_docker(builders.Image(tars))))
    image = lamina.open(str(path))
    found = find_packages(image.figures)
    assert sum(package.size for package in found.packages) + found.unowned == image.visible
    assert sum(count for _, count in found.unowned_by_folder) == found.unowned
    for package in found.packages:
        assert sum(part.bytes for part in package.layers) == package.size
        assert sum(part.wasted for part in package.layers) == package.wasted
    return found


def sizes(found: PackageTable) -> dict[str, tuple[int, int]]:
    """(bytes, bytes wasted) by manager and name."""
    return {f"{package.manager}:{package.name}": (package.size, package.wasted) for package in found.packages}


def only(found: PackageTable) -> Package:
    (package,) = found.packages
    return package


def dpkg_status(*packages: tuple[str, str]) -> Member:
    """The database of some packages, each (name, version)."""
    paragraphs = [
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\nDescription: x\n y\n"
        for name, version in packages
    ]
    return file(STATUS, "\n".join(paragraphs).encode())


def dpkg_list(name: str, *paths: str) -> Member:
    return file(f"var/lib/dpkg/info/{name}.list", "".join(f"/{path}\n" for path in (".", *paths)).encode())


def apk_installed(*packages: tuple[str, str, list[str]], path: str = "lib/apk/db/installed") -> Member:
    """Alpine's database; each package as (name, version, paths)."""
    lines = []
    for name, version, paths in packages:
        lines += [f"C:Q1+x=\nP:{name}\nV:{version}\nA:x86_64\nS:99999999\nI:99999999"]
        for full in paths:
            folder, _, base = full.rpartition("/")
            lines += [f"F:{folder}\nM:0:0:755\nR:{base}\na:0:0:755\nZ:Q1+x="]
        lines += [""]
    return file(path, "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")


def package_json(folder: str, version: str = "1.0.0") -> Member:
    return file(f"{folder}/package.json", f'{{"name": "anything", "version": "{version}"}}'.encode())
