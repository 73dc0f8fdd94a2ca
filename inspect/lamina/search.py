"""A search for repositories: by the engine, or by a registry itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from lamina.model import Progress
from lamina.sources.progress import Ticker
from lamina.sources.registry.search import INDEX, SearchResult, parse_term, repositories_of, search_registry

if TYPE_CHECKING:
    from lamina.sources.engine.source import EngineSource


def search(
    engine: EngineSource,
    term: str,
    limit: int,
    insecure: Collection[str],
    cancel: threading.Event,
    progress: Callable[[Progress], None] | None,
) -> SearchResult:
    """See :meth:`lamina.Workspace.search`."""
    from lamina.sources.engine.connection import NoEngine

    host, words = parse_term(term)
    if not host:
        ticker = Ticker(progress, None, "the engine searches")
        try:
            rows = engine.connection.ask(lambda client: client.search(words, limit), cancel, ticker)
        except NoEngine:
            pass  # the default registry answers without one
        else:
            return SearchResult(term, engine.label, repositories_of(rows)[:limit])
    asked = f"registry {host or INDEX}"
    ticker = Ticker(progress, None, f"asking the {asked}")
    found = search_registry(host, words, limit, cancel, ticker, insecure=host in insecure)
    return SearchResult(term, asked, found)
