"""Each value once, as numpy's own says it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lamina.distinct import distinct


@pytest.mark.parametrize("values", [[], [3], [2, 1, 2, 1], [5, 5, 5], [-1, 7, -1, 0]])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64])
def test_it_is_what_numpy_says(values: list[int], kind: type[np.signedinteger]) -> None:
    given = np.array(values, dtype=kind)

    found = distinct(given)

    assert found.dtype == given.dtype
    assert found.tolist() == np.unique(given).tolist()
    assert given.tolist() == values  # they stay as they are


def test_nothing_more_of_numpy_is_loaded_for_it() -> None:
    code = "import sys, numpy as np; from lamina.distinct import distinct; distinct(np.arange(3)); print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "numpy.ma" not in loaded
