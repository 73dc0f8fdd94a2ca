"""Measures lamina beside the floor: what the plainest tool needs for the same bytes, by turns in one run.

    python tests/bench/run.py                 a 1.5 GB image of 212,000 members, medians of five
    python tests/bench/run.py --size big      2.7 GB and 578,000 members
    python tests/bench/run.py --engine        also the engine at DOCKER_HOST

Builds its own inputs (mid takes 3.3 GB of disk, big 4.7) and prints one table, in Markdown. Linux only: memory and
processor time come from the kernel. Memory is of the whole process tree at its height, looked at 200 times a second in
a run of its own; limits are of the PSS, in which a page that processes share counts once.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import recipes
from inputs import Image, build
from processes import ProgramError
from screen import opening_rows, screen_rows
from works import LIMITS, Figures, InEngine, Row, contests, engine_contest, short_contest

import lamina
import lamina_tui
from contents import content_contests

WORKS = ("plain", "cached", "gzip", "zstd", "file", "start", "short", "opening", "screen", "export", "store")
OF_ENGINE = ("export", "store")
SIZES = {"small": recipes.SMALL, "mid": recipes.MID, "big": recipes.BIG}

HEAD = ("work", "floor", "floor took", "lamina took", "ratio", "at most", "members/s", "peak PSS", "peak RSS")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0, or 1 where something failed."""
    options = _options(argv)
    _compile()
    work = Path(options.keep) if options.keep else None
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
    with nullcontext(str(work)) if work is not None else tempfile.TemporaryDirectory(prefix="lamina-bench-") as folder:
        try:
            rows = _measure(options, Path(folder))
        except (ProgramError, OSError) as error:
            _tell(f"failed: {error}")
            return 1
    print(table(rows))
    return 0


def _compile() -> None:
    """As an installer does: else every run of a changed checkout would compile it anew."""
    for package in (lamina, lamina_tui):
        compileall.compile_dir(Path(package.__path__[0]), quiet=2)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure lamina beside the floor.")
    parser.add_argument("--size", choices=SIZES, default="mid", help="which image (default: mid)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each work (default: 5)")
    parser.add_argument("--only", nargs="+", choices=WORKS, metavar="NAME", help=f"some works of: {', '.join(WORKS)}")
    parser.add_argument("--engine", action="store_true", help="also what needs an engine (export, store)")
    parser.add_argument("--keep", metavar="DIR", help="keep the inputs there, and use those that are there")
    options = parser.parse_args(argv)
    if options.runs < 1:
        parser.error("--runs: at least 1")
    if sys.platform != "linux":
        parser.error("this needs Linux")
    return options


def _measure(options: argparse.Namespace, folder: Path) -> list[Row]:
    def wanted(name: str) -> bool:
        if options.only:
            return name in options.only
        return options.engine or name not in OF_ENGINE

    image = _built(SIZES[options.size], folder)
    print(_title(image, options.runs), end="\n\n", flush=True)
    figures = Figures(image)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="lamina-bench-cache-") as cache:
        for contest in (*contests(image, Path(cache), wanted), *content_contests(image, Path(cache), wanted)):
            rows += contest.hold(options.runs, figures.check, _tell)
    if any(map(wanted, OF_ENGINE)):
        with InEngine(image):
            engine = engine_contest(image, wanted, _tell)
            if engine is not None:
                rows += engine.hold(options.runs, figures.check, _tell)
    rows += _memory(image, rows)
    judged = options.size != "small"
    few = _built(recipes.FEW, folder) if judged and (wanted("opening") or wanted("short")) else image
    if wanted("short"):
        rows += short_contest(few, judged=judged).hold(options.runs, Figures(few).check, _tell)
    if wanted("opening"):
        rows += opening_rows(few, runs=options.runs, judged=judged, tell=_tell)
    if wanted("screen"):
        wide = _built(recipes.WIDE, folder) if options.size == "mid" else image
        rows += screen_rows(image, wide, repeat=4 if judged else 1, judged=judged, tell=_tell)
    return rows


def _memory(image: Image, rows: list[Row]) -> Iterator[Row]:
    """The most that a report held."""
    held = [row.memory for row in rows if row.memory is not None and row.members is not None]
    if held:
        most = max(held, key=lambda memory: memory.pss)
        yield Row("memory, report", most.pss / 1e6, "MB", LIMITS.get(image.name, {}).get("MB"), memory=most)


def _built(recipe: recipes.Recipe, folder: Path) -> Image:
    _tell(f"the image {recipe.name}")
    return build(recipe, folder)


def _title(image: Image, runs: int) -> str:
    size = image.archive.stat().st_size / 1e9
    return (
        f"{image.name}: {size:.2f} GB, {len(image.layers)} layers, {image.members:,} members; medians of {runs}; "
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )


def _tell(text: str) -> None:
    """Say on stderr what is being done."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


# -- the table ---------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table whose columns also stand in line where it is read as text."""
    lines = [HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    texts.insert(1, ["-" * width if place < 2 else "-" * (width - 1) + ":" for place, width in enumerate(widths)])
    return "\n".join(f"| {' | '.join(line)} |" for line in texts)


def _cells(row: Row) -> tuple[str, ...]:
    limit = "" if row.limit is None else f"{row.limit:g}" + ("" if row.ratio is not None else f" {row.unit}")
    return (
        row.work,
        row.floor_name,
        "" if row.floor is None else _figure(row.floor, "s"),
        _figure(row.lamina, row.unit),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        limit + (" (missed)" if row.missed else ""),
        "" if row.members is None else f"{row.members / row.lamina:,.0f}",
        "" if row.memory is None else f"{row.memory.pss / 1e6:.0f} MB",
        "" if row.memory is None else f"{row.memory.rss / 1e6:.0f} MB",
    )


def _figure(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if unit == "s" else f"{value:.1f} ms CPU" if unit == "ms" else f"{value:.0f} {unit}"


if __name__ == "__main__":
    sys.exit(main())
