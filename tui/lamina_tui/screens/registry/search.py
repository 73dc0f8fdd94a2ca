"""A search for repositories: by the engine, or in a registry's catalogue."""

from __future__ import annotations

import threading

from textual import on

from lamina.names import display_name
from lamina.sources.registry.search import SearchResult
from lamina.workspace import Workspace
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.screens.registry.asking import AskingScreen, Tell
from lamina_tui.widgets.line_bar import Line
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.registry_lists import RepositoryList
from lamina_tui.widgets.row_list import RowList

_MOST = 100


class SearchScreen(AskingScreen[SearchResult]):
    """Repositories by words; Enter shows the tags of one.

    Args:
        workspace: asks.
        term: what is searched for; untrusted.
    """

    SCOPE = Scope.REGISTRY
    BINDINGS = bindings(Scope.REGISTRY)

    def __init__(self, workspace: Workspace, term: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._term = term

    def make_list(self) -> RowList:
        """See :class:`AskingScreen`."""
        return RepositoryList(id="rows")

    @property
    def found(self) -> RepositoryList:
        """The list."""
        return self.query_one(RepositoryList)

    @property
    def asking(self) -> str:
        """See :class:`AskingScreen`."""
        return f"searching for {self._term}"

    def ask(self, cancel: threading.Event, tell: Tell) -> SearchResult:
        """See :class:`AskingScreen`."""
        return self._workspace.search(self._term, _MOST, cancel=cancel, progress=tell)

    def take(self, answer: SearchResult) -> None:
        """See :class:`AskingScreen`."""
        self.found.placeholder = "nothing found\nf searches for something else"
        self.found.show(answer.repositories)

    def title_line(self) -> Line:
        """See :class:`AskingScreen`."""
        count = "" if self.answer is None else texts.plural(len(self.answer.repositories), "name")
        asked = "" if self.answer is None else f" in {self.answer.asked}"
        head = self.glyphs.text(display_name(f"{self._term}{asked}"))
        return [(" search ", "strong"), (f" {head}", "plain")], [(f"{count} ", "dim")]

    def status_lines(self) -> tuple[Line, ...]:
        """See :class:`AskingScreen`."""
        row = self.found.repository
        if row is None:
            return ()
        about = " ".join(display_name((row.description or "no description")[:1000]).split())
        return ([(f" {self.glyphs.text(display_name(row.name))}", "strong")], []), (
            [(f" {self.glyphs.text(about)}", "dim")],
            [],
        )

    @on(RowList.Activated)
    def action_open(self) -> None:
        """Show the tags of the repository under the cursor."""
        row = self.found.repository
        if row is not None and not self.failed:
            self.navigation.open_tags(row.name)

    def action_pull(self) -> None:
        """Tell what a pull of its latest would fetch."""
        row = self.found.repository
        if row is not None and not self.failed:
            self.navigation.open_pull(row.name)

    def action_search(self) -> None:
        """Search for something else."""
        self.query_one(Prompt).open("search for (words, or HOST/words):", self._term, done=self._typed, does="search")

    def _typed(self, text: str, kept: bool) -> None:
        if kept and text.strip() and not self.busy:
            self._term, self.answer = text.strip(), None
            self.found.show(())
            self.action_reload()
