"""Lists of a registry's API that come in pages (distribution specification, "Listing Tags")."""

from __future__ import annotations

import re
import threading
import urllib.parse

from lamina.model import Cancelled, LaminaError
from lamina.sources.http_body import json_of
from lamina.sources.json_checks import object_of, strings_of
from lamina.sources.registry.client import RegistryClient

_PAGE = 1000
_MOST = 100_000
"""Names of one list."""
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?', re.IGNORECASE)


def listed(client: RegistryClient, path: str, key: str, missing: str, cancel: threading.Event) -> list[str]:
    """All names of a list, as the registry orders them.

    Args:
        client: of the registry.
        path: of the list: ``/v2/…/tags/list``.
        key: what the names are called in the answer.
        missing: what is not there where the registry says "not found".
        cancel: ends the asking.

    Raises:
        LaminaError: there is no such list, it is denied, is too long, or the registry can't be asked.
        Cancelled: ``cancel`` was set.
    """
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    what = f"the list of {key} of {missing}"
    found: list[str] = []
    query = f"n={_PAGE}"
    asked: set[str] = set()
    while query and query not in asked:
        if cancel.is_set():
            raise Cancelled
        asked.add(query)
        response = client.get(f"{path}?{query}", cancel, missing=missing)
        try:
            page = object_of(json_of(response, what), what, "the answer")
            following = _next_page(response.headers.get("Link", ""))
        except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            raise LaminaError(client.fault(error)) from None
        finally:
            response.close()
        names = strings_of(page.get(key), what, key)
        found += names
        if len(found) > _MOST:
            raise LaminaError(f"{what}: more than {_MOST} names are not read")
        query = following if names else ""  # a page of nothing that leads to another would never end
    return found


def _next_page(link: str) -> str:
    """The query of the next page; nothing else of where it is said to be is taken."""
    found = _NEXT.search(link)
    return urllib.parse.urlsplit(found[1]).query if found else ""
