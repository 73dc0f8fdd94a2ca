"""A process that is forked and then goes its own way: nothing of what its parent was about to do is done in it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Forked:
    """A child made by :func:`os.fork`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def kill(self) -> None:
        """End it, wherever it is."""
        self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended and nobody but it has its number."""
        if self._code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, once it has ended; negative: the signal."""
        if self._code is None:
            _, status = os.waitpid(self.pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code


def alone() -> bool:
    """Whether this process has one thread, whoever made them. Only Linux says, and forks soundly."""
    try:
        return sys.platform == "linux" and len(list(os.scandir("/proc/self/task"))) == 1
    except OSError:
        return False


def fork(theirs: socket.socket, work: Callable[[Connection[Any, Any]], None]) -> Forked:
    """Do some work in a child, which ends with it, or with this process.

    Args:
        theirs: the child's end of the line between the two; this process closes it.
        work: gets that line.

    Raises:
        OSError: this machine lets no process be started.
    """
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        _begin(theirs.fileno(), parent, work)
    return Forked(pid)


def end_with(parent: int) -> None:
    """Have the kernel end this process with its parent: one that unpacks notices a closed line much later."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before that
            os._exit(1)


def _begin(line: int, parent: int, work: Callable[[Connection[Any, Any]], None]) -> NoReturn:
    code = 1
    try:
        end_with(parent)
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
        work(Connection(line))
        code = 0
    finally:
        os._exit(code)  # no handler of the parent's exit, no buffer of its output
