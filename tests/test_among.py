"""Which numbers are among others, as numpy's own says it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lamina.among import among
from lamina.model import Cause


def given(kind: type[Any], *values: int) -> NDArray[Any]:
    return np.array(values, dtype=kind)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (given(np.int32), []),
        (given(np.int32), [1, 2]),
        (given(np.int32, 3, 1, 3, -2), []),
        (given(np.int32, 3, 1, 3, -2), [3]),
        (given(np.int16, 3, 1, 3, -2), given(np.int64, 1 << 40, -2, 3)),
        (given(np.uint8, 0, 200, 255), [-1, 200, 256]),
        (given(np.int64, 1 << 40, 5, -(1 << 50)), [-(1 << 50), 1 << 40]),
        (given(np.uint64, (1 << 64) - 1, 1 << 63, 7), given(np.uint64, 1 << 63, (1 << 64) - 2)),
        (given(np.uint8, *Cause), (Cause.METADATA, Cause.IDENTICAL)),
        (np.arange(1000, dtype=np.int32), np.arange(0, 2000, 7, dtype=np.int32)),
        (np.arange(6, dtype=np.int32).reshape(2, 3), [4, 1]),
    ],
)
def test_it_is_what_numpy_says(values: NDArray[Any], wanted: Any) -> None:
    found = among(values, wanted)

    assert found.dtype == np.bool_
    assert found.tolist() == np.isin(values, wanted).tolist()


def test_nothing_more_of_numpy_is_loaded_for_a_report() -> None:
    code = (
        "import sys\nfrom lamina_tui.cli import main\nmain(['report', 'demo', '--json'])\n"
        "print('numpy.ma' in sys.modules, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.splitlines()[-1] == "False"
