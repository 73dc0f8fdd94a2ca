"""What an engine's images could be rid of: against counting, and by cases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lamina.figures.overview import frees_together
from lamina.figures.removals import Removal, removals
from lamina.model import ImageSummary, KnownImage, LayerInfo

SIZES = {"a": 1, "b": 20, "c": 300, "d": 4000}


def image(word: str, *tags: str, created: int = 1, containers: int = 0) -> KnownImage:
    """One whose layers are the word's letters, each stored once for what stands below it."""
    chains = [word[: end + 1] for end in range(len(word))]
    layers = tuple(LayerInfo(n, chain[-1], chain) for n, chain in enumerate(chains))
    summary = ImageSummary(word, f"id of {word} {tags}", tags, created=f"2024-01-{created:02d}T00:00:00Z")
    return KnownImage(summary, layers, tuple(SIZES[letter] for letter in word), containers)


def test_untagged_images_and_older_versions() -> None:
    images = [
        image("ab", "web:2", created=3),
        image("ac", "web:1", created=2),
        image("ad", "docker.io/library/web:0", created=1),
        image("b"),
        image("bc"),
    ]
    assert removals(images) == [
        Removal("web", (images[1].summary.id, images[2].summary.id), 4300),
        Removal("", (images[3].summary.id, images[4].summary.id), 320),
    ]


def test_what_is_used_stays() -> None:
    images = [
        image("ab", "web:2", created=2),
        image("ac", "web:1", created=1, containers=1),
        image("d", containers=2),
        image("cd", "web:0", "other:0", created=1),
    ]
    assert removals(images) == []


def test_a_base_that_stays_frees_nothing() -> None:
    images = [image("ab", "web:2", created=2), image("a", "web:1", created=1), image("a")]
    assert removals(images) == []


words = st.text("abcd", min_size=1, max_size=4)
drawn = st.lists(st.tuples(words, st.sampled_from(["", "x", "y"]), st.integers(1, 9), st.sampled_from([0, 0, 1])))


@given(drawn)
def test_the_bytes_are_what_removing_them_frees(rows: list[tuple[str, str, int, int]]) -> None:
    images = [
        image(word, *([f"{name}:{number}"] if name else []), created=created, containers=containers)
        for number, (word, name, created, containers) in enumerate(rows)
    ]
    for removal in removals(images):
        gone = {each.summary.id for each in images if each.summary.id in removal.ids and not each.containers}
        again = [each for each in images if each.summary.id in removal.ids and each.containers]
        if not again:  # an id that stands twice can't be told apart by it
            assert frees_together(images, gone) == removal.bytes
