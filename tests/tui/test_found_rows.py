"""What is found in several images, merged: in order, within bounds, each row known again."""

from __future__ import annotations

from lamina.figures.find_paths import MOST, PathFinder
from lamina_tui.widgets.found_rows import FoundRows
from stacks import stack
from tars import file


def rows_of(*finders: PathFinder, text: str) -> FoundRows:
    rows = FoundRows([finder.union.paths for finder in finders])
    for image, finder in enumerate(finders):
        rows.add(image, finder.exact(text))
        for found in finder.fuzzy(text):
            rows.add(image, found)
    return rows


def told(rows: FoundRows) -> list[tuple[int, str, int]]:
    return [(int(rows.image[row]), rows.text(row).decode(), int(rows.layer[row])) for row in range(len(rows))]


A = [[file("z/key", 10), file("b/keys", 500)], [file("z/key", 30)]]
B = [[file("a/k-e-y", 9000), file("m/key", 20)]]


def test_the_best_of_all_images_come_first_whichever_came_first() -> None:
    rows = rows_of(*(PathFinder(stack(*layers).union) for layers in (A, B)), text="key")
    assert told(rows) == [(0, "z/key", 1), (1, "m/key", 0), (0, "z/key", 0), (0, "b/keys", 0), (1, "a/k-e-y", 0)]
    assert [rows.only_letters(row) for row in range(5)] == [False] * 4 + [True]


def test_the_other_orders_and_the_other_way_round() -> None:
    rows = rows_of(*(PathFinder(stack(*layers).union) for layers in (A, B)), text="key")
    rows.sort_by("size", reverse=False)
    assert rows.size.tolist() == [9000, 500, 30, 20, 10]
    rows.sort_by("path", reverse=False)
    by_path = [(1, "a/k-e-y", 0), (0, "b/keys", 0), (1, "m/key", 0), (0, "z/key", 0), (0, "z/key", 1)]
    assert told(rows) == by_path
    rows.sort_by("path", reverse=True)
    assert told(rows) == by_path[::-1]


def test_a_row_is_found_again_after_another_order() -> None:
    rows = rows_of(*(PathFinder(stack(*layers).union) for layers in (A, B)), text="key")
    key = rows.key(1)
    rows.sort_by("path", reverse=False)
    assert rows.index_of(key) == 2
    assert rows.index_of((1, 0, 9)) is None


def test_the_same_row_of_two_images_is_two_rows() -> None:
    rows = rows_of(*(PathFinder(stack(*B).union) for _ in range(2)), text="key")
    assert [rows.index_of(rows.key(row)) for row in range(len(rows))] == list(range(len(rows)))
    assert [key[0] for key in map(rows.key, range(len(rows)))] == [0, 1, 0, 1]


def test_of_very_many_the_best_are_kept_and_all_are_counted() -> None:
    # given two images with nearly as many matches as are kept, the better ones in the second
    count = MOST * 3 // 4
    first = PathFinder(stack([file(f"d/x-name{number}", 0) for number in range(count)]).union)
    second = PathFinder(stack([file(f"d/name{number}", 0) for number in range(count)]).union)
    rows = FoundRows([first.union.paths, second.union.paths])
    for image, finder in enumerate((first, second)):
        rows.add(image, finder.exact("name"))
    # then those are all kept
    assert (len(rows), rows.total) == (MOST, 2 * count)
    assert (rows.image == 1).sum() == count
