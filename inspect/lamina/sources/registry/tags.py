"""The tags of a repository, and what the images behind some of them are. No layer is read."""

from __future__ import annotations

import dataclasses
import re
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lamina.errors import NotAnImage
from lamina.model import ImageInfo, LaminaError, Progress
from lamina.sources.blocking import answer
from lamina.sources.http_body import json_of
from lamina.sources.json_checks import object_of, strings_of
from lamina.sources.progress import Ticker
from lamina.sources.registry.client import RegistryClient
from lamina.sources.registry.reference import Reference
from lamina.sources.registry.source import RegistrySource

_PAGE = 1000
_MOST = 100_000
"""Tags of a repository."""
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?', re.IGNORECASE)
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
    tags = answer(lambda: _all_tags(client, cancel), cancel, ticker.tick)
    return sorted(dict.fromkeys(tags), key=_natural)


def _all_tags(client: RegistryClient, cancel: threading.Event) -> list[str]:
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    what = f"the list of tags of {client.reference.name}"
    found: list[str] = []
    path = f"tags/list?n={_PAGE}"
    while path:
        response = client.get(path, cancel, missing=client.reference.name)
        try:
            page = object_of(json_of(response, what), what, "the answer")
            following = _next_page(response.headers.get("Link", ""))
        except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            raise LaminaError(client.fault(error)) from None
        finally:
            response.close()
        tags = strings_of(page.get("tags"), what, "tags")
        found += tags
        if len(found) > _MOST:
            raise LaminaError(f"{what}: more than {_MOST} tags are not read")
        path = following if tags else ""  # a page of nothing that leads to another would never end
    return found


def _next_page(link: str) -> str:
    """Where a page leads to (distribution specification, "Listing Tags"); only its query is taken."""
    found = _NEXT.search(link)
    query = urllib.parse.urlsplit(found[1]).query if found else ""
    return f"tags/list?{query}" if query else ""


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


def tagged_images(
    reference: Reference,
    last: int,
    cancel: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    insecure: bool = False,
) -> TaggedImages:
    """The tags of a repository, and the images of the last of them; what is no image is left out.

    Args:
        reference: names the repository.
        last: of how many tags; 0: of all.
        cancel: ends the asking.
        progress: notified of how far it has come.
        insecure: see :class:`lamina.sources.registry.client.RegistryClient`.

    Raises:
        LaminaError: the registry can't be used.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    tags = repository_tags(reference, cancel, progress, insecure=insecure)
    chosen = tags[-last:] if last else tags
    found = []
    for number, tag in enumerate(chosen):
        if progress is not None:
            progress(Progress(0, None, f"tag {number + 1} of {len(chosen)}"))
        source = RegistrySource(dataclasses.replace(reference, tag=tag, digest=""), insecure=insecure)
        try:
            found.append((tag, source.head(cancel)))
        except NotAnImage:
            continue
    found.sort(key=lambda row: (row[1].created or "", _natural(row[0])))
    return TaggedImages(reference, tags, found)
