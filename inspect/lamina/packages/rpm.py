"""Packages of Red Hat and SUSE: ``rpmdb.sqlite`` holds the header of each; older databases are only named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lamina import limits
from lamina.packages.manager import Found, Manager, Record, Wanted, folders_called

_HOMES = (b"var/lib/rpm", b"usr/lib/sysimage/rpm", b"usr/share/rpm")
_OLDER = {b"Packages": "Berkeley DB", b"Packages.db": "ndb"}


class Rpm(Manager):
    """The table ``Packages`` of ``rpmdb.sqlite``, and what its write-ahead log adds."""

    name = "rpm"
    homes = _HOMES

    def wanted(self) -> Iterable[Wanted]:
        """See :class:`lamina.packages.manager.Manager`."""
        homes = [home + b"/rpmdb.sqlite" for home in _HOMES]
        yield Wanted(folders_called(self._paths, homes + [home + b"-wal" for home in homes]), limits.PACKAGE_DATABASE)
        older = [home + b"/" + name for home in _HOMES for name in _OLDER]
        yield Wanted(folders_called(self._paths, older), 0, head=True)

    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """See :class:`lamina.packages.manager.Manager`."""
        paths = self._paths
        by_name = {(int(paths.parent[record.row]), paths.name(record.row)): record for record in records}
        for (folder, name), record in by_name.items():
            if name in _OLDER:
                if (folder, b"rpmdb.sqlite") not in by_name:
                    self.tell(record.row, f"a database of the older form {_OLDER[name]}")
            elif name == b"rpmdb.sqlite":
                log = by_name.get((folder, b"rpmdb.sqlite-wal"))
                from lamina.packages.rpm_database import read_database  # sqlite takes time to load

                yield from read_database(record, b"" if log is None else log.data, self.tell)
