"""The packages in the HTML report: every visible byte has its part of the map, and no name is markup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import lamina
from lamina.reports import image as report
from lamina.reports.html import to_html
from lamina.reports.html_packages import package_tiles, packages_section
from lamina.reports.treemap import Tile, treemap_svg
from packages.support import apk_installed, package_json
from reports.test_html import HOSTILE, read
from reports.test_packages import opened
from tars import Member, file, whiteout

NAME = HOSTILE.replace("\x1b", "")
_RECT = re.compile(r'<rect class="(\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/>')


@pytest.fixture
def image(tmp_path: Path) -> lamina.Image:
    """Packages of two managers, one with a hostile name, one removed again; a database nobody reads; own files."""
    stays, evil, gone = ("musl", "1.2-r0", ["lib/m"]), (NAME, NAME, ["e"]), ("gcc", "13-r1", ["bin/gcc"])
    return opened(
        tmp_path,
        [apk_installed(stays, evil), file("lib/m", 50_000), file("e", 30_000), file("srv/mine", 20_000)],
        [apk_installed(stays, evil, gone), file("bin/gcc", 90_000), file("var/lib/rpm/Packages", 70)],
        [apk_installed(stays, evil), whiteout("bin/gcc")],
        [package_json("srv/node_modules/left-pad"), file("srv/node_modules/left-pad/i.js", 9000), file("root", 5)],
    )


def built(image: lamina.Image) -> Any:
    return report.build([image.figures])["images"][0]


def many(count: int) -> list[Member]:
    """That many packages, and as many top folders that are of none."""
    names = [f"{number:03}" for number in range(count)]
    owned = [file(f"lib/{name}", 1000) for name in names]
    return [
        apk_installed(*((name, "1", [f"lib/{name}"]) for name in names)),
        *owned,
        *(file(f"{n}/f", 9) for n in names),
    ]


def test_the_tiles_are_all_that_is_visible(image: lamina.Image) -> None:
    groups = package_tiles(built(image))
    sizes = {tile.label[:8]: tile.weight for group in groups for tile in group}

    assert sum(sizes.values()) == image.visible
    assert [len(group) for group in groups] == [2, 1, 4]
    assert len({tile.colour for group in groups for tile in group}) == 3
    assert sizes.items() >= {"musl": 50_000, "<script>": 30_000, "/srv": 20_000, "/ itself": 5, "/var": 70}.items()


def test_what_is_too_small_to_be_told_apart_is_one_tile(tmp_path: Path) -> None:
    image = opened(tmp_path, many(150))
    apk, none = package_tiles(built(image))

    assert sum(tile.weight for tile in [*apk, *none]) == image.visible
    assert (apk[0].label, apk[0].weight, len(apk)) == ("60 more", 60_000, 91)
    assert len(none) == 13
    assert "and 125 more packages" in read(packages_section(built(image))).text


def test_areas_are_in_proportion_and_groups_stand_together() -> None:
    groups = [[Tile("a", "", 100, 0), Tile("b", "", 50, 0)], [], [Tile("c", "", 600, 1), Tile("d", "", 250, 1)]]

    svg = treemap_svg(groups, 1000, 1000, letter=10, name="n", of="o")

    boxes = [(kind, *map(float, numbers)) for kind, *numbers in _RECT.findall(svg)]
    tiles, edges = [box for box in boxes if box[0] != "edge"], [box for box in boxes if box[0] == "edge"]
    # A tile leaves one unit free to its right and below it.
    areas = [(width + 1) * (height + 1) / 1000 for _, _, _, width, height in tiles]
    assert areas == pytest.approx([600, 250, 100, 50], rel=0.001)
    assert [width * height / 1000 for _, _, _, width, height in edges] == pytest.approx([850, 150], rel=0.001)
    for kind, left, top, width, height in tiles:
        _, x, y, wide, high = edges[0 if kind == "c1" else 1]
        assert x - 0.1 <= left <= left + width <= x + wide + 0.1
        assert y - 0.1 <= top <= top + height <= y + high + 0.1


def test_the_section_tells_sizes_waste_layers_and_what_is_not_read(image: lamina.Image) -> None:
    text = read(packages_section(built(image))).text

    for part in (
        "50.0 K",
        "musl 1.2-r0 apk · step",
        "gcc (removed)",
        "90.0 K",
        "older form",
        "apk: 80.0 KB",
        "left-pad",
    ):
        assert part in text
    assert "of no package, by folder:" in text


def test_names_are_text_and_made_visible(image: lamina.Image) -> None:
    text = to_html(report.build([image.figures]), [image.figures])

    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert "<script>alert(1)</script>" in read(text).text


def test_a_package_that_only_wastes_is_told_behind_many_that_do_not(tmp_path: Path) -> None:
    names = [(f"p{number}", "1", [f"lib/{number}"]) for number in range(40)]
    image = opened(
        tmp_path,
        [apk_installed(*names, ("gcc", "13", ["bin/gcc"])), file("bin/gcc", 90_000)],
        [apk_installed(*names), whiteout("bin/gcc"), *(file(f"lib/{number}", 1000) for number in range(40))],
    )

    text = read(packages_section(built(image))).text

    assert "gcc (removed)" in text[text.index("Those that waste most") :]


def test_nothing_stands_where_packages_are_unknown_or_none(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("a", 9)])
    none = built(image)
    unknown = {**none, "packages": None, "unowned": None, "package_records": None}

    assert packages_section(none) == packages_section(unknown) == ""


def test_a_database_that_cannot_be_read_is_told_where_there_is_no_package(tmp_path: Path) -> None:
    text = packages_section(built(opened(tmp_path, [file("var/lib/rpm/Packages", 70)])))

    assert "older form" in text
    assert "<svg" not in text
