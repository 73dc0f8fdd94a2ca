"""Running programs: how long they take, and how much memory their whole process tree holds."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PACE = 0.005  # seconds between two looks at a process tree


class ProgramError(Exception):
    """A program that is measured failed."""


@dataclass(frozen=True)
class Command:
    """A program with what is peculiar to its environment."""

    argv: Sequence[str]
    environment: Mapping[str, str]

    def start(self, stdout: int) -> subprocess.Popen[bytes]:
        """Run it, its standard output led elsewhere."""
        return subprocess.Popen(
            self.argv,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )


def shell(script: str, *arguments: object) -> Command:
    """A pipeline; the arguments are its ``$1``, ``$2`` …"""
    return Command(["sh", "-c", script, "sh", *map(str, arguments)], {})


def seconds(command: Command) -> float:
    """How long a program takes, from before its start until after its end.

    Raises:
        ProgramError: it did not end with 0.
    """
    start = time.perf_counter()
    _finish(command, command.start(subprocess.DEVNULL))
    return time.perf_counter() - start


def output(command: Command) -> tuple[bytes, Memory]:
    """What a program prints, and the most memory it held meanwhile. Watching slows it: this is not for timing.

    Raises:
        ProgramError: it did not end with 0.
    """
    process = command.start(subprocess.PIPE)
    with watched(process.pid) as memory:
        printed = _finish(command, process)
    return printed, memory


def _finish(command: Command, process: subprocess.Popen[bytes]) -> bytes:
    printed, complaint = process.communicate()
    if process.returncode:
        raise ProgramError(f"{' '.join(command.argv)}: exit code {process.returncode}: {complaint.decode()[-500:]}")
    return printed or b""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, its children's apart. Linux: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def is_working(pid: int) -> bool:
    """Whether a thread of a process runs, waits for a processor, or waits for a disk."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it has just ended
        if state in "RD":
            return True
    return False


# -- memory ------------------------------------------------------------------------------------------------------------


@dataclass
class Memory:
    """The most that a process tree held at one time, in bytes."""

    pss: int = 0
    """Sum of the proportional set sizes: a page that n processes share counts as an n-th in each."""
    rss: int = 0
    """Sum of the resident set sizes: a page that n processes share counts n times."""


@contextmanager
def watched(pid: int) -> Iterator[Memory]:
    """Look at a process and all below it while the block runs."""
    memory = Memory()
    over = threading.Event()

    def look() -> None:
        while not over.wait(_PACE):
            held = [_held(each) for each in _tree(pid)]
            memory.pss = max(memory.pss, sum(pss for pss, _ in held))
            memory.rss = max(memory.rss, sum(rss for _, rss in held))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def _tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue  # it has just ended
    return found


def _held(pid: int) -> tuple[int, int]:
    """(PSS, RSS) of one process, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0  # it has just ended
    fields = {line.split()[0]: int(line.split()[1]) << 10 for line in lines[1:]}
    return fields.get("Pss:", 0), fields.get("Rss:", 0)
