"""What became of an image's packages since its baseline."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.dataclass import dataclass
from lamina.packages.compare import PackageChange, compare_packages
from lamina.packages.model import PackageTable


@dataclass(frozen=True, slots=True)
class KnownPackage:
    """A package, as far as it is compared."""

    manager: str
    name: str
    version: str
    size: int
    installed: bool
    within: str | None


@dataclass(frozen=True, slots=True)
class KnownPackages:
    """An image's packages, out of a report or of the image."""

    packages: tuple[KnownPackage, ...]
    unread: frozenset[str]
    """Managers that have a record which can't be read: of theirs nobody knows what is missing."""


@dataclass(frozen=True, slots=True)
class PackageGrowth:
    """What became of packages."""

    changes: tuple[PackageChange, ...]
    """Those first that weigh most more or less."""
    left_out: tuple[str, ...]
    """Managers whose packages are not compared: on one side not all of their records could be read."""


def known_packages(found: PackageTable) -> KnownPackages:
    """The packages of an image that was read."""
    return KnownPackages(
        tuple(
            KnownPackage(
                each.manager,
                _as_written(each.name),
                _as_written(each.version),
                each.size,
                each.installed,
                None if each.within is None else _as_written(each.within),
            )
            for each in found.packages
        ),
        unread_of(each.manager for each in found.unreadable),
    )


def unread_of(managers: Iterable[str]) -> frozenset[str]:
    """The managers of which something is not known, by those of records that can't be read."""
    # What is known by its folder is known whatever its description says.
    return frozenset(managers) - {"npm"}


def _as_written(text: str) -> str:
    """A name as a report has it, which may be what it is compared with: U+FFFD in place of lone surrogates."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def package_growth(before: KnownPackages | None, now: PackageTable | None) -> PackageGrowth | None:
    """The packages that are others; None where one side is not known."""
    if before is None or now is None:
        return None
    after = known_packages(now)
    unread = before.unread | after.unread
    old, new = ([each for each in side.packages if each.manager not in unread] for side in (before, after))
    return PackageGrowth(tuple(compare_packages(old, new)), tuple(sorted(unread)))
