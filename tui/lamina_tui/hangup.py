"""What becomes of the process without its terminal: it ends, or waits for a shell that can give it back.

Where the terminal goes away the process ends, whatever Textual's threads do. A terminal that is closed sends SIGHUP to
its own session only; elsewhere reading from it ends at once, for ever: Textual's input thread would spin on that, and
Python waits for that thread at exit.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

HANGUP = 129
"""Exit code: as a shell tells of SIGHUP."""

_GRACE = 2.0  # seconds for an end in order


def watch(ask: Callable[[], object]) -> None:
    """Wait for the terminal on standard input to go, on a thread of its own and without using the processor.

    Args:
        ask: asks the app to end, from any thread; where it has not done so in time, the process ends without it.
    """
    if hasattr(select, "poll"):
        threading.Thread(target=_wait, args=(ask,), name="lamina-hangup", daemon=True).start()


def _wait(ask: Callable[[], object]) -> None:
    waiting = select.poll()
    waiting.register(0, 0)  # hanging up is told unasked
    try:
        told = waiting.poll()
    except OSError:
        return
    if not any(event & select.POLLHUP for _, event in told):
        return
    try:
        ask()
    finally:
        time.sleep(_GRACE)
        leave(HANGUP)


def can_be_resumed() -> bool:
    """Whether a shell with job control waits for this process: one that stops itself otherwise stops for ever.

    Such a shell gives each job a process group of its own and stays in its session. A terminal emulator's, a
    container's or ssh's only command leads the session instead; and a job whose shell has ended has a parent elsewhere.
    The kernel drops SIGTSTP for such orphaned groups, but stopping with the terminal restored takes SIGSTOP.
    """
    session = os.getsid(0)
    try:
        return os.getpgrp() != session and os.getsid(os.getppid()) == session
    except OSError:
        return False


def leave_if_held(code: int) -> int:
    """End now where Textual's input thread would keep the process alive for nobody; else answer the exit code."""
    if any(thread.name == "textual-input" for thread in threading.enumerate()):
        leave(code)
    return code


def leave(code: int) -> NoReturn:
    """End without waiting for any thread."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # nobody listens any more
    os._exit(code)
