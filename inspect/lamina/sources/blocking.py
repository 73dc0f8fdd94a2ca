"""Blocking reads that can be left.

A pipe that nobody writes to, or an engine that has stalled, blocks a read for as long as it likes. No call can be
stopped from outside, so it is made where nobody has to wait for it. The thread reads ahead by a few chunks, so that
waiting for bytes and scanning them overlap.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from lamina.model import Cancelled

T = TypeVar("T")

_AHEAD = 8  # chunks: bounds what is held of a stream that comes faster than it is scanned
_LOOK = 0.05  # seconds between two looks at the cancel event


class BlockingReader:
    """Chunks of a blocking reader.

    Args:
        read: gives the next chunk, b"" at the end; may raise. Called on the reading thread only.
        close: gives the reader's resources back; called once, on the reading thread or by :meth:`close`.
        interrupt: makes a blocked ``read`` return, as far as that is possible; called by :meth:`close`.
    """

    def __init__(
        self,
        read: Callable[[], bytes],
        close: Callable[[], None],
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        self._read = read
        self._close = close
        self._interrupt = interrupt
        self._chunks: queue.Queue[bytes | BaseException] = queue.Queue(_AHEAD)
        self._left = threading.Event()
        self._thread: threading.Thread | None = None

    def chunks(self, cancel: threading.Event, idle: Callable[[], None]) -> Iterator[bytes]:
        """The chunks up to the end; may be called again after a cancel, and goes on where it was.

        Args:
            cancel: looked at all the time.
            idle: called some times a second while nothing comes.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        if self._thread is None:
            # A daemon: a read that never returns must not keep the process.
            self._thread = threading.Thread(target=self._run, name="lamina-reading", daemon=True)
            self._thread.start()
        while True:
            if cancel.is_set():
                raise Cancelled
            try:
                chunk = self._chunks.get(timeout=_LOOK)
            except queue.Empty:
                idle()
                continue
            if isinstance(chunk, BaseException):
                raise chunk
            if not chunk:
                return
            yield chunk

    def close(self) -> None:
        """Leave: the thread ends as soon as its read returns, and is not waited for."""
        self._left.set()
        if self._interrupt is not None:
            self._interrupt()
        if self._thread is None:
            self._close()

    def _run(self) -> None:
        try:
            while not self._left.is_set():
                chunk = self._read()
                self._put(chunk)
                if not chunk:
                    return
        except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits for the chunks
            self._put(error)
        finally:
            self._close()

    def _put(self, chunk: bytes | BaseException) -> None:
        while not self._left.is_set():
            try:
                self._chunks.put(chunk, timeout=_LOOK)
            except queue.Full:
                continue
            return


def answer(call: Callable[[], T], cancel: threading.Event | None = None, idle: Callable[[], None] | None = None) -> T:
    """The result of a blocking call that can be left.

    Args:
        call: made on a thread of its own; what it raises is raised here.
        cancel: when set, the call is left to itself.
        idle: called some times a second while it takes.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="lamina-answer", daemon=True).start()
    while not done.wait(_LOOK):
        if cancel is not None and cancel.is_set():
            raise Cancelled
        if idle is not None:
            idle()
    if errors:
        raise errors[0]
    return results[0]
