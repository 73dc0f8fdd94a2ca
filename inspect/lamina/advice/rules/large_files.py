"""Files that make up much of an image."""

from __future__ import annotations

from collections.abc import Iterator

from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.instruction import Instruction
from lamina.advice.model import Severity
from lamina.amounts import plural, size_bytes

_LEAST = 10_000_000
_SHARE = 20
"""A file of at least one part of so many of the image is large."""


class LargeFiles(Rule):
    """Single files that make up much of the image.

    From 5 % of the image and 10 MB on. Data and models that change at another pace than the program belong in a layer
    of their own, a volume or an artifact.
    """

    name = "large-files"
    most = Severity.INFO

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a layer; it claims nothing."""
        least = max(_LEAST, image.image.size // _SHARE)
        for shipped in image.by_layer(image.free(image.of_at_least(least))):
            layer = shipped.made_in
            assert layer is not None  # each has more than the least to speak of
            files = plural(len(shipped.inodes), "large file")
            yield Finding(
                text=f"Layer {layer} ships {files} of {size_bytes(shipped.bytes)} together.",
                do=f"See whether all of it has to be in the image: {Instruction(image.image.info, layer).where}.",
                rows=image.rows_of(shipped.inodes),
                layers=shipped.layers,
                changes=layer,
            )
