"""What a view says of single paths: kind, owner, link, and why a path counts as changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lamina.model import Change, Kind
from lamina.stack.union import Union
from lamina.stack.view import View, view_layer, view_range, view_upto
from stacks import stack
from tars import SOME_TIME, Member, char_device, directory, fifo, file, hardlink, opaque, symlink, whiteout


def at(view: View, path: str) -> int:
    found = view.union.paths.find(path.encode())
    assert found is not None
    return found


def present(view: View) -> set[str]:
    table = view.union.paths
    return {table.path(row).decode() for row in range(1, table.count) if view.present[row]}


def change(view: View, path: str) -> Change:
    return Change(int(view.change[at(view, path)]))


BASE: list[Member] = [directory("d"), file("d/f", b"old!"), symlink("s", "d/f"), file("kept", 5)]


# Why a path counts as changed.


@pytest.mark.parametrize(
    ("before", "after", "kind", "detail"),
    [
        (file("x", 4), file("x", 5), Change.MODIFIED, ""),
        (file("x", 4), file("x", 4, mode=0o755), Change.METADATA, "mode 644→755"),
        (file("x", 4), file("x", 4, mode=0o4755), Change.METADATA, "mode 644→4755"),
        (file("x", 4), file("x", 4, uid=1000, gid=50), Change.METADATA, "owner 0:0→1000:50"),
        (file("x", 4), file("x", 4, mtime=SOME_TIME + 1), Change.METADATA, "time"),
        (file("x", 4), file("x", 4, pax={b"SCHILY.xattr.a": b"b"}), Change.METADATA, "xattrs"),
        (
            file("x", 4),
            file("x", 4, mode=0o600, uid=7, pax={b"SCHILY.xattr.a": b"b"}),
            Change.METADATA,
            "mode 644→600, owner 0:0→7:0, xattrs",
        ),
        (file("x", 4), file("x", 4), Change.UNCHANGED, "same again"),
        (file("x"), file("x"), Change.UNCHANGED, ""),
        (file("x", 4), directory("x"), Change.MODIFIED, "file→dir"),
        (directory("x"), file("x", 4), Change.MODIFIED, "dir→file"),
        (file("x", 4), symlink("x", "y"), Change.MODIFIED, "file→symlink"),
        (symlink("x", "y"), fifo("x"), Change.MODIFIED, "symlink→fifo"),
        (fifo("x"), char_device("x", 1, 3), Change.MODIFIED, "fifo→device"),
        (symlink("x", "y"), symlink("x", "z"), Change.MODIFIED, ""),
        (char_device("x", 1, 3), char_device("x", 1, 5), Change.MODIFIED, ""),
        (symlink("x", "y"), symlink("x", "y"), Change.UNCHANGED, ""),
        (directory("x"), directory("x"), Change.UNCHANGED, ""),
        (directory("x"), directory("x", mtime=SOME_TIME + 1), Change.UNCHANGED, ""),
        (directory("x"), directory("x", mode=0o700), Change.METADATA, "mode 755→700"),
        (file("y/x", 4), directory("y", mode=0o700), Change.UNCHANGED, ""),
    ],
)
def test_the_reason_of_a_change(before: Member, after: Member, kind: Change, detail: str) -> None:
    union = stack([before], [after]).union
    for view in (view_upto(union, 1), view_layer(union, 1), view_range(union, 0, 1)):
        path = at(view, after.name.decode())
        assert (Change(int(view.change[path])), view.detail(path)) == (kind, detail)


def test_what_was_added_or_removed_needs_no_reason() -> None:
    union = stack(BASE, [whiteout("d"), file("new", 1)]).union
    view = view_upto(union, 1)

    assert [view.detail(at(view, path)) for path in ("d", "d/f", "new", "kept")] == ["", "", "", ""]


def test_a_link_is_compared_by_its_inode() -> None:
    """A hard link's header repeats metadata at best."""
    base = [file("a", 4, mode=0o600), hardlink("b", "a", mode=0o644)]
    union = stack(base, [file("b", 4, mode=0o600)], [file("b", 4, mode=0o755)]).union

    assert change(view_upto(union, 1), "b") == Change.UNCHANGED
    assert change(view_upto(union, 2), "b") == Change.METADATA


def test_a_name_that_leads_to_another_inode_with_the_same_bytes_is_unchanged() -> None:
    union = stack([file("a", 4), file("b", 4)], [hardlink("b", "a")]).union

    assert change(view_upto(union, 1), "b") == Change.UNCHANGED


def test_a_link_to_nothing_is_another_thing_than_a_file() -> None:
    union = stack([hardlink("b", "nowhere"), file("a", 4)], [file("b", 4)], [hardlink("b", "nowhere")]).union

    assert [change(view_upto(union, layer), "b") for layer in (1, 2)] == [Change.MODIFIED] * 2


# What stands at a path.


def test_kinds_owners_and_links() -> None:
    union = stack(
        [
            file("d/f", 4, mode=0o640, uid=1, gid=2),
            hardlink("h", "./d//f"),
            symlink("s", "../d/f"),
            fifo("p"),
            char_device("c", 1, 3),
        ]
    ).union
    view = view_upto(union, 0)

    assert [view.kind(at(view, path)) for path in ("d", "d/f", "h", "s", "p", "c", "")] == [
        Kind.DIR,
        Kind.FILE,
        Kind.HARDLINK,
        Kind.SYMLINK,
        Kind.FIFO,
        Kind.CHAR,
        Kind.DIR,
    ]
    assert [view.link(at(view, path)) for path in ("d", "d/f", "h", "s", "c")] == [b"", b"", b"d/f", b"../d/f", b""]
    for path in ("d/f", "h"):
        assert (view.mode(at(view, path)), view.owner(at(view, path))) == (0o640, (1, 2))


@pytest.mark.parametrize("view", [view_layer, view_upto, lambda union, layer: view_range(union, layer - 1, layer)])
def test_an_unchanged_directory_above_a_change_still_tells_its_own_metadata(view: Callable[[Union, int], View]) -> None:
    union = stack([directory("d", mode=0o1777, uid=5, gid=6)], [file("d/f", 1)]).union
    seen = view(union, 1)

    assert change(seen, "d") == Change.UNCHANGED
    assert (seen.mode(at(seen, "d")), seen.owner(at(seen, "d"))) == (0o1777, (5, 6))


def test_what_was_removed_still_tells_what_it_was() -> None:
    view = view_upto(stack(BASE, [whiteout("d"), whiteout("s")]).union, 1)

    assert view.kind(at(view, "d/f")) == Kind.FILE
    assert view.link(at(view, "s")) == b"d/f"
    assert int(view.removed[at(view, "d")]) == len(b"old!")
    assert int(view.size[at(view, "d")]) == 0


# Which paths a view has.


def test_a_layer_alone_has_what_it_carries_and_removes_and_the_way_to_it() -> None:
    union = stack(BASE, [whiteout("d/f"), file("x/y/z", 1)]).union

    assert present(view_layer(union, 1)) == {"d", "d/f", "x", "x/y", "x/y/z"}


def test_up_to_a_layer_has_everything_and_what_that_layer_removed() -> None:
    union = stack(BASE, [whiteout("d/f")], [whiteout("s")]).union

    assert present(view_upto(union, 0)) == {"d", "d/f", "s", "kept"}
    assert present(view_upto(union, 1)) == {"d", "d/f", "s", "kept"}
    assert present(view_upto(union, 2)) == {"d", "s", "kept"}


def test_a_range_has_changed_paths_only() -> None:
    union = stack(BASE, [file("a", 1)], [whiteout("a"), file("b", 1)], [file("c", 1)]).union

    assert present(view_range(union, 0, 2)) == {"b"}, "what came and went within the range is no change"
    assert present(view_range(union, 0, 3)) == {"b", "c"}
    assert present(view_range(union, -1, 0)) == {"d", "d/f", "s", "kept"}


def test_a_range_can_leave_out_what_was_only_shipped_again() -> None:
    union = stack([file("a", 10), file("b", 20)], [file("a", 10), file("b", 20, mode=0o600)]).union

    assert int(view_range(union, 0, 1).size[0]) == 30
    assert int(view_range(union, 0, 1, shipped=False).size[0]) == 20


def test_directories_above_a_change_are_marked() -> None:
    view = view_upto(stack([file("a/b/c", 1), file("d/e", 1)], [file("a/b/c", 2)]).union, 1)

    marked = {path for path in ("", "a", "a/b", "a/b/c", "d", "d/e") if view.changed_below[at(view, path)]}

    assert marked == {"", "a", "a/b"}


def test_an_opaque_directory_shows_what_it_hides() -> None:
    view = view_layer(stack([file("d/old", 7), file("d/e/old", 3)], [opaque("d"), file("d/new", 1)]).union, 1)

    assert [change(view, path) for path in ("d/old", "d/e", "d/e/old", "d/new")] == [
        *[Change.REMOVED] * 3,
        Change.ADDED,
    ]
    assert (int(view.removed[at(view, "d")]), int(view.size[at(view, "d")])) == (10, 1)


def test_bytes_that_another_name_keeps_are_not_gone() -> None:
    view = view_upto(stack([file("a", 7), hardlink("b", "a")], [whiteout("a")]).union, 1)

    assert change(view, "a") == Change.REMOVED
    assert int(view.removed[0]) == 0
    assert int(view.size[at(view, "b")]) == 7


def test_every_inode_counts_once() -> None:
    view = view_upto(stack([file("d/a", 7), hardlink("d/b", "d/a"), hardlink("e/c", "d/a")]).union, 0)

    assert [int(view.size[at(view, path)]) for path in ("", "d", "d/a", "d/b", "e")] == [7, 7, 7, 0, 0]


def test_titles_tell_what_is_seen() -> None:
    union = stack([file("a", 1)], [file("b", 1)], [file("c", 1)]).union

    titles = [view_layer(union, 1).title, view_upto(union, 1).title, view_range(union, 0, 2).title]

    assert titles == ["layer 1", "up to layer 1", "layers 1 to 2"]


@pytest.mark.parametrize("number", range(1, 4))
def test_looking_changes_nothing(number: int) -> None:
    """Views share the union's columns: none may write to them."""
    union = stack(BASE, [file("d/f", 9), hardlink("h", "d/f")], [whiteout("d/f")], [opaque("")]).union
    before = {
        name: getattr(union, name).copy() for name in ("path", "born", "died", "kind", "size", "inode", "content")
    }

    view_layer(union, number), view_upto(union, number), view_range(union, -1, number)

    for name, column in before.items():
        assert (getattr(union, name) == column).all(), name


@pytest.mark.parametrize(("target", "change"), [("elsewhere", Change.MODIFIED), ("nowhere", Change.UNCHANGED)])
def test_a_hard_link_to_nothing_differs_where_it_leads_elsewhere(target: str, change: Change) -> None:
    image = stack([hardlink("h", "nowhere")], [hardlink("h", target)])

    view = view_layer(image.union, 1)

    assert Change(int(view.change[at(view, "h")])) is change


def test_a_view_of_some_paths_has_their_sums() -> None:
    union = stack(
        [file("d/a", 100), file("d/b", 10), file("e/c", 1)],
        [file("d/a", 50), whiteout("d/b"), file("e/f", 7)],
    ).union
    view = view_upto(union, 1)
    mine = np.zeros(union.paths.count, dtype=bool)
    mine[[union.paths.find(b"d/a"), union.paths.find(b"d/b")]] = True

    part = view.only(mine)

    def figures(path: bytes) -> tuple[bool, int, int, str]:
        row = union.paths.find(path)
        assert row is not None
        return bool(part.present[row]), int(part.size[row]), int(part.removed[row]), part.mark(row)

    assert figures(b"") == (True, 50, 10, "~")
    assert figures(b"d") == (True, 50, 10, "~")
    assert figures(b"d/b") == (True, 0, 10, "-")
    assert not part.present[union.paths.find(b"e")]
