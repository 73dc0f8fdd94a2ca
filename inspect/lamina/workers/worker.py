"""A worker process: takes jobs from its parent, one at a time, and sends back what comes of them.

Forked where that is sound, else started as ``python -c "…main()" FD``, rather than by :mod:`multiprocessing`: that
would import the program's main module again, start a helper process of its own, and fork a process that has threads.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn

from lamina.model import LaminaError
from lamina.workers.jobs import Job, Result

_PACE = 0.05  # seconds between two words on progress
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Done(NamedTuple):
    """A job is done."""

    result: Result


class Failed(NamedTuple):
    """A job can't be done."""

    message: str


class Advanced(NamedTuple):
    """A job has come further."""

    bytes: int


Message = Done | Failed | Advanced


def main() -> None:
    """Work until the parent closes the connection: arguments are its descriptor, and the parent's process ID."""
    _end_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ctrl-c is the parent's business
    _work(Connection(int(sys.argv[1])))


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent: one that unpacks notices a closed line much later."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before that
            os._exit(1)


def begin_forked(line: int, parent: int) -> NoReturn:
    """Be a worker from here on: the rest of what the forked process was about to do is not done.

    Args:
        line: the descriptor of the connection to the parent.
        parent: the parent's process ID.
    """
    code = 1
    try:
        _end_with(parent)
        # What the parent held is never finalised here: a file closed late could close another under its number.
        gc.freeze()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        # Above all the other ends of its own and its brothers' lines, which would never be seen to close.
        for descriptor in [int(entry.name) for entry in os.scandir("/proc/self/fd")]:
            if descriptor > 2 and descriptor != line:
                with suppress(OSError):
                    os.close(descriptor)
        _work(Connection(line))
        code = 0
    finally:
        os._exit(code)  # no handler of the parent's exit, no buffer of its output


def _work(connection: Connection[Message, Job]) -> None:
    never = threading.Event()  # a job that is not wanted any more ends with its process
    while True:
        try:
            job = connection.recv()
        except (EOFError, OSError):
            return
        teller = Teller(connection)
        try:
            message: Message = Done(job.run(never, teller.advance))
        except LaminaError as error:
            message = Failed(str(error))
        try:
            teller.tell()
            connection.send(message)
        except OSError:  # the parent has gone
            return


class Teller:
    """Sums up progress, so that small steps don't flood the connection."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._bytes = 0
        self._next = 0.0

    def advance(self, count: int) -> None:
        """``count`` more bytes are done."""
        self._bytes += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PACE
            self.tell()

    def tell(self) -> None:
        """Send what was not sent yet."""
        if self._bytes:
            self._connection.send(Advanced(self._bytes))
            self._bytes = 0


if __name__ == "__main__":
    main()
