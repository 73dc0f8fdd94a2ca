"""The rows of a file tree: against a naive recursive listing, after any sequence of keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina.stack.tree_rows
from lamina.model import Change, Kind
from lamina.stack.tree_rows import ALL_CHANGES, TreeRows
from lamina.stack.union import Union
from lamina.stack.view import View, view_layer, view_range, view_step, view_upto
from random_layers import Layers, layer_stacks
from stacks import stack
from tars import Member, directory, file, whiteout


class Naive:
    """What a tree should show, worked out anew each time by walking."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.open = {0}
        self.open_unfiltered: set[int] | None = None
        self.key, self.reverse = "size", False
        self.kinds = ALL_CHANGES
        self.filter = ""
        self.joins = False

    @property
    def paths(self) -> range:
        return range(self.view.union.paths.count)

    def parent(self, path: int) -> int:
        return int(self.view.union.paths.parent[path])

    def inside(self, path: int) -> set[int]:
        """A path and all below it."""
        found = {path}
        for other in self.paths:
            if other and self.parent(other) in found:
                found.add(other)
        return found

    def above(self, path: int) -> set[int]:
        found = set()
        while path:
            path = self.parent(path)
            found.add(path)
        return found

    def is_match(self, path: int) -> bool:
        if not self.filter or not path or not self.view.present[path]:
            return False
        *wanted, last = self.filter.lower().encode().split(b"/")
        name = self.view.union.paths.name(path).lower()
        if last and not (name.startswith(last) if wanted else last in name):
            return False
        for position, part in reversed(list(enumerate(wanted))):
            path = self.parent(path)
            name = self.view.union.paths.name(path).lower()
            if part and not (name.endswith(part) if position == 0 else name == part):
                return False
        return True

    def shown(self) -> set[int]:
        wanted = {path for path in self.paths if self.view.present[path] and int(self.view.change[path]) in self.kinds}
        if self.kinds == ALL_CHANGES:
            wanted = {path for path in self.paths if self.view.present[path]}
        shown = {whole for path in wanted for whole in {path} | self.above(path)}
        if self.filter:
            matches = {path for path in shown if self.is_match(path)}
            kept = {whole for path in matches for whole in self.above(path) | self.inside(path)}
            shown &= kept
        return shown

    def joined_with(self, path: int, shown: set[int]) -> int | None:
        """The directory whose row a directory stands in, being all that is in it."""
        entries = [other for other in shown if other and self.parent(other) == path]
        if not self.joins or not path or len(entries) != 1 or self.is_match(path):
            return None
        same = self.view.change[path] == self.view.change[entries[0]]
        return entries[0] if same and self.view.kind(entries[0]) is Kind.DIR else None

    def row_of(self, path: int, rows: list[int]) -> int | None:
        shown = self.shown()
        while path in shown and (further := self.joined_with(path, shown)) is not None:
            path = further
        return rows.index(path) if path in rows else None

    def rows(self) -> list[int]:
        shown = self.shown()
        found: list[int] = []

        def size(path: int) -> int:
            return int(self.view.figure(self.key)[path])

        def walk(top: int) -> None:
            children = [path for path in self.paths if path and self.parent(path) == top and path in shown]
            children.sort(key=self.view.union.paths.name, reverse=self.key == "name" and self.reverse)
            if self.key != "name":
                # Equal sizes stand by name, whichever way the sizes run.
                children.sort(key=lambda path: size(path) if self.reverse else -size(path))
            for child in children:
                while (further := self.joined_with(child, shown)) is not None:
                    child = further  # noqa: PLW2901
                found.append(child)
                if child in self.open:
                    walk(child)

        walk(0)
        return found

    # What a user does.

    def set_view(self, view: View) -> None:
        self.view = view
        self.unfold_matches()

    def unfold_matches(self) -> None:
        if self.filter:
            self.open = {0}.union(*(self.above(path) for path in self.paths if self.is_match(path)))

    def set_filter(self, text: str) -> None:
        if text == self.filter:
            return
        if text and self.open_unfiltered is None:
            self.open_unfiltered = self.open
        self.filter = text
        if text:
            self.unfold_matches()
        elif self.open_unfiltered is not None:
            self.open, self.open_unfiltered = self.open_unfiltered, None

    def expand(self, path: int) -> None:
        if (self.inside(path) - {path}) & self.shown():
            self.open = self.open | {path}

    def collapse(self, path: int) -> None:
        if path:
            self.open = self.open - {path}

    def toggle(self, path: int) -> None:
        (self.collapse if path in self.open else self.expand)(path)

    def reveal(self, path: int) -> None:
        for ancestor in sorted(self.above(path)):
            self.expand(ancestor)


def views_of(union: Union) -> list[View]:
    layers = range(union.layer_count)
    return [
        *(view_layer(union, layer) for layer in layers),
        *(view_upto(union, layer) for layer in layers),
        *(view_range(union, older, newer) for newer in layers for older in range(-1, newer)),
    ]


def assert_same(tree: TreeRows, naive: Naive) -> None:
    rows = tree.rows.tolist()
    assert rows == naive.rows()
    assert [rows[row] for row in tree.matches.tolist()] == [path for path in rows if naive.is_match(path)]
    shown = naive.shown()
    for path in naive.paths:
        assert tree.is_expanded(path) is (path in naive.open)
        assert tree.has_children(path) is bool((naive.inside(path) - {path}) & shown)
        assert tree.index_of(path) == naive.row_of(path, rows)
    present = [path for path in naive.paths if naive.view.present[path]]
    assert tree.hidden_by_kinds == sum(int(naive.view.change[path]) not in naive.kinds for path in present)


_KINDS = st.frozensets(st.sampled_from(list(Change)), max_size=5)
_FILTERS = st.one_of(
    st.sampled_from(["", "", "a", "B", "ab", "a/b", "/a", "a/", "/", "a//b", "b/a/b", "x", "//"]),
    st.text("aAbB/", max_size=5),
)
_KEYS = st.one_of(
    st.tuples(st.sampled_from(["toggle", "expand", "collapse", "reveal"]), st.integers(0, 99)),
    st.tuples(st.just("view"), st.integers(0, 99)),
    st.tuples(st.just("sort"), st.tuples(st.sampled_from(["size", "removed", "name"]), st.booleans())),
    st.tuples(st.just("kinds"), _KINDS | st.just(ALL_CHANGES)),
    st.tuples(st.just("filter"), _FILTERS),
    st.tuples(st.sampled_from(["expand_all", "collapse_all", "joins", "joins"]), st.none()),
)


def press(tree: TreeRows, naive: Naive, views: list[View], key: str, argument: object) -> None:
    """One key on both trees."""
    if key == "view":
        view = views[argument % len(views)]  # type: ignore[operator]
        tree.set_view(view)
        naive.set_view(view)
    elif key == "sort":
        naive.key, naive.reverse = argument  # type: ignore[misc]
        tree.set_sort(naive.key, reverse=naive.reverse)  # type: ignore[arg-type]
        assert tree.sort == argument
    elif key == "kinds":
        naive.kinds = argument  # type: ignore[assignment]
        tree.set_kinds(naive.kinds)
        assert tree.kinds == argument
    elif key == "filter":
        tree.set_filter(argument)  # type: ignore[arg-type]
        naive.set_filter(argument)  # type: ignore[arg-type]
        assert tree.filter == argument
    elif key == "joins":
        naive.joins = not naive.joins
        tree.set_joins(naive.joins)
        assert tree.joins is naive.joins
    elif key == "expand_all":
        tree.expand_all()
        naive.open = set(naive.paths)
    elif key == "collapse_all":
        tree.collapse_all()
        naive.open = {0}
    else:
        path = argument % len(naive.paths)  # type: ignore[operator]
        result = getattr(tree, key)(path)
        getattr(naive, key)(path)
        if key == "reveal":
            assert result == naive.row_of(path, naive.rows())


@pytest.mark.parametrize("many", [1, 1 << 40], ids=["level by level", "all at once"])
@given(layer_stacks(max_layers=3), st.lists(_KEYS, max_size=12))
@settings(max_examples=120)
def test_any_sequence_of_keys_shows_what_a_naive_listing_shows(
    many: int, layers: Layers, keys: list[tuple[str, object]]
) -> None:
    views = views_of(stack(*layers).union)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lamina.stack.tree_rows, "_MANY", many)
        tree, naive = TreeRows(views[0]), Naive(views[0])
        assert_same(tree, naive)
        for key, argument in keys:
            press(tree, naive, views, key, argument)
            assert_same(tree, naive)


@given(layer_stacks(max_layers=3), st.lists(st.integers(0, 99), max_size=30), st.sampled_from(["size", "name"]))
@settings(max_examples=50)
def test_folding_step_by_step_gives_what_computing_anew_gives(layers: Layers, paths: list[int], sort: str) -> None:
    """Rows that come and go are spliced in; a tree made afresh has no history."""
    view = view_upto(stack(*layers).union, len(layers) - 1)
    tree = TreeRows(view)
    tree.set_sort(sort)  # type: ignore[arg-type]
    for path in paths:
        tree.toggle(path % view.union.paths.count)
        spliced = tree.rows.tolist()
        tree.set_view(view)
        assert tree.rows.tolist() == spliced


# By hand, with names that people have.


def system() -> list[Member]:
    return [
        directory("etc"),
        file("etc/hosts", 10),
        file("etc/Makefile", 20),
        file("usr/bin/make", 300),
        file("usr/bin/cmake", 4000),
        file("usr/share/doc/make/README", 50),
        file("usr/lib/libmake.so.1", 600),
        file("empty"),
    ]


def tree_of(*layers: list[Member], view: Callable[[Union, int], View] = view_upto) -> TreeRows:
    union = stack(*layers).union
    return TreeRows(view(union, len(layers) - 1))


def listed(tree: TreeRows) -> list[str]:
    return [tree.view.union.paths.path(row).decode() for row in tree.rows.tolist()]


def path_id(tree: TreeRows, path: str) -> int:
    found = tree.view.union.paths.find(path.encode())
    assert found is not None
    return found


def test_a_new_tree_is_folded_and_shows_the_largest_first() -> None:
    assert listed(tree_of(system())) == ["usr", "etc", "empty"]


def test_sorting() -> None:
    tree = tree_of(system())

    tree.set_sort("size", reverse=True)
    assert listed(tree) == ["empty", "etc", "usr"]
    tree.set_sort("name")
    assert listed(tree) == ["empty", "etc", "usr"]
    tree.set_sort("name", reverse=True)
    assert listed(tree) == ["usr", "etc", "empty"]


def test_unfolding_keeps_what_was_unfolded_below() -> None:
    tree = tree_of(system())
    for path in ("usr", "usr/bin"):
        tree.expand(path_id(tree, path))
    whole = listed(tree)

    tree.collapse(path_id(tree, "usr"))
    assert listed(tree) == ["usr", "etc", "empty"]
    tree.expand(path_id(tree, "usr"))

    assert listed(tree) == whole
    assert whole == ["usr", "usr/bin", "usr/bin/cmake", "usr/bin/make", "usr/lib", "usr/share", "etc", "empty"]


def test_folds_survive_another_view() -> None:
    union = stack(system(), [file("usr/bin/new", 7)], [whiteout("etc")]).union
    tree = TreeRows(view_upto(union, 0))
    tree.expand(path_id(tree, "usr"))
    tree.expand(path_id(tree, "usr/bin"))

    tree.set_view(view_layer(union, 1))
    assert listed(tree) == ["usr", "usr/bin", "usr/bin/new"]
    tree.set_view(view_range(union, 0, 2))
    assert listed(tree) == ["usr", "usr/bin", "usr/bin/new", "etc"]  # of etc no byte is left
    tree.set_sort("removed")
    assert listed(tree)[0] == "etc"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("make", {"etc/Makefile", "usr/bin/make", "usr/bin/cmake", "usr/share/doc/make", "usr/lib/libmake.so.1"}),
        ("MAKE", {"etc/Makefile", "usr/bin/make", "usr/bin/cmake", "usr/share/doc/make", "usr/lib/libmake.so.1"}),
        ("Makef", {"etc/Makefile"}),
        ("bin/make", {"usr/bin/make"}),
        ("n/c", {"usr/bin/cmake"}),
        ("c/m", {"etc/Makefile", "usr/share/doc/make"}),
        ("usr/bin/", {"usr/bin/make", "usr/bin/cmake"}),
        ("sr/bin/m", {"usr/bin/make"}),
        ("usr/in/m", set()),
        ("/make", {"etc/Makefile", "usr/bin/make", "usr/share/doc/make"}),
        (".so.", {"usr/lib/libmake.so.1"}),
        ("make/R", {"usr/share/doc/make/README"}),
        ("nothing like that", set()),
        ("makeREADME", set()),
    ],
)
def test_filters(text: str, found: set[str]) -> None:
    tree = tree_of(system())

    tree.set_filter(text)

    assert {listed(tree)[row] for row in tree.matches.tolist()} == found


def test_a_filter_shows_matches_unfolded_and_what_is_below_them_folded() -> None:
    tree = tree_of(system())

    tree.set_filter("doc")
    assert listed(tree) == ["usr", "usr/share", "usr/share/doc"]
    tree.expand(path_id(tree, "usr/share/doc"))
    assert listed(tree)[3:] == ["usr/share/doc/make"]
    tree.set_filter("")

    assert listed(tree) == ["usr", "etc", "empty"], "the folds are as they were before the filter"


def test_a_filter_of_another_alphabet() -> None:
    tree = tree_of([file("Übung/Straße", 1), file(b"\xff\xfe", 1), file("日本", 1)])

    for text, count in (("straß", 1), ("Übung/", 1), ("日", 1), ("\udcff", 1), ("\udcfe", 1), ("x", 0)):
        tree.set_filter(text)
        assert len(tree.matches) == count, text


@pytest.mark.parametrize("text", ["\ud800", "\0", "a\0b", "\udcff\ud800", "\x1b", "[/]", "\u202e"])
def test_any_text_can_be_a_filter(text: str) -> None:
    tree = tree_of(system())

    tree.set_filter(text)

    assert len(tree.rows) <= tree.view.union.paths.count


def test_kinds_shown() -> None:
    layers = (
        [file("d/a", 1), file("d/b", 2), file("d/c", 3), file("e", 4)],
        [
            file("d/a", 9),
            file("d/b", 2, mode=0o600),
            whiteout("d/c"),
            file("d/n", 5),
        ],
    )
    tree = tree_of(*layers)
    tree.expand_all()

    for kinds, shown in (
        ({Change.ADDED}, ["d", "d/n"]),
        ({Change.MODIFIED}, ["d", "d/a"]),
        ({Change.METADATA}, ["d", "d/b"]),
        ({Change.REMOVED}, ["d", "d/c"]),
        ({Change.UNCHANGED}, ["d", "e"]),
        (set(), []),
        (set(Change), ["d", "d/a", "d/n", "d/b", "d/c", "e"]),
    ):
        tree.set_kinds(frozenset(kinds))
        assert listed(tree) == shown, kinds
        assert len(shown) + tree.hidden_by_kinds >= 6


def test_parts_of_the_parent_are_of_the_same_column() -> None:
    tree = tree_of([file("d/a", 30), file("d/b", 10), file("e", 0)])
    parts = {path: tree.view.part("size", path_id(tree, path)) for path in ("d", "d/a", "d/b", "e")}
    assert parts == {"d": 1.0, "d/a": 0.75, "d/b": 0.25, "e": 0.0}

    tree = tree_of([file("d/a", 30), file("d/b", 10), file("d/c", 5)], [whiteout("d/a"), whiteout("d/b")])
    assert [tree.view.part("removed", path_id(tree, f"d/{name}")) for name in "abc"] == [30 / 40, 10 / 40, 0.0]
    assert [tree.view.part("size", path_id(tree, f"d/{name}")) for name in "abc"] == [0.0, 0.0, 1.0]


def test_a_difference_is_held_against_all_that_changed() -> None:
    union = stack(
        [file("d/grew", 10), file("d/shrank", 40), file("d/same", 7), file("gone", 3)],
        [file("d/grew", 30), file("d/shrank", 20), whiteout("gone"), file("new", 5)],
    ).union
    tree = TreeRows(view_step(union, 0, 1))
    tree.expand_all()
    assert tree.view.figures == ("before", "after", "difference")
    told = {
        path: [int(tree.view.figure(name)[path_id(tree, path)]) for name in tree.view.figures]
        for path in ("", "d", "d/grew", "d/shrank", "gone", "new")
    }
    assert told == {
        "": [53, 55, 2],
        "d": [50, 50, 0],
        "d/grew": [10, 30, 20],
        "d/shrank": [40, 20, -20],
        "gone": [3, 0, -3],
        "new": [0, 5, 5],
    }
    assert tree.view.part("difference", path_id(tree, "d/grew")) == 20 / 50
    grown_first = ["new", "d", "d/grew", "d/shrank", "gone"]
    for reverse, order in ((False, grown_first), (True, ["gone", "d", "d/shrank", "d/grew", "new"])):
        tree.set_sort("difference", reverse=reverse)
        assert listed(tree) == order


@given(layer_stacks(max_layers=3))
@settings(max_examples=60)
def test_every_column_adds_up_and_every_part_is_between_nothing_and_all(layers: Layers) -> None:
    union = stack(*layers).union
    steps = [view_step(union, older, newer) for newer in range(union.layer_count) for older in range(newer)]
    for view in [*views_of(union), *steps]:
        for name in view.figures:
            column = view.figure(name)
            below = np.zeros(len(column), dtype=np.int64)
            np.add.at(below, union.paths.parent[1:], column[1:])
            own = column - below
            held = np.unique(union.paths.parent[1:])
            # A directory has no bytes of its own, but a layer may ship a file where something stands below then.
            assert not own[np.setdiff1d(held, union.path[np.isin(union.kind, (Kind.FILE, Kind.HARDLINK))])].any(), name
            assert all(0.0 <= view.part(name, path) <= 1.0 for path in range(1, len(column)))


def test_revealing_a_path_unfolds_the_way_to_it() -> None:
    tree = tree_of(system())

    row = tree.reveal(path_id(tree, "usr/share/doc/make/README"))

    assert row is not None
    assert listed(tree)[row] == "usr/share/doc/make/README"


def test_what_the_view_leaves_out_can_not_be_revealed() -> None:
    union = stack(system(), [file("usr/bin/new", 7)]).union
    tree = TreeRows(view_layer(union, 1))

    assert tree.reveal(path_id(tree, "usr/bin/make")) is None


def test_an_image_without_files_has_no_rows() -> None:
    for tree in (tree_of([]), tree_of([], [whiteout("a")])):
        tree.expand_all()
        tree.set_filter("a")
        assert listed(tree) == []


def test_sizes_beyond_what_sorting_tells_apart_still_sort_before_smaller_ones() -> None:
    union = stack([file("a", 1), file("b", 2), file("c", 3)]).union
    view = view_upto(union, 0)
    view.size[:] = np.array([0, 2**61, 5, 2**50])[: union.paths.count]

    assert listed(TreeRows(view)) == ["a", "c", "b"]


def test_a_tree_two_thousand_levels_deep_unfolds() -> None:
    tree = tree_of([file("/".join(["d"] * 2000), 1), file("e", 2)])

    tree.expand_all()
    assert len(tree.rows) == 2001
    tree.collapse(path_id(tree, "/".join(["d"] * 1000)))
    assert len(tree.rows) == 1001
