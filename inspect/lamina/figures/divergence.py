"""Where the layers of two images part."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.model import LayerInfo


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two stacks of layers part."""

    index: int
    """The first layer that is not the same in both; all below it are stored once."""
    before: str | None
    """Its instruction in the older image; None where that has no such layer."""
    after: str | None
    """The same in the newer one."""

    @property
    def same_instruction(self) -> bool:
        """Whether the same instruction gave another layer: a build that is not reproducible, or changed input."""
        return self.before is not None and self.before == self.after


def divergence_of(old: Sequence[LayerInfo], new: Sequence[LayerInfo]) -> Divergence | None:
    """Where two stacks part; None where one is the other, or the beginning of it."""
    index = 0
    while index < min(len(old), len(new)) and old[index].chain_id == new[index].chain_id:
        index += 1
    if index >= len(old) or index >= len(new):
        return None
    return Divergence(index, old[index].instruction, new[index].instruction)
