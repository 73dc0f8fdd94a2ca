"""Finding paths in all layers: what ships them, what became of them, in which order, how many."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings

from lamina.figures.elsewhere import Elsewhere, elsewhere
from lamina.figures.find_paths import Found, PathFinder
from lamina.figures.image import LoadedImage
from lamina.model import Cancelled, Kind
from lamina.stack.view import view_layer, view_range, view_upto
from random_layers import Layers, layer_stacks
from stacks import stack
from tars import directory, file, hardlink, opaque, symlink, whiteout

Told = tuple[str, int, int, str]


def told(image: LoadedImage, found: Found) -> list[Told]:
    """(path, layer, bytes, what became of it) of each row."""
    rows = []
    for path, layer, size, died, replaced in zip(
        found.path.tolist(), found.layer.tolist(), found.size.tolist(), found.died.tolist(), found.replaced, strict=True
    ):
        fate = "alive" if died < 0 else f"{'overwritten' if replaced else 'removed'} in {died}"
        rows.append((image.union.paths.path(path).decode(errors="backslashreplace"), layer, size, fate))
    return rows


def exact(image: LoadedImage, text: str, most: int = 10_000) -> list[Told]:
    return told(image, PathFinder(image.union).exact(text, most))


def fuzzy(image: LoadedImage, text: str) -> list[Told]:
    return [row for found in PathFinder(image.union).fuzzy(text) for row in told(image, found)]


def test_every_version_in_every_layer_is_found_with_what_became_of_it() -> None:
    # given a path that is written, overwritten, removed and written again
    image = stack([file("etc/key", 100)], [file("etc/key", 70)], [whiteout("etc/key")], [file("etc/key", 5)])
    # when its name is looked for, then each version is a row
    assert sorted(exact(image, "key"), key=lambda row: row[1]) == [
        ("etc/key", 0, 100, "overwritten in 1"),
        ("etc/key", 1, 70, "removed in 2"),
        ("etc/key", 3, 5, "alive"),
    ]


def test_what_hides_a_folder_hides_what_is_in_it() -> None:
    # given files that go with their folder: by a whiteout, by an opaque marker, by a file in its place
    image = stack(
        [file("a/key", 1), file("b/key", 2), file("c/key", 3)],
        [whiteout("a"), directory("b"), opaque("b"), file("c", 9)],
    )
    assert sorted(exact(image, "key")) == [
        ("a/key", 0, 1, "removed in 1"),
        ("b/key", 0, 2, "removed in 1"),
        ("c/key", 0, 3, "removed in 1"),
    ]
    assert ("c", 0, 3, "overwritten in 1") in exact(image, "c")


def test_a_hard_link_adds_no_bytes_and_a_symlink_has_none() -> None:
    image = stack([file("key", 100), hardlink("key2", "key"), symlink("key3", "key")], [whiteout("key")])
    assert sorted(exact(image, "key")) == [
        ("key", 0, 100, "removed in 1"),
        ("key2", 0, 0, "alive"),
        ("key3", 0, 0, "alive"),
    ]


def test_a_folder_has_the_bytes_that_its_layer_ships_below_it() -> None:
    # given a folder that two layers ship files for, and a third removes
    image = stack(
        [directory("lib"), file("lib/a", 10), file("lib/d/b", 20)], [directory("lib"), file("lib/c", 7)], [], []
    )
    gone = stack([file("lib/a", 10)], [file("lib/b", 5)], [whiteout("lib")])
    # then each layer's part is told, and a folder that is listed again has not been overwritten
    assert exact(image, "lib") == [("lib", 0, 30, "alive"), ("lib", 1, 7, "alive")]
    assert [row[3] for row in exact(gone, "lib")] == ["removed in 2"] * len(exact(gone, "lib"))


def test_of_a_folder_that_lives_on_the_bytes_that_do_not_are_told() -> None:
    # given a folder of which a file goes, one of which a file with another name goes, one that goes whole
    image = stack(
        [file("lib/a", 10), file("lib/b", 20), file("lin/a", 5), hardlink("kept", "lin/a"), file("lip/a", 7)],
        [directory("lib"), file("lib/c", 3)],
        [whiteout("lib/a"), whiteout("lin/a"), whiteout("lip")],
    )
    found = PathFinder(image.union).exact("li")
    folders = found.kind == Kind.DIR
    # then wasted is what no name reaches of what each layer ships there
    assert list(zip(told(image, found), found.wasted.tolist(), strict=True)) == [
        (("lib", 0, 30, "alive"), 10),
        (("lip", 0, 7, "removed in 2"), 7),
        (("lin", 0, 5, "alive"), 0),
        (("lib", 1, 3, "alive"), 0),
    ]
    assert folders.all()


def test_the_best_match_comes_first_and_of_equals_the_largest() -> None:
    image = stack([file("x/log", 1), file("logs", 50), file("login", 60), file("a.log", 1000), file("b.log", 2000)])
    assert [row[0] for row in exact(image, "LOG")] == ["x/log", "login", "logs", "b.log", "a.log"]


def test_a_text_with_a_slash_looks_at_the_folder_too() -> None:
    image = stack([file("usr/bin/tool", 3), file("usr/lib/tool", 4), file("sbin/toolbox", 5)])
    assert [row[0] for row in exact(image, "bin/tool")] == ["usr/bin/tool", "sbin/toolbox"]
    assert [row[0] for row in exact(image, "lib/")] == ["usr/lib/tool"]


def test_the_root_is_no_match() -> None:
    image = stack([directory("."), file("a", 1)])
    assert [row[0] for row in exact(image, "/")] == ["a"]


def test_of_many_the_best_are_taken_and_all_are_counted() -> None:
    image = stack([file(f"d/name{number:03}", number) for number in range(300)])
    found = PathFinder(image.union).exact("name", 10)
    assert found.total == 300
    assert [row[2] for row in told(image, found)] == list(range(299, 289, -1))


@pytest.mark.parametrize("text", ["", "nothing-like-it"])
def test_no_text_and_no_match_find_nothing(text: str) -> None:
    found = PathFinder(stack([file("a", 1)]).union).exact(text)
    assert (len(found), found.total) == (0, 0)


def test_letters_in_their_order_find_what_the_text_does_not() -> None:
    # given names that have the letters apart, and one that has them as they are
    image = stack([file("libs.so", 1), file("l-i-s-s-o", 2), file("lisso", 3), file("ossil", 4)], [file("l/s/o", 5)])
    found = fuzzy(image, "lisso")
    # then the nearest come first, the exact one is not told twice, and order matters
    assert [row[0] for row in found] == ["libs.so", "l-i-s-s-o"]
    assert fuzzy(image, "/") == []


def test_letters_that_stand_together_count_as_near_wherever_the_first_one_stood() -> None:
    image = stack([file("a-----ab-c", 1), file("a--b-c", 1)])
    assert [row[0] for row in fuzzy(image, "abc")] == ["a-----ab-c", "a--b-c"]


def test_letters_of_a_folder_and_of_a_name() -> None:
    image = stack([file("node_modules/express/index.js", 1), file("elsewhere/index.js", 2)])
    assert [row[0] for row in fuzzy(image, "exprs/idx")] == ["node_modules/express/index.js"]


def test_a_search_that_nobody_waits_for_ends() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        next(PathFinder(stack([file("a", 1)]).union).fuzzy("a", cancel))


@given(layer_stacks(max_layers=4))
@settings(max_examples=60)
def test_sizes_are_those_of_the_layers_own_view(layers: Layers) -> None:
    union = stack(*layers).union
    views = [view_layer(union, layer) for layer in range(union.layer_count)]
    finder = PathFinder(union)
    for letter in "abcd":
        found = finder.exact(letter)
        rows = zip(found.path.tolist(), found.layer.tolist(), found.size.tolist(), found.kind.tolist(), strict=True)
        for path, layer, size, kind in rows:
            assert views[layer].present[path]
            if kind == Kind.DIR:
                assert size == views[layer].size[path]


# What a view leaves out


def test_what_a_view_leaves_out_is_counted_by_its_layers() -> None:
    image = stack([file("foo", 1), file("d/foo", 2)], [file("foo", 3)], [whiteout("d")], [file("e/foo", 4)])
    finder = PathFinder(image.union)
    assert elsewhere(finder, view_layer(image.union, 1), "foo") == Elsewhere(3, 2, 0, None, replaced=False)
    # up to the end: the versions that are hidden by then
    assert elsewhere(finder, view_upto(image.union, 3), "foo") == Elsewhere(2, 1, 0, None, replaced=False)


def test_a_single_one_is_told_with_its_fate() -> None:
    image = stack([file("a", 1), file("b", 1)], [whiteout("a"), file("b", 2)], [file("c", 1)])
    finder = PathFinder(image.union)
    assert elsewhere(finder, view_layer(image.union, 2), "a") == Elsewhere(1, 1, 0, 1, replaced=False)
    assert elsewhere(finder, view_layer(image.union, 1), "b") == Elsewhere(1, 1, 0, 1, replaced=True)
    assert elsewhere(finder, view_layer(image.union, 1), "c") == Elsewhere(1, 1, 2, None, replaced=False)
    # a removal shows the name, and not the file: that lies in the layer below
    assert elsewhere(finder, view_layer(image.union, 1), "a").count == 1


def test_where_all_is_shown_nothing_is_elsewhere() -> None:
    image = stack([directory("lib"), file("lib/x", 1)], [directory("lib"), file("lib/y", 1)])
    finder = PathFinder(image.union)
    for view in (view_upto(image.union, 1), view_range(image.union, -1, 1)):
        assert elsewhere(finder, view, "lib").count == 0  # a folder of many layers is one folder
        assert elsewhere(finder, view, "x").count == 0
        assert elsewhere(finder, view, "").count == 0
