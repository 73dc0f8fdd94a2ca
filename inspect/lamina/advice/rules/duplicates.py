"""The same content at several places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.instruction import Instruction
from lamina.advice.model import Severity
from lamina.amounts import plural


class Duplicates(Rule):
    """Files of the same content at several places.

    One copy is enough: make the others links (`ln -s`, or `cp -l` in the same RUN), or copy less. Files of 4 KiB and
    more are looked at. Looked for where files can be read.
    """

    name = "duplicates"
    most = Severity.MEDIUM

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a layer that ships copies."""
        group_at = np.full(image.paths.count, -1, dtype=np.int32)
        for number, duplicate in enumerate(image.duplicates):
            group_at[image.lookup.rows(list(duplicate.paths))] = number
        copies = image.free(group_at >= 0)
        group = group_at[image.rows_of(copies)]
        # One of each has to stay: that of the lowest layer, which other images have most likely too.
        order = np.lexsort((copies, image.union.born[copies], group))
        first = np.ones(len(order), dtype=bool)
        first[1:] = group[order][1:] != group[order][:-1]
        spare = np.ones(len(copies), dtype=bool)
        spare[order[first]] = False
        for shipped in image.by_layer(copies[spare]):
            image.claim(shipped.inodes)
            files, layers = plural(len(shipped.inodes), "file"), shipped.layers
            made_in = shipped.made_in
            where = "each of them" if made_in is None else Instruction(image.image.info, made_in).where
            yield Finding(
                text=f"{_ships(layers)} {files} whose content stands elsewhere in the image too.",
                do=f"Make them links to the other copy (ln -s), or copy less, in {where}.",
                rows=image.rows_of(shipped.inodes),
                layers=layers,
                saves=shipped.bytes,
                changes=shipped.made_in,
            )


def _ships(layers: tuple[int, ...]) -> str:
    return f"Layer {layers[0]} ships" if len(layers) == 1 else f"{len(layers)} layers together ship"
