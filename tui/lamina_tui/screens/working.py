"""A screen that works on several images in the background: telling, stopping, failing."""

from __future__ import annotations

import threading

from lamina.model import Progress
from lamina_tui.reading_messages import ProgressMade, Rate
from lamina_tui.screens import image_lines
from lamina_tui.screens.base import FullScreen
from lamina_tui.widgets.line_bar import Line


class WorkingScreen(FullScreen):
    """Keeps how far the work is; a subclass does it, and draws."""

    def __init__(self) -> None:
        super().__init__()
        self._cancel = threading.Event()
        self._rate = Rate()
        self._progress: Line = ([], [])
        self._reading = ""  # what is read now, in front of what the reading itself tells
        self._said = ""
        self.busy = False
        self.failed = False

    def on_unmount(self) -> None:
        """Whoever still reads can stop."""
        self._cancel.set()

    def on_progress_made(self, event: ProgressMade) -> None:
        """Show bytes and rate."""
        if self.busy and not self._cancel.is_set():
            self._tell(event.progress, self._rate.add(event.progress.done))

    def _tell(self, progress: Progress, rate: float | None) -> None:
        what = f"{self._reading}: {progress.what}" if self._reading else progress.what
        self._progress = image_lines.progress(Progress(progress.done, progress.total, what), rate, self.glyphs)
        self._show_status()

    def _fail(self, text: str) -> None:
        self.busy, self.failed = False, True
        self.show_notice(text, ["", "  R     read again", "  esc   back", "  q     quit"])
        self.set_focus(None)
        self._show()

    def _show(self) -> None:
        """Draw all that is not a list."""
        raise NotImplementedError

    def _show_status(self) -> None:
        """Draw the status line."""
        raise NotImplementedError
