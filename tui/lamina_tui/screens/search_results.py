"""A search over all layers of one image or several, removed files too: results arrive while it searches."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial

from textual import on, work
from textual.app import ComposeResult

from lamina.contents.query import Query, parse_query, run_query
from lamina.dataclass import dataclass
from lamina.figures.find_paths import MOST, Found
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.glyphs import LOOSE
from lamina_tui.screens.base import FullScreen
from lamina_tui.widgets.found_list import FoundList, SearchedImage
from lamina_tui.widgets.found_rows import ORDERS, FoundRows, Key
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import Line, LineBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList

FEW = 20
"""Exact matches below which names are looked for that only have the letters in order."""

_PAUSE = 0.03  # seconds without another letter after which it is worth searching


@dataclass(slots=True)
class Search:
    """What is looked for and what was found: who opens the screen again with it finds all as it was."""

    text: str = ""
    fuzzy: bool | None = None
    """Whether names are wanted that only have the letters in order; None: where few have the text."""
    rows: FoundRows | None = None
    """What a finished search found; None searches."""
    here: Key | None = None
    """The row under the cursor."""
    asks: bool = False
    """Whether the line for the text is open when it begins, so that what is typed there are no commands."""


class SearchResults(FullScreen):
    """The results, and the text that they are for.

    Args:
        images: those that are searched; at least one.
        search: where to begin, and kept up to date.
        chosen: called with the image's number, the path's row and the layer of what is to be shown.
        closed: called when the screen closes without a choice.
    """

    SCOPE = Scope.RESULTS

    def __init__(
        self,
        images: Sequence[SearchedImage],
        search: Search,
        chosen: Callable[[Key], None],
        closed: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._images = images
        self.search = search
        self._chosen, self._left = chosen, closed
        self._cancel = threading.Event()
        self._before = search.text
        """The text that a prompt which is dropped leads back to."""
        self._said = ""
        self.busy = False
        self._with_letters = False

    def compose(self) -> ComposeResult:
        """Title, list, the cursor's row in words, prompt, footer."""
        yield LineBar(id="title")
        yield FoundList(self._images, id="found")
        yield LineBar(id="status")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    @property
    def found(self) -> FoundList:
        """The list."""
        return self.query_one(FoundList)

    def scopes(self) -> tuple[Scope, ...]:
        """The list's own commands are the screen's."""
        return tuple(dict.fromkeys(super().scopes()))

    def on_mount(self) -> None:
        """Show what is known, and search for what is not."""
        self.query_one("#status", LineBar).resized = self._show
        self.set_focus(self.found)
        search = self.search
        if search.rows is not None:
            self.found.show(search.rows)
            self._return()
        elif search.text:
            self._start()
        if search.asks or not search.text:
            search.asks = False
            self.action_find()
        self._show()
        self.refresh_footer()

    def on_unmount(self) -> None:
        """Whoever still searches can stop."""
        self._cancel.set()

    # Searching

    def _start(self) -> None:
        """Search for the text, from the beginning; what is shown stays until something comes."""
        self._cancel.set()
        self._cancel = threading.Event()
        self.search.rows = None
        self.busy, self._with_letters, self._said = True, False, ""
        words = "size:+1M  mode:setuid  owner:0  change:-  type:f  contains:TEXT"
        self.found.placeholder = "searching …" if self.search.text else f"type what to look for\nalso by {words}"
        self._run(self._cancel)
        self._show()

    @work(exclusive=True, group="find")
    async def _run(self, cancel: threading.Event) -> None:
        await asyncio.sleep(_PAUSE)
        search, images = self.search, self._images
        rows = FoundRows([image.finder.union.paths for image in images])
        order = self.found.rows
        rows.sort_by(order.order, reverse=order.reverse)
        query = parse_query(search.text)
        for number, image in enumerate(images):
            if query.plain:
                found: Found | Failure | None = await outcome_of(partial(image.finder.exact, query.name))
            else:
                found = await outcome_of(partial(self._by_conditions, query, image, rows, number, cancel))
            if cancel.is_set() or not self._take(rows, number, found):
                return
        if query.fault:
            self.say(f"not understood, and left out: {query.fault}")
        if not query.plain:
            self._end(rows)
            return
        self._with_letters = len(rows) < FEW if search.fuzzy is None else search.fuzzy
        for number, image in enumerate(images if self._with_letters else ()):
            batches = image.finder.fuzzy(search.text, cancel, MOST)
            while (found := await outcome_of(partial(next, batches, None))) is not None:
                if cancel.is_set() or not self._take(rows, number, found):
                    return
        if not cancel.is_set():
            self._end(rows)

    def _by_conditions(
        self, query: Query, image: SearchedImage, rows: FoundRows, number: int, cancel: threading.Event
    ) -> Found:
        """On a thread: what was found is shown as it comes; the answer is the last part of it."""
        parts: list[Found] = []

        def take(found: Found) -> None:
            if parts:
                self.app.call_from_thread(self._take, rows, number, parts.pop())
            parts.append(found)

        run_query(image.files, image.finder, query, take, cancel)
        return parts[0] if parts else image.finder.exact("")

    def _end(self, rows: FoundRows) -> None:
        """All was searched."""
        self.busy = False
        text = self.search.text
        self.search.rows = rows
        self.found.placeholder = f"nothing in any layer has {display_name(text)}" if text else ""
        self.found.show(rows)
        self._return()
        self._show()

    def _return(self) -> None:
        """Put the cursor on the row that was chosen last."""
        here, self.search.here = self.search.here, None
        if here is not None:
            self.found.rows_changed(self.found.rows.index_of(here))

    def _take(self, rows: FoundRows, image: int, found: Found | Failure | None) -> bool:
        """Show what came; False where nothing more will."""
        if isinstance(found, Found):
            rows.add(image, found)
            if len(rows):
                self.found.show(rows)
                self._show()
            return True
        self.busy = False
        self.say(found.text if isinstance(found, Failure) else "stopped")
        return False

    # Showing

    def say(self, text: str) -> None:
        """Tell something once, in the last line of the status, until the cursor moves."""
        self._said = text
        self._show()

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._show()

    def _show(self) -> None:
        """Title and status."""
        rows, glyphs = self.found.rows, self.glyphs
        text = glyphs.text(display_name(self.search.text))
        count = f"{texts.count(rows.total)} found"
        if len(rows) < rows.total:
            count = f"{texts.count(len(rows))} of {count}"
        if self.busy:
            count = "searching …"
        else:
            layers = len(set(zip(rows.image.tolist(), rows.layer.tolist(), strict=True)))
            count += f" in {texts.plural(layers, 'layer')}" if layers else ""
        loose = ""
        if rows.loose and not self.busy:
            loose = f", {'all' if rows.loose == len(rows) else texts.count(rows.loose)} by letters alone ({LOOSE})"
        where = f" in {texts.plural(len(self._images), 'image')}" if len(self._images) > 1 else ""
        room = self.size.width - min(texts.cell_len(text), _TEXT) - 10
        forms = [f"{count}{where}{loose}, by {rows.order} ", f"{count}{where}{loose} ", f"{count}{loose} "]
        # By letters alone is what a narrow title has to say, too: the rows' signs stand for it.
        forms += [f"{texts.count(rows.total)} found ({LOOSE}) "] if loose else [f"{count} "]
        right = texts.first_fitting(forms, room)
        self.query_one("#title", LineBar).show(
            ([(" find ", "strong"), (f" {text}", "plain")], [(glyphs.text(right), "dim")])
        )
        self._show_status()

    def _show_status(self) -> None:
        bar = self.query_one("#status", LineBar)
        told = self.found.describe()
        height = bar.size.height or 2
        lines: list[Line] = [([(f" {line}", "plain" if not number else "dim")], []) for number, line in enumerate(told)]
        if self._said:
            said = self.said_whole(self._said, bar)
            room = max(0, height - len(said))
            lines = [*lines[:room], *[([], [])] * (room - len(lines)), *said]
        bar.show(*lines[:height])

    # Commands

    def action_find(self) -> None:
        """Another text; results follow the typing."""
        self._before = self.search.text
        self.query_one(Prompt).open("/", self.search.text, done=self._done, typed=self._typed)

    def _typed(self, text: str) -> None:
        if text != self.search.text:
            self.search.text, self.search.here = text, None
            self._start()

    def _done(self, text: str, kept: bool) -> None:
        if kept:
            self._typed(text)
        elif self._before:
            self._typed(self._before)
        else:
            self.action_back()

    def action_next_sort(self) -> None:
        """Sort by relevance, by size, by path."""
        rows = self.found.rows
        rows.sort_by(ORDERS[(ORDERS.index(rows.order) + 1) % len(ORDERS)], reverse=False)
        self.found.show(rows)
        self._show()

    def action_fuzzy(self) -> None:
        """Take in names that only have the letters in order, or leave them out."""
        self.search.fuzzy = not self._with_letters
        self._start()
        self.say("with names that only have the letters" if self.search.fuzzy else "only names that have the text")

    @on(RowList.Activated)
    def _choose(self) -> None:
        rows = self.found.rows
        if self.is_current and self.found.cursor < len(rows):
            self.search.here = rows.key(self.found.cursor)
            self._chosen(self.search.here)

    def action_back(self) -> None:
        """Stop the search, or go back."""
        if self.busy and self.search.text and not self._cancel.is_set():
            self._cancel.set()
            self.busy = False
            self.say("stopped")
            return
        if self.navigation.go_back() and self._left is not None:
            self._left()


_TEXT = 16
"""Cells of the text that is looked for, beside which the title tells what it can."""
