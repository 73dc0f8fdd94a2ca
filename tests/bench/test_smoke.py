"""The benchmark runs, and its table is whole: nothing here judges how fast anything is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")
ROWS = [
    "plain archive to complete figures",
    "the same, opened before",
    "gzip layers to complete figures",
    "zstd layers to complete figures",
    "--version",
    "--help",
    "a file of a plain archive, opened before",
    "the last file of a gzip layer, the second time",
    "memory, report",
    "a small image's report",
    "opening: the layers",
    "opening: all figures",
    "memory with the screen up",
    "screen: another layer",
    "screen: another view",
    "screen: sort, everything unfolded",
    "screen: fold the topmost folder",
    "screen: another view, everything unfolded",
    "screen: another layer, everything unfolded",
    "screen: the cursor a row down",
    "screen: the same, sent to the terminal",
]


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc")
def test_the_small_size_gives_every_row() -> None:
    done = subprocess.run(
        [sys.executable, RUN, "--size", "small", "--runs", "1"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = [line[1:-1].split("|") for line in done.stdout.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    assert head[:5] == ["work", "floor", "floor took", "lamina took", "ratio"]
    assert [row[0] for row in rows] == ROWS
    for row in rows:
        figures = [re.sub(r"[^0-9.]", "", cell) for cell in row[2:]]
        assert float(figures[1]) > 0, row  # lamina's own
        assert all(float(figure) > 0 for figure in figures if figure), row
        assert bool(figures[0]) == bool(row[1]) == bool(figures[2]), row  # floor, its name, the ratio
