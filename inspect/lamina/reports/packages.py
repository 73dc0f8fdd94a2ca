"""What ``lamina packages`` says: schema ``lamina.packages/1``, and text, Markdown and CSV made from that alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lamina.amounts import plural, size, size_bytes
from lamina.figures.image import LoadedImage
from lamina.names import display_name, image_name, short_instruction
from lamina.packages.model import Package, PackageTable
from lamina.reports.json_text import Json, path_fields, plain_text
from lamina.reports.sharing import head
from lamina.reports.tables import cut, md, path_of, table

SCHEMA = "lamina.packages/1"

_COLUMNS = ("target", "manager", "name", "version", "size", "wasted", "files", "layer", "installed", "within", "path")

_FORMULA = re.compile(r"[=+\-@\t\r]")
_SCOPED = re.compile(r"@[\w.-]+/[\w.-]+")
"""An npm package's name, which begins as a formula may."""


def build(images: Sequence[LoadedImage], tables: Sequence[PackageTable]) -> Json:
    """The packages of some images as one JSON object.

    Args:
        images: completely read.
        tables: their packages.
    """
    return {
        "schema": SCHEMA,
        "images": [
            {
                **head(image.info),
                "size": image.size,
                "visible": image.visible,
                "wasted": image.wasted,
                "layers": [
                    {"index": layer.index, "instruction": plain_text(layer.instruction)} for layer in image.info.layers
                ],
                **package_fields(found),
            }
            for image, found in zip(images, tables, strict=True)
        ],
    }


def package_fields(found: PackageTable | None) -> Json:
    """An image's packages as a report has them; null where they are not known."""
    if found is None:
        return {"packages": None, "unowned": None, "package_records": None}
    return {
        "packages": [_package(package) for package in found.packages],
        "unowned": found.unowned,
        "package_records": {
            "unowned_by_folder": [{**path_fields(name), "bytes": count} for name, count in found.unowned_by_folder],
            "claimed_twice": found.claimed_twice,
            "databases": [
                {"manager": each.manager, "size": each.size, "wasted": each.wasted} for each in found.databases
            ],
            "unreadable": [
                {"manager": each.manager, **path_fields(each.path), "reason": each.reason} for each in found.unreadable
            ],
        },
    }


def _package(package: Package) -> Json:
    return {
        "manager": package.manager,
        "name": plain_text(package.name),
        "version": plain_text(package.version),
        **({} if package.path is None else path_fields(package.path)),
        "size": package.size,
        "wasted": package.wasted,
        "files": package.files,
        "layers": [{"layer": part.layer, "bytes": part.bytes, "wasted": part.wasted} for part in package.layers],
        "installed": package.installed,
        "within": plain_text(package.within),
    }


def to_text(report: Json) -> str:
    """The packages as plain text."""
    return "\n".join("\n".join(_text_image(image)) + "\n" for image in report["images"])


def _title(image: Json) -> str:
    return f"{display_name(image_name(image['tags'], image['target']))} · {display_name(image['platform'])}"


def _text_image(image: Json) -> list[str]:
    lines = [_title(image), *(f"  {line}" for line in package_lines(image))]
    rows = weighty(image)
    if rows:
        lines += ["", *package_rows(image, rows)]
    if image["unowned"]:
        lines += ["", "Of no package:"]
        lines += [
            f"  {size(row['bytes']):>7}  {folder_of(row)}" for row in image["package_records"]["unowned_by_folder"]
        ]
    return lines


def package_lines(image: Json) -> list[str]:
    """What there is of packages, in a few lines that are safe to show."""
    here = [row for row in image["packages"] if row["installed"]]
    gone = [row for row in image["packages"] if not row["installed"]]
    within = sum(row["within"] is not None for row in here)
    owned, wasted = sum(row["size"] for row in here), sum(row["wasted"] for row in image["packages"])
    summary = (
        f"{size_bytes(owned)} in {plural(len(here), 'package')}, {size_bytes(image['unowned'])} of no package, "
        f"{size_bytes(wasted)} wasted by packages"
    )
    lines = [summary]
    if gone:
        of_gone = sum(row["wasted"] for row in gone)
        lines.append(
            f"{plural(len(gone), 'package')} removed again, whose {size_bytes(of_gone)} lower layers still ship"
        )
    if within:
        lines.append(f"{plural(within, 'package')} of these came inside another's, and {_weigh(within)} nothing apart")
    records = image["package_records"]
    if records["claimed_twice"]:
        lines.append(f"{size_bytes(records['claimed_twice'])} are claimed by more than one, and counted once")
    lines += [
        f"{row['manager']}'s own records: {size_bytes(row['size'])}, "
        f"and {size_bytes(row['wasted'])} wasted where layers write them anew"
        for row in records["databases"]
        if row["wasted"]
    ]
    lines += [f"{row['manager']}: {path_of(row) or '/'} is not read: {row['reason']}" for row in records["unreadable"]]
    return lines


def _weigh(count: int) -> str:
    return "weighs" if count == 1 else "weigh"


def weighty(image: Json) -> list[Json]:
    """The packages that have any bytes."""
    return [row for row in image["packages"] if row["size"] or row["wasted"]]


def package_rows(image: Json, rows: Sequence[Json]) -> list[str]:
    """Some packages, each with the instruction that brought most of it; the header first."""
    return table(
        ("size", "wasted", "", "package", "version", "layer", "instruction"),
        (
            (
                size(row["size"]),
                size(row["wasted"]),
                row["manager"],
                name_of(row),
                cut(display_name(row["version"]), 24),
                "" if (layer := brought_by(row)) is None else str(layer),
                "" if layer is None else cut(short_instruction(image["layers"][layer]["instruction"]), 50),
            )
            for row in rows
        ),
        left={2, 3, 4, 6},
    )


def name_of(row: Json) -> str:
    """What a package is called, safe to show; a sign tells that it is there no more."""
    return cut(display_name(row["name"]), 40) + ("" if row["installed"] else " (removed)")


def brought_by(row: Json) -> int | None:
    """The layer that brought most of a package; None where it has no bytes."""
    parts = row["layers"]
    if not parts:
        return None
    layer: int = max(parts, key=lambda part: (part["bytes"], part["wasted"], -part["layer"]))["layer"]
    return layer


def folder_of(row: Json) -> str:
    """A top folder that has bytes of no package, safe to show."""
    return f"/{path_of(row)}" if row["path"] else "/ itself"


def to_markdown(report: Json) -> str:
    """The packages as GitHub-flavoured Markdown."""
    return "\n".join("\n".join(_markdown_image(image)) + "\n" for image in report["images"])


def _markdown_image(image: Json) -> list[str]:
    lines = [f"### {md(_title(image))}", "", *(f"{md(line)}  " for line in package_lines(image)), ""]
    lines += ["| size | wasted | | package | version | layer |", "|--:|--:|---|---|---|--:|"]
    for row in weighty(image):
        layer = brought_by(row)
        lines.append(
            f"| {size(row['size'])} | {size(row['wasted'])} | {row['manager']} | {md(name_of(row))} "
            f"| {md(cut(display_name(row['version']), 24))} | {'' if layer is None else layer} |"
        )
    return lines


def to_csv(report: Json) -> Iterator[str]:
    """The packages as CSV (RFC 4180): all, one a row, bytes as numbers; no cell is a formula to a spreadsheet."""
    columns = (
        "target",
        "manager",
        "name",
        "version",
        "size",
        "wasted",
        "files",
        "layer",
        "installed",
        "within",
        "path",
    )
    yield _csv_row(columns)
    for image in report["images"]:
        target = image_name(image["tags"], image["target"])
        for row in image["packages"]:
            texts = target, row["manager"], row["name"], row["version"]
            rest = brought_by(row), int(row["installed"])
            numbers = row["size"], row["wasted"], row["files"], *rest
            path = path_of(row) if "path" in row else ""
            yield _csv_row((*map(_cell, texts), *numbers, _cell(row["within"] or ""), _cell(path)))


def _cell(text: str) -> str:
    shown = display_name(text)
    return f"'{shown}" if _FORMULA.match(shown) and not _SCOPED.fullmatch(shown) else shown


def _csv_row(cells: Sequence[object]) -> str:
    import csv
    import io

    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
