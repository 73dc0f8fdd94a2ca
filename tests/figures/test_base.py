"""Which layers are a base's, by the history."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.figures.base import Base, base_of
from lamina.model import ImageInfo, LayerInfo

LAYER: dict[str, Any] = {"created_by": "RUN make"}


def empty(text: Any) -> dict[str, Any]:
    return {"created_by": text, "empty_layer": True}


CMD, ENTRYPOINT = empty('CMD ["bash"]'), empty('/bin/sh -c #(nop)  ENTRYPOINT ["/x"]')
OTHER = empty("ENV CMD=1")


def image(history: Any, layers: int, writable: bool = False) -> ImageInfo:
    made = [LayerInfo(index, f"sha256:{index:064}", f"sha256:{index:064}") for index in range(layers)]
    if writable:
        made.append(LayerInfo(layers, "", "", writable=True))
    return ImageInfo("x", "sha256:0", tuple(made), config={"history": history})


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
