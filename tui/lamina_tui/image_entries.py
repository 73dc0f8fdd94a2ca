"""The images of a list, and what their sources tell of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lamina.dataclass import dataclass
from lamina.model import ImageInfo, ImageSummary, KnownImage, LaminaError, Progress
from lamina.names import image_name
from lamina.sources.base import Source
from lamina.sources.registry.reference import names_a_host

if TYPE_CHECKING:  # numpy comes with these, and the first frame doesn't wait for it
    from lamina.figures.image import LoadedImage
    from lamina.layers.index import LayerFacts

Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One image that can be opened."""

    source: Source
    summary: ImageSummary

    @property
    def name(self) -> str:
        """What people call it: its tags, else its file, else its short id. Untrusted."""
        container = self.summary.container
        if container is not None:
            image = image_name((), container.image)
            # Where it comes from is told where there is room: an image's own row has it.
            image = image.partition("/")[2] if names_a_host(image) else image
            return f"{container.name} ({container.state}, of {image})"
        return "  ".join(self.summary.tags) or image_name((), self.summary.target)

    @property
    def short_name(self) -> str:
        """The first of its names, where there is room for one. Untrusted."""
        return self.summary.tags[0] if self.summary.tags else self.name

    @property
    def key(self) -> tuple[str, str, str]:
        """Tells it from others, also after its source was asked again."""
        return self.source.label, self.summary.id, self.summary.target


Lister = Callable[[threading.Event, Tell], list[Entry]]
"""Answers the images to show; runs on a thread, may raise LaminaError."""


def source_lister(source: Callable[[], Source]) -> Lister:
    """Lists the images of one source, which may first have to be made."""

    def entries(cancel: threading.Event, tell: Tell) -> list[Entry]:
        found = source()
        return [Entry(found, summary) for summary in found.list(cancel, tell)]

    return entries


def engine_lister(images: Callable[[], Source], containers: Callable[[], Source]) -> Lister:
    """Lists an engine's images, and after them its containers."""

    def entries(cancel: threading.Event, tell: Tell) -> list[Entry]:
        found = source_lister(images)(cancel, tell)
        with suppress(LaminaError):  # an engine that is one for images only
            found += source_lister(containers)(cancel, tell)
        return found

    return entries


def listed(entries: Sequence[Entry]) -> Lister:
    """Lists what is known already."""
    return lambda _cancel, _tell: list(entries)


# What the sources tell


class _Telling:
    """An observer that passes the progress on."""

    def __init__(self, tell: Tell, what: str) -> None:
        self._tell = tell
        self._what = what

    def head(self, info: ImageInfo) -> None:
        """Not needed."""

    def layer(self, index: int, facts: LayerFacts) -> None:
        """Not needed."""

    def progress(self, progress: Progress) -> None:
        """Pass it on, with the image's name."""
        self._tell(replace(progress, what=self._what))


def cheap(entries: Sequence[Entry]) -> bool:
    """Whether the sizes of all of the images' layers can be had without reading any."""
    return all(entry.source.knows_sizes for entry in entries)


def learn(entries: Sequence[Entry], cancel: threading.Event, tell: Tell) -> dict[tuple[str, str, str], KnownImage]:
    """What the sources tell of some images' layers, by the images' keys.

    Every source is asked once; images of whose layers it doesn't know the sizes are read. One that can't be told of,
    or that the reading was cancelled in, is left out.

    Raises:
        LaminaError: a source can't be reached.
        Cancelled: ``cancel`` was set.
    """
    asked: dict[int, dict[str, KnownImage]] = {}
    found: dict[tuple[str, str, str], KnownImage] = {}
    for entry in entries:
        source = entry.source
        if source.knows_sizes:
            if id(source) not in asked:
                asked[id(source)] = {image.summary.id: image for image in source.known_images(cancel, tell)}
            image = asked[id(source)].get(entry.summary.id)
        else:
            image = _read(entry, cancel, tell)
        if image is not None:
            found[entry.key] = image
    return found


class Changes(Protocol):
    """When what is listed has changed."""

    def __iter__(self) -> Iterator[None]:
        """Once for each change, waiting for it; raises LaminaError when no more can be told."""

    def close(self) -> None:
        """End the waiting."""


Follow = Callable[[threading.Event], Changes]
"""Opens the changes; may raise LaminaError."""


@runtime_checkable
class TellsWritten(Protocol):
    """A source of containers."""

    def sizes(self, cancel: threading.Event, progress: Tell, wanted: Collection[str]) -> dict[str, int]:
        """Bytes of the read/write layers of some containers, by the containers' IDs."""


def written(entries: Sequence[Entry], cancel: threading.Event, tell: Tell) -> dict[tuple[str, str, str], int]:
    """Bytes of the read/write layers of those that are containers, as their engine tells them, by the entries' keys.

    Raises:
        LaminaError: the engine can't be asked.
        Cancelled: ``cancel`` was set.
    """
    asked: dict[int, dict[str, int]] = {}
    found: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        source = entry.source
        if entry.summary.container is None or not isinstance(source, TellsWritten):
            continue
        if id(source) not in asked:
            wanted = {other.summary.id for other in entries if other.source is source}
            asked[id(source)] = source.sizes(cancel, tell, wanted)
        if entry.summary.id in asked[id(source)]:
            found[entry.key] = asked[id(source)][entry.summary.id]
    return found


def _read(entry: Entry, cancel: threading.Event, tell: Tell) -> KnownImage | None:
    from lamina.figures.image import load

    try:
        image = load(entry.source, entry.summary.target, _Telling(tell, entry.name), cancel)
    except LaminaError:
        return None  # opening it tells what is wrong
    return as_known(entry, image) if image.complete else None


def as_known(entry: Entry, image: LoadedImage) -> KnownImage:
    """What is known of an image that was read."""
    summary = replace(entry.summary, layers=len(image.info.layers))
    return KnownImage(summary, image.info.layers, tuple(layer.size for layer in image.layers))


def known_of(entries: Sequence[Entry], read: Sequence[LoadedImage]) -> dict[tuple[str, str, str], KnownImage]:
    """What is known of all images, by their keys, where each of them was read; else nothing.

    What an image shares is true only where all the others are known, too.
    """
    by_id = {image.info.id: image for image in read if image.complete}
    found = {entry.key: as_known(entry, by_id[entry.summary.id]) for entry in entries if entry.summary.id in by_id}
    return found if len(found) == len(entries) else {}
