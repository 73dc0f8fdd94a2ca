"""Which of an image's layers came with the image that it was built from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lamina.model import ImageInfo

_RUNS = re.compile(r"(?:.*#\(nop\)\s+)?(?:CMD|ENTRYPOINT)\b", re.DOTALL)
"""How the classic builder and BuildKit write, in a history, what an image runs."""

_LOOKED_AT = 4096  # characters of a row


@dataclass(frozen=True, slots=True)
class Base:
    """What an image stands on."""

    layers: int
    """How many of its layers, from the lowest, are the base's; at least one, and not all."""
    by: str
    """What tells of it: ``history``."""


def base_of(info: ImageInfo) -> Base | None:
    """An image's base, as its history tells of it; None where that tells of none.

    What an image runs is said last when it is built: where layers come after a CMD or an ENTRYPOINT, what was there
    before was an image of its own. A build that says it early is taken for one on a base.

    Args:
        info: the image's head, with its config.
    """
    history = info.config.get("history")
    count = sum(not layer.writable for layer in info.layers)
    layers = found = 0
    said = 0  # layers below the CMD or ENTRYPOINT that came last
    for row in history if isinstance(history, list) else ():
        if not isinstance(row, Mapping):
            return None
        made = row.get("created_by")
        if row.get("empty_layer") is not True:
            layers, found = layers + 1, said
        elif isinstance(made, str) and _RUNS.match(made[:_LOOKED_AT]):
            said = layers
    return Base(found, "history") if 0 < found < count == layers else None
