"""Files as JSON, and those of a view as text, as a file tree on the screen shows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np

from lamina.amounts import plural
from lamina.contents.file_rows import NOBODY, FileRows, rows_of_view
from lamina.model import Change, Kind
from lamina.names import display_name
from lamina.reports.json_text import Json, path_fields
from lamina.stack.group_rows import group_of_row
from lamina.stack.tree_rows import TreeRows
from lamina.stack.union import ABSENT
from lamina.stack.view import View

FILES_SCHEMA = "lamina.files/1"

TYPES: dict[int, str] = {
    Kind.FILE: "file",
    Kind.HARDLINK: "hardlink",
    Kind.SYMLINK: "symlink",
    Kind.CHAR: "char",
    Kind.BLOCK: "block",
    Kind.DIR: "dir",
    Kind.FIFO: "fifo",
}


def files_json(tree: TreeRows) -> Iterator[str]:
    """Every path that a tree has, folded or not, as one document of JSON text; see :func:`rows_json`.

    Of two file systems compared, ``before`` is there in place of ``removed``.
    """
    view = tree.view
    nodes = np.flatnonzero(tree.shown).astype(np.int32)
    nodes = nodes[nodes > 0]
    before = None if view.was is None else view.own("before")[nodes].tolist()
    yield from _document(view.title, file_records(rows_of_view(view, nodes), before))


def rows_json(title: str, parts: Iterable[FileRows]) -> Iterator[str]:
    """Rows as one document of JSON text, written as they come.

    ``{"schema", "view", "files": [{"path", "type", "size", "removed", "mode", "uid", "gid", "mtime", "layer",
    "change", "link"}]}``: sizes in bytes and of the path alone, ``mtime`` in nanoseconds since the epoch, ``layer`` the
    one that ships it. Versions in all layers have ``hidden_by``, too, the layer that removes or replaces them, and
    ``replaced``, whether that puts something in their place.

    Args:
        title: what is listed.
        parts: the rows.
    """
    yield from _document(title, (record for rows in parts for record in file_records(rows)))


def _document(title: str, records: Iterable[Json]) -> Iterator[str]:
    yield f'{{"schema": "{FILES_SCHEMA}", "view": {json.dumps(title)}, "files": ['
    separator = ""
    for record in records:
        yield separator + json.dumps(record)
        separator = ", "
    yield "]}\n"


def file_records(rows: FileRows, before: list[int] | None = None) -> Iterator[Json]:
    """What :func:`rows_json` tells of each row.

    Args:
        rows: of one view.
        before: bytes of each in another; None where there is none.
    """
    union, carrier = rows.union, rows.carrier
    kinds, changes, layers, sizes = (column.tolist() for column in (rows.kind, rows.change, rows.layer, rows.own))
    others = rows.own_removed.tolist() if before is None else before
    modes, uids, gids, times = (column[carrier].tolist() for column in (union.mode, union.uid, union.gid, union.mtime))
    there, links = (rows.event != ABSENT).tolist(), rows.links()
    for row, text in enumerate(union.paths.texts(rows.path)):
        found = {
            **path_fields(text),
            "type": TYPES[kinds[row]],
            "size": sizes[row],
            "removed" if before is None else "before": others[row],
        }
        if there[row]:
            found |= {"mode": modes[row], "uid": uids[row], "gid": gids[row], "mtime": times[row]}
        found["layer"] = None if layers[row] == NOBODY else layers[row]
        found["change"] = Change(changes[row]).name.lower()
        if rows.hidden_by is not None and rows.replaced is not None:
            hidden_by = int(rows.hidden_by[row])
            found |= {
                "hidden_by": None if hidden_by == NOBODY else hidden_by,
                "replaced": bool(rows.replaced[row]),
            }
        found["link"] = links[row].decode("utf-8", "replace") or None
        yield found


def files_text(tree: TreeRows) -> Iterator[str]:
    """The rows of a tree as it is folded and sorted, a line each: change, bytes in each column, name."""
    view = tree.view
    yield f"{view.title}\n"
    yield "  " + "".join(f"{name:>16}" for name in view.figures) + "  name\n"
    for row in tree.rows.tolist():
        if row < 0:
            group = group_of_row(row)
            values = [int(tree.groups.figure(name)[group]) for name in view.figures]
            name = display_name(tree.groups.names[group]) or "(no extension)"
            yield _line(" ", values, f"{name}   {plural(int(tree.groups.counts[group]), 'file')}")
            continue
        values = [view.value(name, row) for name in view.figures]
        yield _line(view.mark(row), values, _name(view, tree, row))


def _line(mark: str, values: list[int], name: str) -> str:
    return f"{mark:<2}" + "".join(f"{value:>16,}" for value in values) + f"  {name}\n"


def _name(view: View, tree: TreeRows, path: int) -> str:
    paths = view.union.paths
    if tree.flat:
        return ("  " if tree.grouping != "list" else "") + display_name(paths.path(path))
    first = tree.first_of_row(path)
    name = display_name(paths.between(first, path))
    if view.kind(path) is Kind.DIR:
        name += "/"
    elif link := view.link(path):
        name += f" -> {display_name(link)}"
    return "  " * tree.level(path) + name
