"""How many jobs run at once, and where; the results are handed over on the caller's thread.

Large work goes to worker processes, which share no interpreter lock; where no screen has to be drawn, this process
takes its share too, at once, while the workers start. Work for which a process would not have started yet goes to
threads, and what is done before those would pay to the caller's own. All look the same from outside. What runs jobs is
loaded when there are some: an image that was read before needs none.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamina.workers.jobs import Job, Result

WORTH_PROCESSES = 96 << 20
"""Bytes below which workers are not worth their start (a fifth of a second each, where they can't be forked)."""

WORTH_THREADS = 16 << 20
"""Bytes below which threads are not worth their start: loading what runs them takes some hundredths of a second."""


class Pool:
    """Where jobs run. It holds no thread and no process: those live as long as one call of :meth:`run`.

    Args:
        count: jobs at a time; None: as many as there are cores. One alone runs on the caller's own thread.
        processes: whether large work may go to worker processes. A process of one thread forks them.
        joins: whether this process takes its share beside them; a process that draws a screen had better not.
        worth: bytes from which on work is large.
        meanwhile: what else takes time and has no result (loading the modules that are needed next): done while worker
            processes begin, before this process takes its share. It may be called several times, or not at all.
    """

    def __init__(
        self,
        count: int | None = None,
        *,
        processes: bool = False,
        joins: bool = True,
        worth: int = WORTH_PROCESSES,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        self._count = cores() if count is None else count
        self._processes = processes
        self._joins = joins
        self._worth = worth
        self._meanwhile = meanwhile

    def run(
        self,
        jobs: Sequence[Job],
        cancel: threading.Event,
        done: Callable[[int, Result], None],
        advance: Callable[[int], None],
    ) -> None:
        """Run jobs in the order given.

        Args:
            jobs: what to do, the longest first where that matters.
            cancel: looked at some twenty times a second; what is running then is dropped.
            done: gets (place of the job in ``jobs``, result) on this thread.
            advance: gets the bytes done since it was last called, on this thread.

        Raises:
            LaminaError: the first error of a job; the others are dropped.
            Cancelled: ``cancel`` was set.
        """
        if not jobs:
            return
        cost = sum(job.cost for job in jobs)
        if self._processes and cost >= self._worth:
            from lamina.workers.dispatch import Here, run_with
            from lamina.workers.processes import start

            # The workers come first: what is left to be loaded here is loaded while they begin.
            workers = start(min(self._count, len(jobs)) - self._joins)
            if workers:
                here = [Here(self._meanwhile)] if self._joins else []
                run_with([*workers, *here], jobs, cancel, done, advance)
                return
        if self._count == 1 or cost < min(WORTH_THREADS, self._worth):
            from lamina.workers.here import run_here

            run_here(jobs, cancel, done, advance)
            return
        from lamina.workers.threads import run_in_threads

        run_in_threads(jobs, self._count, cancel, done, advance)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
