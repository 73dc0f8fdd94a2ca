"""The packages of one image held against those of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Protocol

from lamina.dataclass import dataclass


class Installed(Protocol):
    """A package, as far as it is compared: :class:`lamina.packages.model.Package`, or a row of a report."""

    @property
    def manager(self) -> str:
        """See there."""

    @property
    def name(self) -> str:
        """See there."""

    @property
    def version(self) -> str:
        """See there."""

    @property
    def size(self) -> int:
        """See there."""

    @property
    def installed(self) -> bool:
        """See there."""

    @property
    def within(self) -> str | None:
        """See there."""


@dataclass(frozen=True, slots=True)
class PackageChange:
    """What became of a package; of one that stands at several places, of all of them together."""

    manager: str
    name: str
    change: str
    """``added``, ``removed``, ``upgraded`` (other versions, newer or not), ``changed`` (other bytes)."""
    before: tuple[str, ...]
    """Its versions; none where it was not there."""
    after: tuple[str, ...]
    before_bytes: int
    bytes: int
    """Of its files now."""

    @property
    def difference(self) -> int:
        """Bytes more, or less."""
        return self.bytes - self.before_bytes


@dataclass(slots=True)
class _Side:
    versions: set[str] = field(default_factory=set)
    size: int = 0


def compare_packages(before: Iterable[Installed], after: Iterable[Installed]) -> list[PackageChange]:
    """The packages that are others, those first that weigh most more or less.

    Left out is what only lower layers have, and what came inside another manager's package, which tells it.

    Args:
        before: of the older image.
        after: of the newer one.
    """
    old, new = _by_name(before), _by_name(after)
    found = []
    for manager, name in {**old, **new}:
        was, now = old.get((manager, name)), new.get((manager, name))
        change = _change(was, now)
        if change:
            was, now = was or _Side(), now or _Side()
            versions = tuple(sorted(was.versions)), tuple(sorted(now.versions))
            found.append(PackageChange(manager, name, change, *versions, was.size, now.size))
    return sorted(found, key=lambda each: (-abs(each.difference), each.manager, each.name))


def _by_name(packages: Iterable[Installed]) -> dict[tuple[str, str], _Side]:
    sides: dict[tuple[str, str], _Side] = {}
    for package in packages:
        if package.installed and package.within is None:
            side = sides.setdefault((package.manager, package.name), _Side())
            side.versions.add(package.version)
            side.size += package.size
    return sides


def _change(was: _Side | None, now: _Side | None) -> str:
    if was is None:
        return "added"
    if now is None:
        return "removed"
    if was.versions != now.versions:
        return "upgraded"
    return "changed" if was.size != now.size else ""
