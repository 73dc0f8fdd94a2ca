"""Repositories of a registry by words in their names: from its catalogue, or from its index where it has one."""

from __future__ import annotations

import re
import threading
import urllib.parse
from collections.abc import Iterable
from typing import Any

from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.sources.blocking import answer
from lamina.sources.http_body import json_of
from lamina.sources.json_checks import list_of, object_of, quoted
from lamina.sources.progress import Ticker
from lamina.sources.registry.client import RegistryClient
from lamina.sources.registry.listing import listed
from lamina.sources.registry.reference import DEFAULT, Reference

INDEX = "index.docker.io"
"""Where the default registry is searched."""
_LONGEST_NAME = 512
"""Characters of a repository with its host: registries take 255."""
_LONGEST = 4096
"""Characters of a description that are kept."""


@dataclass(frozen=True, slots=True)
class Repository:
    """One that was found."""

    name: str
    """As it is pulled: with the registry's host, but for the default one."""
    description: str | None = None
    """Of its owner; None where the registry has no descriptions."""
    stars: int | None = None
    official: bool | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found."""

    term: str
    asked: str
    """Who was asked, for people."""
    repositories: list[Repository]
    """In the order in which they were told."""


def parse_term(term: str) -> tuple[str, str]:
    """What is searched for: (host of a registry or "", words).

    Raises:
        LaminaError: there is nothing to search for.
    """
    text = term.removeprefix("docker://").strip()
    first, slash, rest = text.partition("/")
    # As in names: what looks like a host is one. A dot alone may be part of a word.
    if re.fullmatch(r"[^/]+:\d{1,5}", first) or (slash and ("." in first or first == "localhost")):
        host, words = first, rest
    else:
        host, words = "", text
    if host in (DEFAULT, INDEX):
        host = ""
    if (not host and not words) or not text.isprintable():
        raise LaminaError("name something to search for: a word, or HOST/WORD for one registry")
    return host, words


def search_registry(
    host: str, words: str, limit: int, cancel: threading.Event, ticker: Ticker, *, insecure: bool = False
) -> list[Repository]:
    """The repositories of one registry whose names have all words.

    Args:
        host: of the registry; "": the default one, by its index, which searches descriptions too.
        words: parted by blanks; none: all repositories.
        limit: of how many.
        cancel: ends the asking.
        ticker: told of how long it takes.
        insecure: see :class:`lamina.sources.registry.client.RegistryClient`.

    Raises:
        LaminaError: the registry lists no repositories, or can't be used.
        Cancelled: ``cancel`` was set.
    """
    client = RegistryClient(Reference(host or INDEX, "", ""), insecure=insecure)
    if not host:
        return answer(lambda: _index(client, words, limit, cancel), cancel, ticker.tick)
    what = "catalogue of repositories (it can't be searched; `lamina tags NAME` lists one repository's tags)"
    names = answer(lambda: listed(client, "/v2/_catalog", "repositories", what, cancel), cancel, ticker.tick)
    wanted = words.lower().split()
    matching = [name for name in names if len(name) <= _LONGEST_NAME and all(word in name.lower() for word in wanted)]
    return [Repository(f"{host}/{name}") for name in matching[:limit]]


def _index(client: RegistryClient, words: str, limit: int, cancel: threading.Event) -> list[Repository]:
    from urllib3.exceptions import HTTPError

    query = urllib.parse.urlencode({"q": words, "n": limit})
    what = f"the answer of {client}"
    response = client.get(f"/v1/search?{query}", cancel, missing="search")
    try:
        return repositories_of(list_of(object_of(json_of(response, what), what, "it").get("results"), what, "results"))
    except (HTTPError, OSError, ValueError, AttributeError) as error:
        raise LaminaError(client.fault(error)) from None
    finally:
        response.close()


def repositories_of(rows: Iterable[Any]) -> list[Repository]:
    """What an index, or an engine that asked one, tells of repositories: as Docker tells it, or as Podman does.

    Raises:
        LaminaError: a row is none.
    """
    found = []
    for row in rows:
        told = object_of(row, "a row of the search", "it")
        name = told.get("name") or told.get("Name")
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            raise LaminaError(f"a row of the search has no name: {quoted(str(told)[:80])}")
        text = told.get("description") or told.get("Description")
        stars = told.get("star_count", told.get("Stars"))
        found.append(
            Repository(
                name,
                text[:_LONGEST] if isinstance(text, str) else None,
                stars if type(stars) is int and 0 <= stars < 1 << 62 else None,
                told.get("is_official") is True or told.get("Official") == "[OK]",
            )
        )
    return found
