"""Each limit against an image whose figures are known, at the limit and one beyond it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import lamina
from builders import Image, old_docker, pack
from lamina.figures.base import Base
from lamina.figures.image import LoadedImage
from lamina.gate.limits import Limits
from lamina.gate.verdict import HeldPath, LimitResult, judge, sure_packages
from lamina.model import LaminaError
from packages.support import apk_installed, package_json
from stacks import stack
from tars import directory, file, hardlink, layer_tar, whiteout

# Shipped 1,000 + 300 + 500 + 200 = 2,000; hidden for good: a (1,000) and key.pem (300).


@pytest.fixture(scope="module")
def image() -> LoadedImage:
    return stack(
        [directory("srv"), file("srv/a", b"a" * 1000), file("srv/key.pem", b"k" * 300), hardlink("srv/b.pem", "srv/a")],
        [whiteout("srv/key.pem"), file("srv/c", b"c" * 500)],
        [whiteout("srv/a"), whiteout("srv/b.pem"), file("srv/d", b"d" * 200)],
    )


def only(image: LoadedImage, limits: Limits, *ignore: str, own: bool = False) -> LimitResult:
    (result,) = judge(image, limits, ignore=ignore, own=own).results
    return result


@pytest.mark.parametrize(
    ("kept", "broken", "value"),
    [
        (Limits(max_wasted=1300), Limits(max_wasted=1299), 1300),
        (Limits(max_wasted_ratio=0.65), Limits(max_wasted_ratio=0.6499), 0.65),
        (Limits(min_efficiency=0.35), Limits(min_efficiency=0.3501), 0.35),
        (Limits(max_size=2000), Limits(max_size=1999), 2000),
        (Limits(max_layers=3), Limits(max_layers=2), 3),
        (Limits(max_layer_size=1300), Limits(max_layer_size=1299), 1300),
    ],
)
def test_a_limit_is_kept_up_to_it_and_broken_beyond(
    image: LoadedImage, kept: Limits, broken: Limits, value: float
) -> None:
    assert only(image, kept).passed
    assert only(image, kept).value == value
    assert not only(image, broken).passed
    assert not judge(image, broken).passed


def test_the_paths_that_give_the_most_are_named(image: LoadedImage) -> None:
    wasted = (HeldPath(b"srv/a", 1000, 0, 2), HeldPath(b"srv/key.pem", 300, 0, 1))
    assert only(image, Limits(max_wasted=0)).paths == wasted
    largest = (HeldPath(b"srv/a", 1000, 0), HeldPath(b"srv/c", 500, 1), HeldPath(b"srv/key.pem", 300, 0))
    assert only(image, Limits(max_size=0)).paths == largest
    of_layer = only(image, Limits(max_layer_size=0))
    assert of_layer.layer == 0
    assert of_layer.paths == (HeldPath(b"srv/a", 1000, 0), HeldPath(b"srv/key.pem", 300, 0))


@pytest.mark.parametrize(
    ("glob", "count"),
    [("*.pem", 2), ("srv", 1), ("/srv/*", 5), ("srv/?", 3), ("pem", 0), ("*.PEM", 0), ("etc/*", 0)],
)
def test_what_is_forbidden_no_layer_may_carry(image: LoadedImage, glob: str, count: int) -> None:
    result = only(image, Limits(forbid=(glob,)))

    assert (result.value, result.passed, result.limit) == (count, count == 0, glob)
    assert len(result.paths) == min(count, 3)


def test_ignored_paths_count_for_no_limit_with_all_that_is_below_them(image: LoadedImage) -> None:
    assert only(image, Limits(max_wasted=0), "*.pem").value == 1000
    assert judge(image, Limits(max_wasted=0), ignore=["*.pem"]).ignored == 300
    assert only(image, Limits(max_wasted=0), "srv").value == 0
    assert only(image, Limits(forbid=("*.pem",)), "srv").passed
    assert only(image, Limits(max_size=1999), "srv").value == 2000


def test_own_layers_alone_are_held_to_limits_where_the_base_is_known(image: LoadedImage) -> None:
    on_base = replace(image, base=Base(1, "flag"))

    assert only(on_base, Limits(max_size=0), own=True).value == 700
    assert only(on_base, Limits(max_layers=0), own=True).value == 2
    assert only(on_base, Limits(max_wasted=0), own=True).value == 0
    assert only(on_base, Limits(forbid=("*.pem",)), own=True).passed
    assert only(on_base, Limits(max_layer_size=0), own=True).layer == 1
    assert only(image, Limits(max_size=0), own=True).value == 2000


def test_an_image_without_bytes_is_efficient() -> None:
    empty = stack([directory("srv")])

    assert judge(empty, Limits(max_wasted_ratio=0.0, min_efficiency=1.0, max_layer_size=0)).passed


def test_packages_that_are_forbidden_are_found_in_any_layer(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    layers = [
        [apk_installed(("musl", "1", ["m"]), ("gcc", "13", ["g"])), file("m", 5), file("g", 70)],
        [apk_installed(("musl", "1", ["m"])), whiteout("g"), package_json("node_modules/left-pad")],
    ]
    path.write_bytes(pack(old_docker(Image([layer_tar(*layer) for layer in layers]))))
    image = lamina.open(str(path))
    names = ("gcc*", "npm:left-pad", "apk:left-pad", "rust")

    results = judge(image.figures, Limits(forbid_package=names), packages=sure_packages(image.packages)).results

    assert [(result.limit, result.value, result.passed) for result in results] == [
        ("gcc*", 1, False), ("npm:left-pad", 1, False), ("apk:left-pad", 0, True), ("rust", 0, True),
    ]  # fmt: skip
    assert results[0].paths == (HeldPath(b"g", 70, 0),)


def test_nothing_is_said_to_be_missing_where_records_can_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image([layer_tar(file("var/lib/rpm/Packages", 70))]))))

    with pytest.raises(LaminaError, match="/var/lib/rpm/Packages is not read"):
        sure_packages(lamina.open(str(path)).packages)


# Advice.


def test_no_advice_may_be_of_a_severity_or_above() -> None:
    image = stack([file("tmp/a", 90_000), file("srv/b", 10_000), file("var/log/c", 500), file("var/log/d", 4500)])

    high, low = (only(image, Limits(severity=severity)) for severity in ("high", "low"))

    assert (high.name, high.unit, high.limit, high.value, high.passed) == ("severity", "count", "high", 1, False)
    assert [(held.path, held.bytes, held.layer) for held in high.paths] == [(b"tmp/a", 90_000, 0)]
    assert low.value == 2
    assert [held.path for held in low.paths] == [b"tmp/a", b"var/log/d"]


def test_advice_that_is_switched_off_or_ignored_breaks_nothing() -> None:
    image = stack([file("tmp/a", 90_000)])
    limits = Limits(severity="info")

    assert not judge(image, limits).passed
    assert judge(image, limits, no_rule=["temporary-files"]).passed
    assert judge(image, limits, ignore=["tmp/*"]).passed


def test_advice_for_the_bases_builder_breaks_nothing_where_own_layers_are_held() -> None:
    image = stack([file("tmp/a", 90_000)], [file("srv/b", 1)])
    image.base = Base(1, "flag")

    assert not judge(image, Limits(severity="high")).passed
    assert judge(image, Limits(severity="high"), own=True).passed
