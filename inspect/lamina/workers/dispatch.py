"""Jobs handed to workers: processes, and a thread of this process that takes its share beside them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_connections

from lamina.model import Cancelled, LaminaError
from lamina.workers.jobs import Job, Result
from lamina.workers.processes import Worker
from lamina.workers.worker import Advanced, Done, Failed, Message, Teller

_LOOK = 0.05  # seconds between two looks at the cancel event

Handle = Callable[[int, Result], None]


class Here:
    """A thread of this process that works as the workers do.

    Args:
        first: done before the first job, while the other workers begin on theirs; None: nothing.
    """

    def __init__(self, first: Callable[[], None] | None = None) -> None:
        self._first = first
        ours, theirs = socket.socketpair()
        self.line: Connection[None, Advanced | None] = Connection(ours.detach())
        self._theirs: Connection[Advanced | None, None] = Connection(theirs.detach())
        self.job: int | None = None
        self._stop = threading.Event()
        self._message: Message | BaseException | None = None
        self._thread: threading.Thread | None = None

    def give(self, place: int, job: Job) -> None:
        """Start on a job."""
        if self._first is not None:
            self._first()
            self._first = None
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


def run_with(
    workers: Sequence[Worker | Here],
    jobs: Sequence[Job],
    cancel: threading.Event,
    done: Handle,
    advance: Callable[[int], None],
) -> None:
    """Hand jobs to workers as they become free, and end the workers; see :meth:`lamina.workers.pool.Pool.run`."""
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


def _give(worker: Worker | Here, waiting: Iterator[tuple[int, Job]]) -> bool:
    """Hand a worker the next job; False where there is none."""
    for place, job in waiting:
        worker.give(place, job)
        return True
    return False
