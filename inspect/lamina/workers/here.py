"""Jobs on the caller's own thread: for the smallest work, which waits for nobody to start."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lamina.model import Cancelled

if TYPE_CHECKING:
    from lamina.workers.jobs import Job, Result


def run_here(
    jobs: Sequence[Job],
    cancel: threading.Event,
    done: Callable[[int, Result], None],
    advance: Callable[[int], None],
) -> None:
    """One job after the other; see :meth:`lamina.workers.pool.Pool.run`."""
    for place, job in enumerate(jobs):
        if cancel.is_set():
            raise Cancelled
        done(place, job.run(cancel, advance))
