"""Alpine's packages: one database of all, ``lib/apk/db/installed``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lamina import limits
from lamina.packages.manager import Found, Manager, Record, Wanted, folders_called, text

_HOMES = (b"lib/apk/db", b"usr/lib/apk/db")


class Apk(Manager):
    """Paragraphs of ``LETTER:value`` (apk-package(5)): P name, V version, F folder, R file in the folder named last."""

    name = "apk"
    homes = _HOMES

    def wanted(self) -> Iterable[Wanted]:
        """See :class:`lamina.packages.manager.Manager`."""
        yield Wanted(folders_called(self._paths, [home + b"/installed" for home in _HOMES]), limits.PACKAGE_DATABASE)

    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """See :class:`lamina.packages.manager.Manager`."""
        for record in records:
            package, folder = Found("", ""), b""
            for line in [*record.data.split(b"\n"), b""]:
                kind, value = line[:2], line[2:]
                if not line:
                    if package.name:
                        yield package
                    package, folder = Found("", ""), b""
                elif kind == b"R:":
                    package.claims.append(folder + value)
                elif kind == b"F:":
                    folder = value + b"/" if value else b""
                elif kind == b"P:":
                    package.name = text(value)
                elif kind == b"V:":
                    package.version = text(value)
