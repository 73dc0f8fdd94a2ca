"""Debian's packages: ``status`` and one list of files each, or distroless' ``status.d``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lamina import limits
from lamina.packages.manager import Found, Manager, Record, Wanted, folders_called, text

_HOME = b"var/lib/dpkg"
_PARAGRAPH = re.compile(rb"^(Package|Version|Architecture|Status):[ \t]*(.*)$|^()$", re.MULTILINE)
"""deb-control(5): a paragraph ends with an empty line."""


class Dpkg(Manager):
    """``status``, ``info/*.list``, ``diversions``; ``status.d/NAME`` with ``NAME.md5sums`` beside it."""

    name = "dpkg"
    homes = (_HOME,)

    def wanted(self) -> Iterable[Wanted]:
        """See :class:`lamina.packages.manager.Manager`."""
        most = limits.PACKAGE_RECORD
        yield Wanted(folders_called(self._paths, [_HOME + b"/status", _HOME + b"/diversions"]), most)
        for folder in folders_called(self._paths, [_HOME + b"/info"]):
            yield Wanted([row for name, row in self._lookup.below(folder).items() if name.endswith(b".list")], most)
        for folder in folders_called(self._paths, [_HOME + b"/status.d"]):
            yield Wanted(list(self._lookup.below(folder).values()), most)

    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """See :class:`lamina.packages.manager.Manager`."""
        paths = self._paths
        known: dict[bytes, bytes] = {}  # name, also name:architecture -> version
        architectures: dict[bytes, list[bytes]] = {}
        lists: dict[bytes, bytes] = {}
        single: dict[bytes, bytes] = {}
        diverted: dict[bytes, tuple[bytes, bytes]] = {}
        for record in records:
            name, parent = paths.name(record.row), paths.name(int(paths.parent[record.row]))
            if parent == b"info":
                lists[name.removesuffix(b".list")] = record.data
            elif parent == b"status.d":
                single[name] = record.data
            elif name == b"diversions":
                diverted = _diversions(record.data)
            else:
                known |= _versions(record.data)
        for name in known:
            bare, colon, _ = name.partition(b":")
            architectures.setdefault(bare, []).extend([name] if colon else [])
        for name, data in sorted(lists.items()):
            mine = [line[1:] for line in data.split(b"\n") if line.startswith(b"/")]
            if diverted:
                package = name.partition(b":")[0]
                mine = [_moved(path, package, diverted) for path in mine]
            # A list of one architecture among several is called so; most often there is but one.
            bare = name.partition(b":")[0]
            several = bare != name and sum(each in lists for each in (bare, *architectures.get(bare, ()))) > 1
            yield Found(text(name if several else bare), text(known.get(name, b"")), claims=mine)
        listed = {name.partition(b":")[0] for name in lists}
        for name in sorted(architectures.keys() - listed):
            yield Found(text(name), text(known.get(name, b"")))
        yield from _status_d(single)


def _versions(status: bytes) -> dict[bytes, bytes]:
    """Version by name, and by name and architecture, of what ``status`` has any file of."""
    found: dict[bytes, bytes] = {}
    paragraph: dict[bytes, bytes] = {}

    def finish() -> None:
        name, version = paragraph.get(b"Package"), paragraph.get(b"Version", b"")
        if name and paragraph.get(b"Status", b"installed").split()[-1:] != [b"not-installed"]:
            found[name] = version
            found[name + b":" + paragraph.get(b"Architecture", b"")] = version
        paragraph.clear()

    for match in _PARAGRAPH.finditer(status):
        if match[1]:
            paragraph[match[1]] = match[2].strip()
        else:
            finish()
    finish()
    return found


def _diversions(data: bytes) -> dict[bytes, tuple[bytes, bytes]]:
    """Path -> (where it went, the package whose own file stays), dpkg-divert(1): three lines each."""
    lines = data.split(b"\n")
    return {
        old.lstrip(b"/"): (new.lstrip(b"/"), package)
        for old, new, package in zip(lines[::3], lines[1::3], lines[2::3], strict=False)
    }


def _moved(path: bytes, package: bytes, diverted: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    """Where a package's file really is."""
    to, by = diverted.get(path, (path, package))
    return path if by == package else to


def _status_d(files: dict[bytes, bytes]) -> Iterator[Found]:
    """The packages of ``status.d``: a control paragraph each, and the files with their checksums."""
    for name, data in sorted(files.items()):
        if name.endswith(b".md5sums"):
            continue
        versions = _versions(data)
        package, version = next(iter(versions.items()), (name, b""))
        sums = files.get(name + b".md5sums", b"")
        claims = [parts[1].strip() for line in sums.split(b"\n") if len(parts := line.split(None, 1)) == 2]
        home = _HOME + b"/status.d/" + name
        yield Found(text(package), text(version), claims=[*claims, home, home + b".md5sums"])
