"""Files of the final file system that hold the same bytes."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.figures import duplicates
from lamina.figures.duplicates import MIN_SIZE, Duplicate, find_duplicates
from lamina.figures.image import LoadedImage, compute
from lamina.model import Cancelled
from lamina.sources.base import ReadImage
from random_layers import Layers, layer_stacks
from reference import dictionary_of
from stacks import Stacking, Tars, image_info, scan, stack
from tars import file, hardlink, layer_tar, symlink, whiteout

BIG = b"same content, " * 1000
OTHER = b"same length!, " * 1000


def found(image: LoadedImage) -> list[tuple[int, tuple[bytes, ...]]]:
    return [(duplicate.size, duplicate.paths) for duplicate in find_duplicates(image)]


def test_the_same_content_at_two_places(image_of: Stacking) -> None:
    image = image_of([file("a", BIG), file("b", OTHER)], [file("d/c", BIG, mode=0o600)])

    assert found(image) == [(len(BIG), (b"a", b"d/c"))]
    assert find_duplicates(image)[0].bytes == len(BIG)


def test_every_copy_but_one_counts() -> None:
    (duplicate,) = find_duplicates(stack([file(f"f{number}", BIG) for number in range(5)]))

    assert duplicate.bytes == 4 * len(BIG)


def test_the_same_size_is_not_the_same_content(image_of: Stacking) -> None:
    assert len(BIG) == len(OTHER)
    assert found(image_of([file("a", BIG), file("b", OTHER)])) == []


def test_names_of_one_inode_are_one_place(image_of: Stacking) -> None:
    base = [file("a", BIG), hardlink("b", "a"), hardlink("c", "a"), symlink("s", "a")]

    assert found(image_of(base)) == []
    assert found(image_of([*base, file("z", BIG)])) == [(len(BIG), (b"a", b"z"))]


def test_only_the_final_file_system_counts(image_of: Stacking) -> None:
    """What is hidden is waste already."""
    assert found(image_of([file("a", BIG), file("b", BIG)], [whiteout("a")])) == []
    assert found(image_of([file("a", BIG)], [file("a", BIG, mode=0o600)])) == []


def test_a_copy_whose_first_name_is_gone_is_known_by_its_other() -> None:
    image = stack([file("a", BIG), hardlink("b", "a"), file("c", BIG)], [whiteout("a")])

    assert found(image) == [(len(BIG), (b"b", b"c"))]


@pytest.mark.parametrize(("size", "count"), [(MIN_SIZE - 1, 0), (MIN_SIZE, 1)])
def test_small_files_are_left_out(image_of: Stacking, size: int, count: int) -> None:
    assert len(found(image_of([file("a", size), file("b", size)]))) == count


def test_most_bytes_come_first() -> None:
    image = stack(
        [file(f"three{n}", b"3" * 5000) for n in range(3)]
        + [file(f"pair{n}", b"2" * 9000) for n in range(2)]
        + [file(f"many{n}", b"9" * 4096) for n in range(9)]
    )

    assert [duplicate.bytes for duplicate in find_duplicates(image)] == [8 * 4096, 2 * 5000, 9000]


def test_contents_that_can_not_be_had_are_not_the_same() -> None:
    tar = layer_tar(file("a", BIG), file("b", OTHER), file("c", BIG))
    read = ReadImage(image_info(1), [scan(tar, hash_content=False)], content=None)

    assert find_duplicates(compute(read, "nothing to read from", threading.Event())) == []


def test_an_image_without_layers_has_none() -> None:
    assert find_duplicates(stack()) == []
    assert find_duplicates(stack([], [whiteout("a")])) == []


def test_only_files_that_share_their_size_are_read() -> None:
    tar = layer_tar(file("a", BIG), file("b", OTHER), file("c", 5000), file("d", 6000), file("e", 10), file("f", 10))
    content = Tars([tar])
    image = compute(ReadImage(image_info(1), [scan(tar, hash_content=False)], content), "x", threading.Event())

    find_duplicates(image)

    assert content.asked == [(0, b"a"), (0, b"b")]


def test_a_cancelled_search_says_so(image_of: Stacking) -> None:
    """Only where something must be read; what the scan saw is known at once."""
    image = image_of([file("a", BIG), file("b", BIG)])
    cancel = threading.Event()
    cancel.set()
    try:
        assert [duplicate.paths for duplicate in find_duplicates(image, cancel)] == [(b"a", b"b")]
    except Cancelled:
        assert found(image) == [(len(BIG), (b"a", b"b"))], "a search after a cancelled one finds nothing"


@given(layer_stacks(max_members=20), st.sampled_from([1, 2, 600]))
@settings(max_examples=100)
def test_random_stacks_give_what_grouping_by_content_gives(layers: Layers, least: int) -> None:
    places: dict[bytes, dict[int, bytes]] = defaultdict(dict)
    for path, node in sorted(dictionary_of(layers).now.items(), key=lambda item: item[1].order):
        if node.inode is not None and node.inode.size >= least:
            places[node.inode.member.content].setdefault(id(node.inode), path)
    expected = {(len(content), frozenset(names.values())) for content, names in places.items() if len(names) > 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "MIN_SIZE", least)
        result = find_duplicates(stack(*layers))

    assert {(one.size, frozenset(one.paths)) for one in result} == expected
    assert len(result) == len(expected)
    assert result == sorted(result, key=lambda one: (-one.bytes, one.paths))


def test_bytes_of_a_duplicate() -> None:
    assert Duplicate(10, (b"a", b"b", b"c")).bytes == 20
