"""Walks over every row that a list shows, holding what is drawn against the figures behind it.

Bars and texts are worked out here a second time, from each row's own number and that of the row it lies in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lamina_tui import texts
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.tree_columns import FIGURE, asked_title

BLOCKS = " ▏▎▍▌▋▊▉█"


def shown(rows: RowList, index: int, width: int) -> str:
    """A row as it is drawn: never wider than its room."""
    text = "".join(part for part, _ in rows.row(index, width))
    assert texts.cell_len(text) <= width, text
    return text


def eighths(bar: str) -> int:
    """The length of a bar; it has no gaps, and only its last cell may be a part of one."""
    cells = bar.rstrip(" ")
    assert all(cell == "█" for cell in cells[:-1]), bar
    return sum(BLOCKS.index(cell) for cell in cells)


def length(value: int, whole: int, width: int) -> int:
    """How long a bar has to be, in eighths of a cell."""
    return round(abs(value) / whole * width * 8) if whole else 0


def cell(figure: str, value: int) -> str:
    """Bytes as a column has them."""
    if figure == "difference":
        return f"{'-' if value < 0 else '+'}{texts.size(abs(value))}"
    return texts.size(value)


def sort_key(files: FileTree, value: int, path: int) -> tuple[int, int]:
    """What has to grow from sibling to sibling: equal values stand by name."""
    assert files.tree_rows is not None
    first = files.tree_rows.first_of_row(path)
    if files.column == "name":
        return 0, -first if files.sort_reversed else first
    return value if files.sort_reversed else -value, first


@dataclass(slots=True)
class _Open:
    """A row whose children come."""

    inside: range
    """The paths that are in it."""
    values: tuple[int, ...]
    largest: int
    """What its bars are held against."""
    left: list[int] = field(default_factory=list)
    """Of each figure, what the children that came leave of it."""
    last: tuple[int, int] | None = None
    """The sort key of the child that came last."""


def walk_files(files: FileTree, width: int = 120) -> int:
    """Every row of a file tree in which everything is unfolded and nothing hidden: its order, bytes and bar.

    Returns:
        Rows walked.
    """
    tree = files.tree_rows
    assert tree is not None
    view, paths = tree.view, tree.view.union.paths
    columns = {name: view.figure(name).tolist() for name in view.figures}
    places = _columns(files, width)
    by = files.bar_column

    def whole(values: Sequence[int], path: int) -> int:
        if by == "difference":  # held against all that changed, whichever way
            return max(columns["before"][path], columns["after"][path])
        return values[view.figures.index(by)]

    def opened(path: int, end: int) -> _Open:
        values = tuple(columns[name][path] for name in view.figures)
        return _Open(range(path + 1, end), values, whole(values, path), list(values))

    stack = [opened(0, paths.count)]
    for index, path in enumerate(tree.rows.tolist()):
        while path not in stack[-1].inside:
            _closed(stack.pop())
        inside = stack[-1]
        values = tuple(columns[name][path] for name in view.figures)
        text = shown(files, index, width)
        for name, value in zip(view.figures, values, strict=True):
            if name in places:
                start, stop = places[name]
                assert text[start:stop].strip() in {cell(name, value), "" if not value else "?"}, text
        if "bar" in places:
            start, stop = places["bar"]
            drawn = values[view.figures.index(by)]
            assert eighths(text[start:stop]) == length(drawn, inside.largest, stop - start), text
        here = sort_key(files, values[view.figures.index(files.column)] if files.column != "name" else 0, path)
        assert inside.last is None or inside.last < here, text
        inside.last = here
        inside.left = [left - value for left, value in zip(inside.left, values, strict=True)]
        if tree.has_children(path):
            assert tree.is_expanded(path)
            stack.append(opened(path, int(paths.end[path])))
    while stack:
        _closed(stack.pop())
    return len(tree.rows)


def _closed(row: _Open) -> None:
    assert not any(row.left), f"children leave {row.left} of {row.values}"


def walk_list(files: FileTree, width: int = 120) -> int:
    """The same for files as a list, or in groups that are all unfolded."""
    tree = files.tree_rows
    assert tree is not None
    view = tree.view
    places = _columns(files, width)
    by, grouped = files.bar_column, tree.grouping != "list"
    totals = {name: view.value(name, 0) for name in view.figures}
    left, of_group = dict(totals), dict.fromkeys(totals, 0)
    last = last_group = None
    for index, path in enumerate(tree.rows.tolist()):
        text = shown(files, index, width)
        if path < 0:
            assert not any(of_group.values()), f"files leave {of_group} before {text}"
            group = -1 - path
            values = {name: int(tree.groups.figure(name)[group]) for name in view.figures}
            of_group, last = dict(values), None
            assert last_group is None or values[files.column] <= last_group, text
            last_group = values[files.column]
        else:
            values = {name: view.value(name, path) for name in view.figures}
            assert last is None or values[files.column] <= last, text
            last = values[files.column]
            of_group = {name: of_group[name] - values[name] for name in values}
        if path >= 0 or not grouped:
            left = {name: left[name] - values[name] for name in values}
        for name, value in values.items():
            if name in places:
                start, stop = places[name]
                assert text[start:stop].strip() in {cell(name, value), "" if not value else "?"}, text
        if "bar" in places:
            start, stop = places["bar"]
            assert eighths(text[start:stop]) == length(values[by], totals[by], stop - start), text
    assert not any(left.values()), left
    assert not grouped or not any(of_group.values()), of_group
    return len(tree.rows)


def _columns(files: FileTree, width: int) -> dict[str, tuple[int, int]]:
    """Where the columns of a file tree's rows begin and end."""
    layout = files._layout(width)
    at = layout.name + 2 + sum(len(asked_title(name)) for name in layout.asked)
    found = {}
    for name in layout.figures:
        found[name] = at, at + FIGURE
        at += FIGURE
    if layout.bar:
        found["bar"] = at + 1, at + 1 + layout.bar
    return found
