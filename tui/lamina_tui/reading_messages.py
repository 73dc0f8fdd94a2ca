"""Reading one image while the screen lives: what the reading thread tells, as messages."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from textual.message import Message

from lamina.layers.index import LayerFacts
from lamina.model import ImageInfo, Progress

_WINDOW = 3.0  # seconds that a rate is measured over


class HeadKnown(Message):
    """The image's layers are known, their content not yet."""

    def __init__(self, info: ImageInfo) -> None:
        super().__init__()
        self.info = info


class LayerKnown(Message):
    """One layer is read."""

    def __init__(self, index: int, size: int) -> None:
        super().__init__()
        self.index = index
        self.size = size


class ProgressMade(Message):
    """How far the reading has come."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


class ScreenObserver:
    """Passes what the reading thread finds to a screen; posting is safe from any thread.

    Args:
        post: the screen's ``post_message``.
    """

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post

    def head(self, info: ImageInfo) -> None:
        """The config is known."""
        self._post(HeadKnown(info))

    def layer(self, index: int, facts: LayerFacts) -> None:
        """A layer is read."""
        self._post(LayerKnown(index, facts.size))

    def progress(self, progress: Progress) -> None:
        """Bytes came."""
        self._post(ProgressMade(progress))


class Rate:
    """Bytes per second over the last few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, done: int) -> float | None:
        """Note how many bytes are done now.

        Returns:
            Bytes per second, None while there is too little to tell.
        """
        now = self._clock()
        self._samples.append((now, done))
        while self._samples[0][0] < now - _WINDOW:
            self._samples.popleft()
        first_time, first_done = self._samples[0]
        if now - first_time < 0.3:
            return None
        return (done - first_done) / (now - first_time)
