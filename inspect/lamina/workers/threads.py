"""Jobs on threads of this process: for smaller work, and where no process is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from lamina.model import Cancelled
from lamina.workers.here import run_here
from lamina.workers.jobs import Job, Result

_LOOK = 0.05  # seconds between two looks at the cancel event

Handle = Callable[[int, Result], None]


def run_in_threads(
    jobs: Sequence[Job], count: int, cancel: threading.Event, done: Handle, advance: Callable[[int], None]
) -> None:
    """As many jobs at a time as ``count`` says; see :meth:`lamina.workers.pool.Pool.run`."""
    stop = threading.Event()  # the user's wish, or another job's error
    counter = _Counter()
    pool = ThreadPoolExecutor(min(count, len(jobs)), thread_name_prefix="lamina-layer")
    try:
        try:
            places: dict[Future[Result], int] = {
                pool.submit(job.run, stop, counter.add): place for place, job in enumerate(jobs)
            }
        except RuntimeError:  # not even a thread can be started: then one after the other
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            run_here(jobs, cancel, done, advance)
            return
        waiting = set(places)
        while waiting:
            finished, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in finished:
                done(places[future], future.result())
            advance(counter.take())
            if cancel.is_set():
                raise Cancelled
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


class _Counter:
    """Bytes counted by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count

    def take(self) -> int:
        with self._lock:
            count, self._count = self._count, 0
            return count
