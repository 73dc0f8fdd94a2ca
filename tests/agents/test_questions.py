"""What agents are told: the reports' own figures, in pages that join, and never more than an answer may be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders import Image, layer, old_docker, pack
from lamina import limits
from lamina.agents.bounds import bounded, page
from lamina.agents.questions import UNTRUSTED, Questions
from lamina.model import LaminaError
from lamina.workspace import Workspace
from packages.support import apk_installed
from tars import file, whiteout

GO = threading.Event()
EVIL = "\x1b[31m[/]" + "x" * 100_000


@pytest.fixture
def ask() -> Questions:
    return Questions(Workspace(workers=1))


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Two layers: 900 files of which the upper removes 600, under instructions that are long."""
    lower = [file(f"d/{number:03}", b"x" * (1 + number)) for number in range(900)]
    lower += [file("text", "ä".encode() * 12_000), file("binary", b"\0" * 9)]
    upper = [file(f"d/.wh.{number:03}", b"") for number in range(600)] + [whiteout("gone/x")]
    history = [{"created_by": EVIL}, {"created_by": "RUN rm"}]
    path = tmp_path / "a.tar"
    path.write_bytes(pack(old_docker(Image([layer(*lower), layer(*upper)], ("a:1",), extra={"history": history}))))
    return str(path)


def whole(question: Callable[[int], dict[str, Any]]) -> list[Any]:
    """All pages of an answer, put together."""
    rows: list[Any] = []
    start: int | None = 0
    while start is not None:
        told = question(start)
        assert len(json.dumps(told)) <= limits.ANSWER + len(UNTRUSTED) + 100
        assert told["start"] == start
        assert 0 < len(told["rows"]) <= limits.ANSWER_ROWS
        rows += told["rows"]
        start = told["next"]
    assert len(rows) == told["total"]
    return rows


def test_an_overview_is_the_report_with_the_heads_of_its_lists(ask: Questions, archive: str) -> None:
    (report,) = Workspace(workers=1).open(archive).report()["images"]

    told = ask.overview(archive, GO)

    for key in ("size", "visible", "wasted", "efficiency", "files", "dive", "base"):
        assert told[key] == report[key]
    assert told["waste"] == {"total": 600, "bytes": report["wasted"], "first": report["waste"][:10]}
    assert told["untrusted"] == UNTRUSTED
    assert told["layers"][0]["instruction"] == EVIL[: limits.ANSWER_TEXT] + "…"


def test_pages_of_waste_and_of_a_folder_join(ask: Questions, archive: str) -> None:
    image = Workspace(workers=1).open(archive)

    waste = whole(lambda start: ask.waste(archive, start, GO))
    files = whole(lambda start: ask.files(archive, "/d", 0, start, GO))

    assert waste == image.report()["images"][0]["waste"]
    assert ask.waste(archive, 0, GO)["by_layer"] == [
        {"layer": 0, "hidden_by": 1, "cause": "removed", "bytes": image.wasted, "files": 600}
    ]
    assert [row["path"] for row in files] == [f"d/{number:03}" for number in reversed(range(900))]
    (folder,) = (row for row in ask.files(archive, "", 0, 0, GO)["rows"] if row["path"] == "d")
    assert folder["below"] == sum(row["below"] for row in files) == sum(range(1, 901))


def test_a_text_comes_in_pages_that_cut_no_character(ask: Questions, archive: str) -> None:
    text, start = "", 0
    while start is not None:
        told = ask.read(archive, "/text", None, start, GO)
        text, start = text + told["text"], told["next"]
    assert text == "ä" * 12_000
    binary = ask.read(archive, "binary", None, 0, GO)
    assert (binary["text"], binary["next"], binary["size"]) == (None, None, 9)


def test_comparing_and_sharing_are_those_reports(ask: Questions, archive: str, tmp_path: Path) -> None:
    other = tmp_path / "b.tar"
    other.write_bytes(pack(old_docker(Image([layer(file("text", b"new"))], ("b:1",)))))

    files = whole(lambda start: {**ask.compare(archive, str(other), start, GO)["files"]})

    assert next(row for row in files if row["path"] == "text")["change"] == "modified"
    assert ask.compare(archive, str(other), 0, GO)["pull"]["bytes"] > 0
    assert ask.share([archive, str(other)], GO)["sharing"]["sum"] == sum(range(1, 901)) + 24_000 + 9 + 3
    assert ask.history(archive, "d/000", GO)["layers"][1]["change"] == "removed"


def test_packages_are_those_of_the_report(ask: Questions, tmp_path: Path) -> None:
    path = tmp_path / "p.tar"
    names = [(f"p{number:03}", "1", [f"f{number}"]) for number in range(300)]
    members = [apk_installed(*names), *(file(f"f{number}", 10 + number) for number in range(300))]
    path.write_bytes(pack(old_docker(Image([layer(*members)], ("p:1",)))))

    rows = whole(lambda start: ask.packages(str(path), start, GO))

    (report,) = Workspace(workers=1).open(str(path)).report()["images"]
    assert rows == report["packages"]
    assert ask.packages(str(path), 0, GO)["unowned"] == report["unowned"]
    assert ask.overview(str(path), GO)["packages"]["total"] == 300


def test_an_image_is_held_to_limits(ask: Questions, archive: str) -> None:
    told = ask.check(archive, {"max-wasted": "1kB", "forbid": "binary", "forbid-package": "gcc*"}, GO)

    assert [(limit["name"], limit["passed"]) for limit in told["images"][0]["limits"]] == [
        ("max-wasted", False), ("forbid", False), ("forbid-package", True),
    ]  # fmt: skip
    for wrong in ({}, {"max-wasted": "-1"}, {"nothing": "1"}, {"max-growth": "1"}):
        with pytest.raises(LaminaError):
            ask.check(archive, wrong, GO)


@pytest.mark.parametrize("target", ["-", "docker-archive:-", "nowhere.tar"])
def test_what_cannot_be_asked_about(ask: Questions, target: str) -> None:
    with pytest.raises(LaminaError):
        ask.overview(target, GO)


def test_sets_of_images_are_of_some(ask: Questions, archive: str) -> None:
    for targets in ([archive], [archive] * (limits.ANSWER_IMAGES + 1)):
        with pytest.raises(LaminaError, match="from 2 to"):
            ask.share(targets, GO)


def test_an_answer_that_is_too_long_loses_the_ends_of_its_longest_lists() -> None:
    answer = {"few": [1, 2], "layers": [{"text": "x" * 900, "paths": ["p"]} for _ in range(400)]}

    told = bounded(answer)

    assert len(json.dumps(told)) <= limits.ANSWER
    assert told["few"] == [1, 2]
    assert told["cut"] == {"layers": 400}
    assert len(told["layers"]) >= 25
    assert bounded({"text": "x"}) == {"text": "x"}


def test_a_page_has_one_row_at_least() -> None:
    huge = [{str(number): "x" * 2000} for number in range(3)]
    wide = [{str(key): "x" * 2000 for key in range(50)}] * 2

    assert page(huge, 1)["next"] is None
    assert page(wide, 0) == {"rows": wide[:1], "start": 0, "total": 2, "next": 1}
    assert page(huge, 7) == {"rows": [], "start": 7, "total": 3, "next": None}
