"""Files in groups: what an extension is, and that groups add up to all there is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from lamina.model import Kind
from lamina.stack.file_groups import by_extension, by_owner
from lamina.stack.group_rows import group_of_row
from lamina.stack.tree_rows import TreeRows
from lamina.stack.union import ABSENT
from lamina.stack.view import View, view_layer, view_step, view_upto
from random_layers import Layers, layer_stacks
from stacks import stack
from tars import directory, file, hardlink, whiteout


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("libc.a", ".a"),
        ("Archive.TAR.Gz", ".gz"),
        ("libz.so.1.2.13", ".so"),
        ("libz.so", ".so"),
        (".bashrc", ""),
        (".config.toml", ".toml"),
        ("README", ""),
        ("trailing.", ""),
        ("perl.1", ""),
        ("1.2.3", ""),
        ("x.0123456789abcdef", ".0123456789abcdef"),
        ("x.0123456789abcdef0", ""),
        ("x.é", ".é"),
    ],
)
def test_what_an_extension_is(name: str, extension: str) -> None:
    paths = stack([file(f"d.d/{name}", 1), file("other.txt", 1)]).union.paths
    groups = by_extension(paths)
    path = paths.find(f"d.d/{name}".encode())
    assert path is not None
    assert groups.names[groups.of_path[path]].decode() == extension


def test_no_dot_anywhere() -> None:
    paths = stack([file("a", 1)]).union.paths
    assert by_extension(paths).names == [b""]


def test_the_owner_is_whose_the_bytes_are() -> None:
    view = view_upto(
        stack([file("mine", 5, uid=7, gid=4_000_000_000), hardlink("too", "mine"), file("roots", 3)]).union, 0
    )
    groups, paths = by_owner(view), view.union.paths
    named = {paths.path(path): groups.names[groups.of_path[path]] for path in range(1, paths.count)}
    assert named == {b"mine": b"7:4000000000", b"too": b"7:4000000000", b"roots": b"0:0"}


def grouped(grouping: str) -> TreeRows:
    tree = TreeRows(
        view_upto(
            stack(
                [directory("d"), file("d/a.so.1", 30), file("d/b.so", 50), file("c.txt", 60), file("gone.txt", 9)],
                [whiteout("gone.txt"), file("plain", 1)],
            ).union,
            1,
        )
    )
    tree.set_grouping(grouping)
    return tree


def listed(tree: TreeRows) -> list[str]:
    paths, names = tree.view.union.paths, tree.groups.names
    return [(names[group_of_row(row)] if row < 0 else paths.path(row)).decode() for row in tree.rows.tolist()]


def test_groups_stand_by_their_bytes_and_unfold_into_files_by_theirs() -> None:
    tree = grouped("extension")
    assert listed(tree) == [".so", ".txt", ""]
    assert tree.groups.counts.tolist() == [1, 2, 2]
    tree.expand(int(tree.rows[0]))
    assert listed(tree) == [".so", "d/b.so", "d/a.so.1", ".txt", ""]
    tree.set_sort("removed")
    assert listed(tree) == [".txt", "", ".so", "d/a.so.1", "d/b.so"]
    tree.set_sort("name", reverse=True)
    assert listed(tree) == [".txt", ".so", "d/b.so", "d/a.so.1", ""]
    tree.toggle(int(tree.rows[1]))
    assert listed(tree) == [".txt", ".so", ""]


def test_every_grouping_keeps_its_folds_and_the_tree_its_own() -> None:
    tree = grouped("extension")
    tree.expand_all()
    assert len(tree.rows) == 8
    tree.set_grouping("owner")
    assert listed(tree) == ["0:0"]
    tree.set_grouping("extension")
    tree.collapse(int(tree.rows[0]))
    assert listed(tree) == [".so", ".txt", "c.txt", "gone.txt", "", "plain"]
    tree.collapse_all()
    assert listed(tree) == [".so", ".txt", ""]


def test_what_a_filter_finds_shows_in_folded_groups() -> None:
    tree = grouped("extension")
    tree.set_filter("a.so")
    assert listed(tree) == [".so", "d/a.so.1"]
    assert tree.matches.tolist() == [1]
    tree.set_filter("")
    assert listed(tree) == [".so", ".txt", ""]


def views_of(layers: Layers) -> list[View]:
    union = stack(*layers).union
    return [
        *(view_layer(union, layer) for layer in range(union.layer_count)),
        *(view_upto(union, layer) for layer in range(union.layer_count)),
        *(view_step(union, layer - 1, layer) for layer in range(union.layer_count)),
    ]


@pytest.mark.parametrize("grouping", ["extension", "owner"])
@given(layers=layer_stacks(max_layers=3))
@settings(max_examples=40)
def test_groups_add_up_to_all_there_is(grouping: str, layers: Layers) -> None:
    for view in views_of(layers):
        tree = TreeRows(view)
        tree.set_grouping(grouping)
        files = {
            path
            for path in range(1, view.union.paths.count)
            if view.present[path] and view.event[path] != ABSENT and view.kind(path) is not Kind.DIR
        }
        for figure in view.figures:
            assert int(tree.groups.figure(figure).sum()) == view.value(figure, 0)
        tree.expand_all()
        listed = {row for row in tree.rows.tolist() if row >= 0}
        assert files <= listed
        assert int(tree.groups.counts.sum()) == len(listed)
