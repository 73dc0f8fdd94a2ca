"""The rules by which layers stack, one by one: what is there afterwards, and what each layer did."""

from __future__ import annotations

import threading
from itertools import permutations

import pytest

from lamina.figures.image import LoadedImage, Tally, compute
from lamina.model import Cause, Kind
from lamina.sources.base import ReadImage
from lamina.stack.paths import build_path_table
from lamina.stack.view import view_layer
from stacks import Stacking, image_info, problems_of_sums, scan, stack, waste_of, wasted
from tars import Member, char_device, directory, fifo, file, hardlink, layer_tar, opaque, symlink, whiteout


def there(image: LoadedImage, layer: int | None = None) -> dict[str, str]:
    """Everything in the file system after a layer (the last one), by path: what kind of thing it is."""
    union = image.union
    events = union.alive(union.layer_count - 1 if layer is None else layer).tolist()
    return {
        union.paths.path(int(union.path[event])).decode(): Kind(int(union.kind[event])).name.lower()
        for event in events
        if union.path[event]
    }


def bytes_at(image: LoadedImage, path: str) -> int:
    """The size of the file that a name leads to in the end."""
    union = image.union
    row = union.paths.find(path.encode())
    (event,) = [event for event in union.alive(union.layer_count - 1).tolist() if union.path[event] == row]
    return int(union.size[union.inode[event]])


# Whiteouts and opaque markers.


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_a_whiteout_acts_on_lower_layers_wherever_it_stands(order: tuple[int, ...]) -> None:
    layer = [whiteout("d"), directory("d"), file("d/new", 1)]

    image = stack([file("d/old", 10)], [layer[number] for number in order])

    assert there(image) == {"d": "dir", "d/new": "file"}


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_an_opaque_marker_acts_on_lower_layers_wherever_it_stands(order: tuple[int, ...]) -> None:
    layer = [opaque("d"), directory("d"), file("d/new", 1), file("d/old", 2)]

    image = stack([file("d/old", 10), file("d/older/x", 20), file("e", 3)], [layer[number] for number in order])

    assert there(image) == {"d": "dir", "d/new": "file", "d/old": "file", "e": "file"}
    assert bytes_at(image, "d/old") == 2


def test_an_opaque_marker_of_the_root_empties_everything() -> None:
    image = stack([file("a", 1), file("d/b", 2)], [opaque(""), file("c", 4)])

    assert there(image) == {"c": "file"}


def test_an_opaque_marker_keeps_its_directory() -> None:
    assert there(stack([file("d/f", 1)], [opaque("d")])) == {"d": "dir"}


def test_an_opaque_marker_in_something_that_is_no_directory_does_nothing() -> None:
    assert there(stack([file("d", 1)], [opaque("d")])) == {"d": "file"}
    assert there(stack([file("e/f", 1), symlink("d", "e")], [opaque("d")])) == {
        "d": "symlink",
        "e": "dir",
        "e/f": "file",
    }


def test_a_whiteout_does_not_follow_a_symbolic_link() -> None:
    image = stack([file("real/f", 1), symlink("link", "real")], [whiteout("link/f")])

    assert there(image) == {"real": "dir", "real/f": "file", "link": "symlink"}


def test_a_whiteout_of_a_link_leaves_its_target() -> None:
    image = stack([file("real/f", 1), symlink("link", "real")], [whiteout("link")])

    assert there(image) == {"real": "dir", "real/f": "file"}


def test_a_whiteout_removes_no_name_that_only_begins_alike() -> None:
    image = stack([file("ab", 1), file("a/x", 1), file("a-", 1), file("a.b", 1)], [whiteout("a")])

    assert there(image) == {"ab": "file", "a-": "file", "a.b": "file"}


def test_a_whiteout_of_nothing_changes_nothing() -> None:
    image = stack([file("d/a", 1)], [whiteout("b"), whiteout("d/b"), whiteout("d/a/b"), whiteout("x/y/z")])

    assert there(image) == {"d": "dir", "d/a": "file"}
    assert image.layers[1].removed == Tally(0, 0)


def test_a_whiteout_implies_no_directories() -> None:
    """It speaks of what should not be there."""
    assert there(stack([whiteout("x/y"), opaque("z")])) == {}


def test_whiteouts_are_no_files() -> None:
    image = stack([file("a", 1)], [whiteout("a"), opaque("d"), file("b", 1)])

    assert (image.layers[1].files, image.files) == (1, 1)


def test_the_metadata_of_aufs_is_not_there() -> None:
    image = stack([directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.1", 10), file(".wh..wh.aufs", 20), file("a", 3)])

    assert there(image) == {"a": "file"}
    assert image.size == 3


# Types.


def test_a_directory_over_a_directory_merges() -> None:
    image = stack([directory("d", mode=0o700), file("d/old", 1)], [directory("d", mode=0o755), file("d/new", 1)])

    assert there(image) == {"d": "dir", "d/old": "file", "d/new": "file"}
    assert image.wasted == 0


OTHERS: list[tuple[Member, str]] = [
    (file("x", 3), "file"),
    (symlink("x", "y"), "symlink"),
    (fifo("x"), "fifo"),
    (char_device("x", 1, 3), "char"),
]


@pytest.mark.parametrize(("other", "kind"), OTHERS)
def test_anything_else_over_a_directory_hides_its_subtree(other: Member, kind: str) -> None:
    assert there(stack([file("x/a/b", 1), file("y", 1)], [other])) == {"x": kind, "y": "file"}


@pytest.mark.parametrize(("other", "kind"), OTHERS)
def test_a_directory_over_anything_else_replaces_it(other: Member, kind: str) -> None:
    image = stack([other], [directory("x")])

    assert there(image, 0) == {"x": kind}
    assert there(image) == {"x": "dir"}


@pytest.mark.parametrize(("other", "kind"), OTHERS)
def test_a_file_below_anything_else_replaces_that_by_a_directory(other: Member, kind: str) -> None:
    """As overlay2 does, and never through a symbolic link."""
    assert there(stack([file("y/z", 1), other], [file("x/f", 1)])) == {
        "y": "dir",
        "y/z": "file",
        "x": "dir",
        "x/f": "file",
    }


def test_a_file_far_below_a_file() -> None:
    assert there(stack([file("a/b", 1)], [file("a/b/c/d/e", 1)])) == {
        "a": "dir",
        "a/b": "dir",
        "a/b/c": "dir",
        "a/b/c/d": "dir",
        "a/b/c/d/e": "file",
    }


def test_a_symbolic_link_over_a_symbolic_link() -> None:
    image = stack([symlink("s", "one")], [symlink("s", "another")])
    union = image.union
    (event,) = [event for event in union.alive(1).tolist() if union.path[event]]

    assert union.link_texts[int(union.link[event])] == b"another"
    assert image.layers[1].modified == Tally(1, 0)


def test_there_and_back_again() -> None:
    image = stack([file("x", 1)], [file("x/y", 2)], [file("x", 4)], [whiteout("x")], [file("x/y", 8)])

    assert [there(image, layer) for layer in range(5)] == [
        {"x": "file"},
        {"x": "dir", "x/y": "file"},
        {"x": "file"},
        {},
        {"x": "dir", "x/y": "file"},
    ]
    assert (image.size, image.visible) == (15, 8)


# Parents that no layer carries.


def test_parents_are_implied() -> None:
    assert there(stack([file("a/b/c", 1)])) == {"a": "dir", "a/b": "dir", "a/b/c": "file"}


def test_an_implied_parent_goes_with_its_whiteout_and_stays_without_its_files() -> None:
    assert there(stack([file("a/b/c", 1)], [whiteout("a/b/c")])) == {"a": "dir", "a/b": "dir"}
    assert there(stack([file("a/b/c", 1)], [whiteout("a")])) == {}


def test_a_parent_that_comes_after_its_child() -> None:
    image = stack([file("d/f", 1), directory("d", mode=0o700)])
    union = image.union
    row = union.paths.find(b"d")
    (event,) = [event for event in union.alive(0).tolist() if union.path[event] == row]

    assert there(image) == {"d": "dir", "d/f": "file"}
    assert int(union.mode[event]) == 0o700


def test_an_implied_parent_over_a_carried_one_changes_nothing() -> None:
    image = stack([directory("d", mode=0o700), file("d/a", 1)], [file("d/b", 1)])
    union = image.union
    row = union.paths.find(b"d")
    (event,) = [event for event in union.alive(1).tolist() if union.path[event] == row]

    assert int(union.mode[event]) == 0o700


# One path twice in one layer.


def test_of_a_path_twice_in_one_layer_the_last_one_counts(image_of: Stacking) -> None:
    image = image_of([file("f", 10), file("f", 3)])

    assert there(image) == {"f": "file"}
    assert (image.size, image.visible, image.files, image.layers[0].files) == (13, 3, 1, 2)


def test_a_directory_twice_keeps_what_is_in_it_and_its_last_metadata() -> None:
    image = stack([directory("d", mode=0o700), file("d/f", 1), directory("d", mode=0o755)])
    union = image.union
    row = union.paths.find(b"d")
    (event,) = [event for event in union.alive(0).tolist() if union.path[event] == row]

    assert there(image) == {"d": "dir", "d/f": "file"}
    assert int(union.mode[event]) == 0o755


MIXED = {
    "file then below it": ([file("d", 1), file("d/f", 2)], {"d": "dir", "d/f": "file"}),
    "below it then file": ([file("d/f", 2), file("d", 1)], {"d": "file"}),
    "file, directory, file": ([file("d", 1), directory("d"), file("d", 2)], {"d": "file"}),
    "directory, file, directory": ([directory("d"), file("d", 2), directory("d")], {"d": "dir"}),
    "link, below it, link": ([symlink("d", "x"), file("d/f", 1), symlink("d", "y")], {"d": "symlink"}),
    "deep, cut, deep again": (
        [file("a/b/c/d", 1), file("a/b", 2), file("a/b/c/e", 4)],
        {"a": "dir", "a/b": "dir", "a/b/c": "dir", "a/b/c/e": "file"},
    ),
    "two levels swapped twice": (
        [file("a/b", 1), file("a", 2), file("a/b/c", 4), file("a/b", 8)],
        {"a": "dir", "a/b": "file"},
    ),
    "directory listed over and over": (
        [directory("a"), directory("a/b"), file("a/b/f", 1), directory("a"), directory("a/b"), file("a/g", 2)],
        {"a": "dir", "a/b": "dir", "a/b/f": "file", "a/g": "file"},
    ),
}


@pytest.mark.parametrize(("layer", "expected"), MIXED.values(), ids=MIXED.keys())
def test_mixtures_within_one_layer_end_as_extraction_ends(layer: list[Member], expected: dict[str, str]) -> None:
    for image in (stack(layer), stack([file("d/old", 5), file("a/old", 5)], [whiteout("d"), whiteout("a"), *layer])):
        assert there(image) == expected
        assert problems_of_sums(image) == []


# Hard links.


def test_all_names_lead_to_the_same_bytes(image_of: Stacking) -> None:
    image = image_of([file("a", 100), hardlink("b", "a"), hardlink("c/d", "b")])

    assert [bytes_at(image, name) for name in ("a", "b", "c/d")] == [100, 100, 100]
    assert (image.size, image.visible, image.files) == (100, 100, 3)


def test_a_link_by_any_spelling_of_its_target() -> None:
    for target in ("./d/a", "/d/a", "d//a", "x/../d/a", "../d/a"):
        assert bytes_at(stack([file("d/a", 100), hardlink("b", target)]), "b") == 100


def test_a_link_to_a_lower_layers_file() -> None:
    image = stack([file("a", 100)], [hardlink("b", "a")])

    assert bytes_at(image, "b") == 100
    assert (image.layers[1].size, image.size, image.visible) == (0, 100, 100)


def test_a_link_before_its_target_in_the_tar() -> None:
    image = stack([hardlink("b", "a"), file("a", 100)])

    assert bytes_at(image, "b") == 100
    assert image.visible == 100


def test_a_link_before_its_target_keeps_the_bytes_when_the_target_goes() -> None:
    image = stack([hardlink("b", "a"), file("a", 100)], [whiteout("a")])

    assert image.visible == 100
    assert problems_of_sums(image) == []


def test_a_link_takes_what_stands_at_its_target_at_that_moment() -> None:
    """In tar order: the file of the lower layer before it is overwritten, the new one after."""
    before = stack([file("a", 100)], [hardlink("b", "a"), file("a", 7)])
    after = stack([file("a", 100)], [file("a", 7), hardlink("b", "a")])

    assert (bytes_at(before, "b"), before.wasted) == (100, 0)
    assert (bytes_at(after, "b"), after.wasted) == (7, 100)


def test_a_link_to_nothing_has_no_bytes_and_breaks_nothing() -> None:
    for target in ("nowhere", "b", "", "d"):
        image = stack([directory("d"), file("a", 5), hardlink("b", target)], [whiteout("b")])
        assert (image.size, image.visible, image.wasted) == (5, 5, 0)


def test_a_link_to_what_its_own_layer_removes_is_a_link_to_nothing() -> None:
    image = stack([file("a", 5)], [whiteout("a"), hardlink("b", "a")])

    assert (image.visible, image.wasted) == (0, 5)


def test_a_link_to_a_symbolic_link_has_no_bytes() -> None:
    image = stack([symlink("s", "t"), hardlink("b", "s")])

    assert there(image).keys() == {"s", "b"}
    assert image.size == 0


def test_a_ring_of_links_ends() -> None:
    image = stack([hardlink("a", "b"), hardlink("b", "c"), hardlink("c", "a"), file("f", 1)])

    assert image.size == 1


# The figures of the layers.


def test_the_figures_of_each_layer(image_of: Stacking) -> None:
    image = image_of(
        [directory("d"), file("d/same", 1000), file("d/mode", 200), file("d/other", 30), file("d/gone", 4)],
        [
            directory("d"),
            file("d/same", 1000),
            file("d/mode", 200, mode=0o755),
            file("d/other", 50),
            whiteout("d/gone"),
            file("d/new", 6),
            symlink("d/link", "new"),
        ],
    )
    base, top = image.layers

    assert (base.size, base.files, base.hides) == (1000 + 200 + 30 + 4, 4, 0)
    assert base.wasted == 1000 + 200 + 30 + 4
    assert (base.added, base.modified, base.metadata, base.removed) == (Tally(4, base.size), *[Tally()] * 3)
    assert (top.size, top.files, top.wasted) == (1000 + 200 + 50 + 6, 5, 0)
    assert top.hides == base.wasted
    assert top.added == Tally(2, 6)
    assert top.modified == Tally(1, 50)
    assert top.metadata == Tally(1, 200)
    assert top.removed == Tally(1, 4)


def test_a_removed_directory_counts_its_files(image_of: Stacking) -> None:
    image = image_of([file("d/a", 10), file("d/e/b", 20), symlink("d/s", "a")], [whiteout("d")])

    assert image.layers[1].removed == Tally(3, 30)


def test_removing_one_of_two_names_removes_a_name_and_no_bytes() -> None:
    image = stack([file("a", 10), hardlink("b", "a")], [whiteout("a")], [whiteout("b")])

    assert [layer.removed for layer in image.layers] == [Tally(), Tally(1, 0), Tally(1, 10)]


def test_tar_sizes_are_those_of_the_tars() -> None:
    tars = [layer_tar(file("a", 1000)), layer_tar(directory("d"), end=b"")]

    assert [layer.tar_size for layer in stack(*tars).layers] == [len(tar) for tar in tars]


def test_an_empty_layer_changes_nothing() -> None:
    image = stack([file("a", 10)], [], b"", [whiteout("a")])

    assert [there(image, layer) for layer in range(4)] == [{"a": "file"}] * 3 + [{}]
    assert [layer.wasted for layer in image.layers] == [10, 0, 0, 0]


def test_layers_that_were_not_read_change_nothing_and_say_so() -> None:
    """As after a cancelled reading."""
    layers = [scan(layer_tar(file("a", 10))), None, scan(layer_tar(file("b", 5), whiteout("a")))]

    image = compute(ReadImage(image_info(3), layers), "cut short", threading.Event())

    assert [layer.read for layer in image.layers] == [True, False, True]
    assert not image.complete
    assert (image.size, image.wasted, image.waste[0].hidden_by) == (15, 10, 2)
    assert [int(view_layer(image.union, layer).size[0]) for layer in range(3)] == [10, 0, 5]
    assert [there(image, layer) for layer in range(3)] == [{"a": "file"}, {"a": "file"}, {"b": "file"}]


# Oddities at scale.


def test_a_hundred_and_twenty_layers() -> None:
    image = stack(*[[file("f", number + 1)] for number in range(127)])

    assert (image.visible, image.wasted) == (127, sum(range(1, 127)))
    assert [row.hidden_by for row in image.waste] == list(range(126, 0, -1))


def test_a_path_two_thousand_levels_deep_stacks() -> None:
    deep = "/".join(["d"] * 2000)

    image = stack([file(deep, 10)], [whiteout("/".join(["d"] * 1000))])

    assert image.waste[0].path == deep.encode()
    assert len(there(image)) == 999


def test_names_that_are_not_utf_8_stack_like_all_others() -> None:
    image = stack([file(b"\xff/\xfe", 10), file(b"\xff\xfe", 1)], [whiteout(b"\xff/\xfe")])

    assert [row.path for row in image.waste] == [b"\xff/\xfe"]


def test_names_that_sort_around_the_slash_keep_subtrees_together() -> None:
    """``a-b`` and ``a.b`` sort before ``a/b`` as text: a subtree must be one range all the same."""
    names = ["a/x", "a-b", "a.b/x", "a b", "a\x01", "a\x7f", "ab/x", "a", "a!/x"]
    table, rows = build_path_table([[name.encode().replace(b"/", b"\0") for name in names]])

    paths = [table.path(row) for row in range(table.count)]
    for row, path in enumerate(paths):
        inside = [other for other in paths if other == path or other.startswith(path + b"/" if path else b"")]
        assert paths[row : int(table.end[row])] == inside
    assert [table.path(row) for row in rows[0].tolist()] == [name.encode() for name in names]


def test_a_directory_named_twice_counts_where_it_came_if_a_file_stood_between() -> None:
    # Given a file below, and a layer that puts a directory in its way, then such a file, then the directory again
    image = stack([file("a", 7)], [directory("a/b"), file("a", 7), directory("a/b")])

    # then the directory replaced the lower file, whatever the layer's own file holds.
    assert waste_of(image) == [
        wasted("a", 7, Cause.REPLACED, 0, 1),
        wasted("a", 7, Cause.REPLACED, 1, 1),
    ]
