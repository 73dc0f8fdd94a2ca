"""The document of ``lamina tags``, schema ``lamina.tags/1``: versions of an image, and what each step costs."""

from __future__ import annotations

from lamina.amounts import plural, size, size_bytes
from lamina.figures.tag_steps import tag_steps
from lamina.names import display_name
from lamina.reports.json_text import Json, plain_text
from lamina.reports.tables import md, table
from lamina.sources.registry.tags import TaggedImages

SCHEMA = "lamina.tags/1"


def build(found: TaggedImages) -> Json:
    """The tags that were looked at, the oldest first.

    ``blob_size`` is what pulling the image transfers where nothing is there; ``update`` where the one before it is.
    """
    rows: list[Json] = [
        {
            "tag": plain_text(step.tag),
            "digest": step.info.digests[0].partition("@")[2] if step.info.digests else None,
            "id": step.info.id,
            "platform": plain_text(step.info.platform),
            "created": plain_text(step.info.created),
            "layers": len(step.info.layers),
            "blob_size": step.size,
            "update": step.update,
            "from": plain_text(step.before),
        }
        for step in tag_steps(found.images)
    ]
    return {"schema": SCHEMA, "name": found.reference.name, "count": len(found.tags), "tags": rows}


def to_text(document: Json) -> str:
    """For people: a line each."""
    rows = document["tags"]
    lines = [_head(document), ""]
    lines += table(
        ("created", "layers", "size", "update", "tag"),
        (
            (
                display_name((row["created"] or "")[:10]),
                str(row["layers"]),
                size(row["blob_size"]),
                "" if row["update"] is None else size(row["update"]),
                display_name(row["tag"]),
            )
            for row in rows
        ),
        left={4},
    )
    return "\n".join([*lines, "", _sum(document)]) + "\n"


def to_markdown(document: Json) -> str:
    """For a comment or a summary."""
    lines = [f"### {md(_head(document))}", "", "| created | layers | size | update | tag |", "|---|--:|--:|--:|---|"]
    for row in document["tags"]:
        update = "" if row["update"] is None else size(row["update"])
        created = md(display_name((row["created"] or "")[:10]))
        lines.append(
            f"| {created} | {row['layers']} | {size(row['blob_size'])} | {update} | {md(display_name(row['tag']))} |"
        )
    return "\n".join([*lines, "", md(_sum(document))]) + "\n"


def _head(document: Json) -> str:
    shown, count = len(document["tags"]), document["count"]
    some = f", the last {shown} by name" if shown < count else ""
    return f"{display_name(document['name'])}: {plural(count, 'tag')}{some}; sizes as transferred"


def _sum(document: Json) -> str:
    updates = [row["update"] for row in document["tags"] if row["update"] is not None]
    if not updates:
        return "one version alone has no updates"
    average = sum(updates) // len(updates)
    return f"an update transfers {size_bytes(average)} on average, {size_bytes(max(updates))} at the most"
