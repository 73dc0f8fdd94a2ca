"""What every source of images answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lamina.layers.index import LayerIndex
from lamina.model import ImageInfo, ImageSummary, Progress


class Observer(Protocol):
    """Hears what a reading finds, on the thread that reads: it must be quick and never raise."""

    def head(self, info: ImageInfo) -> None:
        """The config is known; in a stream this may come after some layers were scanned."""

    def layer(self, index: int, layer: LayerIndex) -> None:
        """Layer ``index`` of the image is read whole. Always after :meth:`head`."""

    def progress(self, progress: Progress) -> None:
        """How far the reading has come; at most some ten times a second."""


class Content(Protocol):
    """Reads file contents again after the scan, where the source can seek back."""

    def hashes(self, layer: int, files: Sequence[tuple[int, int]], cancel: threading.Event) -> list[bytes]:
        """Content ids of some files of one layer.

        Args:
            layer: index of the layer in the image.
            files: ``(offset, size)`` pairs, bytes, offsets counted from the start of the layer's tar;
                handed in ascending order.
            cancel: looked at between files.

        Returns:
            The 16-byte XXH3-128 digest of each, in the order asked.

        Raises:
            LaminaError: the source can't be read any more.
            Cancelled: ``cancel`` was set.
        """


@dataclass(slots=True)
class ReadImage:
    """An image as it was read."""

    info: ImageInfo
    layers: list[LayerIndex | None]
    """One per layer of ``info``, None where the reading was cancelled before it."""
    content: Content | None = None
    """How to get the content ids that the scan did not compute; None where it computed all."""


class Source(Protocol):
    """One place that images come from."""

    label: str
    """For people: ``archive /srv/web.tar``, ``engine unix:///var/run/docker.sock``."""

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> list[ImageSummary]:
        """The images this source holds. Reads no layer, except in a stream, which is scanned on the way.

        Raises:
            LaminaError: the source can't be read or reached.
        """

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """Read one image, every layer once.

        Args:
            target: an ``ImageSummary.target`` of :meth:`list`, or a name, tag, digest or short ID; None for the
                only (or first) image.
            observer: hears of the head, the layers and the progress.
            cancel: looked at at least every few MiB; when set, what was read so far is returned with None
                for the layers that were not.
            verify: check every layer against its digests, also where its bytes would be skipped.

        Raises:
            LaminaError: the image can't be read, is not there, or contradicts its digests.
            Cancelled: cancelled before the head was known.
        """
