"""What is measured: works of lamina beside their floors, the same work done by the plainest tool there is."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inputs import Compression, Image
from processes import Command, Memory, ProgramError, output, seconds, shell

LIMITS: dict[str, dict[str, float]] = {
    "mid": {
        "plain": 1.6,
        "gzip": 1.0,
        "zstd": 1.0,
        "export": 1.1,
        "store": 0.06,
        "cached": 0.7,
        "MB": 160,
        "screen MB": 240,
    },
    "big": {
        "plain": 1.9,
        "gzip": 1.4,
        "zstd": 1.5,
        "export": 1.1,
        "store": 0.05,
        "cached": 0.8,
        "MB": 350,
        "screen MB": 430,
    },
}
"""By image and work: what the ratio to the floor should not be above; megabytes of the whole process tree."""
_LIMIT_START = 2.0
_LIMIT_SHORT = 3.0

_SHORT = 3  # as many times more runs for works of some hundredths of a second
_WAY = """\
import sys
from lamina import Workspace
print(Workspace(workers=2).open(sys.argv[1]).figures.read_from)
"""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    lamina: float
    unit: str
    """``s``, ``MB``, ``ms`` of processor time, ``B``."""
    limit: float | None
    """What the ratio to the floor, or else the figure itself, should not be above."""
    floor_name: str = ""
    floor: float | None = None
    """Seconds."""
    members: int | None = None
    """Tar members that were read."""
    memory: Memory | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor."""
        return None if self.floor is None else self.lamina / self.floor

    @property
    def missed(self) -> bool:
        """Whether it is above its limit."""
        judged = self.lamina if self.ratio is None else self.ratio
        return self.limit is not None and judged > self.limit


@dataclass(frozen=True)
class Work:
    """Something lamina does."""

    name: str
    title: str
    command: Command
    limit: float | None = None
    members: int | None = None
    """Of the image whose report it prints; None for all else."""
    primed: bool = False
    """It is done once beforehand, for what that leaves behind."""


@dataclass(frozen=True)
class Contest:
    """Works with one floor, measured by turns, so that whatever else the machine does hits all alike."""

    floor_name: str
    floor: Command
    works: Sequence[Work]
    more: int = 1
    """How many times as many runs as asked for."""

    def hold(self, runs: int, check: Callable[[bytes], None], tell: Tell) -> list[Row]:
        """Measure.

        Args:
            runs: how many times each; the medians count.
            check: looks at the report that a work prints.
            tell: hears what is being done.
        """
        memories = []
        for work in self.works:
            tell(f"{work.name}: what it prints and holds")
            if work.primed:
                seconds(work.command)
            printed, memory = output(work.command)
            memories.append(memory)
            if work.members is not None:
                check(printed)
        seconds(self.floor)  # what it reads is then in the page cache
        took: list[list[float]] = [[] for _ in (self.floor, *self.works)]
        for run in range(runs * self.more):
            tell(f"{', '.join(work.name for work in self.works)}: run {run + 1} of {runs * self.more}")
            for times, command in zip(took, (self.floor, *(work.command for work in self.works)), strict=True):
                times.append(seconds(command))
        floor, *laminas = map(statistics.median, took)
        return [
            Row(work.title, lamina, "s", work.limit, self.floor_name, floor, work.members, memory)
            for work, lamina, memory in zip(self.works, laminas, memories, strict=True)
        ]


@dataclass
class Figures:
    """Holds every report against what the generator knows, and against the first one."""

    image: Image
    first: tuple[int, ...] | None = field(default=None, init=False)

    def check(self, printed: bytes) -> None:
        """Look at a report.

        Raises:
            ProgramError: its figures are wrong, so that its speed means nothing.
        """
        (image,) = json.loads(printed)["images"]
        found = tuple(image[key] for key in ("size", "visible", "wasted", "files"))
        if self.first is None:
            self.first = found
        if found[0] != self.image.shipped or found != self.first:
            raise ProgramError(f"size, visible, wasted, files: {found}; the image has {self.image.shipped} bytes")


def lamina(*arguments: object, **environment: str) -> Command:
    """The command, as it is installed beside this Python; without a cache if the environment names none."""
    script = Path(sys.executable).with_name("lamina")
    start = [str(script)] if script.exists() else [sys.executable, "-m", "lamina_tui"]
    return Command([*start, *map(str, arguments)], {"LAMINA_CACHE": "off", **environment})


def _report(target: object, **environment: str) -> Command:
    return lamina("report", target, "--json", **environment)


def contests(image: Image, cache: Path, wanted: Callable[[str], bool]) -> Iterator[Contest]:
    """What needs no engine.

    Args:
        image: what is read.
        cache: an empty folder.
        wanted: whether a work of this name is asked for.
    """
    limits = LIMITS.get(image.name, {})

    def work(name: str, title: str, command: Command, **more: bool) -> list[Work]:
        return [Work(name, title, command, limits.get(name), image.members, **more)] if wanted(name) else []

    plain = work("plain", "plain archive to complete figures", _report(image.archive))
    plain += work("cached", "the same, opened before", _report(image.archive, LAMINA_CACHE=str(cache)), primed=True)
    if plain:
        yield Contest("cat, piped", shell('cat "$1" | cat >/dev/null', image.archive), plain)
    hows: tuple[Compression, ...] = ("gzip", "zstd")
    for how in hows:
        if wanted(how):
            name, tool = decompressor(how)
            floor = shell(f'for blob; do {tool} "$blob"; done >/dev/null', *image.blobs(how))
            command = _report(f"oci:{image.layout(how)}")
            yield Contest(name, floor, work(how, f"{how} layers to complete figures", command))
    if wanted("start"):
        bare = Command([sys.executable, "-c", "import argparse"], {})
        yield Contest(
            "python + argparse",
            bare,
            [Work("start", option, lamina(option), _LIMIT_START) for option in ("--version", "--help")],
            more=_SHORT,
        )


def short_contest(image: Image, *, judged: bool) -> Contest:
    """A small image's report, most of whose time is the start, beside the start of what it can't do without.

    Args:
        image: some thousands of members.
        judged: whether it is of the size that the limit holds for.
    """
    limit = _LIMIT_SHORT if judged else None
    work = Work("short", "a small image's report", _report(image.archive), limit, image.members)
    # With threads for BLAS, which nobody here needs, the floor takes now 80 ms and now 140.
    floor = Command([sys.executable, "-c", "import numpy"], {"OPENBLAS_NUM_THREADS": "1"})
    return Contest("python + numpy", floor, [work], more=_SHORT)


def decompressor(how: Compression) -> tuple[str, str]:
    """The fastest one-threaded tool here: what the table calls it, and how it is called."""
    for tool in ("igzip", "gzip") if how == "gzip" else ("zstd",):
        if shutil.which(tool):
            return f"{tool} -dc", f"{tool} -dc"
    module = {"gzip": "gzip", "zstd": "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"}[how]
    code = f"import sys, shutil, {module} as m; shutil.copyfileobj(m.open(sys.argv[1]), sys.stdout.buffer, 1 << 20)"
    return f"python's {module}", f"{sys.executable} -c '{code}'"


def engine_contest(image: Image, wanted: Callable[[str], bool], tell: Tell) -> Contest | None:
    """What an engine that has the image is asked for; None where it is not wanted."""
    limits = LIMITS.get(image.name, {})
    target = f"docker-daemon:{image.reference}"
    works = []
    if wanted("export"):
        command = _report(target, LAMINA_NO_STORE="1")
        works.append(Work("export", "engine, its export", command, limits.get("export"), image.members))
    if wanted("store"):
        way, _ = output(Command([sys.executable, "-c", _WAY, target], {"LAMINA_CACHE": "off"}))
        if b"store" in way:
            command = _report(target)
            works.append(Work("store", "engine, its store read", command, limits.get("store"), image.members))
        else:
            tell("the engine's store can't be read from here: that row is left out")
    floor = shell('docker save "$1" | cat >/dev/null', image.reference)
    return Contest("docker save, piped", floor, works) if works else None


class InEngine:
    """The image in the engine while a block runs; one that was there before stays."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._brought = False

    def __enter__(self) -> None:
        here = subprocess.run(["docker", "image", "inspect", self._image.reference], capture_output=True, check=False)
        if here.returncode:
            output(Command(["docker", "load", "--quiet", "--input", str(self._image.archive)], {}))
            self._brought = True

    def __exit__(self, *error: object) -> None:
        if self._brought:
            output(Command(["docker", "image", "rm", self._image.reference], {}))
