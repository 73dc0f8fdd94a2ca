"""Which images of several have a layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from lamina.model import LayerInfo


def holders(stacks: Iterable[Sequence[LayerInfo]], by: Literal["diff_id", "chain_id"]) -> dict[str, tuple[int, ...]]:
    """The images that have each layer, in the order in which the layers first come.

    Args:
        stacks: the layers of each image, lowest first.
        by: what makes two layers the same one: ``diff_id`` for what is transferred, wherever it stands;
            ``chain_id`` for what a disk holds once.

    Returns:
        By the layers' ids the images' places, ascending, each once.
    """
    found: dict[str, dict[int, None]] = {}
    for number, layers in enumerate(stacks):
        for layer in layers:
            found.setdefault(layer.diff_id if by == "diff_id" else layer.chain_id, {})[number] = None
    return {key: tuple(images) for key, images in found.items()}
