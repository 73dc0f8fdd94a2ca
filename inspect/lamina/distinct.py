"""Each value once."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.integer | np.bool_)


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Each value once, ascending; shape (values,).

    As :func:`numpy.unique`, which first loads all of ``numpy.ma`` to ask whether something is masked: a tenth of the
    time that numpy itself takes.
    """
    ascending = np.sort(values, axis=None)
    first = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return ascending[first]
