"""Reading ahead: a child reads an image while this process loads what it will draw it with.

What the child reads it leaves in the cache, where the ordinary reading then finds it; meanwhile it tells how far it is.
So nothing depends on it: where it fails, or there is no cache, the image is read as ever.
"""

from __future__ import annotations

import builtins
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from lamina.model import ImageInfo, ImageSummary, KnownImage, Progress
from lamina.workers.forked import Forked, alone, fork
from lamina.workers.pool import cores

if TYPE_CHECKING:
    from lamina.layers.index import LayerFacts
    from lamina.sources.base import Observer, ReadImage, Source

_LOOK = 0.05
"""Seconds between two looks at the cancel event."""
_PATIENCE = 0.3
"""Seconds that a child gets to tell what it has read when it is to stop."""

Work = Callable[["Observer", threading.Event], "ReadImage | None"]
"""Reads an image into the cache; answers it where that was stopped."""


class Ahead:
    """The child, and what it tells.

    Args:
        child: its process.
        line: what it tells comes from there.
    """

    def __init__(self, child: Forked, line: Connection[Any, Any]) -> None:
        self._child = child
        self._line = line

    def follow(self, observer: Observer, cancel: threading.Event) -> tuple[_Rest, ReadImage | None]:
        """Pass on what the child tells, until it has ended or ``cancel`` is set.

        Returns:
            An observer for the ordinary reading, which repeats nothing; and what was read, where it was stopped.
        """
        rest = _Rest(observer)
        read: ReadImage | None = None
        deadline = None
        try:
            while deadline is None or time.monotonic() < deadline:
                if cancel.is_set() and deadline is None:
                    deadline = time.monotonic() + _PATIENCE
                    self._child.send(signal.SIGUSR1)
                if not self._line.poll(_LOOK):
                    continue
                kind, *told = self._line.recv()
                if kind == "read":
                    read = told[0]
                elif not cancel.is_set():
                    getattr(rest, kind)(*told)
        except (EOFError, OSError):
            pass  # it has ended
        finally:
            self.stop()
        return rest, read

    def stop(self) -> None:
        """End the child."""
        with suppress(OSError):
            self._line.close()
        self._child.kill()
        self._child.wait()


class _Rest:
    """Passes on what was not told before."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._head = ""
        self._layers: set[int] = set()

    def head(self, info: ImageInfo) -> None:
        """See :class:`lamina.sources.base.Observer`."""
        if info.id != self._head:
            self._head = info.id
            self._layers.clear()
            self._observer.head(info)

    def layer(self, index: int, facts: LayerFacts) -> None:
        """See :class:`lamina.sources.base.Observer`."""
        if index not in self._layers:
            self._layers.add(index)
            self._observer.layer(index, facts)

    def progress(self, progress: Progress) -> None:
        """See :class:`lamina.sources.base.Observer`."""
        self._observer.progress(progress)


class _Teller:
    """Sends what a reading finds."""

    def __init__(self, line: Connection[Any, Any]) -> None:
        self._line = line

    def head(self, info: ImageInfo) -> None:
        """See :class:`lamina.sources.base.Observer`."""
        self._line.send(("head", info))

    def layer(self, index: int, facts: LayerFacts) -> None:
        """See :class:`lamina.sources.base.Observer`."""
        self._line.send(("layer", index, facts))

    def progress(self, progress: Progress) -> None:
        """See :class:`lamina.sources.base.Observer`."""
        self._line.send(("progress", progress))


def read_ahead(work: Work) -> Ahead | None:
    """Begin to read in a child; None where this process can't soundly be forked, or has one processor only."""
    if cores() < 2 or not alone():
        return None
    ours, theirs = socket.socketpair()

    def run(line: Connection[Any, Any]) -> None:
        cancel = threading.Event()
        signal.signal(signal.SIGUSR1, lambda *_: cancel.set())
        # Whatever is wrong with the image shows where it is read in the ordinary way.
        with suppress(Exception):
            read = work(_Teller(line), cancel)
            if read is not None:
                read.content = read.cache = None  # what they hold is this process's own
                line.send(("read", read))

    try:
        child = fork(theirs, run)
    except OSError:
        ours.close()
        return None
    finally:
        theirs.close()
    return Ahead(child, Connection(ours.detach()))


class AheadSource:
    """A source one of whose images is read ahead.

    Args:
        source: that one.
        ahead: what reads it.
    """

    def __init__(self, source: Source, ahead: Ahead) -> None:
        self._source = source
        self._ahead: Ahead | None = ahead

    @property
    def label(self) -> str:
        """See :attr:`lamina.sources.base.Source.label`."""
        return self._source.label

    @property
    def remark(self) -> str:
        """See :attr:`lamina.sources.base.Source.remark`."""
        return self._source.remark

    @property
    def knows_sizes(self) -> bool:
        """See :attr:`lamina.sources.base.Source.knows_sizes`."""
        return self._source.knows_sizes

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> builtins.list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        return self._source.list(cancel, progress)

    def known_images(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`."""
        return self._source.known_images(cancel, progress)

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`; the first time what was read ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            observer, stopped = ahead.follow(observer, cancel)
            if stopped is not None:
                return stopped
        return self._source.read(target, observer, cancel, verify=verify)
