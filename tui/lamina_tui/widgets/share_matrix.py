"""What each pair of a set shares: a matrix that scrolls both ways."""

from __future__ import annotations

from lamina.figures.image_set import ImageSet
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

_BYTES, _PERCENT = 7, 4  # cells of a cell's two numbers; the first has room for a bracket before it

_NAMES, _WIDEST = 28, 32
"""Cells of the column of names, and of any other at the most."""


class ShareMatrix(RowList):
    """Rows and columns are the images; brackets stand around the cell under the cursor."""

    BINDINGS = bindings(Scope.MATRIX)
    SCOPES = (Scope.MATRIX, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.figures: ImageSet | None = None
        self.names: list[str] = []
        """Untrusted."""
        self.column = 0
        self.percent = True
        self._left = 0
        """The first column in view."""

    def show(self, figures: ImageSet, names: list[str]) -> None:
        """Show a set; its images come one after the other, so the cursor stays."""
        self.figures, self.names = figures, names
        self.column = min(self.column, len(names) - 1) if self.column else min(1, len(names) - 1)
        self.rows_changed()

    @property
    def pair(self) -> tuple[int, int]:
        """The images of the cell under the cursor."""
        return self.cursor, self.column

    # Drawing

    def row_count(self) -> int:
        """Images."""
        return len(self.names)

    @property
    def _cell(self) -> int:
        return _BYTES + (_PERCENT if self.percent else 0)

    def _cell_width(self, width: int) -> int:
        """Cells of a column: more than its figures take where all images fit, and their names need it."""
        longest = max((texts.cell_len(display_name(name)) for name in self.names), default=0) + 4
        room = (width - 2 - _NAMES) // max(1, len(self.names))
        return max(self._cell, min(room, longest, _WIDEST))

    def _layout(self, width: int) -> tuple[int, range]:
        """Cells of the name column, and the columns in view."""
        room = width - 2  # the last bracket, and the sign that there is more to the right
        if self._cell_width(width) > self._cell:
            self._left = 0
            return _NAMES, range(len(self.names))
        names = min(_NAMES, room - len(self.names) * self._cell)
        if names < 12:  # not all fit: then names that can be read are worth another column out of view
            names = min(_NAMES, max(12, width // 4))
        fit = max(1, (room - names) // self._cell)
        left = min(self._left, self.column)
        left = max(left, self.column - fit + 1)
        self._left = max(0, min(left, len(self.names) - fit))
        return names, range(self._left, min(len(self.names), self._left + fit))

    def header(self, width: int) -> list[Part]:
        """The columns' images, by number and by as much of their name as fits."""
        names, columns = self._layout(width)
        glyphs = self.glyphs
        more = ("< " if columns.start else "") + "shared with"
        parts: list[Part] = [(texts.fit(f" {more}", names), "header")]
        cell = self._cell_width(width)
        for column in columns:
            number = f"{column + 1} "
            name = texts.fit_end(glyphs.text(display_name(self.names[column])), cell - 1 - len(number), glyphs.more)
            text = number + name
            blank = " " * max(1, cell - texts.cell_len(text))
            parts.append((blank + text, "here" if column == self.column else "header"))
        parts.append((" >" if columns.stop < len(self.names) else "  ", "header"))
        return parts

    def row(self, index: int, width: int) -> list[Part]:
        """One image: what it shares with each of the others; on the diagonal its own size."""
        figures, glyphs = self.figures, self.glyphs
        assert figures is not None
        names, columns = self._layout(width)
        number = f"{index + 1:>2} "
        name = number + glyphs.text(display_name(self.names[index]))
        parts: list[Part] = [(texts.fit(name, names, glyphs.more), "plain")]
        close = " "
        spare = " " * (self._cell_width(width) - self._cell)
        for column in columns:
            here = index == self.cursor and column == self.column
            text = close + spare + self._cell_text(index, column)
            if here:
                text = "[" + text[1:]
            close = "]" if here else " "
            parts.append((text, self._style(index, column)))
        parts.append((close, "plain"))
        return parts

    def _cell_text(self, row: int, column: int) -> str:
        figures = self.figures
        assert figures is not None
        if row == column:
            return f"{texts.size(figures.images[row].size):>{_BYTES - 1}}" + (" " * _PERCENT if self.percent else "")
        shared = figures.shared(row, column)
        text = f"{texts.size(shared):>{_BYTES - 1}}"
        if self.percent:
            smaller = min(figures.images[row].size, figures.images[column].size)
            share = "all" if shared >= smaller else whole_percent(shared, smaller)
            text += f"{share if shared else '':>{_PERCENT}}"
        return text

    def _style(self, row: int, column: int) -> str:
        assert self.figures is not None
        if row == column:
            return "dim"
        return "strong" if self.figures.shared(row, column) else "dim"

    def describe(self) -> list[str]:
        """The pair under the cursor in words. Safe to show."""
        figures = self.figures
        if figures is None or not self.names:
            return []
        glyphs = self.glyphs
        a, b = self.pair
        first = glyphs.text(display_name(self.names[a]))
        if a == b:
            size, own, common = map(
                texts.size_bytes, (figures.images[a].size, figures.sharing.unique[a], figures.sharing.shared[a])
            )
            return [f"{first} has {size}: {own} unique, {common} shared"]
        second = glyphs.text(display_name(self.names[b]))
        shared = figures.shared(a, b)
        smaller = min(figures.images[a].size, figures.images[b].size)
        share = f", {whole_percent(shared, smaller)} of the smaller" if shared else ""
        pair = figures.pair(a, b)
        cost = pair.b_given_a if pair.b == b else pair.a_given_b
        twice = figures.stored_twice(a, b)
        apart = f"; {texts.size_bytes(twice)} of it on other layers, so stored twice" if twice else ""
        return [
            f"{first} and {second} share {texts.size_bytes(shared)}{share}{apart}",
            f"pulling {second} where {first} is there: {texts.cost(cost)}",
        ]

    # Commands

    def action_open(self) -> None:
        """Compare the two images."""
        self.post_message(self.Activated(self))

    def action_column(self, step: int) -> None:
        """Go one column to the side."""
        wanted = max(0, min(self.column + step, len(self.names) - 1))
        if wanted != self.column:
            self.column = wanted
            self.refresh()
            self.post_message(self.Moved(self))

    def action_percent(self) -> None:
        """Show bytes with or without percent of the smaller image."""
        self.percent = not self.percent
        self.refresh()


def whole_percent(part: int, whole: int) -> str:
    """A share in at most four cells: only all of it says ``100%``, only nothing ``0%``."""
    if part >= whole:
        return "100%"
    return f"{max(1, min(99, round(part * 100 / whole)))}%" if part else "0%"
