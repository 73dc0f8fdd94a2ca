"""What all rules about needless files of the final file system have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamina.advice.examined import Examined, Shipped
from lamina.advice.finding import Finding, Rule
from lamina.advice.instruction import Instruction, leave_out
from lamina.amounts import plural
from lamina.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of files that are not needed."""

    marked: NDArray[np.bool_]
    """By path: what is of this sort."""
    what: str
    """For people: ``apt's package lists``; no text from the image."""
    run: str
    """What to write in the RUN that makes them, a clause: ``end with && rm -rf /var/lib/apt/lists/*``."""


class ShippedFiles(Rule):
    """A rule about files that could be left out; the bytes of one count where all its names go."""

    @abstractmethod
    def sorts(self, image: Examined) -> Iterator[Sort]:
        """The sorts of files that it looks for."""

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a sort and layer."""
        for sort in self.sorts(image):
            for shipped in image.by_layer(image.free(sort.marked)):
                image.claim(shipped.inodes)
                yield self.finding(image, sort, shipped)

    def finding(self, image: Examined, sort: Sort, shipped: Shipped) -> Finding:
        """What is told of some files."""
        files = plural(len(shipped.inodes), "file")
        layers = shipped.layers
        if len(layers) == 1:
            text = f"Layer {layers[0]} ships {sort.what} in {files}."
        else:
            text = f"{len(layers)} layers together ship {sort.what} in {files}."
        if shipped.made_in is not None:
            do = leave_out(Instruction(image.image.info, shipped.made_in), sort.run)
        else:
            do = f"In each of them, {sort.run}."
        return Finding(
            text=text,
            do=do,
            rows=image.rows_of(shipped.inodes),
            layers=layers,
            saves=shipped.bytes,
            changes=shipped.made_in,
        )
