"""Images that were asked about lately, kept read for the next question."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from lamina.figures.image import LoadedImage, load
from lamina.model import Cancelled, LaminaError

if TYPE_CHECKING:
    from lamina.sources.base import Source
    from lamina.workspace import Workspace

_KEPT = 3
_SECONDS = 120.0
"""How long an answer may be behind: a tag may lead elsewhere by then."""


class OpenImages:
    """The last images that were read.

    Args:
        workspace: reads them.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._kept: dict[str, tuple[float, LoadedImage]] = {}
        self._reads = threading.Lock()

    def get(self, target: str, cancel: threading.Event) -> LoadedImage:
        """An image and its figures.

        Args:
            target: as the command takes it, but not standard input, which is what this is asked through.
            cancel: gives the reading up.

        Raises:
            LaminaError: there is none, or it can't be read.
            Cancelled: ``cancel`` was set.
        """
        with self._reads:  # one at a time: each takes all cores
            kept = self._kept.pop(target, None)
            if kept is None or time.monotonic() - kept[0] > _SECONDS:
                kept = time.monotonic(), self._read(target, cancel)
            self._kept[target] = kept
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return kept[1]

    def _read(self, target: str, cancel: threading.Event) -> LoadedImage:
        source, name = self._source(target)
        image = load(source, name, cancel=cancel)
        if cancel.is_set() or not image.complete:
            raise Cancelled
        self.workspace.find_bases([image], [source], cancel=cancel)
        return image

    def _source(self, target: str) -> tuple[Source, str | None]:
        if target.partition(":")[0] == "demo":
            return self.workspace.demo(), target.partition(":")[2] or None
        from lamina.sources.target import STDIN

        if target in STDIN:
            raise LaminaError("standard input is where the questions come from: name a file, or an image")
        return self.workspace.resolve(target)
