"""The packages whose files two layers both hold without being shared."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from lamina.figures.image import LoadedImage
from lamina.figures.near_misses import NearMiss
from lamina.packages.find_packages import find_packages, records_at_hand
from lamina.packages.ownership import sums

_TOP = 5

PackageBytes = tuple[tuple[str, int], ...]
"""(name, bytes of its files that both hold), most first: names are untrusted."""


def packages_of_misses(
    images: Sequence[LoadedImage], misses: Sequence[NearMiss], cancel: threading.Event
) -> list[PackageBytes]:
    """Of each near miss the packages, as its first image has them; none where its records are not at hand.

    Args:
        images: the set.
        misses: of it.
        cancel: ends the reading of records.

    Raises:
        LaminaError: a layer can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    wanted = sorted({miss.a.image for miss in misses})
    tables = {number: find_packages(images[number], cancel) for number in wanted if records_at_hand(images[number])}
    found: list[PackageBytes] = []
    for miss in misses:
        table = tables.get(miss.a.image)
        if table is None:
            found.append(())
            continue
        total = sums(miss.sizes, table.owner[miss.paths], len(table.packages))
        order = np.argsort(-total, kind="stable")[:_TOP]
        found.append(tuple((table.packages[at].name, int(total[at])) for at in order.tolist() if total[at]))
    return found
