"""The packages in an HTML report: the largest, those that waste most, and a map of the final file system by package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from lamina.amounts import plural, size, size_bytes
from lamina.names import display_name, short_instruction
from lamina.packages.model import MANAGERS
from lamina.reports.html_page import COLOURS, table
from lamina.reports.json_text import Json
from lamina.reports.packages import brought_by, folder_of, name_of, package_lines, weighty
from lamina.reports.tables import cut
from lamina.reports.treemap import Tile, drawings

_LARGEST = 25
_WASTING = 10
_TILES = 90
_FOLDERS = 12
_NOBODY = COLOURS - 1
"""The colour of what no package owns; each manager has one before it."""


def packages_section(image: Json) -> str:
    """The section; empty where nothing is known of packages.

    Args:
        image: of ``lamina.report/1``.
    """
    if not image["packages"] and not (image["package_records"] and image["package_records"]["unreadable"]):
        return ""
    lines = "".join(f"<p>{escape(line)}</p>" for line in package_lines(image))
    return f"<h2>Packages</h2>{lines}{_map(image)}{_tables(image)}\n"


def _map(image: Json) -> str:
    groups = package_tiles(image)
    # Without a package it would be the map by folder once more.
    if not any(tile.colour != _NOBODY for group in groups for tile in group):
        return ""
    return _key(image) + drawings(groups, "Final file system by package")


def package_tiles(image: Json) -> list[list[Tile]]:
    """The final file system as tiles that add up to what is visible: by manager, and of no package by top folder.

    Args:
        image: of ``lamina.report/1``, with packages.
    """
    rows = [row for row in image["packages"] if row["size"]]
    groups = []
    for colour, manager in enumerate(MANAGERS):
        tiles = [_tile(row, colour) for row in rows[:_TILES] if row["manager"] == manager]
        rest = [row["size"] for row in rows[_TILES:] if row["manager"] == manager]
        groups.append(_with_rest(tiles, rest, colour))
    folders = image["package_records"]["unowned_by_folder"]
    tiles = [Tile(folder_of(row), size_bytes(row["bytes"]), row["bytes"], _NOBODY) for row in folders[:_FOLDERS]]
    groups.append(_with_rest(tiles, [row["bytes"] for row in folders[_FOLDERS:]], _NOBODY))
    return [group for group in groups if group]


def _tile(row: Json, colour: int) -> Tile:
    return Tile(name_of(row), size_bytes(row["size"]), row["size"], colour, path=False)


def _with_rest(tiles: list[Tile], rest: Sequence[int], colour: int) -> list[Tile]:
    """Tiles, and one for all that is too small to be told apart; the largest first."""
    if rest:
        total = sum(rest)
        tiles.append(Tile(f"{len(rest):,} more", size_bytes(total), total, colour, path=False))
    return sorted(tiles, key=lambda tile: -tile.weight)


def _key(image: Json) -> str:
    """What each colour is, with its bytes: the map can be read without seeing colours, too."""
    weights: Counter[str] = Counter()
    for row in image["packages"]:
        weights[row["manager"]] += row["size"]
    parts = [
        (colour, f"{manager}: {size_bytes(weights[manager])}")
        for colour, manager in enumerate(MANAGERS)
        if weights[manager]
    ]
    if image["unowned"]:
        parts.append((_NOBODY, f"of no package, by folder: {size_bytes(image['unowned'])}"))
    spans = "".join(f'<span><i class="c{colour}"></i>{escape(text)}</span>' for colour, text in parts)
    return f'<p class="key">{spans}</p>'


def _tables(image: Json) -> str:
    rows = weighty(image)
    shown = rows[:_LARGEST]
    if not shown:
        return ""
    more = f'<p class="soft">and {plural(left, "more package")}</p>' if (left := len(rows) - len(shown)) else ""
    # One that a later layer removed again has no bytes, and stands behind all that have some.
    wasting = sorted((row for row in rows if row["wasted"]), key=lambda row: -row["wasted"])[:_WASTING]
    if any(all(row is not other for other in shown) for row in wasting):
        more += f"<h3>Those that waste most</h3>{_table(image, wasting)}"
    return _table(image, shown) + more


def _table(image: Json, rows: Iterable[Json]) -> str:
    return table(["size", "wasted", "layer", "package"], [_row(image, row) for row in rows], text=3)


def _row(image: Json, row: Json) -> list[str]:
    layer = brought_by(row)
    name = escape(f"{name_of(row)} {cut(display_name(row['version']), 40)}")
    manager = f'<span class="soft">{escape(row["manager"])}{_brought(image, layer)}</span>'
    return [
        size(row["size"]),
        size(row["wasted"]) if row["wasted"] else "",
        "" if layer is None else str(layer),
        f"{name} {manager}",
    ]


def _brought(image: Json, layer: int | None) -> str:
    """The instruction of a layer, where there is room for it."""
    instruction = "" if layer is None else short_instruction(image["layers"][layer]["instruction"])
    return f'<span class="wide"> · {escape(cut(instruction, 60))}</span>' if instruction else ""
