"""Searches: what registries and engines may answer, and what is made of it."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator

import pytest

from builders import sample_image
from lamina.model import LaminaError
from lamina.reports import search as report
from lamina.sources.progress import Ticker
from lamina.sources.registry.search import Repository, SearchResult, parse_term, search_registry
from lamina.workspace import Workspace
from lying_engine import LyingEngine
from lying_registry import Handler, LyingRegistry, status

ROWS = [
    {"name": "postgres", "description": "the\x1b[31m database\nof files", "star_count": 9, "is_official": True},
    {"name": "team/postgres", "description": None, "star_count": "many", "is_official": "yes", "other": [1]},
]
FOUND = [
    Repository("postgres", "the\x1b[31m database\nof files", 9, official=True),
    Repository("team/postgres", None, None, official=False),
]


@pytest.fixture
def registry() -> Iterator[LyingRegistry]:
    with LyingRegistry(sample_image("app:1")) as running:
        yield running


def searched(registry: LyingRegistry, words: str = "", limit: int = 25) -> list[str]:
    ticker = Ticker(None, None, "")
    return [row.name for row in search_registry(registry.host, words, limit, threading.Event(), ticker)]


@pytest.mark.parametrize(
    ("term", "parsed"),
    [
        ("postgres", ("", "postgres")),
        ("team/app", ("", "team/app")),
        ("node.js", ("", "node.js")),
        ("docker.io/node", ("", "node")),
        ("localhost/app", ("localhost", "app")),
        ("docker://reg.example:5000/team/a b", ("reg.example:5000", "team/a b")),
        ("localhost:5000", ("localhost:5000", "")),
    ],
)
def test_what_is_asked_and_for_what(term: str, parsed: tuple[str, str]) -> None:
    assert parse_term(term) == parsed


@pytest.mark.parametrize("term", ["", " ", "docker.io/", "a\x1bb"])
def test_nothing_to_search_for(term: str) -> None:
    with pytest.raises(LaminaError, match="name something to search for"):
        parse_term(term)


def test_a_catalogue_is_read_page_by_page_and_searched(registry: LyingRegistry) -> None:
    pages = {"": ["app/web", "App/x"], "app/web": ["other", "web"]}

    def page(handler: Handler) -> bool:
        last = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query).get("last", [""])[0]
        more = {} if last else {"Link": '</v2/_catalog?n=2&last=app%2Fweb>; rel="next"'}
        return status(200, json.dumps({"repositories": pages[last]}).encode(), **more)(handler)

    registry.instead["/v2/_catalog"] = [page]
    for words, names in (
        ("", ["app/web", "App/x", "other", "web"]),
        ("WEB", ["app/web", "web"]),
        ("web app", ["app/web"]),
    ):
        assert searched(registry, words) == [f"{registry.host}/{name}" for name in names]
    assert len(searched(registry, limit=3)) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(404, b"{}"), r"no catalogue of repositories \(it can't be searched"),
        (status(401, WWW_Authenticate='Basic realm="x"'), "does not let us read that: it wants a user"),
        (status(200, b'{"repositories": 3}'), "repositories.*list"),
        (status(200, b"[" * 100_000), "the list of repositories"),
    ],
)
def test_a_registry_without_a_catalogue_says_so(registry: LyingRegistry, answer: object, error: str) -> None:
    registry.instead["/v2/_catalog"] = [answer]  # type: ignore[list-item]
    with pytest.raises(LaminaError, match=error):
        searched(registry)


def test_an_index_tells_more() -> None:
    # The default registry's index is not on this machine; the way through the engine parses the same rows.
    with LyingEngine() as engine:
        engine.answers["/images/search"] = json.dumps(ROWS).encode()
        found = Workspace(host=engine.host).search("postgres")
    assert found.repositories == FOUND
    assert found.asked == f"engine {engine.host}"


@pytest.mark.parametrize("rows", [[3], [{}], [{"name": ""}], [{"name": "a" * 10_000}], {"results": []}])
def test_rows_that_are_none(rows: object) -> None:
    with LyingEngine() as engine:
        engine.answers["/images/search"] = json.dumps(rows).encode()
        with pytest.raises(LaminaError):
            Workspace(host=engine.host).search("postgres")


def test_the_report_shows_no_raw_text() -> None:
    document = report.build(SearchResult("postgres", "engine x", FOUND))
    assert document["repositories"][1] == {
        "name": "team/postgres",
        "description": None,
        "stars": None,
        "official": False,
    }
    for text in (report.to_text(document), report.to_markdown(document)):
        assert "\x1b" not in text
        assert "official" in text
    assert report.to_text(document).splitlines()[0] == "postgres: 2 names found by engine x"
    nothing = report.build(SearchResult("q", "engine x", []))
    assert report.to_text(nothing) == "q: nothing found by engine x\n"
