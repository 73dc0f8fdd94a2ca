"""What images are built on, by what is at hand: each other, and what their sources hold."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lamina.figures.base import Candidate, base_of, candidate
from lamina.model import LaminaError

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage
    from lamina.model import KnownImage
    from lamina.sources.base import Source


def find_bases(
    images: Sequence[LoadedImage], sources: Iterable[Source] = (), cancel: threading.Event | None = None
) -> None:
    """Set ``base`` of each image by the others, and by the images of sources that tell of theirs without reading any.

    Args:
        images: read whole.
        sources: where they came from. One that can't be asked any more is passed over: a base is a help, no need.
        cancel: ends the asking.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    candidates = [candidate(i.info.target, i.info.tags, i.info.digests, i.info.layers) for i in images]
    for source in sources:
        if source.knows_sizes:
            try:
                candidates += map(candidate_of, source.known_images(cancel))
            except LaminaError:
                continue
    for image in images:
        image.base = base_of(image.info, candidates)


def candidate_of(image: KnownImage) -> Candidate:
    """A known image as something that others may be built on."""
    summary = image.summary
    return candidate(summary.target, summary.tags, summary.digests, image.layers)
