"""What an image is built on and what to do about it, looked for away from the screen's thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

from textual import work

from lamina.advice.advise import advise
from lamina.advice.model import Advice
from lamina.bases import find_bases
from lamina.figures.image import LoadedImage
from lamina.packages.find_packages import records_at_hand
from lamina_tui.background import outcome_of
from lamina_tui.screens.image_panes import ImagePanes


class AdvisedPanes(ImagePanes):
    """The panes, with advice that comes when it is found: first what the listings tell, then what contents do."""

    def show_image(self, image: LoadedImage) -> None:
        """Show all figures, and look for advice."""
        super().show_image(image)
        self.find_advice(image)

    @work(exclusive=True, group="advice")
    async def find_advice(self, image: LoadedImage) -> None:
        """Look for advice, again where packages or duplicates are known by now."""
        # What was stopped is shown as far as it was read, which takes no more reading.
        cancel = self._cancel if image.complete else threading.Event()
        packages, duplicates = self.packages.found, self.duplicates.found
        # To find them may take a reading of all layers: that is done when their tabs are opened.
        off = [rule for rule, known in (("library-versions", packages), ("duplicates", duplicates)) if known is None]

        def found(*, reads: bool) -> list[Advice]:
            return advise(image, off=off, reads=reads, packages=packages, duplicates=duplicates, cancel=cancel)

        if not self.advice.known:
            self._advise(image, await outcome_of(partial(found, reads=False)))
        if image.complete:
            reads = records_at_hand(image)

            def on_its_base() -> list[Advice]:
                find_bases([image], [] if self.source is None else [self.source], None, lambda _: (), cancel)
                return found(reads=reads)

            self._advise(image, await outcome_of(on_its_base))

    def _advise(self, image: LoadedImage, found: object) -> None:
        """Show what was found; where nothing can be, the screen says no more than that."""
        if image is not self.image:
            return
        advice: Sequence[Advice] = found if isinstance(found, list) else ()
        if not isinstance(found, list) and self.advice.known:
            return  # what is shown already stands
        self.advice.show(advice, image.info, image.size)
        self.overview.show_advice(advice)
        self._show_verdict()
        self._show_all()
