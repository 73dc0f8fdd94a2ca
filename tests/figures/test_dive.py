"""dive's figures by dive's own definition, worked out by hand.

Per path that is a leaf in its layer: its sizes over all layers that have it are added up (a whiteout counts the
subtree of the directory it removes, or 0 for a file). The efficiency is the sum of the smallest sizes over the sum of
those sums; the waste is the sum of the sums of paths seen twice or more.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from lamina.figures.dive import DiveFigures, dive_figures
from random_layers import Layers, layer_stacks
from reference import Dictionary, ancestors_of, is_opaque, is_whiteout, path_of, removed_by
from stacks import stack
from tars import Member, directory, file, hardlink, opaque, symlink, whiteout

MILLION = 1_000_000


def dive(*layers: list[Member]) -> DiveFigures:
    image = stack(*layers)
    return dive_figures(image.union, [layer.size for layer in image.layers])


def test_one_layer_wastes_nothing() -> None:
    assert dive([file("a", 10), file("b", 20)]) == DiveFigures(1.0, 0, None)


def test_a_file_written_twice_counts_twice_the_truth() -> None:
    figures = dive([file("f", MILLION)], [file("f", MILLION, mode=0o600)])

    assert figures.wasted == 2 * MILLION
    assert figures.efficiency == MILLION / (2 * MILLION)
    assert figures.user_wasted_ratio == 2 * MILLION / MILLION


def test_the_smallest_size_counts_for_the_efficiency() -> None:
    figures = dive([file("f", 100)], [file("f", 300)], [file("f", 200)])

    assert figures.wasted == 100 + 300 + 200
    assert figures.efficiency == 100 / 600
    assert figures.user_wasted_ratio == 600 / (300 + 200)


def test_removing_a_file_counts_its_size_once() -> None:
    """The path is seen twice: as a file, and as a whiteout of 0 bytes."""
    figures = dive([file("f", 100), file("g", 50)], [whiteout("f"), file("h", 10)])

    assert figures.wasted == 100 + 0
    assert figures.efficiency == (0 + 50 + 10) / (100 + 50 + 10)
    assert figures.user_wasted_ratio == 100 / 10


def test_removing_a_directory_counts_nothing() -> None:
    """The well-known 0 B: the directory is a leaf only where it is removed, so its path is seen once."""
    figures = dive([directory("d"), file("d/big", MILLION), file("kept", 10)], [whiteout("d")])

    assert figures.wasted == 0
    # The removed subtree counts as one more path of the same size; its smallest size is its only one.
    assert figures.efficiency == (MILLION + 10 + MILLION) / (MILLION + 10 + MILLION)


def test_a_directory_removed_twice_counts_both_subtrees() -> None:
    figures = dive([file("d/a", 100)], [whiteout("d")], [file("d/a", 100), file("d/b", 30)], [whiteout("d")])

    # d: 100 and 130, seen as a whiteout twice; d/a: 100 twice; d/b: once.
    assert figures.wasted == (100 + 130) + (100 + 100)
    assert figures.efficiency == (100 + 100 + 30) / (230 + 200 + 30)


def test_an_empty_directory_and_its_removal_are_one_path_seen_twice() -> None:
    figures = dive([directory("d")], [file("d/a", 70)], [whiteout("d")])

    # d: 0 as an empty directory, then 70 as a removed one.
    assert figures.wasted == 70
    assert figures.efficiency == (0 + 70) / (70 + 70)


def test_a_whiteout_and_the_file_again_in_one_layer_count_both() -> None:
    figures = dive([file("f", 100)], [whiteout("f"), file("f", 30)])

    assert figures.wasted == 100 + 0 + 30
    assert figures.efficiency == 0 / 130


def test_opaque_markers_count_nothing() -> None:
    figures = dive([file("d/a", 100)], [opaque("d"), file("d/b", 30)])

    assert (figures.wasted, figures.efficiency) == (0, 1.0)


def test_links_have_no_size() -> None:
    figures = dive([file("a", 100), hardlink("b", "a"), symlink("s", "a")], [hardlink("b", "a"), symlink("s", "b")])

    assert (figures.wasted, figures.efficiency) == (0, 1.0)


def test_of_a_path_twice_in_one_layer_the_last_one_counts() -> None:
    assert dive([file("f", 100), file("f", 30)], [file("f", 5)]).wasted == 30 + 5


def test_directories_with_something_in_them_are_no_leaves() -> None:
    assert dive([directory("d"), file("d/a", 1)], [directory("d"), file("d/b", 2)]) == DiveFigures(1.0, 0, 0.0)


@pytest.mark.parametrize("layers", [[], [[]], [[directory("d")], [directory("d")]], [[file("f")], [file("f")]]])
def test_without_bytes_everything_is_efficient(layers: Layers) -> None:
    assert dive(*layers) == DiveFigures(1.0, 0, None)


def test_user_ratio_is_none_where_only_the_base_has_bytes() -> None:
    assert dive([file("f", 100)], [whiteout("f")]).user_wasted_ratio is None


def by_the_book(layers: Layers) -> tuple[int, int, int]:
    """(sum of minima, sum of cumulatives, waste): the definition, path by path."""
    sizes: dict[bytes, list[int]] = {}
    lower = Dictionary()
    for layer in layers:
        own: dict[bytes, int] = {}
        nodes = set()
        for member in layer:
            if is_opaque(member):
                continue
            path = removed_by(member) if is_whiteout(member) else path_of(member)
            nodes.update([path, *ancestors_of(path)])
            if not is_whiteout(member):
                own[path] = len(member.content)
        for path, size in own.items():
            if path and not any(other.startswith(path + b"/") for other in nodes):
                sizes.setdefault(path, []).append(size)
        for path in {removed_by(member) for member in layer if is_whiteout(member)}:
            node = lower.now.get(path)
            size = 0
            if node is not None and node.kind == "dir":
                # dive sums the sizes in the tree's nodes: a hard link's is 0.
                size = sum(
                    len(below.member.content)
                    for other, below in lower.now.items()
                    if other.startswith(path + b"/") and below.member is not None
                )
            sizes.setdefault(path, []).append(size)
        lower.apply(layer)
    return (
        sum(min(found) for found in sizes.values()),
        sum(sum(found) for found in sizes.values()),
        sum(sum(found) for found in sizes.values() if len(found) > 1),
    )


@given(layer_stacks())
@settings(max_examples=150)
def test_random_stacks_give_what_the_definition_says(layers: Layers) -> None:
    minima, total, waste = by_the_book(layers)
    above = sum(layer.size for layer in stack(*layers).layers[1:])

    assert dive(*layers) == DiveFigures(minima / total if total else 1.0, waste, waste / above if above else None)
