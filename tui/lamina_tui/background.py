"""Slow work away from the screen's thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from lamina.dataclass import dataclass
from lamina.errors import Cancelled, LaminaError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why work came to nothing."""

    text: str
    """One line; may hold untrusted names."""


async def outcome_of(work: Callable[[], T]) -> T | Failure | None:
    """Run blocking work on a thread of its own, whatever becomes of it.

    Args:
        work: called once.

    Returns:
        What it answers; a Failure where it raised; None where it was cancelled.
    """
    try:
        return await in_thread(work)
    except LaminaError as error:
        return Failure(str(error))
    except Cancelled:
        return None
    except Exception as error:
        # Images and lists are made of untrusted bytes and names: whatever they break, the app stays.
        if os.environ.get("LAMINA_DEBUG"):
            raise
        return Failure(f"a fault of lamina's own ({type(error).__name__}: {error})")


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work on a thread of its own and wait for its result without blocking.

    Not asyncio's pool: Python waits for that at exit, and a source that hangs must not hold the terminal.

    Args:
        work: called once; what it raises is raised here.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def succeed(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def fail(error: BaseException) -> None:
        if not future.done():
            future.set_exception(error)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed on to who waits
            deliver(partial(fail, error))
        else:
            deliver(lambda: succeed(result))

    def deliver(call: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # the loop is closed: the app has quit and nobody waits any more

    threading.Thread(target=run, name="lamina-work", daemon=True).start()
    return await future
