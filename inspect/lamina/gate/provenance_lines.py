"""Which line of the Dockerfile made which layer, by what BuildKit noted of the build."""

from __future__ import annotations

from collections.abc import Sequence

from lamina import limits
from lamina.gate.dockerfile import Stage, parse
from lamina.gate.layer_lines import MAKES_LAYERS, LayerLine, layer_lines
from lamina.model import LayerInfo
from lamina.sources.provenance import Provenance


def provenance_lines(provenance: Provenance, layers: Sequence[LayerInfo], first: int = 0) -> list[LayerLine | None]:
    """The line of each layer; None for those of the base.

    Args:
        provenance: of the image.
        layers: the image's.
        first: the first that can be of this Dockerfile.
    """
    stages = parse(provenance.text)
    exact = _by_steps(provenance, layers, stages)
    if any(exact) or any(len(stage.instructions) > limits.INSTRUCTIONS for stage in stages):
        return exact
    # Layers that were packed anew have other digests than those of the build.
    return layer_lines([layer.instruction for layer in layers], stages, first)


def _by_steps(provenance: Provenance, layers: Sequence[LayerInfo], stages: Sequence[Stage]) -> list[LayerLine | None]:
    # A base comes from its FROM with all its layers, which are not of this file.
    known = {each.line for stage in stages for each in stage.instructions if each.keyword in MAKES_LAYERS}
    digests = tuple(layer.digest or "" for layer in layers)
    found: list[LayerLine | None] = []
    for count in range(1, len(digests) + 1):
        lines = known.intersection(provenance.lines.get(digests[:count], ()))
        # Written in several stages the text is the same; what was built is mostly the last.
        found.append(LayerLine(max(lines), exact=True) if lines else None)
    return found
