"""What a search for repositories found, as text and as JSON (schema ``lamina.search/1``)."""

from __future__ import annotations

from lamina.amounts import plural
from lamina.names import display_name
from lamina.reports.json_text import Json, plain_text
from lamina.reports.tables import cut, md, table
from lamina.sources.registry.search import SearchResult

SCHEMA = "lamina.search/1"


def build(result: SearchResult) -> Json:
    """The repositories in the order in which they were told; what was not told is null."""
    return {
        "schema": SCHEMA,
        "term": plain_text(result.term),
        "asked": plain_text(result.asked),
        "repositories": [
            {
                "name": plain_text(row.name),
                "description": plain_text(row.description),
                "stars": row.stars,
                "official": row.official,
            }
            for row in result.repositories
        ],
    }


def to_text(document: Json) -> str:
    """For people: a line each."""
    lines = [_head(document)]
    if document["repositories"]:
        lines += [
            "",
            *table(("name", "stars", "", "description"), map(_cells, document["repositories"]), left={0, 2, 3}),
        ]
    return "\n".join(lines) + "\n"


def _cells(row: Json) -> tuple[str, str, str, str]:
    stars = "" if row["stars"] is None else str(row["stars"])
    description = " ".join(display_name(row["description"] or "").split())
    return display_name(row["name"]), stars, "official" if row["official"] else "", cut(description, 60)


def to_markdown(document: Json) -> str:
    """For a comment."""
    lines = [f"### {md(_head(document))}", "", "| name | stars | | description |", "|---|--:|---|---|"]
    lines += [f"| {' | '.join(map(md, _cells(row)))} |" for row in document["repositories"]]
    return "\n".join(lines) + "\n"


def _head(document: Json) -> str:
    count = len(document["repositories"])
    found = plural(count, "name") if count else "nothing"
    return f"{display_name(document['term'])}: {found} found by {display_name(document['asked'])}"
