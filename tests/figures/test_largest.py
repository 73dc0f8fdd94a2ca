"""The largest files of the final file system."""

from __future__ import annotations

from lamina.figures.largest import largest_files
from stacks import stack
from tars import directory, file, hardlink, whiteout


def test_the_largest_come_first_and_each_inode_once() -> None:
    image = stack(
        [directory("d"), file("d/a", 50), file("d/gone", 900), file("b", 30), file("empty")],
        [whiteout("d/gone"), file("b", 70), file("z", 30), file("c", 30), hardlink("again", "z")],
    )
    found = [(image.union.paths.path(each.path), each.size, each.layer) for each in largest_files(image, 3)]
    assert found == [(b"b", 70, 1), (b"d/a", 50, 0), (b"c", 30, 1)]
    assert len(largest_files(image, 100)) == 4


def test_an_image_without_bytes_has_none() -> None:
    assert largest_files(stack([directory("d"), file("empty")]), 3) == []


def test_bytes_stand_at_the_name_that_is_left() -> None:
    image = stack([file("one", 40), hardlink("two", "one")], [whiteout("one")])
    assert [(image.union.paths.path(each.path), each.layer) for each in largest_files(image, 5)] == [(b"two", 0)]
