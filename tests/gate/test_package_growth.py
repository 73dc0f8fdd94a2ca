"""What became of packages since a baseline: the same out of its report and out of itself, and harmless as a comment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lamina
from lamina.gate.baseline import Baseline, baseline_of, read_report
from lamina.gate.limits import GateError, Limits
from lamina.gate.verdict import judge
from lamina.packages.compare import PackageChange
from lamina.reports import image as report
from lamina.reports.check import build
from lamina.reports.check_markdown import to_markdown
from lamina.reports.json_text import to_json
from packages.support import apk_installed
from reports.test_packages import opened
from tars import Member, file

EVIL = "x|y<b>`*[a](http:b)\x1b"
ODD = "caf\udce9"  # a byte that is not UTF-8


def image(folder: Path, *packages: tuple[str, str, int], more: tuple[Member, ...] = ()) -> lamina.Image:
    """One layer of packages, each (name, version, bytes)."""
    folder.mkdir()
    names = [(name, version, [f"lib/{number}"]) for number, (name, version, _) in enumerate(packages)]
    files = [file(f"lib/{number}", size) for number, (_, _, size) in enumerate(packages)]
    return opened(folder, [apk_installed(*names), *files, *more])


def compared(before: Baseline, now: lamina.Image) -> Any:
    return build([judge(now.figures, Limits(max_layers=9), baseline=before, packages=now.packages)])


def written(image: lamina.Image, path: Path, **fields: Any) -> Path:
    built = report.build([image.figures])
    built["images"][0] |= fields
    path.write_text(to_json(built))
    return path


@pytest.fixture
def old(tmp_path: Path) -> lamina.Image:
    return image(tmp_path / "old", ("musl", "1.1", 600), ("gone", "3", 9000), ("same", "1", 5), (ODD, "1", 7))


@pytest.fixture
def new(tmp_path: Path) -> lamina.Image:
    return image(tmp_path / "new", ("musl", "1.2", 650), (EVIL, EVIL, 20_000), ("same", "1", 5), (ODD, "1", 7))


def test_a_report_and_the_image_itself_tell_the_same(tmp_path: Path, old: lamina.Image, new: lamina.Image) -> None:
    itself = baseline_of(old.figures, old.packages)
    (told,) = read_report(written(old, tmp_path / "old.json"))
    growth = judge(new.figures, Limits(), baseline=told, packages=new.packages).packages

    assert told == itself
    assert growth is not None
    assert growth.left_out == ()
    assert growth.changes == (
        PackageChange("apk", EVIL, "added", (), (EVIL,), 0, 20_000),
        PackageChange("apk", "gone", "removed", ("3",), (), 9000, 0),
        PackageChange("apk", "musl", "upgraded", ("1.1",), ("1.2",), 600, 650),
    )


def test_the_comment_has_the_largest_folded_and_nothing_that_markdown_acts_on(
    old: lamina.Image, new: lamina.Image
) -> None:
    text = to_markdown(compared(baseline_of(old.figures, old.packages), new))

    lines = text.splitlines()
    start = lines.index("<details><summary>Packages: +11.1 KB; 1 added, 1 removed, 1 upgraded</summary>")
    assert lines[start + 2 : start + 4] == ["| | was | now | | package | versions |", "|---|--:|--:|--:|---|---|"]
    assert lines[start + 4].startswith("| added | 0 | 20.0 K | \\+20.0 KB | x\\|y\\<b\\>\\`\\*\\[a\\]")
    assert lines[start + 5] == "| removed | 9.0 K | 0 | -9.0 KB | gone (apk) | 3 |"
    assert lines[start + 6] == "| upgraded | 600 | 650 | \\+50 B | musl (apk) | 1.1 -\\> 1.2 |"
    assert lines[start + 7 : start + 9] == ["", "</details>"]
    assert "\x1b" not in text


def test_it_tells_how_many_more_there_are(tmp_path: Path) -> None:
    few = image(tmp_path / "a", ("same", "1", 5))
    many = image(tmp_path / "b", ("same", "1", 5), *((f"p{number}", "1", 100 + number) for number in range(8)))

    text = to_markdown(compared(baseline_of(few.figures, few.packages), many))

    assert "| added | 0 | 107 | \\+107 B | p7 (apk) | 1 |" in text
    assert "p2" not in text
    assert "and 3 more packages" in text


def test_a_manager_whose_records_cannot_all_be_read_is_left_out(tmp_path: Path, old: lamina.Image) -> None:
    unread = {"manager": "apk", "path": "lib/apk/db/installed", "reason": "cut"}
    records = report.build([old.figures])["images"][0]["package_records"] | {"unreadable": [unread]}
    (before,) = read_report(written(old, tmp_path / "old.json", package_records=records))
    now = image(tmp_path / "now", ("musl", "2", 1))

    built = compared(before, now)

    assert built["images"][0]["baseline"]["packages"] == []
    assert built["images"][0]["baseline"]["packages_left_out"] == ["apk"]
    assert "not all of their records can be read: apk" in to_markdown(built)


def test_where_one_side_does_not_know_its_packages_nothing_is_told(
    tmp_path: Path, old: lamina.Image, new: lamina.Image
) -> None:
    (before,) = read_report(written(old, tmp_path / "old.json", packages=None, package_records=None))
    built = compared(before, new)

    assert built["images"][0]["baseline"]["packages"] is None
    assert "Packages:" not in to_markdown(built)
    assert judge(new.figures, Limits(), baseline=baseline_of(old.figures, old.packages)).packages is None
    same = compared(baseline_of(old.figures, old.packages), old)
    assert "Packages:" not in to_markdown(same)


def test_a_report_that_lies_about_packages_is_told(tmp_path: Path, old: lamina.Image) -> None:
    row = report.build([old.figures])["images"][0]["packages"][0]
    for packages in ([{**row, "size": -1}], [{**row, "name": 1}], [{"name": "a"}], [3], 7):
        with pytest.raises(GateError, match="no report as"):
            read_report(written(old, tmp_path / "old.json", packages=packages))
