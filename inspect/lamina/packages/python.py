"""Python's distributions: ``*.dist-info`` with its ``RECORD``, and the older ``*.egg-info``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.packages.manager import Found, Manager, Record, Wanted, fields, text
from lamina.stack.paths import PathTable

_NAMES = (b"METADATA", b"PKG-INFO")
_LISTS = (b"RECORD", b"installed-files.txt", b"top_level.txt")
_INFOS = (b".dist-info", b".egg-info")


class Python(Manager):
    """A folder beside the modules tells which files came with it (PyPA, "Recording installed projects")."""

    name = "python"

    def wanted(self) -> Iterable[Wanted]:
        """See :class:`lamina.packages.manager.Manager`."""
        infos = [row for ending in _INFOS for row in self._lookup.names.ending(ending).tolist()]
        inside = [self._lookup.below(row) for row in infos]
        yield Wanted([rows[name] for rows in inside for name in _LISTS if name in rows], limits.PACKAGE_RECORD)
        heads = [rows[name] for rows in inside for name in _NAMES if name in rows]
        # distutils wrote the metadata itself in the folder's place.
        heads += [row for row, rows in zip(infos, inside, strict=True) if not rows]
        yield Wanted(heads, limits.PACKAGE_HEAD, head=True)

    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """See :class:`lamina.packages.manager.Manager`."""
        paths = self._paths
        infos: dict[int, dict[bytes, Record]] = defaultdict(dict)
        for record in records:
            name = paths.name(record.row)
            if name in _NAMES + _LISTS:
                infos[int(paths.parent[record.row])][name] = record
            else:
                infos[record.row][b"PKG-INFO"] = record
        for info, files in infos.items():
            home = int(paths.parent[info])
            found = Found(*_name(paths.name(info), files), path=paths.path(home))
            prefix = paths.path(home) + b"/" if home else b""
            if b"RECORD" in files:
                try:
                    found.claims = [prefix + path for path in _recorded(files[b"RECORD"].data)]
                except ValueError:
                    self.tell(files[b"RECORD"].row, "it is no table of files")
            elif b"installed-files.txt" in files:
                within = paths.path(info) + b"/"
                found.claims = [within + line.strip() for line in files[b"installed-files.txt"].data.split(b"\n")]
            elif b"top_level.txt" in files:
                tops = [line.strip() for line in files[b"top_level.txt"].data.split(b"\n")]
                modules = _modules(tops, self._lookup.below(home), paths)
                found.rows = np.concatenate([modules, np.arange(info, paths.end[info], dtype=np.int32)])
            if found.rows is None and b"RECORD" not in files:
                found.rows = np.arange(info, paths.end[info], dtype=np.int32)
            yield found


def _name(folder: bytes, files: dict[bytes, Record]) -> tuple[str, str]:
    """Name and version: as the metadata says, else as the folder is called."""
    told: dict[bytes, str] = {}
    for name in _NAMES:
        if name in files:
            told = fields(files[name].data, (b"name", b"version"))
    name, _, version = folder.rpartition(b".")[0].partition(b"-")
    return told.get(b"name") or text(name), told.get(b"version") or text(version.partition(b"-")[0])


def _recorded(data: bytes) -> list[bytes]:
    """The paths of a RECORD: CSV of path, hash, size, relative to the folder that holds the modules.

    Raises:
        ValueError: it is none.
    """
    if b'"' not in data:
        return [line.partition(b",")[0] for line in data.splitlines() if line]
    import csv  # few names need to be quoted
    import io

    rows = csv.reader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""))
    try:
        return [row[0].encode("utf-8", "surrogateescape") for row in rows if row]
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _modules(tops: Sequence[bytes], beside: dict[bytes, int], paths: PathTable) -> NDArray[np.int32]:
    """The rows of top-level packages and modules, with all below them."""
    found = [np.zeros(0, dtype=np.int32)]
    for top in tops:
        for name in (top, top + b".py"):
            row = beside.get(name) if top and b"/" not in top else None
            if row is not None:
                found.append(np.arange(row, paths.end[row], dtype=np.int32))
    return np.concatenate(found)
