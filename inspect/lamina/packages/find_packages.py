"""The packages of an image."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.contents.first_bytes import FirstBytes
from lamina.contents.image_files import files_of
from lamina.figures.image import LoadedImage
from lamina.packages import go
from lamina.packages.apk import Apk
from lamina.packages.dpkg import Dpkg
from lamina.packages.gem import Gem
from lamina.packages.kept import KeptRecords, kept_from_bytes
from lamina.packages.manager import Found, Manager, Tell, folders_called, text
from lamina.packages.model import Database, LayerBytes, Package, PackageTable, Unreadable
from lamina.packages.npm import Npm
from lamina.packages.ownership import NOBODY, Ownership, by_layer, folders_of, renumbered, sums
from lamina.packages.path_lookup import PathLookup
from lamina.packages.python import Python
from lamina.packages.records import RecordPlan, read_programs
from lamina.packages.rpm import Rpm
from lamina.sources.base import passing_of

_MANAGERS: tuple[type[Manager], ...] = (Dpkg, Apk, Rpm, Python, Npm, Gem)
"""In the order of :data:`lamina.packages.model.MANAGERS`; Go's programs, whose record is in themselves, come last."""


def records_at_hand(image: LoadedImage) -> bool:
    """Whether an image's packages can be read without all its layers being sent once more, by an engine or registry."""
    files = image.layer_files
    if files is None or image.fetched is not None:
        return False
    return not any(passing_of(files, layer.index) for layer in image.info.layers)


def find_packages(image: LoadedImage, cancel: threading.Event | None = None) -> PackageTable:
    """The packages of an image's final file system, and those that only lower layers have.

    Args:
        image: read whole.
        cancel: ends the reading of records.

    Raises:
        LaminaError: a layer can't be read any more, or its bytes have gone by.
        Cancelled: ``cancel`` was set.
    """
    return PackageSearch(image).run(cancel or threading.Event())


class PackageSearch:
    """:func:`find_packages` in two steps, so that others can have read what they need in the same turn.

    Args:
        image: read whole.
    """

    def __init__(self, image: LoadedImage) -> None:
        self._image = image
        self._before = image.kept_records()
        self._kept = kept_from_bytes(self._before)
        self.first = FirstBytes(files_of(image), self._kept.content)
        """What reads the records; others may want more of it. All of it is kept with the image."""
        self.lookup = PathLookup(image.union)
        """Where its paths stand."""
        self._unreadable: dict[tuple[str, int], str] = {}
        self._managers = [manager(self.lookup, self._tell_of(manager.name)) for manager in _MANAGERS]
        self._plan = RecordPlan(image.union, self._managers, self.first)

    def _tell_of(self, manager: str) -> Tell:
        def tell(row: int, reason: str) -> None:
            self._unreadable.setdefault((manager, row), reason)

        return tell

    def run(self, cancel: threading.Event) -> PackageTable:
        """The packages.

        Raises:
            LaminaError: a layer can't be read any more, or its bytes have gone by.
            Cancelled: ``cancel`` was set.
        """
        ownership = Ownership(self._image.union, self.lookup)
        self.first.read(cancel)
        records = self._plan.records()
        for manager, mine in zip(self._managers, records, strict=True):
            for found in sorted(manager.found(mine.last), key=_by_name):
                ownership.claim(manager.name, found)
        _claim_go_programs(self._image, ownership, self._kept, cancel)
        after = self._kept.to_bytes()
        if after is not None and after != self._before:
            self._image.keep_records(after)
        for manager, mine in zip(self._managers, records, strict=True):
            for gone in mine.gone.values():
                for found in manager.found(gone):
                    ownership.claim_gone(manager.name, found)
        return _table(self._image, ownership, self._managers, self._unreadable)


def _by_name(found: Found) -> tuple[str, bytes]:
    return found.name, found.path or b""


def _claim_go_programs(image: LoadedImage, ownership: Ownership, kept: KeptRecords, cancel: threading.Event) -> None:
    union = image.union
    inodes, owner, _, path = ownership.inodes()
    program = (owner == NOBODY) & (union.size[inodes] >= go.LEAST) & (union.mode[inodes] & 0o111 > 0)
    rows = dict(zip(inodes[program].tolist(), path[program].tolist(), strict=True))
    largest = inodes[program][np.argsort(-union.size[inodes[program]], kind="stable")][: limits.PROGRAMS]
    for inode, info in read_programs(files_of(image), largest, kept, cancel):
        name = text(info.module or info.path)
        row = rows[inode]
        found = Found(name, text(info.version), path=union.paths.path(row), rows=np.array([row], dtype=np.int32))
        ownership.claim("go", found)


def _table(
    image: LoadedImage, ownership: Ownership, managers: Sequence[Manager], unreadable: dict[tuple[str, int], str]
) -> PackageTable:
    union, waste = image.union, image.waste
    count = len(ownership.claimants)
    inodes, owner, twice, path = ownership.inodes()
    sizes = union.size[inodes]
    size, files = sums(sizes, owner, count).tolist(), np.bincount(owner[owner >= 0], minlength=count).tolist()
    waste_owner = ownership.owner[waste.path_id]
    wasted = sums(waste.size, waste_owner, count).tolist()
    shown = by_layer(sizes, owner, union.born[inodes], union.layer_count)
    hidden = by_layer(waste.size, waste_owner, waste.layer, union.layer_count)
    packages = []
    for place, claimant in enumerate(ownership.claimants):
        if not claimant.installed and not wasted[place]:
            continue
        alive, dead = shown.get(place, {}), hidden.get(place, {})
        packages.append(
            (
                place,
                Package(
                    manager=claimant.manager,
                    name=claimant.found.name,
                    version=claimant.found.version,
                    path=claimant.found.path,
                    size=size[place],
                    wasted=wasted[place],
                    files=files[place],
                    layers=tuple(
                        LayerBytes(layer, alive.get(layer, 0), dead.get(layer, 0)) for layer in sorted({*alive, *dead})
                    ),
                    installed=claimant.installed,
                    within=None if files[place] else _owner_of(ownership, claimant.file),
                ),
            )
        )
    packages.sort(key=lambda each: (-each[1].size, -each[1].wasted, each[1].manager, each[1].name, each[1].path or b""))
    nobodys = owner == NOBODY
    return PackageTable(
        packages=tuple(package for _, package in packages),
        unowned=int(sizes[nobodys].sum()),
        unowned_by_folder=tuple(folders_of(union, path[nobodys], sizes[nobodys])),
        claimed_twice=int(sizes[twice].sum()),
        databases=tuple(_databases(image, managers, path[nobodys], sizes[nobodys])),
        unreadable=tuple(
            Unreadable(manager, union.paths.path(row), reason) for (manager, row), reason in unreadable.items()
        ),
        owner=renumbered(ownership.owner, [place for place, _ in packages]),
    )


def _owner_of(ownership: Ownership, path: int) -> str | None:
    if path == NOBODY:
        return None
    owner = ownership.claimants[int(ownership.owner[path])]
    return f"{owner.manager}:{owner.found.name}"


def _databases(
    image: LoadedImage, managers: Sequence[Manager], path: NDArray[np.int32], sizes: NDArray[np.int64]
) -> Iterator[Database]:
    """What managers' own files weigh, of those that no package owns."""
    paths, waste = image.union.paths, image.waste
    for manager in managers:
        tops = np.array(folders_called(paths, manager.homes), dtype=np.int32)
        inside = paths.covered(tops, paths.end[tops])
        size, wasted = int(sizes[inside[path]].sum()), int(waste.size[inside[waste.path_id]].sum())
        if size or wasted:
            yield Database(manager.name, size, wasted)
