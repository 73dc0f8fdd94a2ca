"""The images of a store that can be opened, and which of them is meant."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from lamina.errors import LaminaError, NotAnImage, OtherPlatform
from lamina.model import ImageInfo, ImageSummary, KnownImage
from lamina.names import normalise_reference, same_reference
from lamina.sources.catalogue import catalogue
from lamina.sources.json_checks import quoted
from lamina.sources.platforms import ALL, fits
from lamina.sources.store import Entry, Form, Found, Store

_HEX = re.compile(r"[0-9a-f]{4,64}")


class StoreImages:
    """The images of one store.

    Args:
        store: the blobs.
        form: the table of contents to go by; None: whichever there is.
        platform: what images are asked for, ``linux/arm64``; "": of an index the best for this machine; ``all``: of an
            index every one as an image of its own.

    Raises:
        LaminaError: there is no table of contents, it is malformed, or it names no image.
    """

    def __init__(self, store: Store, form: Form | None = None, platform: str = "") -> None:
        self.where = store.where
        self.remark = ""
        """What :meth:`found` passed over, in one line; empty where it was nothing."""
        self._catalogue = catalogue(store, form, platform)
        if platform not in ("", ALL):
            entries = tuple(
                dataclasses.replace(entry, open=_only(entry, platform, store.where))
                for entry in self._catalogue.entries
            )
            self._catalogue = dataclasses.replace(self._catalogue, entries=entries)
        self._by_name = {entry.target: entry for entry in self._catalogue.entries}

    def found(self) -> list[Found]:
        """Every image that can be opened; what is no image, and what is broken, is passed over.

        Raises:
            LaminaError: none can.
        """
        images: list[Found] = []
        artifacts, faults = self._catalogue.artifacts, []
        reason: LaminaError | None = None
        for entry in self._catalogue.entries:
            try:
                images.append(entry.open())
            except NotAnImage as error:
                artifacts += 1
                reason = reason or error
            except OtherPlatform as error:
                reason = reason or error
            except LaminaError as error:
                faults.append(error)
        if not images:
            raise next(iter(faults), None) or reason or LaminaError(f"{self.where} holds no container image")
        self.remark = _remark(self.where, artifacts, faults)
        return images

    def summaries(self) -> list[ImageSummary]:
        """The rows of :meth:`lamina.sources.base.Source.list`."""
        return [summary_of(found.info) for found in self.found()]

    def known_images(self, size: Callable[[Found, int], int | None] = lambda _found, _layer: None) -> list[KnownImage]:
        """The answer of :meth:`lamina.sources.base.Source.known_images`.

        Args:
            size: bytes of the files of a layer of an image, None where that is not known.
        """
        return [
            KnownImage(
                summary_of(found.info),
                found.info.layers,
                tuple(size(found, layer) for layer in range(len(found.info.layers))),
            )
            for found in self.found()
        ]

    def choose(self, target: str | None) -> Found:
        """The image that is meant; see :func:`choose`."""
        # By its own name at once: whoever reads all of 40,000 images asks so for each.
        entry = self._by_name.get(target or "")
        return entry.open() if entry is not None else choose(self._catalogue.entries, target, self.where)

    def first_with(self, diff_ids: Sequence[str]) -> Found | None:
        """The first image that has these layers, if one of those that can be opened has."""
        for entry in self._catalogue.entries:
            try:
                found = entry.open()
            except LaminaError:
                continue
            if [layer.diff_id for layer in found.info.layers] == diff_ids:
                return found
        return None


def _only(entry: Entry, platform: str, where: str) -> Callable[[], Found]:
    """Opens an image if it is for a platform."""

    def open_() -> Found:
        found = entry.open()
        if not fits(platform, found.info.platform):
            raise OtherPlatform(
                f"{quoted(entry.target)} of {where} is for {quoted(found.info.platform)}, not for {platform}"
            )
        return found

    return open_


def summary_of(info: ImageInfo) -> ImageSummary:
    """What a list tells of an image whose head is known."""
    return ImageSummary(info.target, info.id, info.tags, info.digests, info.created, layers=len(info.layers))


def _remark(where: str, artifacts: int, faults: Sequence[LaminaError]) -> str:
    parts = []
    if artifacts:
        what = "thing that is no image" if artifacts == 1 else "things that are no images"
        parts.append(f"{artifacts} {what} (signatures, attestations, SBOMs and the like)")
    if faults:
        what = "image that can't be read" if len(faults) == 1 else "images that can't be read"
        parts.append(f"{len(faults)} {what} ({faults[0]})")
    return f"passed over in {where}: {' and '.join(parts)}" if parts else ""


def choose(all_entries: Sequence[Entry], target: str | None, where: str) -> Found:
    """The image that is meant.

    Args:
        all_entries: a catalogue's; at least one.
        target: what a list calls it, a whole name, a bare tag, an image ID or its first digits, a manifest's digest,
            ``@2`` (its place); None for the only or the first image.
        where: names the store in errors.

    Raises:
        LaminaError: there is no such image, or several.
    """
    if target is None:
        return _first(all_entries)
    if target.startswith("@") and target[1:].isascii() and target[1:].isdigit() and len(target) < 12:
        place = int(target[1:])
        if place >= len(all_entries):
            raise LaminaError(f"{where} has no image {target}: it holds {len(all_entries)}, counted from @0")
        return all_entries[place].open()
    for matches in (_named(target), _bare(target)):
        hits = [entry for entry in all_entries if any(matches(tag) for tag in entry.tags)]
        if hits:
            if len(hits) > 1:
                raise LaminaError(f"several images of {where} are called {quoted(target)}: {_known(hits)}")
            return hits[0].open()
    found = _by_id(all_entries, target)
    if len(found) > 1:
        raise LaminaError(f"several images of {where} have an ID that begins with {quoted(target)}")
    if not found:
        raise LaminaError(f"no image {quoted(target)} in {where}: it holds {_known(all_entries)}")
    return found[0]


def _first(all_entries: Sequence[Entry]) -> Found:
    """The first image; what comes before it and is none, or is broken, does not count."""
    reason: LaminaError | None = None
    for entry in all_entries:
        try:
            return entry.open()
        except LaminaError as error:
            if reason is None or isinstance(reason, NotAnImage):
                reason = error
    assert reason is not None
    raise reason


def _named(target: str) -> Callable[[str], bool]:
    return lambda tag: tag == target or same_reference(tag, target)


def _bare(target: str) -> Callable[[str], bool]:
    """A name without its tag where a tag is meant: ``1.4`` of ``shop-web:1.4``."""
    return lambda tag: "/" not in target and normalise_reference(tag).rpartition(":")[2] == target


def _by_id(all_entries: Sequence[Entry], target: str) -> list[Found]:
    wanted = target.rpartition("@")[2].removeprefix("sha256:")
    if not _HEX.fullmatch(wanted):
        return []
    found: dict[str, Found] = {}
    for entry in all_entries:
        try:
            image = entry.open()
        except LaminaError:
            continue  # whoever wants that one says its name
        ids = (image.info.id, image.manifest_digest or "")
        if any(id_.removeprefix("sha256:").startswith(wanted) for id_ in ids):
            found.setdefault(image.info.id, image)
    return list(found.values())


def _known(all_entries: Sequence[Entry]) -> str:
    names = [quoted(entry.target) for entry in all_entries]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
