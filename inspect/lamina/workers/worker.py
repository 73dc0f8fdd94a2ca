"""A worker process: takes jobs from its parent, one at a time, and sends back what comes of them.

Forked where that is sound, else started as ``python -c "…main()" FD``, rather than by :mod:`multiprocessing`: that
would import the program's main module again, start a helper process of its own, and fork a process that has threads.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from lamina.model import LaminaError
from lamina.workers.forked import end_with
from lamina.workers.jobs import Job, Result

_PACE = 0.05  # seconds between two words on progress


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
    end_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ctrl-c is the parent's business
    work(Connection(int(sys.argv[1])))


def work(connection: Connection[Message, Job]) -> None:
    """Do the jobs that come, one at a time, until the line is closed."""
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
