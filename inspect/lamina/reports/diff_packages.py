"""The part of a comparison of two images that tells of their packages."""

from __future__ import annotations

from lamina.amounts import plural, size, size_bytes
from lamina.dataclass import dataclass
from lamina.names import display_name
from lamina.packages.compare import PackageChange, compare_packages
from lamina.packages.model import PackageTable
from lamina.reports.json_text import Json, plain_text
from lamina.reports.tables import cut, md, table

_TOP = 12
_MARKS = {"added": "+", "removed": "-", "upgraded": "M", "changed": "m"}
_VERSIONS = 3
"""Of one package that are shown."""


@dataclass(frozen=True, slots=True)
class ComparedPackages:
    """The packages of the two images."""

    a: PackageTable
    b: PackageTable


def package_changes(packages: ComparedPackages | None) -> Json:
    """``packages`` and ``unowned`` of a comparison; null where packages are not known."""
    if packages is None:
        return {"packages": None, "unowned": None}
    changes = compare_packages(packages.a.packages, packages.b.packages)
    return {
        "packages": [change_fields(change) for change in changes],
        "unowned": {"bytes": packages.b.unowned, "before_bytes": packages.a.unowned},
    }


def change_fields(change: PackageChange) -> Json:
    """One of them as a report has it."""
    return {
        "manager": change.manager,
        "name": plain_text(change.name),
        "change": change.change,
        "before": [plain_text(version) for version in change.before],
        "after": [plain_text(version) for version in change.after],
        "before_bytes": change.before_bytes,
        "bytes": change.bytes,
    }


def package_text(diff: Json) -> list[str]:
    """What became of packages, as lines of a text; nothing where they are the same or not known."""
    rows = diff["packages"]
    if not rows:
        return []
    lines = ["", f"Packages: {summary(rows)}"]
    lines += table(
        ("", "bytes", "before", "change", "", "package", "versions"),
        (
            (
                _MARKS[row["change"]],
                size(row["bytes"]),
                size(row["before_bytes"]),
                signed(row),
                row["manager"],
                cut(display_name(row["name"]), 40),
                versions(row),
            )
            for row in rows[:_TOP]
        ),
        left={0, 4, 5, 6},
    )
    return [*lines, *(f"  {line}" for line in _rest(rows))]


def package_markdown(diff: Json) -> list[str]:
    """The same as Markdown."""
    rows = diff["packages"]
    if not rows:
        return []
    lines = ["", f"**Packages:** {summary(rows)}", "", "| | bytes | change | package | versions |"]
    lines.append("|---|--:|--:|---|---|")
    lines += [
        f"| {md(_MARKS[row['change']])} | {size(row['bytes'])} | {md(signed(row))} "
        f"| {md(cut(display_name(row['name']), 40))} ({row['manager']}) | {md(versions(row))} |"
        for row in rows[:_TOP]
    ]
    return [*lines, *(["", *_rest(rows)] if rows[_TOP:] else [])]


def signed(row: Json) -> str:
    """By how much a package weighs more or less: ``+3.5 GB``."""
    difference = row["bytes"] - row["before_bytes"]
    return f"{'-' if difference < 0 else '+'}{size_bytes(abs(difference))}"


def versions(row: Json) -> str:
    """``2.30 -> 2.31``, safe to show."""
    before, after = (_joined(row[side]) for side in ("before", "after"))
    return f"{before} -> {after}" if before and after and before != after else before or after


def _joined(found: list[str]) -> str:
    shown = ", ".join(cut(display_name(version), 24) for version in found[:_VERSIONS])
    return f"{shown}, …" if found[_VERSIONS:] else shown


def summary(rows: list[Json]) -> str:
    """By how much all of them weigh more or less, and how many there are of each kind."""
    total = {"bytes": sum(row["bytes"] for row in rows), "before_bytes": sum(row["before_bytes"] for row in rows)}
    counts = {kind: sum(row["change"] == kind for row in rows) for kind in _MARKS}
    return f"{signed(total)}; " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


def _rest(rows: list[Json]) -> list[str]:
    return [f"and {plural(len(rows) - _TOP, 'more package')} (all of them: --json)"] if rows[_TOP:] else []
