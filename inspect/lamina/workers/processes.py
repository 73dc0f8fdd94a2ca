"""Worker processes as their parent sees them: started, given jobs, ended.

A process with one thread alone forks them: they are there at once, and share the pages of all that is loaded. A process
with more threads starts them from nothing: a forked one would inherit the locks other threads hold, and nobody to
release them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from lamina.model import LaminaError
from lamina.workers.forked import alone, fork
from lamina.workers.jobs import Job
from lamina.workers.worker import Advanced, Done, Failed, Message, work


class _Process(Protocol):
    """A child process."""

    pid: int

    def kill(self) -> None:
        """End it, wherever it is."""

    def wait(self) -> int:
        """Its exit code, once it has ended; negative: the signal."""


class Worker:
    """One worker process and the line to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self.process: _Process = fork(theirs, work) if alone() else _spawn(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.line: Connection[Job, Message] = Connection(ours.detach())
        self.job: int | None = None

    def give(self, place: int, job: Job) -> None:
        """Start on a job."""
        self.job = place
        try:
            self.line.send(job)
        except OSError:
            raise _died(self) from None

    def receive(self) -> Message:
        """What it says next."""
        try:
            message = self.line.recv()
        except (EOFError, OSError):
            raise _died(self) from None
        assert isinstance(message, Done | Failed | Advanced)
        return message

    def stop(self) -> None:
        """End it."""
        with suppress(OSError):
            self.line.close()
        self.process.kill()  # it holds nothing that could be lost
        self.process.wait()


def _died(worker: Worker) -> LaminaError:
    worker.process.kill()
    status = worker.process.wait()
    how = f"signal {-status}" if status < 0 else f"exit code {status}"
    return LaminaError(f"a process that was reading layers ended ({how}): is there enough memory?")


def _spawn(theirs: socket.socket) -> _Process:
    package_root = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {package_root!r}); from lamina.workers.worker import main; main()"
    return subprocess.Popen(  # noqa: S603  # our own interpreter and our own code
        # -P: not a module of whatever folder the user stands in.
        [sys.executable, "-P", "-c", code, str(theirs.fileno()), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        # Nothing here multiplies matrices: BLAS threads would only cost memory and time to start.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


def start(count: int) -> list[Worker]:
    """New workers; none where this machine doesn't let us start any."""
    workers: list[Worker] = []
    if not sys.executable:  # an interpreter inside another program
        return workers
    with suppress(OSError):
        for _ in range(count):
            workers.append(Worker())  # noqa: PERF401  # those that did start are worth having
    return workers
