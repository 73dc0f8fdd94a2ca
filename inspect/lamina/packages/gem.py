"""Ruby's gems: ``specifications/NAME-VERSION.gemspec`` beside the folder ``gems/NAME-VERSION``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lamina import limits
from lamina.packages.manager import Found, Manager, Record, Wanted, text
from lamina.stack.paths import PathTable

_STUB = re.compile(rb"^# stub: (\S+) (\S+) ", re.MULTILINE)
"""The second line of an installed specification: name, version, platform."""
_FULL_NAME = re.compile(rb"(.+?)-(\d[^-]*)(?:-.*)?")


class Gem(Manager):
    """What a specification says of itself, and the folders that are called as it is."""

    name = "gem"

    def wanted(self) -> Iterable[Wanted]:
        """See :class:`lamina.packages.manager.Manager`."""
        rows = self._lookup.names.ending(b".gemspec").tolist()
        yield Wanted([row for row in rows if _home(self._paths, row) is not None], limits.PACKAGE_HEAD, head=True)

    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """See :class:`lamina.packages.manager.Manager`."""
        paths = self._paths
        for record in records:
            full = paths.name(record.row).removesuffix(b".gemspec")
            said, called = _STUB.search(record.data[:4096]), _FULL_NAME.fullmatch(full)
            matched = said or called
            name, version = matched.groups() if matched else (full, b"")
            home = _home(paths, record.row)
            beside = {} if home is None else self._lookup.below(home)
            tops = [record.row, *self._beside(beside, full)]
            rows = np.concatenate([np.arange(top, paths.end[top], dtype=np.int32) for top in tops])
            yield Found(text(name), text(version), path=paths.path(tops[1] if len(tops) > 1 else tops[0]), rows=rows)

    def _beside(self, places: dict[bytes, int], full: bytes) -> Iterator[int]:
        """The rows of what is called as the gem is, its code first."""
        below = self._lookup.below
        for place, name in ((b"gems", full), (b"doc", full), (b"cache", full + b".gem")):
            if place in places and (row := below(places[place]).get(name)) is not None:
                yield row
        if b"extensions" in places:  # extensions/PLATFORM/ABI/NAME-VERSION
            for platform in below(places[b"extensions"]).values():
                for abi in below(platform).values():
                    if (row := below(abi).get(full)) is not None:
                        yield row


def _home(paths: PathTable, row: int) -> int | None:
    """The folder that holds ``specifications``, also for one in its ``default``; None where there is none above."""
    above = int(paths.parent[row])
    if paths.name(above) == b"default":
        above = int(paths.parent[above])
    return int(paths.parent[above]) if paths.name(above) == b"specifications" else None
