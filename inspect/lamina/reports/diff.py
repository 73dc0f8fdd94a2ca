"""One image against another as JSON (schema ``lamina.diff/1``), as text and as Markdown.

Text and Markdown are made from the JSON alone, so that the three can't disagree. Every text that comes from an image
goes through :func:`display_name`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamina.amounts import plural, size, size_bytes
from lamina.figures.divergence import Divergence, divergence_of
from lamina.figures.sharing import as_transferred, known_member, pull_cost
from lamina.model import Change, Kind, KnownImage
from lamina.names import display_name, image_name, short_instruction
from lamina.reports.diff_packages import ComparedPackages, package_changes, package_markdown, package_text
from lamina.reports.json_text import Json, path_fields, plain_text
from lamina.reports.shared import known_head
from lamina.reports.sharing import head
from lamina.reports.tables import md, path_of, table
from lamina.stack.union import ABSENT, Union

if TYPE_CHECKING:
    from lamina.figures.compare import Comparison
    from lamina.figures.image import Tally

SCHEMA = "lamina.diff/1"

_TOP_FILES = 40
_CHANGES = (("added", "+"), ("modified", "M"), ("metadata", "m"), ("removed", "-"))


def build(found: Comparison, packages: ComparedPackages | None = None) -> Json:
    """A comparison as a JSON object.

    Args:
        found: the comparison.
        packages: of both images; None where they are not known, which makes the parts about them null.

    ``files`` has every changed path, directories too; ``bytes`` is its size in ``b`` and ``before_bytes`` that in
    ``a``, null where it is not there; a hard link has its file's. The tallies leave directories out, and count the
    bytes of a file once, whatever names it has.
    """
    cost = {"bytes": found.pull.bytes, "compressed": found.pull.compressed}
    return {
        "schema": SCHEMA,
        "a": {**head(found.a.info), "size": found.a.size, "layers": len(found.a.info.layers)},
        "b": {**head(found.b.info), "size": found.b.size, "layers": len(found.b.info.layers)},
        "pull": cost,
        "push": dict(cost),
        "disk": found.disk,
        "parting": _parting(found.divergence),
        "added": _tally(found.added),
        "modified": _tally(found.modified),
        "metadata": _tally(found.metadata),
        "removed": _tally(found.removed),
        **package_changes(packages),
        "files": _files(found),
    }


def build_unread(a: KnownImage, b: KnownImage) -> Json:
    """The same from manifests and configs alone: what takes files is null, and sizes are as transferred."""
    first, second = as_transferred(a), as_transferred(b)
    pull = pull_cost(known_member(second), known_member(first))
    cost = {"bytes": pull.bytes, "compressed": pull.compressed}
    heads = [{**known_head(image), "size": image.size, "layers": len(image.layers)} for image in (first, second)]
    return {
        "schema": SCHEMA,
        "sizes": "transferred",
        "a": heads[0],
        "b": heads[1],
        "pull": cost,
        "push": dict(cost),
        "disk": None,
        "parting": _parting(divergence_of(a.layers, b.layers)),
        **dict.fromkeys([key for key, _ in _CHANGES]),
        **package_changes(None),
        "files": None,
    }


def _parting(divergence: Divergence | None) -> Json | None:
    if divergence is None:
        return None
    return {
        "index": divergence.index,
        "before": plain_text(divergence.before),
        "after": plain_text(divergence.after),
        "same_instruction": divergence.same_instruction,
    }


def _tally(tally: Tally) -> Json:
    return {"count": tally.count, "bytes": tally.bytes}


def _files(found: Comparison) -> list[Json]:
    """Every changed path, by the bytes it has now or had, most first."""
    union, view = found.union, found.view()
    paths = np.flatnonzero(view.present & (view.change != Change.UNCHANGED))
    change, event, before = view.change[paths], view.event[paths], view.before[paths]
    removed = change == Change.REMOVED
    before = np.where(removed, event, before)
    event = np.where(removed, ABSENT, event)
    now, was = _sizes(union, event), _sizes(union, before)
    order = np.lexsort((paths, -np.maximum(now, was)))
    rows = []
    for row in order.tolist():
        path = int(paths[row])
        detail = view.detail(path)
        rows.append(
            {
                **path_fields(union.paths.path(path)),
                "change": Change(int(change[row])).name.lower(),
                "kind": _KINDS[view.kind(path)],
                "bytes": None if now[row] < 0 else int(now[row]),
                "before_bytes": None if was[row] < 0 else int(was[row]),
                "detail": detail or None,
            }
        )
    return rows


def _sizes(union: Union, events: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bytes of what some names lead to; -1 for a name that is not there."""
    inodes = union.inode[events]
    return np.where(events == ABSENT, -1, union.size[np.where(inodes == ABSENT, events, inodes)])


_KINDS = {
    Kind.FILE: "file",
    Kind.HARDLINK: "hardlink",
    Kind.SYMLINK: "symlink",
    Kind.CHAR: "device",
    Kind.BLOCK: "device",
    Kind.DIR: "directory",
    Kind.FIFO: "fifo",
    Kind.WHITEOUT: "file",
    Kind.OPAQUE: "directory",
}


# For people


def to_text(diff: Json) -> str:
    """The comparison as plain text."""
    lines = [_title(diff), f"  {_costs(diff)}", *(f"  {line}" for line in _divergence(diff)), f"  {_tallies(diff)}"]
    shown = _shown(diff)
    lines += package_text(diff)
    if shown:
        lines.append("")
        lines += table(
            ("", "bytes", "before", "path"),
            ((_mark(row), _size(row["bytes"]), _size(row["before_bytes"]), _path(row)) for row in shown),
            left={0, 3},
        )
        lines += [f"  {line}" for line in _rest(diff, shown)]
    return "\n".join(lines) + "\n"


def to_markdown(diff: Json) -> str:
    """The comparison as GitHub-flavoured Markdown."""
    lines = [f"### {md(_title(diff))}", "", f"{_costs(diff)}  "]
    lines += [f"{md(line)}  " for line in _divergence(diff)]
    lines.append(_tallies(diff))
    shown = _shown(diff)
    lines += package_markdown(diff)
    if shown:
        lines += ["", "| | bytes | before | path |", "|---|--:|--:|---|"]
        lines += [
            f"| {md(_mark(row))} | {_size(row['bytes'])} | {_size(row['before_bytes'])} | {md(_path(row))} |"
            for row in shown
        ]
        lines += ["", *_rest(diff, shown)]
    return "\n".join(lines) + "\n"


def _title(diff: Json) -> str:
    return " → ".join(display_name(image_name(diff[key]["tags"], diff[key]["target"])) for key in "ab")


def _costs(diff: Json) -> str:
    kind = "compressed" if diff["pull"]["compressed"] else "uncompressed"
    cost = size_bytes(diff["pull"]["bytes"]) + (f" ({kind})" if diff["pull"]["bytes"] else "")
    if diff["disk"] is None:
        return f"pull or push {cost} of {size_bytes(diff['b']['size'])}; no layer was read"
    return f"pull or push {cost}, {size_bytes(diff['disk'])} more on disk"


def _divergence(diff: Json) -> list[str]:
    divergence = diff["parting"]
    if divergence is None:
        if diff["a"]["layers"] == diff["b"]["layers"]:
            return ["both have the same layers"]
        return ["one stands whole on the other's layers"]
    why = ", though its instruction is the same" if divergence["same_instruction"] else ""
    lines = [f"{plural(divergence['index'], 'layer')} stored once; layer {divergence['index']} is another{why}"]
    for word, key in (("was", "before"), ("is ", "after")):
        lines.append(f"  {word}  {short_instruction(divergence[key] or '') or '(no instruction)'}")
    return lines


def _tallies(diff: Json) -> str:
    if diff["files"] is None:
        return "files are not compared (--manifests)"
    return ", ".join(f"{diff[key]['count']:,} {key} ({size_bytes(diff[key]['bytes'])})" for key, _ in _CHANGES)


def _shown(diff: Json) -> list[Json]:
    files: list[Json] = diff["files"] or []
    return [row for row in files if row["kind"] != "directory"][:_TOP_FILES]


def _rest(diff: Json, shown: Sequence[Json]) -> list[str]:
    more = sum(diff[key]["count"] for key, _ in _CHANGES) - len(shown)
    return [f"and {plural(more, 'more file')} (all of them: --json)"] if more > 0 else []


def _mark(row: Json) -> str:
    return dict(_CHANGES)[row["change"]]


def _size(count: int | None) -> str:
    return "" if count is None else size(count)


def _path(row: Json) -> str:
    detail = f"  ({display_name(row['detail'])})" if row["detail"] else ""
    return f"{path_of(row)}{detail}"
