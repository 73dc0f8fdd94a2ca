"""Progress on stderr, for people who watch a command work."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from lamina.amounts import size_bytes
from lamina.model import Cancelled, ImageInfo, LaminaError, Progress
from lamina.names import display_name

if TYPE_CHECKING:
    from lamina.layers.index import LayerFacts

_PACE = 0.1  # seconds between two drawings


class ProgressLine:
    """An observer that keeps one line on a terminal up to date; silent where stderr is none.

    While it is in use, an interrupt sets :attr:`cancel`, so that a reading ends in order;
    a second one ends at once.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stderr = stream
        self._stream = stream if stream.isatty() else None
        self._next = 0.0
        self._drawn = False
        self.cancel = threading.Event()
        self._before: Any = None

    def head(self, info: ImageInfo) -> None:
        """Nothing to tell yet."""

    def layer(self, index: int, facts: LayerFacts) -> None:
        """Nothing to tell: the progress does."""

    def progress(self, progress: Progress) -> None:
        """Draw bytes done."""
        now = time.monotonic()
        if self._stream is None or now < self._next:
            return
        self._next = now + _PACE
        line = f"{display_name(progress.what)}  {size_bytes(progress.done)}"
        if progress.total:
            line += f" of {size_bytes(progress.total)}"
        import shutil  # slow to load, where nobody watches

        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r\x1b[K" + line[:width])
        self._stream.flush()
        self._drawn = True

    def remark(self, text: str) -> None:
        """Say a line that stays; an empty one is not said."""
        if not text:
            return
        self.clear()
        with suppress(OSError, AttributeError):  # nobody listens, or there is no such stream
            print(f"lamina: {display_name(text)}", file=self._stderr)

    def hide(self) -> None:
        """Leave the terminal to what is printed now."""
        self.clear()
        self._stream = None

    def check(self) -> None:
        """Go no further where an interrupt came.

        Raises:
            Cancelled: it did.
        """
        if self.cancel.is_set():
            raise Cancelled

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        self.clear()
        # What an input lacks matters no more to whoever gave it up: often it ended because of the interrupt.
        if self.cancel.is_set() and (kind is None or issubclass(kind, LaminaError)):
            raise KeyboardInterrupt from None

    def clear(self) -> None:
        """Take the line away, until there is more to tell."""
        if self._drawn and self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.cancel.is_set():
            raise KeyboardInterrupt
        self.cancel.set()
