"""What images are built on: as the user says, else by what is at hand; and what has become of that by now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lamina.figures.base import (
    Candidate,
    base_of,
    base_of_image,
    base_of_layers,
    candidate,
    update_of,
)
from lamina.model import LaminaError

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage
    from lamina.model import KnownImage, Progress
    from lamina.sources.base import Source


def find_bases(
    images: Sequence[LoadedImage],
    sources: Iterable[Source],
    base: str | None,
    known: Callable[[str], Sequence[KnownImage]],
    cancel: threading.Event | None = None,
) -> None:
    """Set what images are built on: see :meth:`lamina.Workspace.find_bases`.

    Args:
        images: read whole.
        sources: where they came from. One that can't be asked any more is passed over: a base is a help, no need.
        base: what the user says.
        known: the images of a target.
        cancel: ends the asking.

    Raises:
        LaminaError: one of them is not built on ``base``, or that is not there.
        Cancelled: ``cancel`` was set.
    """
    if base is not None and base.isdecimal():
        for image in images:
            image.base = base_of_layers(image.info, int(base))
    elif base is not None:
        named = [_candidate_of(image) for image in known(base)]
        itself = {each.diff_ids for each in named}
        for image in images:
            if _as_candidate(image).diff_ids not in itself:
                image.base = base_of_image(image.info, base, named)
    else:
        candidates = [*map(_as_candidate, images), *_at_hand(sources, cancel)]
        for image in images:
            image.base = base_of(image.info, candidates)


def ask_for_update(
    image: LoadedImage,
    insecure: Collection[str],
    cancel: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Ask the registry what an image's base is by now: see :meth:`lamina.Workspace.ask_for_update`.

    Args:
        image: with its base.
        insecure: hosts that may be asked without TLS.
        cancel: ends the asking.
        progress: notified of how far it has come.

    Raises:
        LaminaError: the registry can't be asked, or has no image of that name and platform.
        Cancelled: ``cancel`` was set.
    """
    base = image.base
    if base is None or base.name is None:
        return
    from lamina.sources.registry.reference import parse_reference
    from lamina.sources.registry.source import RegistrySource

    reference = parse_reference(base.name.removeprefix("docker://"))
    source = RegistrySource(reference, insecure=reference.host in insecure, platform=image.info.platform)
    (now,) = source.known_images(cancel, progress)
    image.base = replace(base, update=update_of(image.info, base, now.layers, now.summary.created))


def _at_hand(sources: Iterable[Source], cancel: threading.Event | None) -> list[Candidate]:
    """The images of those sources that tell of theirs without reading any."""
    found: list[Candidate] = []
    for source in sources:
        if source.knows_sizes:
            try:
                found += map(_candidate_of, source.known_images(cancel))
            except LaminaError:
                continue
    return found


def _candidate_of(image: KnownImage) -> Candidate:
    summary = image.summary
    return candidate(summary.target, summary.tags, summary.digests, image.layers)


def _as_candidate(image: LoadedImage) -> Candidate:
    info = image.info
    return candidate(info.target, info.tags, info.digests, info.layers)
