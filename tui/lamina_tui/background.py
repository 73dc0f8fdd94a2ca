"""Slow work away from the screen's thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


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
