"""npm's packages: each folder of a ``node_modules`` with a ``package.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.packages.manager import Found, Manager, Record, Wanted, text
from lamina.stack.paths import PathTable


class Npm(Manager):
    """``node_modules/NAME/package.json``, with ``@SCOPE/`` or without; one in it has packages of its own."""

    name = "npm"

    def wanted(self) -> Iterable[Wanted]:
        """See :class:`lamina.packages.manager.Manager`."""
        rows = self._lookup.names.called(b"package.json").tolist()
        rows = [row for row in rows if _named(self._paths, int(self._paths.parent[row])) is not None]
        # A larger one is told by its folder's name all the same.
        yield Wanted(rows, limits.PACKAGE_HEAD, head=True)

    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """See :class:`lamina.packages.manager.Manager`."""
        paths = self._paths
        folders = [int(paths.parent[record.row]) for record in records]
        modules = self._lookup.names.called(b"node_modules").tolist() if folders else []
        owned = _owned(paths, folders, modules)
        for record, folder, rows in zip(records, folders, owned, strict=True):
            version = ""
            try:
                value = json.loads(record.data)
                said = value.get("version") if isinstance(value, dict) else None
                version = text(said.encode("utf-8", "surrogatepass")) if isinstance(said, str) else ""
            except (ValueError, RecursionError):
                whole = len(record.data) < limits.PACKAGE_HEAD
                self.tell(record.row, "it is no JSON" if whole else f"it has more than {limits.PACKAGE_HEAD} bytes")
            yield Found(text(_named(paths, folder) or b""), version, path=paths.path(folder), rows=rows)


def _named(paths: PathTable, folder: int) -> bytes | None:
    """The package that a folder is; None where it stands in no ``node_modules``."""
    name, above = paths.name(folder), int(paths.parent[folder])
    if paths.name(above) == b"node_modules":
        return None if name.startswith((b"@", b".")) else name
    if paths.name(above).startswith(b"@") and paths.name(int(paths.parent[above])) == b"node_modules":
        return paths.name(above) + b"/" + name
    return None


def _owned(paths: PathTable, folders: Sequence[int], modules: Sequence[int]) -> list[NDArray[np.int32]]:
    """The rows of each folder, without those of a ``node_modules`` in it."""
    label = np.full(paths.count, -1, dtype=np.int32)
    # In pre-order what stands deeper comes later, and takes its part.
    tops = sorted([*((folder, number) for number, folder in enumerate(folders)), *((row, -1) for row in modules)])
    for row, number in tops:
        label[row : paths.end[row]] = number
    order = np.argsort(label, kind="stable").astype(np.int32)
    bounds = np.searchsorted(label[order], np.arange(len(folders) + 1))
    return [order[start:stop] for start, stop in pairwise(bounds.tolist())]
