"""A file of an image, read: as text, as hexadecimal numbers, or the texts within it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from textual import on, work
from textual.app import ComposeResult

from lamina.contents.content import FileContent, open_content
from lamina.contents.find_bytes import find_bytes
from lamina.contents.identify import identify
from lamina.contents.image_files import files_of
from lamina.contents.pages import WHOLE, HexDump, LongText, Page, StringList, WholeText, is_text
from lamina.contents.place import find_place, scope_of
from lamina.errors import Cancelled
from lamina.figures.image import LoadedImage
from lamina.names import decode, display_name
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.screens.base import FullScreen
from lamina_tui.widgets.content_rows import ContentRows
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import LineBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList

VIEWS = ("text", "hex", "strings")

T = TypeVar("T")


class Viewer(FullScreen):
    """One file.

    Args:
        opener: opens it; called on a thread.
        path: of it; untrusted.
        where: what it is a file of, ``layer 3 of web:1``; untrusted.
    """

    SCOPE = Scope.VIEWER
    BINDINGS = bindings(Scope.VIEWER)

    def __init__(self, opener: Callable[[threading.Event], FileContent], path: bytes, where: str) -> None:
        super().__init__()
        self._opener = opener
        self._path = path
        self._where = where
        self._content: FileContent | None = None
        self._reading = threading.Lock()  # a content is for one thread at a time
        self._cancel = threading.Event()
        self._search = threading.Event()
        self.view = ""
        self.wraps = False
        self._sought = b""
        self._found_at: int | None = None
        self._said = ""
        self._waits = "opening …"
        self._what = ""
        self.failed = False

    def compose(self) -> ComposeResult:
        """Title, rows, status, prompt, footer."""
        yield LineBar(id="title")
        yield ContentRows(id="content")
        yield LineBar(id="status")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    @property
    def rows(self) -> ContentRows:
        """The rows."""
        return self.query_one(ContentRows)

    def on_mount(self) -> None:
        """Paint first, read then."""
        self.set_focus(self.rows)
        self.query_one("#status", LineBar).resized = self._show
        self._show()
        self._open()

    def on_unmount(self) -> None:
        """Whoever still reads can stop, and the file is closed behind the last."""
        self._cancel.set()
        self._search.set()
        content = self._content
        if content is not None:
            threading.Thread(target=self._locked, args=(content.close,), daemon=True).start()

    def _locked(self, call: Callable[[], T]) -> T:
        with self._reading:
            return call()

    # Reading

    @work(exclusive=True, group="open")
    async def _open(self) -> None:
        """Open the file, and decide what it is."""

        def begin() -> tuple[FileContent, bool, str]:
            content = self._opener(self._cancel)
            try:
                text, what = is_text(content), identify(content)
            except BaseException:
                content.close()
                raise
            if self._cancel.is_set():  # nobody waits any more
                content.close()
                raise Cancelled
            return content, text, what

        found = await outcome_of(begin)
        if isinstance(found, Failure) or found is None:
            self._fail(found.text if isinstance(found, Failure) else "stopped")
            return
        self._content, text, self._what = found
        if not self.is_attached:
            self._locked(self._content.close)
            return
        self._show_view("text" if text else "hex")

    def _show_view(self, view: str) -> None:
        self.view, self._waits = view, "reading …"
        self.rows.show_page(None)
        self._show()
        self._make_page(view)

    @work(exclusive=True, group="page")
    async def _make_page(self, view: str) -> None:
        content = self._content
        if content is None:
            return
        page = await outcome_of(partial(self._locked, partial(self._page, view, content)))
        if view != self.view:
            return
        if isinstance(page, Failure) or page is None:
            self._fail(page.text if isinstance(page, Failure) else "stopped")
            return
        self._waits = ""
        self.rows.show_page(page)
        self._wrap()
        self._show()
        while not page.complete and page is self.rows.page:
            told = await outcome_of(partial(self._locked, partial(page.more, self._cancel)))
            if isinstance(told, Failure):
                self.say(told.text)
                return
            if self._cancel.is_set() or page is not self.rows.page:
                return
            self.rows.rows_changed()
            self._show()

    def _page(self, view: str, content: FileContent) -> Page:
        if view == "hex":
            width = self.rows.text_width
            return HexDump(content, 32 if width >= 142 else 16 if width >= 76 else 8 if width >= 44 else 4)
        if view == "strings":
            return StringList(content)
        if content.size <= WHOLE:
            return WholeText(content, decode(self._path.rpartition(b"/")[2]))
        return LongText(content)

    @on(ContentRows.Wanted)
    def _read_rows(self, event: ContentRows.Wanted) -> None:
        self._fetch(event.first, event.count)

    @work(exclusive=True, group="rows")
    async def _fetch(self, first: int, count: int) -> None:
        page = self.rows.page
        if page is None:
            return
        found = await outcome_of(partial(self._locked, partial(page.rows, first, count)))
        if page is not self.rows.page:
            return
        if isinstance(found, Failure):
            self.say(found.text)
        elif found is not None:
            self.rows.take(first, found)
            self._show()

    def _fail(self, text: str) -> None:
        self.failed, self._waits = True, ""
        self.rows.placeholder = text
        self.rows.refresh()
        self._show()

    # Showing

    def say(self, text: str) -> None:
        """Tell something once, in the status, until the text moves."""
        self._said = text
        self._show()

    def _show(self) -> None:
        """Title and status."""
        glyphs, content = self.glyphs, self._content
        size = "" if content is None else f"{texts.size_bytes(content.size)} "
        width = self.size.width
        name = texts.fit_end(glyphs.text("/" + display_name(self._path)), max(8, width - len(size) - 3), glyphs.more)
        where = glyphs.text(display_name(self._where))
        self.query_one("#title", LineBar).show(
            ([(f" {name}", "strong"), (f"  {where}", "dim")], [(size, "strong")] if size else [])
        )
        status = self.query_one("#status", LineBar)
        if self._said:
            status.show(self.said(self._said))
            return
        status.show(([(f" {self._waits or self._told()}", "dim")], []))

    def _told(self) -> str:
        """What is in view, of how many."""
        rows, page = self.rows, self.rows.page
        if page is None or self.failed:
            return ""
        first = rows.scroll_offset.y + 1
        last = min(page.count, rows.scroll_offset.y + rows.page_rows)
        word = {"text": "lines", "hex": "rows", "strings": "strings"}[self.view]
        if self.view == "text" and self.wraps:
            word = "rows"
        of = f"{texts.count(page.count)}{'' if page.complete else '+'}"
        told = f"{self.view}: {word} {texts.count(first)} to {texts.count(last)} of {of}" if page.count else "empty"
        if self._what:
            told += f"   {self._what}"
        if rows.shift:
            told += f", from column {rows.shift + 1}"
        return told + (f"   found: {display_name(self._sought)}" if self._sought else "")

    def on_resize(self) -> None:
        """Rows are as wide as the screen."""
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        if self.view == "hex" and isinstance(self.rows.page, HexDump):
            self._show_view("hex")
        else:
            self._wrap()
        self._show()

    def _wrap(self) -> None:
        page = self.rows.page
        if isinstance(page, WholeText):
            page.wrap(self.rows.text_room if self.wraps else 0)
            self.rows.forget()
            self.rows.rows_changed()

    # Commands

    def action_next_view(self) -> None:
        """As text, as hexadecimal numbers, the texts within."""
        if self._content is not None and self.view:
            self._show_view(VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)])

    def action_wrap(self) -> None:
        """Break long lines, or let them run on."""
        if isinstance(self.rows.page, LongText):
            self.say(f"lines of a file of more than {texts.size_bytes(WHOLE)} are not broken: left and right move it")
            return
        self.wraps = not self.wraps
        self.rows.shift = 0
        self._wrap()
        self._show()

    def action_numbers(self) -> None:
        """With line numbers and offsets, or without."""
        self.rows.numbers = not self.rows.numbers
        self._wrap()
        self.rows.refresh()

    def action_find(self) -> None:
        """Ask for a text, and go to it."""
        if self._content is not None:
            self.query_one(Prompt).open("/", display_name(self._sought), done=self._find, does="find")

    def _find(self, text: str, kept: bool) -> None:
        if not kept:
            return
        self._sought = text.encode("utf-8", "surrogateescape")
        self.rows.mark(text)
        self._found_at = None
        if text:
            self.action_match(1)
        else:
            self._show()

    def action_match(self, step: int) -> None:
        """To the next place that has the text, or to the one before."""
        page = self.rows.page
        if self._sought and page is not None and self._content is not None:
            self._search.set()
            self._search = threading.Event()
            self.say("searching …")
            self._go_to_match(page, self._content, self._search, forward=step > 0)

    @work(exclusive=True, group="search")
    async def _go_to_match(self, page: Page, content: FileContent, cancel: threading.Event, *, forward: bool) -> None:
        wanted, top, at = self._sought, self.rows.scroll_offset.y, self._found_at
        ignore_case = wanted == wanted.lower()

        def look() -> tuple[int, int] | None:
            start = page.offset_of(top) if at is None else at + 1 if forward else at
            found = find_bytes(content, wanted, start, forward=forward, ignore_case=ignore_case, cancel=cancel)
            if found is None:  # around the end
                start = 0 if forward else content.size
                found = find_bytes(content, wanted, start, forward=forward, ignore_case=ignore_case, cancel=cancel)
            return None if found is None else (found, page.row_of(found))

        outcome = await outcome_of(partial(self._locked, look))
        if cancel is not self._search or cancel.is_set() or page is not self.rows.page:
            return
        if isinstance(outcome, Failure):
            self.say(outcome.text)
        elif outcome is None:
            self.say(f"nothing in the file has {display_name(wanted)}")
        else:
            self._found_at, row = outcome
            self._said = ""
            rows = self.rows
            rows.rows_changed()
            if not rows.scroll_offset.y <= row < rows.scroll_offset.y + rows.page_rows:
                rows.show_from(max(0, row - rows.page_rows // 3))
            self._show()

    def action_copy(self) -> None:
        """Copy the absolute path."""
        self.navigation.copy(b"/" + self._path)

    def action_back(self) -> None:
        """Stop a search, or go back."""
        if self._said == "searching …" and not self._search.is_set():
            self._search.set()
            self.say("stopped")
        else:
            self._cancel.set()
            self.navigation.go_back()

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._show()


def viewer_of(image: LoadedImage, path: int, layer: int, label: str) -> Viewer:
    """The viewer of a file as a layer has it.

    Args:
        image: the image.
        path: row of its path table.
        layer: that ships the file, or has a hard link to it.
        label: how the user calls the image; untrusted.
    """
    union = image.union

    def open_it(cancel: threading.Event) -> FileContent:
        files = files_of(image)
        here = find_place(files, decode(union.paths.path(path)), scope_of(files, layer), last_link=False)
        return open_content(files, here.event, cancel)

    return Viewer(open_it, union.paths.path(path), f"layer {layer} of {label}")
