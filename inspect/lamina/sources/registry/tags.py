"""The tags of a repository, and what the images behind some of them are. No layer is read."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable
from typing import Any

from lamina.dataclass import dataclass
from lamina.errors import NotAnImage, OtherPlatform
from lamina.model import ImageInfo, LaminaError, Progress
from lamina.sources.blocking import answer
from lamina.sources.progress import Ticker
from lamina.sources.registry.client import RegistryClient, Unavailable
from lamina.sources.registry.listing import listed
from lamina.sources.registry.reference import Reference
from lamina.sources.registry.source import RegistrySource

_NUMBERS = re.compile(r"(\d+)")


def repository_tags(
    reference: Reference,
    cancel: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    insecure: bool = False,
) -> list[str]:
    """All tags of a repository, as versions are counted: ``1.9`` before ``1.10``, words first.

    Raises:
        LaminaError: there is no such repository, it is denied, or the registry lists none.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    ticker = Ticker(progress, None, f"asking the registry {reference.host} for tags")
    client = RegistryClient(reference, insecure=insecure)
    path = f"/v2/{reference.repository}/tags/list"
    tags = answer(lambda: listed(client, path, "tags", reference.name, cancel), cancel, ticker.tick)
    return sorted(dict.fromkeys(tags), key=_natural)


def _natural(tag: str) -> tuple[Any, ...]:
    """Words before versions, versions by their numbers."""
    parts = _NUMBERS.split(tag)  # words and numbers in turn, a word first
    return (
        parts[0] in ("", "v"),
        *((int(part), "") if part.isdecimal() and len(part) < 18 else (0, part) for part in parts),
    )


@dataclass(frozen=True, slots=True)
class TaggedImages:
    """Some tags of a repository with their images."""

    reference: Reference
    tags: list[str]
    """All of them, as :func:`repository_tags` orders them."""
    images: list[tuple[str, ImageInfo]]
    """(tag, what manifest and config say) of those that were looked at, the oldest first."""
    remark: str = ""
    """Which of them can't be read, on one line; untrusted."""


def tagged_images(
    reference: Reference,
    last: int,
    cancel: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    insecure: bool = False,
    platform: str = "",
) -> TaggedImages:
    """The tags of a repository, and the images of the last of them; what is no image is left out.

    Args:
        reference: names the repository.
        last: of how many tags; 0: of all.
        cancel: ends the asking.
        progress: notified of how far it has come.
        insecure: see :class:`lamina.sources.registry.client.RegistryClient`.
        platform: see :class:`lamina.sources.choose.StoreImages`; tags without that are left out too.

    Raises:
        LaminaError: the registry can't be used.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    tags = repository_tags(reference, cancel, progress, insecure=insecure)
    chosen = tags[-last:] if last else tags
    found: list[tuple[str, ImageInfo]] = []
    faults: list[tuple[str, LaminaError]] = []
    for number, tag in enumerate(chosen):
        if progress is not None:
            progress(Progress(0, None, f"tag {number + 1} of {len(chosen)}"))
        source = RegistrySource(
            dataclasses.replace(reference, tag=tag, digest=""), insecure=insecure, platform=platform
        )
        try:
            found.append((tag, source.head(cancel)))
        except (NotAnImage, OtherPlatform):
            continue
        except Unavailable:
            raise
        except LaminaError as error:
            faults.append((tag, error))  # a tag may outlive its manifest
    if faults and not found:
        raise faults[0][1]
    found.sort(key=lambda row: (row[1].created or "", _natural(row[0])))
    remark = "" if not faults else f"{faults[0][0]} can't be read: {faults[0][1]}"
    if len(faults) > 1:
        remark = f"{len(faults)} tags can't be read, {remark}"
    return TaggedImages(reference, tags, found, remark)
