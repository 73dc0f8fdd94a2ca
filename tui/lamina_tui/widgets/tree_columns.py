"""The columns of a file tree: which there are, how wide, and what they say of a row."""

from __future__ import annotations

from lamina.dataclass import dataclass
from lamina.model import Change, Kind
from lamina.stack.union import ABSENT
from lamina.stack.view import View
from lamina_tui import texts

NAME = "name"
"""What rows may be sorted by beside the view's figures."""
FIGURE = texts.SIZE_WIDTH + 3
"""Cells of a column of bytes: blanks before it, and room for the sign of the sort order after it."""

_TITLES = {"difference": "change"}
METADATA = ("", "time", "age")
"""What ``m`` shows of each file beside its bytes: nothing, or mode, owner, and its time or age."""
_WIDTHS = {"layer": 5, "mode": 11, "owner": 11, "time": 17, "date": 11, "age": 15}
"""Cells of the columns that are asked for, a blank before each included."""
_NARROWER = {"time": "date"}
"""What stands in for a column that has no room."""
_NAME = 22
"""Cells that a name keeps beside what is asked for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is parted, in cells."""

    name: int
    figures: tuple[str, ...]
    """Columns of bytes, by their names in the view."""
    asked: tuple[str, ...]
    """Columns that are asked for and have room: ``layer``, ``mode``, ``owner``, ``time``, ``date`` or ``age``."""
    bar: int
    """0: there is no room for one."""
    detail: int
    """0: the same."""


def layout(width: int, figures: tuple[str, ...], column: str, asked: tuple[str, ...] = ()) -> Layout:
    """Columns for a width. The name keeps what it needs; of narrow panes first detail goes, then bar, then columns.

    Args:
        width: of the row.
        figures: of the view.
        column: that rows are sorted by; the last to go.
        asked: further columns, the most wanted first; they go before the figures, and the bar goes before them.
    """
    if width < 30 + FIGURE * len(figures):
        figures = (column if column in figures else main_figure(figures),)
    rest = width - 2 - FIGURE * len(figures)
    shown = []
    for name in asked:
        fitting = next((one for one in (name, _NARROWER.get(name)) if one and rest - _WIDTHS[one] >= _NAME), None)
        if fitting is not None:
            shown.append(fitting)
            rest -= _WIDTHS[fitting]
    bar = 10 if rest >= 56 else 6 if rest >= 36 else 0
    rest -= bar + 1 if bar else 0
    detail = min(30, rest // 3) if rest >= (72 if "mode" in shown else 42) else 0
    return Layout(rest - (detail + 1 if detail else 0), figures, tuple(shown), bar, detail)


def asked_title(name: str) -> str:
    """What a column that is asked for is called, as wide as the column."""
    if name == "layer":
        return f"{'#':>{_WIDTHS[name]}}"
    return " " + texts.fit("time" if name == "date" else name, _WIDTHS[name] - 1)


def asked_text(name: str, view: View, path: int, more: str) -> str:
    """What such a column says of a path, as wide as the column; blank where nothing is known of it."""
    width = _WIDTHS[name]
    if view.event[path] == ABSENT:
        return " " * width
    if name == "layer":
        layer = view.layer(path)
        return f"{'' if layer is None else layer:>{width}}"
    if name == "mode":
        text = texts.mode_text(view.kind(path), view.mode(path))
    elif name == "owner":
        text = "{}:{}".format(*view.owner(path))
    else:
        text = texts.moment(view.mtime(path), relative=name == "age")[: _WIDTHS[name] - 1 if name == "date" else None]
    return " " + texts.fit(text, width - 1, more)


def main_figure(figures: tuple[str, ...]) -> str:
    """What rows are sorted by where the user said nothing: sizes; of two file systems compared the difference."""
    return "difference" if "difference" in figures else figures[0]


def title(figure: str) -> str:
    """What a column is called."""
    return _TITLES.get(figure, figure)


def amount(view: View, figure: str, path: int) -> str:
    """A row's bytes in one column; blank where the column says nothing of it."""
    value = view.value(figure, path)
    if figure == "before":  # what was there with no bytes is not what was not there
        return "" if view.change[path] == Change.ADDED else texts.size(value)
    if figure not in {"difference", "removed"} and not value and view.change[path] == Change.REMOVED:
        return ""
    return bytes_text(figure, value)


def bytes_text(figure: str, value: int) -> str:
    """Bytes of one column as it has them; blank where nothing is the ordinary case."""
    if figure == "difference":
        return f"{'+' if value > 0 else '-'}{texts.size(abs(value))}" if value else ""
    return "" if figure in {"removed", "before"} and not value else texts.size(value)


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
        of = " of what changed" if view.of_changed and view.kind(path) is Kind.DIR else ""
        return f"{texts.count(int(view.was[path]))} B before, {size} B after{of}"
    removed = int(view.removed[path])
    if not removed:
        return f"{size} B"
    return f"{texts.count(removed)} B removed" if not view.size[path] else f"{size} B, {texts.count(removed)} B removed"
