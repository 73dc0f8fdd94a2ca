"""Two versions of a file held against each other."""

from __future__ import annotations

import threading
from functools import partial

from textual import on, work
from textual.app import ComposeResult

from lamina.contents.diff_page import DiffPage
from lamina.contents.versions import Comparison, Version, compare_versions
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.screens.base import FullScreen
from lamina_tui.widgets.content_rows import ContentRows
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import LineBar
from lamina_tui.widgets.row_list import RowList

_WIDE = 120
"""Cells from which two versions stand side by side at first."""


class VersionsScreen(FullScreen):
    """What differs.

    Args:
        before: the older version.
        after: the newer one.
        path: of both; untrusted.
        names: what each is a version of, ``layer 3``; untrusted.
    """

    SCOPE = Scope.COMPARED
    BINDINGS = bindings(Scope.COMPARED)

    def __init__(self, before: Version, after: Version, path: bytes, names: tuple[str, str]) -> None:
        super().__init__()
        self._versions = before, after
        self._path = path
        self._names = names
        self._cancel = threading.Event()
        self._found: Comparison | None = None
        self.beside: bool | None = None
        """Whether they stand side by side; None: where there is room."""
        self._said = "reading both …"

    def compose(self) -> ComposeResult:
        """Title, rows, status, footer."""
        yield LineBar(id="title")
        yield ContentRows(id="content")
        yield LineBar(id="status")
        yield KeyBar(id="keys")

    @property
    def rows(self) -> ContentRows:
        """The rows."""
        return self.query_one(ContentRows)

    def on_mount(self) -> None:
        """Paint first, read then."""
        self.set_focus(self.rows)
        self._show()
        self._compare()

    def on_unmount(self) -> None:
        """Whoever still reads can stop."""
        self._cancel.set()

    @work(exclusive=True, group="compare")
    async def _compare(self) -> None:
        found = await outcome_of(partial(compare_versions, *self._versions, self._cancel))
        self._said = ""
        if isinstance(found, Failure) or found is None:
            self.rows.placeholder = found.text if isinstance(found, Failure) else "stopped"
            self.rows.refresh()
        else:
            self._found = found
            self._lay_out()
        self._show()

    def _lay_out(self) -> None:
        if self._found is None:
            return
        beside = self.size.width >= _WIDE if self.beside is None else self.beside
        self.rows.numbers = not beside
        self.rows.show_page(DiffPage(self._found, self.rows.text_width - 1 if beside else 0))

    @on(ContentRows.Wanted)
    def _give_rows(self, event: ContentRows.Wanted) -> None:
        page = self.rows.page
        if page is not None:  # all of it is there: nothing is read
            self.rows.take(event.first, page.rows(event.first, event.count))

    def say(self, text: str) -> None:
        """Tell something once, in the status."""
        self._said = text
        self._show()

    def _show(self) -> None:
        glyphs = self.glyphs
        names = f" {glyphs.arrow} ".join(glyphs.text(display_name(name)) for name in self._names)
        room = max(8, self.size.width - texts.cell_len(names) - 4)
        path = texts.fit_end(glyphs.text("/" + display_name(self._path)), room, glyphs.more)
        self.query_one("#title", LineBar).show(([(f" {path}", "strong")], [(f"{names} ", "plain")]))
        if self._said or self._found is None:
            self.query_one("#status", LineBar).show(self.said(self._said))
            return
        hunks = self._found.hunks or []
        old = sum(line.mark == "-" for hunk in hunks for line in hunk)
        new = sum(line.mark == "+" for hunk in hunks for line in hunk)
        places = f"{texts.plural(len(hunks), 'place')} differ{'s' if len(hunks) == 1 else ''}" if hunks else ""
        told = f"{places}: {texts.plural(old, 'line')} out, {texts.count(new)} in" if hunks else "no lines to compare"
        self.query_one("#status", LineBar).show(([(f" {told}", "dim")], []))

    def on_resize(self) -> None:
        """Columns are as wide as the screen."""
        self.call_after_refresh(self._lay_out)
        self.call_after_refresh(self._show)

    # Commands

    def action_beside(self) -> None:
        """Side by side, or one below the other."""
        now = self.size.width >= _WIDE if self.beside is None else self.beside
        self.beside = not now
        self._lay_out()

    def action_copy(self) -> None:
        """Copy the absolute path."""
        self.navigation.copy(b"/" + self._path)

    def action_back(self) -> None:
        """Go back."""
        self._cancel.set()
        self.navigation.go_back()

    @on(RowList.Moved)
    def _moved(self) -> None:
        if self._said:
            self._said = ""
            self._show()
