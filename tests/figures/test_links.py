"""Where links lead to, and which names share one file."""

from __future__ import annotations

import pytest

from lamina.figures.links import MOST_HOPS, LinkEnd, follow, other_names
from lamina.stack.union import Union
from stacks import stack
from tars import directory, file, hardlink, symlink, whiteout


def path_of(union: Union, name: str) -> int:
    found = union.paths.find(name.encode())
    assert found is not None
    return found


def links() -> Union:
    circle = [symlink(f"c{hop}", f"c{hop + 1}") for hop in range(MOST_HOPS + 1)]
    return stack(
        [
            directory("usr/bin"),
            file("usr/bin/python3.11", 70),
            symlink("usr/bin/python3", "python3.11"),
            symlink("bin", "usr/bin"),
            symlink("python", "/bin/python3"),
            symlink("up", "../../../usr/./bin//python3"),
            symlink("dir", "usr"),
            symlink("root", "/"),
            symlink("broken", "/bin/nothing/below"),
            symlink("removed", "gone"),
            symlink("a", "b"),
            symlink("b", "a"),
            *circle,
            file("gone", 5),
        ],
        [whiteout("gone")],
    ).union


@pytest.mark.parametrize(
    ("name", "layer", "end"),
    [
        ("usr/bin/python3", 1, b"usr/bin/python3.11"),
        ("python", 1, b"usr/bin/python3.11"),
        ("up", 1, b"usr/bin/python3.11"),
        ("usr/bin/python3.11", 1, b"usr/bin/python3.11"),
        ("dir", 1, b"usr"),
        ("root", 1, b""),
        ("removed", 0, b"gone"),
    ],
)
def test_what_a_link_leads_to(name: str, layer: int, end: bytes) -> None:
    union = links()
    assert follow(union, path_of(union, name), layer) == LinkEnd(end, union.paths.find(end))


@pytest.mark.parametrize(
    ("name", "layer", "end"),
    [("broken", 1, LinkEnd(b"usr/bin/nothing/below", None)), ("removed", 1, LinkEnd(b"gone", None))],
)
def test_a_link_to_nothing_tells_what_is_missing(name: str, layer: int, end: LinkEnd) -> None:
    union = links()
    assert follow(union, path_of(union, name), layer) == end


@pytest.mark.parametrize("name", ["a", "c0"])
def test_circles_and_long_chains_end(name: str) -> None:
    union = links()
    end = follow(union, path_of(union, name), 1)
    assert end.endless
    assert end.row is None


def test_the_names_of_one_file_are_those_that_are_left() -> None:
    union = stack(
        [file("a", 9), hardlink("b", "a"), hardlink("c", "a"), file("alone", 9)], [whiteout("a"), symlink("d", "b")]
    ).union
    a, b, c = (path_of(union, name) for name in "abc")
    assert other_names(union, a, 0) == [b, c]
    assert other_names(union, b, 1) == [c]
    assert other_names(union, a, 1) == []
    assert other_names(union, path_of(union, "alone"), 1) == []
    assert other_names(union, path_of(union, "d"), 1) == []
