"""A screen that reads one image in the background: starting, telling, stopping, failing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual import work

from lamina.figures.image import LoadedImage, load
from lamina.model import ImageInfo, Progress
from lamina.sources.base import Source
from lamina_tui.background import Failure, outcome_of
from lamina_tui.reading_messages import HeadKnown, LayerKnown, ProgressMade, Rate, ScreenObserver
from lamina_tui.screens.base import FullScreen

Opener = Callable[[], tuple[Source, str | None]]
"""Answers a source and the image within it; runs on a thread, may raise LaminaError."""


class ReadingScreen(FullScreen):
    """Reads an image away from the screen's thread; a subclass shows what comes.

    Args:
        opener: answers the source and the image in it.
        label: how the user calls the image; untrusted.
    """

    def __init__(self, opener: Opener, label: str) -> None:
        super().__init__()
        self._opener = opener
        self._cancel = threading.Event()
        self._rate = Rate()
        self.label = label
        self.source: Source | None = None
        self.info: ImageInfo | None = None
        self.image: LoadedImage | None = None
        self.reading = False
        self.failed = False

    @property
    def ends_with(self) -> int:
        """3 where the image could not be read."""
        return 3 if self.failed else 0

    # What a subclass shows

    def show_head(self, info: ImageInfo) -> None:
        """The layers are known, their content is not."""
        raise NotImplementedError

    def show_layer(self, index: int, size: int) -> None:
        """A layer was read; size in bytes."""
        raise NotImplementedError

    def show_progress(self, progress: Progress, rate: float | None) -> None:
        """Bytes came; rate in bytes per second, where it is known."""
        raise NotImplementedError

    def show_image(self, image: LoadedImage) -> None:
        """All figures are there; of a reading that was stopped, those of the layers read."""
        raise NotImplementedError

    def show_failure(self, text: str) -> None:
        """The image can't be read; the text may hold untrusted names."""
        raise NotImplementedError

    # The reading

    def start_reading(self) -> None:
        """Read the image, from the beginning."""
        self._cancel.set()
        self._cancel = threading.Event()
        self._rate = Rate()
        self.reading, self.failed = True, False
        self.image = None
        self.show_progress(Progress(0, None, "opening …"), None)
        self._read(self._cancel)

    @property
    def stopping(self) -> bool:
        """Whether the reading was asked to end and has not done so yet."""
        return self.reading and self._cancel.is_set()

    def stop_reading(self) -> None:
        """Ask the reading to end; what it read so far will be shown."""
        self._cancel.set()
        self.show_progress(Progress(0, None, "stopping …"), None)

    def on_unmount(self) -> None:
        """Whoever still reads can stop."""
        self._cancel.set()

    @work(exclusive=True, group="read")
    async def _read(self, cancel: threading.Event) -> None:
        observer = ScreenObserver(self.post_message)

        def read() -> tuple[LoadedImage, int]:
            source, target = self._opener()
            self.source = source
            image = load(source, target, observer, cancel)
            # Which image was not said: whoever holds several has them known by now.
            return image, len(source.list(cancel)) if target is None and image.complete else 1

        outcome = await outcome_of(read)
        if outcome is None:
            self._fail("stopped before anything of the image was known")
        elif isinstance(outcome, Failure):
            self._fail(outcome.text)
        else:
            image, images = outcome
            self.reading = False
            self.image, self.info = image, image.info
            self.show_image(image)
            if images > 1:
                self.say(f"the first of {images} images here: esc lists them")

    def _fail(self, text: str) -> None:
        self.reading, self.failed = False, True
        self.show_failure(text)

    def on_head_known(self, event: HeadKnown) -> None:
        """Show the layers; their sizes come later."""
        if self.reading:
            self.info = event.info
            self.show_head(event.info)

    def on_layer_known(self, event: LayerKnown) -> None:
        """Fill in one layer's size."""
        if self.reading:
            self.show_layer(event.index, event.size)

    def on_progress_made(self, event: ProgressMade) -> None:
        """Show bytes and rate."""
        if self.reading and not self._cancel.is_set():
            self.show_progress(event.progress, self._rate.add(event.progress.done))
