"""Every cause of waste, from layers made by hand: the exact rows."""

from __future__ import annotations

import pytest

from lamina.figures.image import LoadedImage
from lamina.model import Cause
from lamina.stack.waste import explain
from stacks import Stacking, Wasted, image_info, problems_of_sums, stack, waste_of, wasted
from tars import SOME_TIME, Member, char_device, directory, fifo, file, hardlink, opaque, symlink, whiteout

MILLION = 1_000_000


def assert_waste(image: LoadedImage, *rows: Wasted) -> None:
    assert waste_of(image) == list(rows)
    assert image.wasted == sum(row.bytes for row in rows)
    assert problems_of_sums(image) == []


# The README's table of causes, row by row.


def test_overwritten_a_file_over_a_file_with_other_content(image_of: Stacking) -> None:
    image = image_of([file("etc/conf", b"old content")], [file("etc/conf", b"new")])

    assert_waste(image, wasted("etc/conf", len(b"old content"), Cause.OVERWRITTEN, 0, 1))
    assert image.visible == len(b"new")


def test_overwritten_with_as_many_bytes(image_of: Stacking) -> None:
    """Only the content tells it from a copy."""
    image = image_of([file("f", b"a" * 5000)], [file("f", b"b" * 5000)])

    assert_waste(image, wasted("f", 5000, Cause.OVERWRITTEN, 0, 1))


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": 0o755},
        {"mode": 0o4644},
        {"uid": 1000},
        {"gid": 1000},
        {"mtime": SOME_TIME + 1},
        {"pax": {b"mtime": b"%d.5" % SOME_TIME}},
        {"pax": {b"SCHILY.xattr.security.capability": b"\1\0\0\2"}},
    ],
    ids=["mode", "setuid", "uid", "gid", "mtime", "part of a second", "xattr"],
)
def test_metadata_same_content_other_metadata(image_of: Stacking, changed: dict[str, object]) -> None:
    original = file("bin/tool", 5000)

    image = image_of([original], [original.but(**changed)])

    assert_waste(image, wasted("bin/tool", 5000, Cause.METADATA, 0, 1))


def test_identical_same_content_and_same_metadata(image_of: Stacking) -> None:
    original = file("f", 5000, pax={b"SCHILY.xattr.user.x": b"y"})

    assert_waste(image_of([original], [original]), wasted("f", 5000, Cause.IDENTICAL, 0, 1))


def test_removed_by_a_whiteout_of_the_path(image_of: Stacking) -> None:
    assert_waste(image_of([file("d/f", 10)], [whiteout("d/f")]), wasted("d/f", 10, Cause.REMOVED, 0, 1))


def test_removed_by_a_whiteout_of_a_parent(image_of: Stacking) -> None:
    image = image_of([file("d/e/f", 10), file("d/g", 20), file("kept", 5)], [whiteout("d")])

    assert_waste(image, wasted("d/g", 20, Cause.REMOVED, 0, 1), wasted("d/e/f", 10, Cause.REMOVED, 0, 1))
    assert image.visible == 5


def test_opaque_by_an_opaque_marker_of_the_directory(image_of: Stacking) -> None:
    image = image_of([file("d/f", 10), file("kept", 5)], [directory("d"), opaque("d"), file("d/new", 3)])

    assert_waste(image, wasted("d/f", 10, Cause.OPAQUE, 0, 1))


def test_opaque_by_an_opaque_marker_of_a_parent(image_of: Stacking) -> None:
    image = image_of([file("d/e/f", 10)], [opaque("d")])

    assert_waste(image, wasted("d/e/f", 10, Cause.OPAQUE, 0, 1))


@pytest.mark.parametrize(
    "other",
    [directory("x"), symlink("x", "y"), fifo("x"), char_device("x", 1, 3)],
    ids=["directory", "symlink", "fifo", "device"],
)
def test_replaced_the_path_became_another_type(image_of: Stacking, other: Member) -> None:
    assert_waste(image_of([file("x", 10)], [other]), wasted("x", 10, Cause.REPLACED, 0, 1))


@pytest.mark.parametrize("other", [file("d", 3), symlink("d", "e"), fifo("d")], ids=["file", "symlink", "fifo"])
def test_replaced_a_parent_became_another_type(image_of: Stacking, other: Member) -> None:
    image = image_of([directory("d"), file("d/e/f", 10)], [other])

    assert_waste(image, wasted("d/e/f", 10, Cause.REPLACED, 0, 1))


def test_replaced_by_a_file_below_it(image_of: Stacking) -> None:
    assert_waste(image_of([file("x", 10)], [file("x/below", 3)]), wasted("x", 10, Cause.REPLACED, 0, 1))


# What issue 2 promises to show.


def test_removing_a_directory_of_a_million_bytes_wastes_a_million(image_of: Stacking) -> None:
    parts = [file(f"opt/data/part{number}", MILLION // 10) for number in range(10)]

    image = image_of([file("bin/sh", 77), *parts], [whiteout("opt/data")])

    assert image.wasted == MILLION
    assert (image.size, image.visible) == (MILLION + 77, 77)
    assert {row.cause for row in image.waste} == {Cause.REMOVED}


def test_a_file_of_a_million_bytes_written_twice_wastes_a_million_not_two(image_of: Stacking) -> None:
    image = image_of([file("f", b"1" * MILLION)], [file("f", b"2" * MILLION)])

    assert_waste(image, wasted("f", MILLION, Cause.OVERWRITTEN, 0, 1))
    assert (image.size, image.visible, image.efficiency) == (2 * MILLION, MILLION, 0.5)


# Several layers.


def test_each_copy_is_hidden_by_the_next_one(image_of: Stacking) -> None:
    original = file("f", 100)

    image = image_of([original], [original], [original.but(mode=0o600)], [file("f", 7)], [whiteout("f")])

    assert_waste(
        image,
        wasted("f", 100, Cause.IDENTICAL, 0, 1),
        wasted("f", 100, Cause.METADATA, 1, 2),
        wasted("f", 100, Cause.OVERWRITTEN, 2, 3),
        wasted("f", 7, Cause.REMOVED, 3, 4),
    )
    assert image.visible == 0


def test_a_copy_is_compared_with_what_it_hides_not_with_the_first(image_of: Stacking) -> None:
    image = image_of([file("f", b"a" * 9)], [file("f", b"b" * 9)], [file("f", b"a" * 9)])

    assert_waste(image, wasted("f", 9, Cause.OVERWRITTEN, 0, 1), wasted("f", 9, Cause.OVERWRITTEN, 1, 2))


def test_what_is_removed_and_comes_back_is_removed(image_of: Stacking) -> None:
    original = file("f", 10)

    assert_waste(image_of([original], [whiteout("f")], [original]), wasted("f", 10, Cause.REMOVED, 0, 1))


def test_a_whiteout_and_the_same_file_again_in_one_layer(image_of: Stacking) -> None:
    original = file("f", 10)
    for layer in ([whiteout("f"), original], [original, whiteout("f")]):
        assert_waste(image_of([original], layer), wasted("f", 10, Cause.REMOVED, 0, 1))


def test_a_whiteout_and_an_opaque_parent_together_count_once(image_of: Stacking) -> None:
    for layer in ([whiteout("d/f"), opaque("d")], [opaque("d"), whiteout("d/f")]):
        image = image_of([file("d/f", 10), file("d/g", 20)], layer)

        assert_waste(image, wasted("d/g", 20, Cause.OPAQUE, 0, 1), wasted("d/f", 10, Cause.REMOVED, 0, 1))


def test_whiteouts_of_a_directory_and_of_what_is_in_it_count_once(image_of: Stacking) -> None:
    image = image_of([file("d/e/f", 10)], [whiteout("d/e/f"), whiteout("d/e"), whiteout("d")])

    assert_waste(image, wasted("d/e/f", 10, Cause.REMOVED, 0, 1))


def test_more_whiteouts_than_are_looked_at_one_by_one(image_of: Stacking) -> None:
    """Some writers remove a directory by a whiteout of every file in it."""
    files = [file(f"d{number:02}/f", number + 1) for number in range(100)]
    kept = [file(f"d{number:02}-kept", 1) for number in range(100)]

    image = image_of(
        [*files, *kept], [whiteout(f"d{number:02}" if number % 2 else f"d{number:02}/f") for number in range(100)]
    )

    assert image.wasted == sum(range(1, 101))
    assert len(image.waste) == 100
    assert image.files == len(kept)


# Within one layer.


def test_a_path_twice_in_one_layer_hides_its_first_copy_itself(image_of: Stacking) -> None:
    image = image_of([file("f", b"first copy"), file("f", b"second")])

    assert_waste(image, wasted("f", len(b"first copy"), Cause.OVERWRITTEN, 0, 0))
    assert image.layers[0].wasted == len(b"first copy")
    assert image.layers[0].hides == 0, "a layer hides bytes of lower layers only"


def test_a_path_three_times_in_one_layer_over_a_lower_one(image_of: Stacking) -> None:
    image = image_of([file("f", b"0" * 40)], [file("f", b"1" * 30), file("f", b"1" * 30), file("f", b"2" * 20)])

    assert_waste(
        image,
        wasted("f", 40, Cause.OVERWRITTEN, 0, 1),
        wasted("f", 30, Cause.IDENTICAL, 1, 1),
        wasted("f", 30, Cause.OVERWRITTEN, 1, 1),
    )
    assert (image.layers[1].wasted, image.layers[1].hides) == (60, 40)


def test_a_file_then_a_directory_then_a_file_at_one_path_of_one_layer(image_of: Stacking) -> None:
    image = image_of([file("x", 10), file("x/below", 20), file("x", 30)])

    assert_waste(image, wasted("x/below", 20, Cause.REPLACED, 0, 0), wasted("x", 10, Cause.REPLACED, 0, 0))
    assert image.visible == 30


def test_what_a_directory_member_replaced_is_not_laid_to_a_file_that_came_after_it(image_of: Stacking) -> None:
    """The first ``b/a`` needs a directory at ``b``; that it is listed again does not undo that."""
    image = image_of([file("b", 10)], [directory("b/a"), file("b", 10), directory("b/a")])

    assert_waste(image, wasted("b", 10, Cause.REPLACED, 0, 1), wasted("b", 10, Cause.REPLACED, 1, 1))


# Hard links: an inode is wasted only when its last name goes.


def test_an_inode_lives_while_one_name_is_left(image_of: Stacking) -> None:
    base = [file("a", 100), hardlink("b", "a"), hardlink("c", "a")]

    assert_waste(image_of(base, [whiteout("a")], [whiteout("b")]))


def test_an_inode_is_wasted_when_its_last_name_goes(image_of: Stacking) -> None:
    image = image_of([file("a", 100), hardlink("b", "a")], [whiteout("a")], [whiteout("b")])

    assert_waste(image, wasted("a", 100, Cause.REMOVED, 0, 2))
    assert [layer.hides for layer in image.layers] == [0, 0, 100]


def test_the_cause_is_that_of_the_last_name(image_of: Stacking) -> None:
    image = image_of([file("a", b"x" * 100), hardlink("b", "a")], [whiteout("a")], [file("b", b"y" * 100)])

    assert_waste(image, wasted("a", 100, Cause.OVERWRITTEN, 0, 2))


def test_all_names_gone_with_their_directory_count_once(image_of: Stacking) -> None:
    image = image_of([file("d/a", 100), hardlink("d/b", "d/a"), hardlink("d/c", "d/b")], [whiteout("d")])

    assert_waste(image, wasted("d/a", 100, Cause.REMOVED, 0, 1))


def test_a_link_of_a_higher_layer_keeps_the_lower_layers_bytes(image_of: Stacking) -> None:
    image = image_of([file("a", 100)], [hardlink("b", "a")], [whiteout("a")])

    assert_waste(image)
    assert image.visible == 100


def test_a_link_over_another_file_hides_that(image_of: Stacking) -> None:
    image = image_of([file("a", b"x" * 100), file("b", b"y" * 50)], [hardlink("b", "a")])

    assert_waste(image, wasted("b", 50, Cause.OVERWRITTEN, 0, 1))


def test_deduplicating_by_links_hides_an_identical_copy(image_of: Stacking) -> None:
    image = image_of([file("a", 100), file("b", 100)], [hardlink("b", "a")])

    assert_waste(image, wasted("b", 100, Cause.IDENTICAL, 0, 1))


def test_a_link_over_a_name_of_its_own_inode_wastes_nothing(image_of: Stacking) -> None:
    base = [file("a", 100), hardlink("b", "a")]

    assert_waste(image_of(base, [hardlink("b", "a")], [hardlink("a", "b")]))


@pytest.mark.parametrize("turned", [False, True], ids=["same name first", "other name first"])
def test_a_chmod_of_a_linked_pair_is_one_metadata_copy(image_of: Stacking, turned: bool) -> None:
    changed = file("a", 5000, mode=0o600)
    layer = [changed.but(name=b"b"), hardlink("a", "b")] if turned else [changed, hardlink("b", "a")]

    image = image_of([file("a", 5000), hardlink("b", "a")], layer)

    assert_waste(image, wasted("a", 5000, Cause.METADATA, 0, 1))


def test_breaking_a_link_apart_wastes_nothing(image_of: Stacking) -> None:
    """The old inode keeps its other name."""
    image = image_of([file("a", 100), hardlink("b", "a")], [file("b", 100)])

    assert_waste(image)
    assert image.visible == 200


# Nothing to waste.


def test_directories_links_and_devices_waste_nothing(image_of: Stacking) -> None:
    base = [directory("d"), symlink("d/s", "t"), fifo("d/p"), char_device("d/c", 1, 3)]

    image = image_of(base, [whiteout("d")])

    assert_waste(image)
    assert image.efficiency == 1.0


def test_an_empty_file_that_is_hidden_is_a_row_without_bytes(image_of: Stacking) -> None:
    assert_waste(image_of([file("f")], [whiteout("f")]), wasted("f", 0, Cause.REMOVED, 0, 1))


def test_a_whiteout_of_nothing_hides_nothing(image_of: Stacking) -> None:
    image = image_of([file("a", 10)], [whiteout("b"), whiteout("a/below"), whiteout("c/d/e"), opaque("nowhere")])

    assert_waste(image)
    assert image.files == 1


def test_a_whiteout_in_the_lowest_layer_hides_nothing(image_of: Stacking) -> None:
    assert_waste(image_of([whiteout("a"), opaque("d"), file("a", 10), file("d/b", 5)]))


def test_an_image_without_bytes_is_wholly_efficient(image_of: Stacking) -> None:
    for layers in ([], [[]], [[directory("d")], []]):
        image = image_of(*layers)
        assert (image.size, image.visible, image.wasted, image.efficiency) == (0, 0, 0, 1.0)
        assert_waste(image)


def test_an_image_of_which_nothing_is_left_has_no_efficiency(image_of: Stacking) -> None:
    assert image_of([file("a", 10)], [whiteout("a")]).efficiency == 0.0


# The table.


def test_rows_come_by_bytes_then_path_then_layer(image_of: Stacking) -> None:
    image = image_of(
        [file("b", 5), file("a", 5), file("a-", 5), file("d/z", 5), file("big", 50)],
        [file("b", b"y" * 5)],
        [whiteout(name) for name in ("a", "a-", "b", "d", "big")],
    )

    assert [(row.path, row.layer) for row in image.waste] == [
        (b"big", 0),
        (b"a", 0),
        (b"a-", 0),
        (b"b", 0),
        (b"b", 1),
        (b"d/z", 0),
    ]


def test_groups_by_layer_hold_what_their_rows_hold() -> None:
    image = stack(
        [file("a", 1), file("b", 2), file("c", 4)],
        [whiteout("a"), whiteout("b"), file("c", 8)],
        [file("c", 8, mode=0o600)],
    )

    groups = {
        (group.layer, group.hidden_by, group.cause): (group.bytes, group.count, group.causes)
        for group in image.waste.by_layer()
    }

    assert groups == {
        (0, 1, Cause.REMOVED): (1 + 2, 2, {Cause.REMOVED: 1 + 2}),
        (0, 1, Cause.OVERWRITTEN): (4, 1, {Cause.OVERWRITTEN: 4}),
        (1, 2, Cause.METADATA): (8, 1, {Cause.METADATA: 8}),
    }
    assert [group.bytes for group in image.waste.by_layer()] == [8, 4, 3], "not most bytes first"


def test_groups_by_directory_are_cut_at_a_depth() -> None:
    image = stack(
        [file("top", 1), file("a/f", 2), file("a/b/c/d/e", 4), file("a/b/c/f", 8), file("a/b/c/d/x/y/z", 16)],
        [whiteout("top"), whiteout("a")],
    )

    groups = {group.path: (group.bytes, group.count) for group in image.waste.by_directory(depth=3)}

    assert groups == {b"": (1, 1), b"a": (2, 1), b"a/b/c": (4 + 8 + 16, 3)}
    assert {group.path: (group.bytes, group.count) for group in image.waste.by_directory()} == groups
    assert [group.path for group in image.waste.by_directory()] == [b"a/b/c", b"a", b""], "not most bytes first"
    assert {group.path: group.bytes for group in image.waste.by_directory(depth=1)} == {b"": 1, b"a": 2 + 4 + 8 + 16}


def test_the_rows_of_a_group_are_rows_of_the_table() -> None:
    image = stack([file("a/1", 1), file("a/2", 2), file("b/3", 4)], [whiteout("a"), whiteout("b")])
    for groups in (image.waste.by_layer(), image.waste.by_directory()):
        rows = [row for group in groups for row in group.rows.tolist()]
        assert sorted(rows) == list(range(len(image.waste)))
        for group in groups:
            assert group.bytes == sum(image.waste[row].bytes for row in group.rows.tolist())


def test_causes_of_a_group_come_by_bytes() -> None:
    image = stack([file("d/a", 1), file("d/b", 10), file("d/c", 100)], [whiteout("d/a"), file("d/b", 2), opaque("d")])

    (group,) = image.waste.by_directory()

    assert list(group.causes.items()) == [(Cause.OPAQUE, 10 + 100), (Cause.REMOVED, 1)]


def test_no_waste_gives_no_groups() -> None:
    table = stack([file("a", 1)]).waste

    assert (len(table), list(table), table.by_layer(), table.by_directory(), table.total) == (0, [], [], [], 0)


def test_an_explanation_names_both_layers_and_the_instruction_that_hides() -> None:
    image = stack([file("f", 10)], [whiteout("f")], instructions=["COPY f /", "RUN rm f"])

    text = explain(image.waste[0], image.info)

    assert "layer 0 (COPY f /)" in text
    assert "layer 1 (RUN rm f)" in text
    assert "removes" in text


@pytest.mark.parametrize(("length", "shown"), [(79, 79), (80, 80), (81, 80)])
def test_an_explanation_cuts_long_instructions(length: int, shown: int) -> None:
    image = stack([file("f", 10)], [whiteout("f")], instructions=["COPY f /", "x" * length])

    text = explain(image.waste[0], image.info)

    assert text.partition("layer 1 (")[2].partition(")")[0] == ("x" * length if length <= 80 else "x" * 77 + "...")
    assert len(text.partition("layer 1 (")[2].partition(")")[0]) == shown


def test_an_explanation_without_an_instruction_does_without() -> None:
    image = stack([file("f", 10)], [whiteout("f")], instructions=["", ""])

    assert explain(image.waste[0], image.info).startswith("Shipped by layer 0; layer 1 removes it")


def test_an_explanation_of_a_path_that_one_layer_carries_twice() -> None:
    image = stack([file("a\x1b[2J", 10), file("a\x1b[2J", 10)])

    text = explain(image.waste[0], image.info)

    assert "more than once" in text
    assert text.isprintable()


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_words_of_its_own(cause: Cause) -> None:
    original = file("d/f", 10)
    above = {
        Cause.OVERWRITTEN: file("d/f", 3),
        Cause.METADATA: original.but(mode=0o600),
        Cause.IDENTICAL: original,
        Cause.REMOVED: whiteout("d"),
        Cause.OPAQUE: opaque("d"),
        Cause.REPLACED: symlink("d", "e"),
    }
    texts = {}
    for which, member in above.items():
        image = stack([original], [member])
        assert image.waste[0].cause is which
        texts[which] = explain(image.waste[0], image_info(2, ["one", "two\x1b\u202e\n" + "x" * 500]))

    assert [other for other, text in texts.items() if text == texts[cause]] == [cause]
    assert texts[cause].isprintable()
    assert len(texts[cause]) < 300
