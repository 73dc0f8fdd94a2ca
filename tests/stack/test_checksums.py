"""Content ids of three kinds: XXH3-128 of the bytes, an engine's CRC-64 from its own record of a layer, and the
SHA-256 of a layer's table of contents.

Ids of different kinds say nothing of each other. Where they meet, the files are read; where only checksums meet, equal
size and checksum are taken for the same content by change kinds and causes, but never by duplicates.
"""

from __future__ import annotations

import dataclasses
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.figures import duplicates
from lamina.figures.duplicates import find_duplicates
from lamina.figures.image import LayerFigures, LoadedImage, compute
from lamina.layers.layer_reader import FileRef
from lamina.model import Cancelled, Cause
from lamina.sources.base import ReadImage
from random_layers import Layers, layer_stacks
from stacks import READING, Tars, Way, image_info, problems_of_sums, recorded, scan, stack, waste_of
from tars import Member, file, hardlink, layer_tar


def read(layers: Layers, ways: list[Way]) -> tuple[LoadedImage, Tars]:
    """An image whose layers were each read in some way."""
    tars = [layer_tar(*layer) for layer in layers]
    content = Tars(tars)
    indexes = [READING[way](tar) for way, tar in zip(ways, tars, strict=True)]
    return compute(ReadImage(image_info(len(tars)), list(indexes), content), "mixed", threading.Event()), content


@given(layer_stacks(), st.lists(st.sampled_from(sorted(READING)), min_size=5, max_size=5), st.sampled_from([1, 600]))
@settings(max_examples=100)
def test_however_each_layer_was_read_the_figures_are_the_same(layers: Layers, ways: list[str], least: int) -> None:
    mixed, _ = read(layers, ways[: len(layers)])
    hashed = stack(*layers)

    assert waste_of(mixed) == waste_of(hashed)
    assert [replace_size(layer) for layer in mixed.layers] == [replace_size(layer) for layer in hashed.layers]
    assert (mixed.size, mixed.visible, mixed.files) == (hashed.size, hashed.visible, hashed.files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "MIN_SIZE", least)
        assert find_duplicates(mixed) == find_duplicates(hashed)


def replace_size(layer: LayerFigures) -> LayerFigures:
    """A layer's figures without the one that only who has seen the tar knows."""
    return dataclasses.replace(layer, tar_size=None)


SAME: list[list[Member]] = [[file("f", b"x" * 5000)], [file("f", b"x" * 5000, mode=0o600)]]
OTHER: list[list[Member]] = [[file("f", b"x" * 5000)], [file("f", b"y" * 5000)]]


@pytest.mark.parametrize(("layers", "cause"), [(SAME, Cause.METADATA), (OTHER, Cause.OVERWRITTEN)])
@pytest.mark.parametrize("first", sorted(READING))
@pytest.mark.parametrize("second", sorted(READING))
def test_contents_are_compared_whatever_the_kinds_of_their_ids(
    layers: Layers, cause: Cause, first: str, second: str
) -> None:
    image, _ = read(layers, [first, second])

    assert [row.cause for row in image.waste] == [cause]


@pytest.mark.parametrize("way", ["listed", "recorded", "hashed"])
def test_where_all_ids_are_of_one_kind_nothing_is_read(way: str) -> None:
    _, content = read([*SAME, *OTHER], [way] * 4)

    assert content.asked == []


def test_only_files_that_recur_with_the_same_size_are_read() -> None:
    """All other differences show by themselves."""
    base = [file("same-size", b"x" * 9), file("other-size", 9), file("alone", 9), file("linked", 9), file("empty")]
    above = [file("same-size", b"y" * 9), file("other-size", 8), hardlink("linked", "linked"), file("empty")]
    for layers in ([base, above], [[*base, *above]], [base, [], above]):
        image, content = read(layers, ["passed over"] * len(layers))

        last = len(layers) - 1
        assert sorted(content.asked) == [(0, b"same-size"), (last, b"same-size")]
        assert (b"same-size", Cause.OVERWRITTEN) in [(row.path, row.cause) for row in image.waste]


def test_where_the_kinds_differ_what_has_a_checksum_is_read() -> None:
    _, content = read([SAME[0], SAME[1], [file("alone", 5000)]], ["recorded", "hashed", "recorded"])

    assert content.asked == [(0, b"f")], "the one that meets another kind, and no other file"


def test_content_that_can_not_be_had_counts_as_other_content() -> None:
    """As after a cancelled comparison."""
    indexes = [scan(layer_tar(*layer), hash_content=False) for layer in SAME]
    image = compute(ReadImage(image_info(2), list(indexes), content=None), "nothing to read from", threading.Event())

    assert [row.cause for row in image.waste] == [Cause.OVERWRITTEN]
    assert [layer.modified.count for layer in image.layers] == [0, 1]


def test_a_cancelled_comparison_leaves_an_image_whose_sums_are_right() -> None:
    tars = [layer_tar(*layer) for layer in SAME]
    cancel = threading.Event()

    class Cancelling(Tars):
        needs_paths = True

        def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
            raise Cancelled

    indexes = [scan(tar, hash_content=False) for tar in tars]
    image = compute(ReadImage(image_info(2), list(indexes), Cancelling(tars)), "x", cancel)

    assert problems_of_sums(image) == []
    assert [row.cause for row in image.waste] == [Cause.OVERWRITTEN]


def test_equal_checksums_are_the_same_content_for_causes() -> None:
    """As far as an engine's record can tell: reading every file again would cost what it saves."""
    tars = [layer_tar(*layer) for layer in OTHER]
    content = Tars(tars)
    image = compute(
        ReadImage(image_info(2), [recorded(tar, colliding=True) for tar in tars], content), "x", threading.Event()
    )

    assert [row.cause for row in image.waste] == [Cause.IDENTICAL]
    assert content.asked == []


def test_equal_checksums_are_no_proof_of_a_duplicate() -> None:
    """People act on duplicates: the files are read."""
    tar = layer_tar(file("a", b"x" * 5000), file("b", b"y" * 5000), file("c", b"x" * 5000))
    content = Tars([tar])
    image = compute(ReadImage(image_info(1), [recorded(tar, colliding=True)], content), "x", threading.Event())

    (duplicate,) = find_duplicates(image)

    assert duplicate.paths == (b"a", b"c")
    assert sorted(content.asked) == [(0, b"a"), (0, b"b"), (0, b"c")]


def test_different_checksums_prove_that_contents_differ() -> None:
    tar = layer_tar(file("a", b"x" * 5000), file("b", b"y" * 5000))
    content = Tars([tar])
    image = compute(ReadImage(image_info(1), [recorded(tar)], content), "x", threading.Event())

    assert find_duplicates(image) == []
    assert content.asked == []


def test_a_checksum_says_nothing_of_a_file_with_another_kind_of_id() -> None:
    layers: Layers = [[file("a", b"x" * 5000)], [file("b", b"x" * 5000), hardlink("c", "b")]]
    image, content = read(layers, ["recorded", "hashed"])

    (duplicate,) = find_duplicates(image)

    assert duplicate.paths == (b"a", b"b")
    assert content.asked == [(0, b"a")]
