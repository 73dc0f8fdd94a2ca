"""Many jobs at once, on all cores, each result handed over on the caller's thread.

Large work goes to worker processes, which share no interpreter lock; where no screen has to be drawn, this process
takes its share too, at once, while the workers start. Small work, for which a process would not have started yet, goes
to threads. All look the same from outside.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_connections

from lamina.model import Cancelled, LaminaError
from lamina.workers import meanwhile
from lamina.workers.jobs import Job, Result
from lamina.workers.processes import Worker, start
from lamina.workers.worker import Advanced, Done, Failed, Message, Teller

_LOOK = 0.05  # seconds between two looks at the cancel event
_WORTH_PROCESSES = 96 << 20
"""Bytes below which workers are not worth their start (a fifth of a second each, where they can't be forked)."""

Handle = Callable[[int, Result], None]


def run_jobs(
    jobs: Sequence[Job],
    cancel: threading.Event,
    done: Handle,
    advance: Callable[[int], None],
    *,
    processes: bool | None = None,
) -> None:
    """Run jobs in the order given, as many at a time as there are cores.

    Args:
        jobs: what to do, the longest first where that matters.
        cancel: looked at some twenty times a second; what is running then is dropped.
        done: gets (place of the job in ``jobs``, result) on this thread.
        advance: gets the bytes done since it was last called, on this thread, some twenty times a second.
        processes: whether in worker processes; None decides by the bytes.

    Raises:
        LaminaError: the first error of a job; the others are dropped.
        Cancelled: ``cancel`` was set.
    """
    if not jobs:
        return
    wanted = min(_cores(), len(jobs))
    here = False
    if processes is None:
        processes = sum(job.cost for job in jobs) >= _WORTH_PROCESSES
        here = processes and not _drawing
    workers = start(wanted - here) if processes else []
    if workers:
        # The workers come first: what is left to be loaded here is loaded while they begin.
        _run_with([*workers, *([_Here()] if here else [])], jobs, cancel, done, advance)
    else:
        _run_in_threads(jobs, cancel, done, advance)


def leave_this_process_free() -> None:
    """From now on workers do all large work: this process draws a screen, and keys must not wait."""
    global _drawing  # noqa: PLW0603  # a fact of the process, not of a call
    _drawing = True


_drawing = False


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


# -- processes ---------------------------------------------------------------------------------------------------------


class _Here:
    """A thread of this process that works as the workers do."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.line: Connection[None, Advanced | None] = Connection(ours.detach())
        self._theirs: Connection[Advanced | None, None] = Connection(theirs.detach())
        self.job: int | None = None
        self._stop = threading.Event()
        self._message: Message | BaseException | None = None
        self._thread: threading.Thread | None = None

    def give(self, place: int, job: Job) -> None:
        """Start on a job."""
        meanwhile.do()
        self.job = place
        self._thread = threading.Thread(target=self._work, args=(job,), name="lamina-layer", daemon=True)
        self._thread.start()

    def _work(self, job: Job) -> None:
        teller = Teller(self._theirs)
        try:
            self._message = Done(job.run(self._stop, teller.advance))
        except LaminaError as error:
            self._message = Failed(str(error))
        except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits
            self._message = error
        with suppress(OSError):
            self._theirs.send(None)  # the result itself need not be sent

    def receive(self) -> Message:
        """What it says next."""
        told = self.line.recv()
        if told is not None:
            return told
        if isinstance(self._message, BaseException):
            raise self._message
        assert self._message is not None
        return self._message

    def stop(self) -> None:
        """Leave the job."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.line.close()
        self._theirs.close()


def _run_with(
    workers: Sequence[Worker | _Here],
    jobs: Sequence[Job],
    cancel: threading.Event,
    done: Handle,
    advance: Callable[[int], None],
) -> None:
    waiting = iter(enumerate(jobs))
    try:
        busy = {worker.line: worker for worker in workers if _give(worker, waiting)}
        while busy:
            for ready in wait_connections(list(busy), timeout=_LOOK):
                line = next(line for line in busy if line is ready)
                worker = busy[line]
                message = worker.receive()
                if isinstance(message, Advanced):
                    advance(message.bytes)
                    continue
                if isinstance(message, Failed):
                    raise LaminaError(message.message)
                assert worker.job is not None
                job = worker.job
                if not _give(worker, waiting):
                    del busy[line]
                done(job, message.result)
            if cancel.is_set():
                raise Cancelled
    finally:
        # Even if more is to be read soon: what they hold is better used until then.
        for worker in workers:
            worker.stop()


def _give(worker: Worker | _Here, waiting: Iterator[tuple[int, Job]]) -> bool:
    """Hand a worker the next job; False where there is none."""
    for place, job in waiting:
        worker.give(place, job)
        return True
    return False


# -- threads -----------------------------------------------------------------------------------------------------------


def _run_in_threads(jobs: Sequence[Job], cancel: threading.Event, done: Handle, advance: Callable[[int], None]) -> None:
    stop = threading.Event()  # the user's wish, or another job's error
    counter = _Counter()
    pool = ThreadPoolExecutor(min(_cores(), len(jobs)), thread_name_prefix="lamina-layer")
    try:
        try:
            places: dict[Future[Result], int] = {
                pool.submit(job.run, stop, counter.add): place for place, job in enumerate(jobs)
            }
        except RuntimeError:  # not even a thread can be started: then one after the other
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            for place, job in enumerate(jobs):
                done(place, job.run(cancel, advance))
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
