"""Growth against an earlier image: out of its report or read anew, with the same figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamina import limits as bounds
from lamina.figures.image import LoadedImage
from lamina.gate.baseline import Baseline, baseline_for, baseline_of, is_report, read_report
from lamina.gate.limits import GateError, Limits, read_limits
from lamina.gate.verdict import HeldPath, judge
from lamina.reports import image as report
from lamina.reports.check import build
from lamina.reports.check_markdown import to_markdown
from lamina.reports.json_text import to_json
from stacks import stack
from tars import file, whiteout

HOSTILE = "x|y<b>`*[a](http:b)\n\x1b[31m"


@pytest.fixture(scope="module")
def image() -> LoadedImage:
    """1,500 bytes, of which 1,000 in the layer above the lowest."""
    return stack([file("a", b"a" * 500)], [file(HOSTILE, b"b" * 700), file("c", b"c" * 300)], [whiteout(HOSTILE)])


def before(image: LoadedImage, size: int) -> Baseline:
    """As the image was, with another layer in the place of the upper ones."""
    return replace(
        baseline_of(image), size=size, wasted=0, layers=(baseline_of(image).layers[0], ("sha256:old", size - 500))
    )


@pytest.mark.parametrize(
    ("size", "limit", "value", "passed"),
    [
        (1200, 300, 300, True),
        (1200, 299, 300, False),
        (1200, 0.25, 0.25, True),
        (1200, 0.2499, 0.25, False),
        (2000, 0, -500, True),
        (2000, 0.0, -0.25, True),
        (0, 1.0, 1.0, False),
        (0, 0.0, 1.0, False),
    ],
)
def test_growth_is_counted_from_the_baseline(
    image: LoadedImage, size: int, limit: float, value: float, passed: bool
) -> None:
    (result,) = judge(image, Limits(max_growth=limit), baseline=before(image, size)).results

    assert (result.value, result.passed) == (value, passed)
    assert result.unit == ("bytes" if isinstance(limit, int) else "ratio")


def test_the_paths_are_those_of_layers_that_the_baseline_has_not(image: LoadedImage) -> None:
    (result,) = judge(image, Limits(max_growth=0), baseline=before(image, 600)).results

    assert result.paths == (HeldPath(HOSTILE.encode(), 700, 1), HeldPath(b"c", 300, 1))


@pytest.mark.parametrize(("written", "value"), [("5%", 0.05), ("150%", 1.5), ("20MB", 20_000_000), (7, 7)])
def test_growth_is_a_size_or_a_share(written: object, value: float) -> None:
    read = read_limits({"max-growth": written}, str).max_growth
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("written", ["-5%", 0.05, "x"])
def test_what_is_neither_is_told(written: object) -> None:
    with pytest.raises(GateError, match=r"max-growth: .* is not a size like 20MB, or a share"):
        read_limits({"max-growth": written}, str)


def test_a_report_says_what_the_image_says(tmp_path: Path, image: LoadedImage) -> None:
    (tmp_path / "old.json").write_text(to_json(report.build([image, image])))

    assert is_report(tmp_path / "old.json")
    assert read_report(tmp_path / "old.json") == (baseline_of(image), baseline_of(image))
    assert not is_report(tmp_path)
    assert not is_report(tmp_path / "none")


def changed(image: LoadedImage, **fields: Any) -> bytes:
    document = json.loads(to_json(report.build([image])))
    document["images"][0] |= fields
    return json.dumps(document).encode()


def test_a_report_that_is_none_is_told(tmp_path: Path, image: LoadedImage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.json"
    for data, says in (
        (b"{", "not JSON, or not whole"),
        (b"{" + b'"a":[' * 100_000, "not JSON, or not whole"),
        (b'{"a": "\xff"}', "not JSON, or not whole"),
        (b"{}", "no report as"),
        (b'{"cause": 1}', "no report as"),
        (b'{"schema": "lamina.check/1"}', "its schema is 'lamina.check/1', not lamina.report/1"),
        (changed(image, size=-1), "no report as"),
        (changed(image, size=True), "no report as"),
        (changed(image, tags=[1]), "no report as"),
        (changed(image, layers=[{"size": 1}]), "no report as"),
    ):
        path.write_bytes(data)
        with pytest.raises(GateError, match=says):
            read_report(path)
    monkeypatch.setattr(bounds, "REPORT_SIZE", 10)
    with pytest.raises(GateError, match="more than 10 bytes"):
        read_report(path)
    with pytest.raises(GateError, match="can't be read"):
        read_report(tmp_path / "none")


def test_of_several_images_that_of_the_same_name_or_repository_is_taken(image: LoadedImage) -> None:
    here = baseline_of(image)
    arm = replace(here, platform="linux/arm64")
    older = replace(here, target="old", tags=("test:0.9",))
    other = replace(here, target="other", tags=("other:latest",))

    assert baseline_for(image, [other]) is other
    assert baseline_for(image, [other, arm, older, here]) is here
    assert baseline_for(image, [other, arm, older]) is older
    with pytest.raises(GateError, match="has 2 images, and none alone is called as test:latest"):
        baseline_for(image, [other, arm])
    with pytest.raises(GateError):
        baseline_for(image, [older, older])


def test_the_comment_has_figures_beside_the_baselines_and_nothing_that_markdown_acts_on(image: LoadedImage) -> None:
    verdict = judge(image, Limits(max_growth=0.1, max_layers=9), baseline=before(image, 1200))

    text = to_markdown(build([verdict]))

    assert text.splitlines()[:10] == [
        "### ❌ test\\:latest · linux/amd64: 1 of 2 limits broken",
        "",
        "| | limit | allowed | found |",
        "|---|---|--:|--:|",
        "| ok | max-layers | 9 | 3 |",
        "| **broken** | max-growth | 10 % | 25 % |",
        "",
        "| | test\\:latest | now | |",
        "|---|--:|--:|--:|",
        "| size | 1.2 KB (1,200 B) | 1.5 KB (1,500 B) | +300 B |",
    ]
    assert "| wasted | 0 B | 700 B | +700 B |" in text
    assert "| layers | 2 | 3 | +1 |" in text
    assert "1 layer of the baseline with 700 B gone" in text
    assert "| 1 | 1.0 K | 700 | new | RUN step 1 |" in text
    assert "| 0 | 500 | 0 |  | RUN step 0 |" in text
    assert "  - 700 B x\\|y\\<b\\>\\`\\*\\[a\\]\\(http\\:b\\)\\\\n\\\\x1b\\[31m \\(layer 1\\)" in text
    assert text.isprintable() or set(text) - {"\n"} == {char for char in text if char.isprintable()}


def test_without_a_baseline_the_comment_has_the_figures_alone(image: LoadedImage) -> None:
    text = to_markdown(build([judge(image, Limits(max_size=1500))]))

    assert text.startswith("### ✅ test\\:latest · linux/amd64: keeps to 1 limit\n")
    assert "1.5 KB (1,500 B), of which 700 B wasted, in 3 layers." in text
    assert "Paths that give the most" not in text
