"""Many jobs at once, on all cores, each result handed over on the caller's thread.

Large work goes to worker processes, which share no interpreter lock; where no screen has to be drawn, this process
takes its share too, at once, while the workers start. Small work, for which a process would not have started yet, goes
to threads. All look the same from outside.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_connections
from pathlib import Path

from lamina.layers.jobs import Job, Result
from lamina.layers.worker import PATIENCE, Advanced, Done, Failed, Message, Teller
from lamina.model import Cancelled, LaminaError

_LOOK = 0.05  # seconds between two looks at the cancel event
_WORTH_PROCESSES = 96 << 20
"""Bytes below which workers are not worth their start (a sixth of a second each)."""

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
    if processes is None:
        worth = len(jobs) > 1 and sum(job.cost for job in jobs) >= _WORTH_PROCESSES
        count = min(_cores(), len(jobs))
        workers = _hire(count if _drawing else count - 1) if worth else []
        if workers:
            here: list[_Worker | _Here] = [] if _drawing else [_Here()]
            _run_with([*here, *workers], jobs, cancel, done, advance)
            _keep(workers)
            return
    elif processes:
        workers = _start(min(_cores(), len(jobs)))
        if workers:
            try:
                _run_with(workers, jobs, cancel, done, advance)
            finally:
                for worker in workers:
                    worker.stop()
            return
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


class _Worker:
    """One worker process and the line to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            package_root = str(Path(__file__).resolve().parents[2])
            code = f"import sys; sys.path.insert(0, {package_root!r}); from lamina.layers.worker import main; main()"
            # Nothing here multiplies matrices: BLAS threads would only cost memory and time to start.
            environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own code
                # -P: not a module of whatever folder the user stands in.
                [sys.executable, "-P", "-c", code, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.line: Connection[Job, Message] = Connection(ours.detach())
        self.job: int | None = None
        self.idle_since = 0.0

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
        with suppress(OSError):
            self.line.close()
        self.process.kill()  # it holds nothing that could be lost
        self.process.wait()


def _start(count: int) -> list[_Worker]:
    """Workers; none where this machine doesn't let us start any."""
    workers: list[_Worker] = []
    if not sys.executable:  # an interpreter inside another program
        return workers
    with suppress(OSError):
        for _ in range(count):
            workers.append(_Worker())  # noqa: PERF401  # those that did start are worth having
    return workers


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
    workers: Sequence[_Worker | _Here],
    jobs: Sequence[Job],
    cancel: threading.Event,
    done: Handle,
    advance: Callable[[int], None],
) -> None:
    waiting = iter(enumerate(jobs))
    whole = False
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
        whole = True
    finally:
        for worker in workers:
            if not whole or isinstance(worker, _Here):
                worker.stop()


def _give(worker: _Worker | _Here, waiting: Iterator[tuple[int, Job]]) -> bool:
    """Hand a worker the next job; False where there is none."""
    for place, job in waiting:
        worker.give(place, job)
        return True
    return False


_idle: list[_Worker] = []
_idle_lock = threading.Lock()


def _hire(count: int) -> list[_Worker]:
    """Workers: those that lately became idle, and new ones."""
    oldest = time.monotonic() - PATIENCE / 2
    with _idle_lock:
        found = [_idle.pop() for _ in range(min(count, len(_idle)))]
    for worker in found:
        if worker.idle_since < oldest:  # it may be about to end
            worker.stop()
    found = [worker for worker in found if worker.idle_since >= oldest]
    return found + _start(count - len(found))


def _keep(workers: Sequence[_Worker]) -> None:
    """Let workers wait a moment: one reading is often followed by another, and a start takes a sixth of a second."""
    now = time.monotonic()
    for worker in workers:
        worker.idle_since = now
    with _idle_lock:
        _idle.extend(workers)


@atexit.register
def _dismiss() -> None:
    """End the workers that are idle."""
    while _idle:
        _idle.pop().stop()


def _died(worker: _Worker) -> LaminaError:
    worker.process.kill()
    status = worker.process.wait()
    how = f"signal {-status}" if status < 0 else f"exit code {status}"
    return LaminaError(f"a process that was reading layers ended ({how}): is there enough memory?")


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
