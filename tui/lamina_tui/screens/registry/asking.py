"""A screen that asks a registry or an engine one thing, and lists the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from textual import work
from textual.app import ComposeResult

from lamina.model import Progress
from lamina.names import display_name
from lamina_tui.background import Failure, outcome_of
from lamina_tui.reading_messages import ProgressMade, Rate
from lamina_tui.screens.base import Notice
from lamina_tui.screens.working import WorkingScreen
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import Line, LineBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList

Answer = TypeVar("Answer")
Tell = Callable[[Progress], None]


class AskingScreen(WorkingScreen, Generic[Answer]):
    """Title, list, status; a subclass says what is asked and what is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Answer | None = None

    # What a subclass says

    def make_list(self) -> RowList:
        """The list, with the id ``rows``."""
        raise NotImplementedError

    def ask(self, cancel: threading.Event, tell: Tell) -> Answer:
        """Ask; on a thread of its own."""
        raise NotImplementedError

    def take(self, answer: Answer) -> None:
        """Show the answer in the list."""
        raise NotImplementedError

    def title_line(self) -> Line:
        """The title."""
        raise NotImplementedError

    def status_lines(self) -> tuple[Line, ...]:
        """What is said below the list while nothing is asked."""
        raise NotImplementedError

    @property
    def asking(self) -> str:
        """What is asked for now, in words."""
        raise NotImplementedError

    # Drawing

    def compose(self) -> ComposeResult:
        """Title, list or notice, status, prompt, footer."""
        yield LineBar(id="title")
        yield self.make_list()
        yield Notice(id="notice")
        yield LineBar(id="totals")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one("#rows", RowList)

    def on_mount(self) -> None:
        """Paint first, ask then."""
        self.set_focus(self.rows)
        self.refresh_footer()
        self.action_reload()

    def say(self, text: str) -> None:
        """Tell something once, in the status."""
        self._said = text
        self._show_status()

    def on_row_list_moved(self) -> None:
        """The status tells of the row under the cursor."""
        self._said = ""
        self._show_status()

    def _show(self) -> None:
        self.query_one("#title", LineBar).show(self.title_line())
        self._show_status()

    def _show_status(self) -> None:
        if self.failed:
            lines: tuple[Line, ...] = ()
        elif self.busy:
            lines = (self._progress,)
        else:
            lines = self.status_lines()
            if self._said:
                lines = (*lines[:1], self.said(self._said))
        self.query_one("#totals", LineBar).show(*lines)

    # Asking

    def action_reload(self) -> None:
        """Ask, again."""
        if self.busy:
            return
        self._cancel = threading.Event()
        self.busy, self.failed, self._said = True, False, ""
        self._rate = Rate()
        self.hide_notice()
        self.set_focus(self.rows)
        self.rows.placeholder = f"{display_name(self.asking)} …"
        self._tell(Progress(0, None, self.asking), None)
        self._show()
        self._ask(self._cancel)

    @work(exclusive=True, group="ask")
    async def _ask(self, cancel: threading.Event) -> None:
        def tell(progress: Progress) -> None:
            self.post_message(ProgressMade(progress))

        found = await outcome_of(lambda: self.ask(cancel, tell))
        if cancel is not self._cancel:
            return
        self.busy = False
        self.rows.placeholder = "nothing here"
        if isinstance(found, Failure):
            self._fail(found.text)
            return
        if found is None:
            self._said = "stopped: R asks again"
        else:
            self.answer = found
            self.take(found)
        self.rows.refresh()
        self._show()

    def action_back(self) -> None:
        """Stop the asking, or go back."""
        if self.busy:
            self._cancel.set()
        else:
            self.navigation.go_back()
