"""What became of packages between two images."""

from __future__ import annotations

from lamina.packages.compare import PackageChange, compare_packages
from lamina.packages.model import Package


def package(name: str, version: str = "1", size: int = 10, **fields: object) -> Package:
    known: dict[str, object] = {"manager": "npm", "path": None, "wasted": 0, "files": 1, "layers": (), **fields}
    return Package(name=name, version=version, size=size, **known)  # type: ignore[arg-type]


def test_each_kind_of_change_by_how_much_it_weighs() -> None:
    found = compare_packages(
        [package("same"), package("gone", "3", 70), package("up", "1.0", 100), package("other", size=5)],
        [package("same"), package("new", "2", 900), package("up", "2.0", 60), package("other", size=6)],
    )

    assert found == [
        PackageChange("npm", "new", "added", (), ("2",), 0, 900),
        PackageChange("npm", "gone", "removed", ("3",), (), 70, 0),
        PackageChange("npm", "up", "upgraded", ("1.0",), ("2.0",), 100, 60),
        PackageChange("npm", "other", "changed", ("1",), ("1",), 5, 6),
    ]
    assert [change.difference for change in found] == [900, -70, -40, 1]


def test_a_package_at_several_places_is_one() -> None:
    found = compare_packages(
        [package("a", "1", 10, path=b"x"), package("a", "2", 20, path=b"y")], [package("a", "2", 20, path=b"y")]
    )

    assert found == [PackageChange("npm", "a", "upgraded", ("1", "2"), ("2",), 30, 20)]


def test_the_same_name_of_two_managers_is_two() -> None:
    found = compare_packages([package("six", manager="dpkg")], [package("six", manager="python")])

    assert {(change.manager, change.change) for change in found} == {("dpkg", "removed"), ("python", "added")}


def test_what_is_not_there_or_is_anothers_is_left_out() -> None:
    before = [package("a", installed=False), package("b", size=0, within="dpkg:b")]

    assert compare_packages(before, []) == []
