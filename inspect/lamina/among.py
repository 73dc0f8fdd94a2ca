"""Which numbers are among others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamina.distinct import distinct

_SPREAD = 8
"""As many times the numbers as there are of both: so far apart may those lie that are looked up in a table."""

_HIGH = 1 << 62
"""From here on differences may not be numbers of 64 bits with a sign."""


def among(values: NDArray[np.integer[Any]], wanted: ArrayLike) -> NDArray[np.bool_]:
    """Which values are among the wanted ones; shape of ``values``.

    As :func:`numpy.isin`, which loads all of ``numpy.ma`` for some of them: see :mod:`lamina.distinct`.
    """
    known: NDArray[np.integer[Any]] = distinct(np.asarray(wanted))
    if not known.size:
        return np.zeros(values.shape, dtype=np.bool_)
    low, high = int(known[0]), int(known[-1])
    if high < _HIGH and high - low < _SPREAD * (values.size + known.size):
        table = np.zeros(high - low + 1, dtype=np.bool_)
        table[known - low] = True
        found: NDArray[np.bool_] = (values >= low) & (values <= high)
        found[found] = table[values[found].astype(np.int64) - low]
        return found
    places = np.searchsorted(known, values)
    places[places == known.size] = 0
    same: NDArray[np.bool_] = known[places] == values
    return same
