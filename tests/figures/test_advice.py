"""What lamina advises, and for how many bytes."""

from __future__ import annotations

import pytest

from lamina.figures.advice import Advice, advise
from lamina.model import Cause
from stacks import stack
from tars import Member, directory, file, hardlink, opaque, symlink, whiteout

BIG = 100_000


def kinds(*layers: list[Member]) -> list[tuple[str, int, int | None, int | None]]:
    return [(advice.kind, advice.bytes, advice.layer, advice.hidden_by) for advice in advise(stack(*layers))]


ABOVE = {
    Cause.OVERWRITTEN: [file("d/f", b"y" * 50_000)],
    Cause.METADATA: [file("d/f", BIG, mode=0o755)],
    Cause.IDENTICAL: [file("d/f", BIG)],
    Cause.REMOVED: [whiteout("d/f")],
    Cause.OPAQUE: [opaque("d")],
    Cause.REPLACED: [symlink("d", "e")],
}


@pytest.mark.parametrize(("cause", "layer"), ABOVE.items(), ids=lambda value: getattr(value, "word", ""))
def test_each_cause_has_its_advice(cause: Cause, layer: list[Member]) -> None:
    assert kinds([file("d/f", BIG)], layer) == [(cause.word, BIG, 0, 1)]


def test_the_advice_of_each_cause_is_its_own() -> None:
    texts = {advise(stack([file("d/f", BIG)], layer))[0].text for layer in ABOVE.values()}

    assert len(texts) == len(Cause)


def test_an_efficient_image_needs_none() -> None:
    assert kinds([file("a", BIG)], [file("b", BIG)]) == []
    assert advise(stack()) == []
    assert advise(stack([], [])) == []


def test_one_advice_for_all_files_with_the_same_story() -> None:
    (advice,) = advise(stack([file(f"d/{n}", 10_000) for n in range(3)], [whiteout("d")]))

    assert advice.bytes == 30_000
    assert "3 files" in advice.text
    assert "ayer 0" in advice.text
    assert "ayer 1" in advice.text


def test_most_bytes_come_first() -> None:
    found = kinds(
        [file("a", 5000), file("b", 9000), file("c", 7000, mode=0o600)], [whiteout("a"), file("b"), file("c", 7000)]
    )

    assert found == [("overwritten", 9000, 0, 1), ("metadata", 7000, 0, 1), ("removed", 5000, 0, 1)]


@pytest.mark.parametrize(("size", "count"), [(4095, 0), (4096, 1)])
def test_nothing_below_four_kilobytes(size: int, count: int) -> None:
    assert len(kinds([file("a", size)], [whiteout("a")])) == count


@pytest.mark.parametrize(("size", "count"), [(9_000, 0), (11_000, 1)])
def test_nothing_below_a_thousandth_of_the_image(size: int, count: int) -> None:
    assert len(kinds([file("big", 10_000_000), file("a", size)], [whiteout("a")])) == count


# Caches that a package manager left.


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("var/lib/apt/lists/x", "rm -rf /var/lib/apt/lists"),
        ("var/cache/apt/archives/x.deb", "apt-get clean"),
        ("var/cache/apk/x", "--no-cache"),
        ("root/.cache/pip/x", "--no-cache-dir"),
        ("root/.npm/_cacache/x", "npm cache clean"),
    ],
)
def test_a_cache_that_is_still_there(path: str, remedy: str) -> None:
    (advice,) = advise(stack([file("bin/sh", 10)], [file(path, BIG)]))

    assert (advice.kind, advice.bytes, advice.layer, advice.hidden_by) == ("cache", BIG, 1, None)
    assert remedy in advice.text


def test_a_cache_that_was_removed_is_waste_and_no_cache() -> None:
    assert kinds([file("tmp/x", BIG)], [whiteout("tmp/x")]) == [("removed", BIG, 0, 1)]


def test_a_cache_of_several_layers_names_none() -> None:
    assert kinds([file("tmp/a", BIG)], [file("tmp/b", BIG)]) == [("cache", 2 * BIG, None, None)]


def test_a_cache_of_which_the_last_layer_removed_a_part_is_of_the_layer_that_ships_the_rest() -> None:
    found = kinds([file("tmp/a", BIG)], [file("tmp/b", BIG)], [whiteout("tmp/a")])

    assert ("cache", BIG, 1, None) in found


def test_a_cache_by_its_other_name() -> None:
    """The file's own name is gone; the link in the cache holds its bytes."""
    for layers in ([[file("x", BIG), hardlink("tmp/y", "x")]], [[file("x", BIG)], [hardlink("tmp/y", "x")]]):
        assert kinds(*layers, [whiteout("x")]) == [("cache", BIG, 0, None)]


def test_what_only_stands_beside_a_cache_does_not_count() -> None:
    beside = [file("tmpx", BIG), file("tmp-/a", BIG), file("u", BIG), file("x/tmp/a", BIG)]

    assert kinds([file("tmp/a", 5000), directory("tmp/b"), *beside]) == [("cache", 5000, 0, None)]


def test_links_into_a_cache_cost_nothing() -> None:
    """The bytes stand outside of it, and would stay."""
    assert kinds([file("x", BIG), hardlink("tmp/y", "x")]) == []


def test_advice_quotes_nothing_from_the_image() -> None:
    evil = "evil\x1b[2J\u202e"
    layers = [[file(f"{evil}/f", BIG), file(f"tmp/{evil}", BIG)], [whiteout(evil)]]
    for advice in advise(stack(*layers, instructions=[evil, evil])):
        assert "evil" not in advice.text
        assert advice.text.isprintable()


def test_a_layer_that_carries_a_path_twice_is_told_so_in_words_that_make_sense() -> None:
    (advice,) = advise(stack([file("f", b"a" * BIG), file("f", b"b" * BIG)]))

    assert isinstance(advice, Advice)
    assert (advice.layer, advice.hidden_by) == (0, 0)
    assert "of layer 0" not in advice.text or "Layer 0 writes over" not in advice.text
