"""Telling progress, at a pace a screen can follow."""

from __future__ import annotations

import time
from collections.abc import Callable

from lamina.model import Progress

_PACE = 0.1  # seconds between two reports
_LONG = 2.0  # seconds of waiting after which these are told


class Ticker:
    """Passes progress on at most some ten times a second.

    Args:
        tell: takes the reports; None: nobody listens.
        total: bytes to read, None where nobody knows.
        what: a short phrase of what is being done.
        then: the phrase from the first byte on, where it is another.
    """

    def __init__(
        self, tell: Callable[[Progress], None] | None, total: int | None, what: str, *, then: str | None = None
    ) -> None:
        self._tell = tell
        self.total = total
        self._what = what
        self.done = 0
        self._then = then
        self._next = 0.0
        self._begun = time.monotonic()

    def say(self, what: str) -> None:
        """From now on this is being done."""
        self._what, self._then = what, None

    def advance(self, count: int) -> None:
        """``count`` more bytes are done."""
        self.done += count
        self.tick()

    def reach(self, done: int) -> None:
        """``done`` bytes are done in all."""
        if done and self._then is not None:
            self.say(self._then)
        self.done = done
        self.tick()

    def tick(self, *, now: bool = False) -> None:
        """Report if it is time; with ``now`` whatever the time."""
        if self._tell is None:
            return
        moment = time.monotonic()
        if now or moment >= self._next:
            self._next = moment + _PACE
            total = self.total if self.total is None or self.done <= self.total else None
            waited = moment - self._begun
            told = f"{self._what} ({waited:.0f} s)" if not self.done and waited >= _LONG else self._what
            self._tell(Progress(self.done, total, told))
