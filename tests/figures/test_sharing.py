"""What a set of images shares: by hand, and against brute force."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.figures.sharing import Pair, PullCost, SetMember, SharedLayer, pull_cost, share
from lamina.model import LayerInfo

# A layer of these tests is a letter: its size is its number, its tar and its blob are larger and smaller.

SIZES = {letter: 10**number for number, letter in enumerate("abcdef", 1)}


def tar_size(letter: str) -> int:
    return SIZES[letter] + 5


def blob_size(letter: str) -> int:
    return SIZES[letter] // 2


def member(letters: str, *, blobs: bool = True) -> SetMember:
    """An image of some layers, lowest first."""
    return SetMember(
        layers=tuple(
            LayerInfo(
                index=number,
                diff_id=letter,
                chain_id=letters[: number + 1],
                blob_size=blob_size(letter) if blobs else None,
            )
            for number, letter in enumerate(letters)
        ),
        sizes=tuple(SIZES[letter] for letter in letters),
        tar_sizes=tuple(map(tar_size, letters)),
    )


def test_two_versions_of_an_app_on_a_shared_base() -> None:
    sharing = share([member("abc"), member("abd")])

    assert sharing.sum == 10 + 100 + 1000 + 10 + 100 + 10_000
    assert sharing.on_disk == 10 + 100 + 1000 + 10_000
    assert sharing.unique == (1000, 10_000)
    assert sharing.shared == (110, 110)
    assert sharing.layers == (SharedLayer("b", 100, (0, 1)), SharedLayer("a", 10, (0, 1)))
    assert sharing.pairs == (Pair(0, 1, 110, PullCost(10_000 // 2, True), PullCost(1000 // 2, True)),)


def test_images_without_anything_in_common() -> None:
    sharing = share([member("a"), member("b")])

    assert (sharing.sum, sharing.on_disk, sharing.unique, sharing.shared) == (110, 110, (10, 100), (0, 0))
    assert sharing.layers == ()


def test_an_image_and_itself() -> None:
    sharing = share([member("ab"), member("ab")])

    assert (sharing.sum, sharing.on_disk, sharing.unique, sharing.shared) == (220, 110, (0, 0), (110, 110))
    assert sharing.pairs[0].b_given_a == PullCost(0, True)


def test_the_same_layer_on_another_base_is_shared_and_yet_twice_on_disk() -> None:
    """An engine stores layers by chain_id."""
    sharing = share([member("ac"), member("bc")])

    assert sharing.shared == (1000, 1000)
    assert sharing.on_disk == 10 + 1000 + 100 + 1000


def test_a_layer_that_stands_twice_in_one_image() -> None:
    sharing = share([member("aba"), member("c")])

    assert sharing.sum == 10 + 100 + 10 + 1000
    assert sharing.unique == (120, 1000)
    assert sharing.layers == (), "one image alone does not share"
    assert sharing.on_disk == sharing.sum, "it stands on another base the second time"
    assert sharing.pairs[0].a_given_b.bytes == blob_size("a") + blob_size("b"), "it is fetched once"


def test_three_images() -> None:
    sharing = share([member("ab"), member("ac"), member("d")])

    assert sharing.layers == (SharedLayer("a", 10, (0, 1)),)
    assert [(pair.a, pair.b, pair.shared) for pair in sharing.pairs] == [(0, 1, 10), (0, 2, 0), (1, 2, 0)]


@pytest.mark.parametrize("images", [[], ["ab"], [""], ["", "a"]])
def test_sets_of_hardly_anything(images: list[str]) -> None:
    sharing = share([member(letters) for letters in images])

    total = sum(SIZES[letter] for letters in images for letter in letters)
    assert (sharing.sum, sharing.on_disk, sum(sharing.unique)) == (total, total, total)


def test_pull_cost_without_blob_sizes_counts_the_tars_and_says_so() -> None:
    assert pull_cost(member("abc", blobs=False), member("a")) == PullCost(tar_size("b") + tar_size("c"), False)


def test_pull_cost_of_plain_tars_says_that_they_are_not_compressed() -> None:
    wanted = member("b")
    wanted = replace(wanted, layers=(replace(wanted.layers[0], blob_size=wanted.tar_sizes[0]),))

    assert pull_cost(wanted, member("a")) == PullCost(tar_size("b"), False)


def test_what_is_present_already_does_not_spoil_the_figure() -> None:
    """The layer without a blob size is not fetched."""
    wanted = member("ab")
    wanted = replace(wanted, layers=(replace(wanted.layers[0], blob_size=None), wanted.layers[1]))

    assert pull_cost(wanted, member("a")) == PullCost(blob_size("b"), True)


@given(st.lists(st.text("abcdef", max_size=6), min_size=1, max_size=5))
def test_any_set_gives_what_counting_one_by_one_gives(images: list[str]) -> None:
    sharing = share([member(letters) for letters in images])

    assert sharing.sum == sum(SIZES[letter] for letters in images for letter in letters)
    chains = {letters[: end + 1] for letters in images for end in range(len(letters))}
    assert sharing.on_disk == sum(SIZES[chain[-1]] for chain in chains)
    for number, letters in enumerate(images):
        others = "".join(images[:number] + images[number + 1 :])
        assert sharing.unique[number] == sum(SIZES[letter] for letter in letters if letter not in others)
        assert sharing.unique[number] + sharing.shared[number] == sum(SIZES[letter] for letter in letters)
    expected = []
    for letter in reversed("abcdef"):
        holders = tuple(number for number, letters in enumerate(images) if letter in letters)
        if len(holders) > 1:
            expected.append(SharedLayer(letter, SIZES[letter], holders))
    assert list(sharing.layers) == expected
    assert len(sharing.pairs) == len(images) * (len(images) - 1) // 2
    for pair in sharing.pairs:
        a, b = set(images[pair.a]), set(images[pair.b])
        assert pair.a < pair.b
        assert pair.shared == sum(SIZES[letter] for letter in a & b)
        assert pair.b_given_a == PullCost(sum(map(blob_size, b - a)), True)
        assert pair.a_given_b == PullCost(sum(map(blob_size, a - b)), True)
