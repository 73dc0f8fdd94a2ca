"""A ``.dive-ci``: dive's keys, defaults and comparisons, on an image whose figures by dive's definition are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.figures.image import LoadedImage
from lamina.gate.dive_ci import DiveRules, read_dive_ci
from lamina.gate.limits import GateError, Limits
from lamina.gate.verdict import judge
from stacks import stack
from tars import file, whiteout


def rules(tmp_path: Path, text: str) -> DiveRules | None:
    (tmp_path / ".dive-ci").write_text(text)
    return read_dive_ci(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DiveRules(0.9, None, 0.1)),
        ("rules:\n", DiveRules(0.9, None, 0.1)),
        ("rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n", DiveRules(0.95, 20_000_000, 0.1)),
        ("rules:\n  highestUserWastedPercent: 0.20\n", DiveRules(0.9, None, 0.2)),
        ('rules:\n  lowestEfficiency: "95%"\n', DiveRules(0.95, None, 0.1)),
        ("rules:\n  highestWastedBytes: 1,024 KiB\n", DiveRules(0.9, 1 << 20, 0.1)),
        ("rules: {highestWastedBytes: 512}\nlog: {path: x}\n", DiveRules(0.9, 512, 0.1)),
        (
            "rules: {lowestEfficiency: disabled, highestWastedBytes: 'disabled', highestUserWastedPercent: disabled}",
            DiveRules(None, None, None),
        ),
        ("rules:\n  lowest-efficiency: 1\n  HIGHESTWASTEDBYTES: 1pb\n", DiveRules(1, 10**15, 0.1)),
    ],
)
def test_dives_keys_are_read_with_its_defaults(tmp_path: Path, text: str, expected: DiveRules) -> None:
    assert rules(tmp_path, text) == expected


def test_without_the_file_there_are_no_rules(tmp_path: Path) -> None:
    assert read_dive_ci(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules:\n  lowestEfficiency: 95\n", r"^\.dive-ci:2: lowestEfficiency: '95' is not a share"),
        ("rules:\n\n  highestWastedBytes: lots\n", r"^\.dive-ci:3: highestWastedBytes: 'lots' is not a size"),
        ("rules:\n  highestUserWastedPercent: [1]\n", r"^\.dive-ci:2: highestUserWastedPercent: None is not"),
        ("rules:\n  lowestEfficency: 0.9\n", r"^\.dive-ci:2: lowestEfficency: no such rule"),
        ("rules:\n  lowestEfficiency: Disabled\n", r"^\.dive-ci:2: lowestEfficiency: 'Disabled' is not"),
        ("rules: 3\n", r"^\.dive-ci:1: rules is not a mapping"),
        ("- 3\n", r"^\.dive-ci:1: the document is not a mapping"),
        ("rules:\n  a: b: c\n", r"^\.dive-ci:2: not YAML: mapping values are not allowed here"),
        ("rules: " + "[" * 100_000, r"^\.dive-ci: not YAML"),
        ("rules: \0", r"^\.dive-ci: not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(GateError, match=says):
        rules(tmp_path, text)


# By dive's definition: /a is seen with 600 and 400 bytes (cumulative 1,000, smallest 400), /b once with 1,000,
# /c with 500 and as a whiteout that counts 0 (cumulative 500, smallest 0).
# Efficiency (400 + 1,000 + 0) / 2,500 = 0.56; wasted 1,000 + 500 = 1,500; layers above 0 have 400 bytes: 3.75.
# dive 0.12.0 prints the same of this image: 56.0000 %, 1500 bytes, 375.0000 %.


@pytest.fixture(scope="module")
def image() -> LoadedImage:
    return stack(
        [file("a", b"a" * 600), file("b", b"b" * 1000), file("c", b"c" * 500)], [file("a", b"A" * 400), whiteout("c")]
    )


@pytest.mark.parametrize(
    ("kept", "broken", "value"),
    [
        (DiveRules(0.56, None, None), DiveRules(0.5601, None, None), 0.56),
        (DiveRules(None, 1500, None), DiveRules(None, 1499, None), 1500),
        (DiveRules(None, None, 3.75), DiveRules(None, None, 3.7499), 3.75),
    ],
)
def test_a_verdict_is_the_one_of_dives_definition(
    image: LoadedImage, kept: DiveRules, broken: DiveRules, value: float
) -> None:
    (result,) = judge(image, Limits(), dive=kept).results
    assert (result.value, result.passed) == (value, True)
    assert not judge(image, Limits(), dive=broken).passed


def test_disabled_rules_are_none() -> None:
    assert judge(stack([file("a", b"1")]), Limits(), dive=DiveRules(None, None, None)).results == ()


def test_where_nothing_stands_above_layer_0_waste_alone_decides() -> None:
    assert judge(stack([file("a", b"1")]), Limits(), dive=DiveRules(None, None, 0.0)).passed
    assert not judge(stack([file("a", b"1")], [whiteout("a")]), Limits(), dive=DiveRules(None, None, 1.0)).passed
