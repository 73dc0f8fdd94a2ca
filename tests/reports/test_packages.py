"""The packages as JSON, text, Markdown and CSV: the schema to the letter, the texts harmless."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import builders
import lamina
from lamina.reports import image as whole_report
from lamina.reports.json_text import to_json
from lamina.reports.packages import build, to_csv, to_markdown, to_text
from packages.support import apk_installed
from reports.test_image import NUMBER, OPTIONAL_TEXT, TEXT, departures
from tars import Member, file, layer_tar, whiteout

PACKAGE = {
    "manager": TEXT,
    "name": TEXT,
    "version": TEXT,
    "size": NUMBER,
    "wasted": NUMBER,
    "files": NUMBER,
    "layers": [{"layer": NUMBER, "bytes": NUMBER, "wasted": NUMBER}],
    "installed": bool,
    "within": OPTIONAL_TEXT,
}
RECORDS = {
    "unowned_by_folder": [{"path": TEXT, "bytes": NUMBER}],
    "claimed_twice": NUMBER,
    "databases": [{"manager": TEXT, "size": NUMBER, "wasted": NUMBER}],
    "unreadable": [{"manager": TEXT, "path": TEXT, "reason": TEXT}],
}

EVIL = "=cmd|'/c calc'!A\x1b]0;x\x07\u202e<b>|`"


def opened(folder: Path, *layers: list[Member]) -> lamina.Image:
    path = folder / "image.tar"
    path.write_bytes(builders.pack(builders.old_docker(builders.Image([layer_tar(*layer) for layer in layers]))))
    return lamina.open(str(path))


@pytest.fixture
def image(tmp_path: Path) -> lamina.Image:
    """One package that stays, one that was removed again, one with an evil name, and a database nobody reads."""
    stays, gone, evil = ("musl", "1.2-r0", ["lib/m"]), ("gcc", "13-r1", ["bin/gcc"]), (EVIL, EVIL, ["e"])
    return opened(
        tmp_path,
        [apk_installed(stays, evil), file("lib/m", 5000), file("e", 10), file("srv/mine", 2000), file("root", 1)],
        [apk_installed(stays, evil, gone), file("bin/gcc", 9000), file("var/lib/rpm/Packages", 70)],
        [apk_installed(stays, evil), whiteout("bin/gcc")],
    )


def built(image: lamina.Image) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_json(build([image.figures], [image.packages])))
    return document


def test_the_keys_are_exactly_those_of_the_schema(image: lamina.Image) -> None:
    document = built(image)
    (row,) = document["images"]

    assert document["schema"] == "lamina.packages/1"
    assert departures(row["packages"], [PACKAGE]) == []
    assert departures(row["package_records"], RECORDS) == []
    assert all(row["package_records"].values()) or not row["package_records"]["claimed_twice"]
    assert sum(package["size"] for package in row["packages"]) + row["unowned"] == row["visible"] == image.visible


def test_the_report_has_the_same(image: lamina.Image) -> None:
    (own,), (whole,) = built(image)["images"], json.loads(to_json(whole_report.build([image.figures])))["images"]

    assert {key: whole[key] for key in ("packages", "unowned", "package_records")} == {
        key: own[key] for key in ("packages", "unowned", "package_records")
    }


def test_the_text_tells_all_there_is_to_know(image: lamina.Image) -> None:
    text = to_text(built(image))

    for part in ("gcc (removed)", "13-r1", "9.0 K", "step 1", "/srv", "older form", "/ itself", "apk's own records"):
        assert part in text


def test_no_text_of_the_image_acts_on_a_terminal_or_on_markdown(image: lamina.Image) -> None:
    document = built(image)

    for text in (to_text(document), to_markdown(document), "".join(to_csv(document))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<b>" not in to_markdown(document)


def test_csv_has_a_row_a_package_and_no_formula(image: lamina.Image) -> None:
    rows = list(csv.DictReader("".join(to_csv(built(image))).splitlines()))

    assert {row["name"][:4]: int(row["size"]) for row in rows} == {"musl": 5000, "'=cm": 10, "gcc": 0}
    assert {row["name"][:4]: row["installed"] for row in rows} == {"musl": "1", "'=cm": "1", "gcc": "0"}


def test_names_of_npm_stay_as_they_are_in_csv(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("node_modules/@types/node/package.json", b'{"version": "1"}')])

    assert next(csv.DictReader("".join(to_csv(built(image))).splitlines()))["name"] == "@types/node"
