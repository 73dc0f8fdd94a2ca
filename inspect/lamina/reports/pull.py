"""What a pull will fetch, as text and as JSON (schema ``lamina.pull/1``)."""

from __future__ import annotations

from lamina.amounts import plural, size, size_bytes
from lamina.figures.pull_plan import PullPlan
from lamina.names import display_name, short_instruction
from lamina.reports.json_text import Json, plain_text
from lamina.reports.tables import cut, md, table

SCHEMA = "lamina.pull/1"


def build(plan: PullPlan, engine: str) -> Json:
    """The plan of a pull; ``stored`` is null where nobody knows the files before they are unpacked."""
    info = plan.info
    return {
        "schema": SCHEMA,
        "target": plain_text(info.target),
        "engine": plain_text(engine),
        "id": plain_text(info.id),
        "platform": plain_text(info.platform),
        "blob_size": plan.size,
        "fetched": plan.fetched,
        "saved": plan.saved,
        "stored": plan.stored,
        "layers": [
            {
                "index": row.layer.index,
                "diff_id": row.layer.diff_id,
                "digest": row.layer.digest,
                "blob_size": row.layer.blob_size,
                "presence": row.presence.value,
                "holder": plain_text(row.holder) or None,
                "fetched": row.fetched,
                "stored": row.stored,
                "instruction": plain_text(row.layer.instruction),
            }
            for row in plan.layers
        ],
    }


def to_text(document: Json) -> str:
    """For people, before they decide."""
    lines = [_head(document), f"  {_costs(document)}", ""]
    lines += table(
        ("#", "size", "fetched", "", "instruction"),
        (
            (
                str(row["index"]),
                size(row["blob_size"] or 0),
                size(row["fetched"]),
                _where(row),
                cut(display_name(short_instruction(row["instruction"])), 60),
            )
            for row in document["layers"]
        ),
        left={3, 4},
    )
    return "\n".join(lines) + "\n"


def to_markdown(document: Json) -> str:
    """For a comment."""
    lines = [f"### {md(_head(document))}", "", md(_costs(document)), ""]
    lines += ["| # | size | fetched | | instruction |", "|--:|--:|--:|---|---|"]
    for row in document["layers"]:
        instruction = md(cut(display_name(short_instruction(row["instruction"])), 80))
        lines.append(
            f"| {row['index']} | {size(row['blob_size'] or 0)} | {size(row['fetched'])} "
            f"| {md(_where(row))} | {instruction} |"
        )
    return "\n".join(lines) + "\n"


def _head(document: Json) -> str:
    name = document["target"].removeprefix("docker://")
    return f"{display_name(name)} · {display_name(document['platform'])} → {display_name(document['engine'])}"


def _costs(document: Json) -> str:
    stored = document["stored"]
    disk = (
        "the disk it takes is known once new layers are unpacked" if stored is None else f"{size_bytes(stored)} of disk"
    )
    return (
        f"{size_bytes(document['fetched'])} to fetch of {size_bytes(document['blob_size'])} "
        f"in {plural(len(document['layers']), 'layer')}, {size_bytes(document['saved'])} saved by what is here; {disk}"
    )


def _where(row: Json) -> str:
    holder = display_name(row["holder"] or "")
    if row["presence"] == "here":
        return f"here, with {holder}"
    if row["presence"] == "elsewhere":
        return f"on other layers in {holder}"
    return "new"
