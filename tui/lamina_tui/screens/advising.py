"""What an image is built on and what to do about it, looked for away from the screen's thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from textual import work

from lamina.advice.advise import Advisor, advise
from lamina.advice.model import Advice
from lamina.bases import find_bases
from lamina.figures.image import LoadedImage
from lamina.model import LaminaError
from lamina.packages.model import PackageTable
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
        # To find those may take a reading of all layers: that is done when their tab is opened.
        off = ["duplicates"] if duplicates is None else []

        def at_once() -> list[Advice]:
            return advise(image, off=off, reads=False, packages=packages, duplicates=duplicates, cancel=cancel)

        if not self.advice.known:
            self._advise(image, await outcome_of(at_once))
        if image.complete:

            def on_its_base() -> tuple[list[Advice], PackageTable | None]:
                find_bases([image], [] if self.source is None else [self.source], None, lambda _: (), cancel)
                advisor, known = Advisor(image, off=off, cancel=cancel), packages
                if known is None:
                    with suppress(LaminaError):  # which their tab tells
                        known = advisor.find_packages()
                return advisor.advise(packages=known, duplicates=duplicates), known

            found = await outcome_of(on_its_base)
            advice, known = found if isinstance(found, tuple) else (found, None)
            self._advise(image, advice)
            if known is not None and image is self.image:
                self._show_packages(known)

    def _show_packages(self, found: PackageTable) -> None:
        if self.packages.found is None:
            self.packages.show(found)
        self.overview.packages = sum(package.installed for package in found.packages)
        self._show_note()

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
