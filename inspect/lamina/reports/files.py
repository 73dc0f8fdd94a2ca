"""Files of a view as text and as JSON: as a file tree on the screen shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from lamina.amounts import plural
from lamina.model import Change, Kind
from lamina.names import decode, display_name
from lamina.reports.json_text import Json, path_fields
from lamina.stack.group_rows import group_of_row
from lamina.stack.tree_rows import TreeRows
from lamina.stack.union import ABSENT
from lamina.stack.view import View

FILES_SCHEMA = "lamina.files/1"

_TYPES = {
    Kind.FILE: "file",
    Kind.HARDLINK: "hardlink",
    Kind.SYMLINK: "symlink",
    Kind.CHAR: "char",
    Kind.BLOCK: "block",
    Kind.DIR: "dir",
    Kind.FIFO: "fifo",
}


def files_json(tree: TreeRows) -> Iterator[str]:
    """Every path that a tree has, folded or not, as one document of JSON text.

    ``{"schema", "view", "files": [{"path", "type", "size", "removed", "mode", "uid", "gid", "mtime", "layer",
    "change", "link"}]}``: parents before what is in them, sizes in bytes and of the path alone, ``mtime`` in
    nanoseconds since the epoch, ``layer`` the one that ships it. Of two file systems compared, ``before`` is there in
    place of ``removed``.
    """
    yield f'{{"schema": "{FILES_SCHEMA}", "view": {json.dumps(tree.view.title)}, "files": ['
    separator = ""
    for row in _paths(tree):
        yield separator + json.dumps(row)
        separator = ", "
    yield "]}\n"


def _paths(tree: TreeRows) -> Iterator[Json]:
    view, union = tree.view, tree.view.union
    nodes = np.flatnonzero(tree.shown).astype(np.int32)
    columns = {name: view.own(name)[nodes].tolist() for name in view.figures[:2]}
    sizes = columns.pop("size", None) or columns.pop("after", None) or [0] * len(nodes)
    (other,) = columns
    for row, (path, text) in enumerate(zip(nodes.tolist(), union.paths.texts(nodes), strict=True)):
        if not path:
            continue
        found = {**path_fields(text), "type": _TYPES[view.kind(path)], "size": sizes[row], other: columns[other][row]}
        if view.event[path] != ABSENT:
            uid, gid = view.owner(path)
            found |= {"mode": view.mode(path), "uid": uid, "gid": gid, "mtime": view.mtime(path)}
        found |= {"layer": view.layer(path), "change": Change(int(view.change[path])).name.lower()}
        link = view.link(path)
        yield {**found, "link": decode(link).encode("utf-8", "surrogateescape").decode("utf-8", "replace") or None}


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
