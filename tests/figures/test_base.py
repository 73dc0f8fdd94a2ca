"""Which layers are a base's: by the user's word, the image's own, what is at hand, and the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lamina.figures.base import Base, Candidate, base_of, base_of_image, base_of_layers
from lamina.figures.own import OwnFigures, own_figures, own_waste
from lamina.model import ImageInfo, LaminaError, LayerInfo
from stacks import stack
from tars import file, whiteout

LAYER: dict[str, Any] = {"created_by": "RUN make"}


def empty(text: Any) -> dict[str, Any]:
    return {"created_by": text, "empty_layer": True}


CMD, ENTRYPOINT = empty('CMD ["bash"]'), empty('/bin/sh -c #(nop)  ENTRYPOINT ["/x"]')
OTHER = empty("ENV CMD=1")


def image(history: Any, layers: int, writable: bool = False, labels: Any = None, **annotations: str) -> ImageInfo:
    made = [LayerInfo(index, f"sha256:{index:064}", f"sha256:{index:064}") for index in range(layers)]
    if writable:
        made.append(LayerInfo(layers, "", "", writable=True))
    config = {"history": history, "config": {"Labels": labels}}
    told = {f"org.opencontainers.image.base.{key}": value for key, value in annotations.items()}
    return ImageInfo("x", "sha256:0", tuple(made), config=config, annotations=told)


def at_hand(name: str, layers: int, digest: str = "", other: int | None = None) -> Candidate:
    """An image of the lowest layers of those above, one of them perhaps another."""
    diff_ids = [f"sha256:{999 if index == other else index:064}" for index in range(layers)]
    return Candidate((name,), (digest,) if digest else (), tuple(diff_ids))


@pytest.mark.parametrize(
    ("history", "layers", "base"),
    [
        ([LAYER, CMD, LAYER, OTHER, LAYER, ENTRYPOINT], 3, 1),
        ([LAYER, ENTRYPOINT, CMD, LAYER], 2, 1),
        ([LAYER, CMD, LAYER, LAYER, CMD, LAYER, CMD], 4, 3),  # a base that has a base: the nearest
        ([LAYER, LAYER, CMD], 2, None),  # all is one image
        ([CMD, LAYER], 1, None),  # from scratch
        ([LAYER, OTHER, LAYER], 2, None),
        ([LAYER, empty(None), LAYER], 2, None),
        ([LAYER, CMD, LAYER], 3, None),  # a history that doesn't line up
        ([LAYER, CMD, "?", LAYER], 2, None),
        ("?", 2, None),
        (None, 2, None),
    ],
)
def test_the_base_ends_where_an_image_said_what_it_runs(history: Any, layers: int, base: int | None) -> None:
    assert base_of(image(history, layers)) == (None if base is None else Base(base, "history"))


def test_a_containers_own_layer_is_not_in_the_history() -> None:
    assert base_of(image([LAYER, CMD, LAYER], 2, writable=True)) == Base(1, "history")


GUESSED = [LAYER, CMD, LAYER, LAYER]  # one layer, by its history


@pytest.mark.parametrize(
    ("here", "base"),
    [
        ([], Base(1, "history")),
        ([at_hand("os:1", 2)], Base(2, "image", "os:1")),
        ([at_hand("os:1", 1), at_hand("python:1", 2)], Base(2, "image", "python:1")),  # the nearest
        ([at_hand("itself", 3), at_hand("child", 4), at_hand("empty", 0)], Base(1, "history")),
        ([at_hand("other", 2, other=1)], Base(1, "history")),
    ],
)
def test_an_image_at_hand_with_just_the_lowest_layers_is_the_base(here: list[Candidate], base: Base) -> None:
    assert base_of(image(GUESSED, 3), here) == base


DIGEST = "sha256:" + "d" * 64


@pytest.mark.parametrize(
    ("told", "labels", "base"),
    [
        ({"name": "docker.io/library/os:1"}, None, Base(1, "annotation", "docker.io/library/os:1")),
        ({}, {"org.opencontainers.image.base.name": "os:1"}, Base(1, "annotation", "os:1")),
        ({"digest": DIGEST}, None, Base(1, "annotation", "os:1")),
        ({"name": "gone:1"}, None, Base(2, "image", "own:1")),  # it isn't here
        ({"name": ""}, {"org.opencontainers.image.base.name": 7}, Base(2, "image", "own:1")),
        ({}, ["?"], Base(2, "image", "own:1")),
    ],
)
def test_what_the_image_says_itself_goes_before_what_is_nearer(
    told: Mapping[str, str], labels: Any, base: Base
) -> None:
    here = [at_hand("os:1", 1, f"os@{DIGEST}"), at_hand("own:1", 2)]

    assert base_of(image(GUESSED, 3, labels=labels, **told), here) == base


def test_a_base_that_is_only_named_has_the_layers_that_the_history_tells() -> None:
    assert base_of(image(GUESSED, 3, name="os:1")) == Base(1, "history", "os:1")
    assert base_of(image([LAYER], 1, name="os:1")) is None


def test_the_user_says_how_many_layers() -> None:
    assert base_of_layers(image(None, 3), 2) == Base(2, "flag")


@pytest.mark.parametrize("layers", [0, 3])
def test_a_base_has_not_none_and_not_all_of_the_layers(layers: int) -> None:
    with pytest.raises(LaminaError, match=f"--base {layers}: x has 3 layers, of which a base has at least one"):
        base_of_layers(image(None, 3), layers)


def test_the_user_names_the_base() -> None:
    named = [at_hand("other", 2, other=0), at_hand("os:1", 1), at_hand("os:2", 2)]

    assert base_of_image(image(None, 3), "os.tar", named) == Base(2, "flag", "os.tar")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([at_hand("os", 2, other=1)], "the lowest 1 of the 2 layers"),
        ([at_hand("os", 2, other=0), at_hand("os", 3, other=2)], "the lowest 2 of the 3 layers"),
        ([at_hand("os", 4)], "the lowest 3 of the 4 layers"),
    ],
)
def test_a_named_base_that_is_none_is_told_by_how_far_it_goes(named: list[Candidate], said: str) -> None:
    with pytest.raises(LaminaError, match=f"x is not built on os\\\\x1b: it has {said}"):
        base_of_image(image(None, 3), "os\x1b", named)


def test_own_figures_are_of_the_layers_above_and_of_what_they_need_not_ship() -> None:
    # given a base that wastes 50, and layers above that waste 7, copy 100 of the base's, and remove 30 and overwrite 20
    loaded = stack(
        [file("twice", 50), file("copied", 100), file("removed", 30), file("changed", 20)],
        [file("twice", b"x" * 50)],
        [file("copied", 100, mode=0o600), file("mine", 7), whiteout("removed"), file("changed", b"y" * 20)],
        [whiteout("mine")],
    )
    assert own_figures(loaded) is None
    assert own_waste(loaded).all()

    # when its base is known
    loaded.base = Base(2, "flag")

    # then what the base ships, and what is only hidden of it, is not the image's own
    assert own_figures(loaded) == OwnFigures(layers=2, size=127, base_size=250, wasted=107)
    assert {row.path for row in loaded.waste.only(own_waste(loaded))} == {b"mine", b"copied"}
    assert loaded.waste.only(own_waste(loaded)).total == 107
    assert loaded.wasted == 207
