"""What a pull will fetch, from layers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lamina.figures.pull_plan import Presence, plan_pull
from lamina.figures.tag_steps import tag_steps
from lamina.model import ImageInfo, ImageSummary, KnownImage, LayerInfo
from lamina.sources.manifest import chain_ids

SIZES = {"a": 100, "b": 20, "c": 3, "d": 4000}
"""Bytes of each layer's blob; its files have ten times as many."""


def layers(names: str) -> tuple[LayerInfo, ...]:
    chain = chain_ids([f"sha256:{name * 64}" for name in names])
    return tuple(LayerInfo(n, f"sha256:{name * 64}", chain[n], blob_size=SIZES[name]) for n, name in enumerate(names))


def image(name: str, names: str) -> KnownImage:
    return KnownImage(ImageSummary(name, name, (name,)), layers(names), tuple(SIZES[each] * 10 for each in names))


@pytest.mark.parametrize(
    ("present", "wanted", "fetched", "by_position", "stored"),
    [
        ([], "abc", 123, 123, None),
        (["ab"], "abc", 3, 3, None),
        (["abc"], "abc", 0, 0, 0),
        (["abc"], "ab", 0, 0, 0),
        (["ab", "cb"], "cab", 0, 120, 1200),  # every layer is here, but two of them on other ones
        (["ba"], "dab", 4000, 4120, None),
        ([], "aba", 120, 120, None),  # twice in one image: it comes once
        (["abc"], "dd", 4000, 4000, None),
    ],
)
def test_a_pull_fetches(
    present: Sequence[str], wanted: str, fetched: int, by_position: int, stored: int | None
) -> None:
    info = ImageInfo("docker://x", "sha256:x", layers(wanted))
    here = [image(f"image-{names}", names) for names in present]
    for way, told in ((False, fetched), (True, by_position)):
        plan = plan_pull(info, here, by_position=way)
        assert plan.fetched == told
        assert plan.size == sum(SIZES[name] for name in dict.fromkeys(wanted))
        assert plan.saved == plan.size - told
        assert plan.stored == stored


def test_a_layer_that_stands_twice_counts_once_by_its_first_blob() -> None:
    # Two blobs of the same layer, as two tools compress it.
    first, again = layers("aa")
    info = ImageInfo("x", "x", (first, replace(again, blob_size=7)))
    plan = plan_pull(info, [], by_position=False)
    assert (plan.size, plan.fetched, plan.saved) == (100, 100, 0)
    [step] = tag_steps([("1", info)])
    assert step.size == plan.size


def test_who_has_a_layer_is_told() -> None:
    plan = plan_pull(ImageInfo("x", "x", layers("abdc")), [image("one", "ab"), image("two", "ca")], by_position=False)
    assert [(row.presence, row.holder) for row in plan.layers] == [
        (Presence.HERE, "one"),
        (Presence.HERE, "one"),
        (Presence.NEW, ""),
        (Presence.ELSEWHERE, "two"),
    ]
    assert [row.stored for row in plan.layers] == [0, 0, None, 30]
