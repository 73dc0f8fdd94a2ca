"""The columns of a file tree: which there are, how wide, and what they say of a row."""

from __future__ import annotations

from dataclasses import dataclass

from lamina.model import Change
from lamina.stack.view import View
from lamina_tui import texts

NAME = "name"
"""What rows may be sorted by beside the view's figures."""
FIGURE = texts.SIZE_WIDTH + 3
"""Cells of a column of bytes: blanks before it, and room for the sign of the sort order after it."""

_TITLES = {"difference": "change"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is parted, in cells."""

    name: int
    figures: tuple[str, ...]
    """Columns of bytes, by their names in the view."""
    bar: int
    """0: there is no room for one."""
    detail: int
    """0: the same."""


def layout(width: int, figures: tuple[str, ...], column: str) -> Layout:
    """Columns for a width. The name keeps what it needs; of narrow panes first detail goes, then bar, then columns.

    Args:
        width: of the row.
        figures: of the view.
        column: that rows are sorted by; the last to go.
    """
    if width < 30 + FIGURE * len(figures):
        figures = (column if column in figures else main_figure(figures),)
    rest = width - 2 - FIGURE * len(figures)
    bar = 10 if rest >= 56 else 6 if rest >= 36 else 0
    rest -= bar + 1 if bar else 0
    detail = min(30, rest // 3) if rest >= 42 else 0
    return Layout(rest - (detail + 1 if detail else 0), figures, bar, detail)


def main_figure(figures: tuple[str, ...]) -> str:
    """What rows are sorted by where the user said nothing: sizes; of two file systems compared the difference."""
    return "difference" if "difference" in figures else figures[0]


def title(figure: str) -> str:
    """What a column is called."""
    return _TITLES.get(figure, figure)


def amount(view: View, figure: str, path: int) -> str:
    """A row's bytes in one column; blank where the column says nothing of it."""
    value = view.value(figure, path)
    if figure == "difference":
        return f"{'+' if value > 0 else '-'}{texts.size(abs(value))}" if value else ""
    if figure in {"removed", "before"}:
        return texts.size(value) if value else ""
    return "" if view.change[path] == Change.REMOVED and not value else texts.size(value)


def style_of(view: View, figure: str, path: int, style: str) -> str:
    """How it is drawn, where the row's own style is given."""
    if figure == "removed":
        return "removed"
    if figure == "difference":
        return "added" if view.value(figure, path) > 0 else "removed"
    return "dim" if figure == "before" else style


def in_words(view: View, path: int) -> str:
    """All columns of a row, to the byte."""
    size = texts.count(int(view.size[path]))
    if view.was is not None:
        return f"{texts.count(int(view.was[path]))} B before, {size} B after"
    removed = int(view.removed[path])
    if not removed:
        return f"{size} B"
    return f"{texts.count(removed)} B removed" if not view.size[path] else f"{size} B, {texts.count(removed)} B removed"
