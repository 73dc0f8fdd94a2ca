"""What an image is compared with: the figures of an earlier one, out of its report or read anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina import limits as bounds
from lamina.dataclass import dataclass
from lamina.figures.image import LoadedImage
from lamina.gate.limits import GateError
from lamina.gate.package_growth import KnownPackage, KnownPackages, known_packages, unread_of
from lamina.names import image_name, repository_of
from lamina.packages.model import PackageTable

_SCHEMA = "lamina.report/1"


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier image's figures. Bytes; names are untrusted."""

    target: str
    tags: tuple[str, ...]
    platform: str
    size: int
    wasted: int
    layers: tuple[tuple[str, int], ...]
    """(diff_id, size) of each."""
    packages: KnownPackages | None = None
    """None where they are not known."""

    @property
    def name(self) -> str:
        """What people call it."""
        return image_name(self.tags, self.target)

    @property
    def diff_ids(self) -> frozenset[str]:
        """Of its layers."""
        return frozenset(diff_id for diff_id, _ in self.layers)


def baseline_of(image: LoadedImage, packages: PackageTable | None = None) -> Baseline:
    """An image that was read, as what another is compared with.

    Args:
        image: completely read.
        packages: its own; None where they are not known.
    """
    info = image.info
    layers = tuple((layer.diff_id, figures.size) for layer, figures in zip(info.layers, image.layers, strict=True))
    known = None if packages is None else known_packages(packages)
    return Baseline(info.target, info.tags, info.platform, image.size, image.wasted, layers, known)


def is_report(path: Path) -> bool:
    """Whether a file holds JSON, as a report does: it begins with a brace."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def read_report(path: Path) -> tuple[Baseline, ...]:
    """The images of a report that `lamina report --json` wrote.

    Raises:
        GateError: it can't be read, or is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(bounds.REPORT_SIZE + 1)
    except OSError as error:
        raise GateError(f"{path}: can't be read: {error.strerror}") from None
    if len(data) > bounds.REPORT_SIZE:
        raise GateError(f"{path}: more than {bounds.REPORT_SIZE} bytes, which no report has")
    try:
        report = json.loads(data, object_pairs_hook=_without_waste)
        if report["schema"] != _SCHEMA:
            raise GateError(f"{path}: its schema is {report['schema']!r:.60}, not {_SCHEMA}")
        return tuple(_image(image) for image in report["images"])
    except (ValueError, RecursionError):
        raise GateError(f"{path}: not JSON, or not whole") from None
    except (KeyError, TypeError):
        raise GateError(f"{path}: no report as `lamina report --json` writes it ({_SCHEMA})") from None


def baseline_for(image: LoadedImage, baselines: Sequence[Baseline]) -> Baseline:
    """The one that an image is compared with: the only one, else its platform's of its name, else of its repository.

    Raises:
        GateError: there is none, or more than one.
    """
    if len(baselines) == 1:
        return baselines[0]
    info = image.info
    repositories = set(map(repository_of, info.tags))
    here = [each for each in baselines if each.platform == info.platform]
    for fits in (
        [each for each in here if each.target == info.target or set(each.tags) & set(info.tags)],
        [each for each in here if set(map(repository_of, each.tags)) & repositories],
    ):
        if len(fits) == 1:
            return fits[0]
    raise GateError(
        f"--baseline has {len(baselines)} images, and none alone is called as {image_name(info.tags, info.target)}"
    )


def _without_waste(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
    """An object of a report; None for a row of waste, of which there may be half a million."""
    return None if any(key == "cause" for key, _ in pairs) else dict(pairs)


def _image(image: dict[str, Any]) -> Baseline:
    return Baseline(
        target=_text(image["target"]),
        tags=tuple(map(_text, image["tags"])),
        platform=_text(image["platform"]),
        size=_bytes(image["size"]),
        wasted=_bytes(image["wasted"]),
        # A container's read/write layer has no diff_id.
        layers=tuple((_text(layer["diff_id"] or ""), _bytes(layer["size"])) for layer in image["layers"]),
        packages=_packages(image),
    )


def _packages(image: dict[str, Any]) -> KnownPackages | None:
    # A report of an earlier version has no such keys.
    rows, records = image.get("packages"), image.get("package_records")
    if rows is None or records is None:
        return None
    return KnownPackages(
        tuple(
            KnownPackage(
                manager=_text(row["manager"]),
                name=_text(row["name"]),
                version=_text(row["version"]),
                size=_bytes(row["size"]),
                installed=bool(row["installed"]),
                within=None if row["within"] is None else _text(row["within"]),
            )
            for row in rows
        ),
        unread_of(_text(row["manager"]) for row in records["unreadable"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bytes(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value
