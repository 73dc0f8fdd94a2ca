"""The first screen: the images a source holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message

from lamina import sources
from lamina.model import Cancelled, ImageSummary, LaminaError, Progress
from lamina.names import display_name
from lamina.shelf import default_shelf
from lamina.sources.base import Source
from lamina_tui import texts
from lamina_tui.background import in_thread
from lamina_tui.commands import Scope, bindings
from lamina_tui.screens.base import FullScreen, Notice
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import LineBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import Part, RowList


@dataclass(frozen=True, slots=True)
class Entry:
    """One image that can be opened."""

    source: Source
    summary: ImageSummary

    @property
    def name(self) -> str:
        """What people call it: its tags, else its short id. Untrusted."""
        return "  ".join(self.summary.tags) or short_id(self.summary.id) or self.summary.target


def short_id(digest: str) -> str:
    """The twelve digits people know an image by."""
    return digest.rpartition(":")[2][:12]


_ID, _SIZE, _AGE, _LAYERS = 14, 10, 14, 7  # cells of the columns beside the name

Lister = Callable[[threading.Event, Callable[[Progress], None]], list[Entry]]
"""Answers the images to show; runs on a thread, may raise LaminaError."""


class ImageList(RowList):
    """Images: name, id, size, age, layers."""

    SCOPES = (Scope.LIST,)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.entries: list[Entry] = []
        self.shown: list[Entry] = []
        self.sort_key = ""
        self.sort_reversed = False
        self.filter = ""
        self._layers_known = False

    def show_entries(self, entries: list[Entry]) -> None:
        """Show these images, in the source's order until the user sorts."""
        self.entries = entries
        # An engine tells no layer counts without being asked for every image.
        self._layers_known = any(entry.summary.layers is not None for entry in entries)
        self.rearrange()

    def rearrange(self) -> None:
        """Filter and sort anew; the cursor stays on its image."""
        here = self.entry
        text = self.filter.casefold()
        self.shown = [e for e in self.entries if text in f"{e.name} {e.summary.id}".casefold()]
        if self.sort_key == "size":
            self.shown.sort(key=lambda e: e.summary.size or 0, reverse=not self.sort_reversed)
        elif self.sort_key == "name":
            self.shown.sort(key=lambda e: e.name, reverse=self.sort_reversed)
        elif self.sort_key == "age":
            self.shown.sort(key=lambda e: _moment(e.summary.created), reverse=not self.sort_reversed)
        self.rows_changed(self.shown.index(here) if here in self.shown else 0)

    @property
    def entry(self) -> Entry | None:
        """The image under the cursor."""
        return self.shown[self.cursor] if self.cursor < len(self.shown) else None

    def row_count(self) -> int:
        """Images shown."""
        return len(self.shown)

    def _name_width(self, width: int) -> int:
        return width - _SIZE - _AGE - (_ID if width >= 64 else 0) - (_LAYERS if self._layers_known else 0)

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down
        name, size, age = (
            f"{word} {sign}" if key == self.sort_key else word
            for key, word in (("name", "image"), ("size", "size"), ("age", "age"))
        )
        line = texts.fit(f" {name}", self._name_width(width)) + (texts.fit("  id", _ID) if width >= 64 else "")
        line += f"{size:>{_SIZE - 2}}  {age:<{_AGE}}" + (f"{'layers':>{_LAYERS}}" if self._layers_known else "")
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One image."""
        entry, glyphs = self.shown[index], self.glyphs
        summary = entry.summary
        name = texts.fit(f" {glyphs.text(display_name(entry.name))}", self._name_width(width), glyphs.more)
        size = "" if summary.size is None else texts.size(summary.size)
        parts: list[Part] = [(name, "plain" if summary.tags else "dim")]
        if width >= 64:
            parts.append((texts.fit("  " + glyphs.text(display_name(short_id(summary.id))), _ID), "dim"))
        parts.append((f"{size:>{_SIZE - 2}}  ", "plain"))
        parts.append((texts.fit(texts.age(summary.created), _AGE, glyphs.more), "dim"))
        if summary.layers is not None:
            parts.append((f"{summary.layers:>{_LAYERS}}", "dim"))
        return parts


def _moment(created: str | None) -> float:
    moment = texts.parse_time(created)
    return moment.timestamp() if moment else 0.0


class ImagesScreen(FullScreen):
    """The images of an engine, an archive or the demo; Enter opens one."""

    SCOPE = Scope.HOME
    BINDINGS = bindings(Scope.HOME)

    class Progressed(Message):
        """A stream is scanned for its images."""

        def __init__(self, progress: Progress) -> None:
            super().__init__()
            self.progress = progress

    def __init__(self, lister: Lister, label: str) -> None:
        super().__init__()
        self._lister = lister
        self._label = label
        self._cancel = threading.Event()
        self._busy = ""
        self._said = ""
        self.failed = False

    def compose(self) -> ComposeResult:
        """Title, list, prompt, footer."""
        yield LineBar(id="title")
        yield ImageList(id="images")
        yield Notice(id="notice")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Paint first, ask then."""
        self.set_focus(self.query_one(ImageList))
        self.refresh_footer()
        self.action_reload()

    def on_unmount(self) -> None:
        """Whoever still reads can stop."""
        self._cancel.set()

    def say(self, text: str) -> None:
        """Tell something once, in the title line."""
        self._said = text
        self._show_title()

    @on(RowList.Moved)
    def _moved(self) -> None:
        if self._said:
            self.say("")

    def _show_title(self) -> None:
        images = self.query_one(ImageList)
        left: list[Part] = [
            (" lamina ", "strong"),
            (f" {self.glyphs.text(display_name(self._label))}", "plain"),
        ]
        right = self.glyphs.text(display_name(self._said or self._busy))
        if not right and not self.failed:
            right = texts.plural(len(images.entries), "image")
            if images.filter:
                right = f"{len(images.shown)} of {right}"
        self.query_one("#title", LineBar).show((left, [(f"{right} ", "dim")]))

    def action_reload(self) -> None:
        """Ask the source for its images, again."""
        self._cancel.set()
        self._cancel = threading.Event()
        self.failed = False
        self.hide_notice()
        images = self.query_one(ImageList)
        images.placeholder = f"asking {display_name(self._label)} …"
        images.refresh()
        self._busy = "asking …"
        self._show_title()
        self._list(self._cancel)

    @work(exclusive=True, group="list")
    async def _list(self, cancel: threading.Event) -> None:
        def tell(progress: Progress) -> None:
            self.post_message(self.Progressed(progress))

        images = self.query_one(ImageList)
        try:
            entries = await in_thread(lambda: self._lister(cancel, tell))
        except LaminaError as error:
            self._fail(str(error))
            return
        except Cancelled:
            return
        except Exception as error:
            # A list is made of what strangers wrote: whatever it breaks, the app stays.
            if os.environ.get("LAMINA_DEBUG"):
                raise
            self._fail(f"a fault of lamina's own ({type(error).__name__}: {error})")
            return
        self._busy = ""
        images.placeholder = "no images here\no opens an archive, d the built-in samples"
        labels = {entry.source.label for entry in entries}
        if len(labels) == 1:
            self._label = labels.pop()
        images.show_entries(entries)
        self._show_title()

    def _fail(self, text: str) -> None:
        self._busy = ""
        self.failed = True
        self._show_title()
        self.show_notice(
            text,
            [
                "",
                "  r   ask again",
                "  d   look at the built-in sample images: they need no engine",
                "  o   open an archive (docker save, skopeo) or an OCI layout folder",
                "  q   quit",
            ],
        )

    def on_images_screen_progressed(self, event: Progressed) -> None:
        """Show how far the scan of a stream has come."""
        if self._busy:
            self._busy = f"{display_name(event.progress.what)} {texts.size_bytes(event.progress.done)}"
            self._show_title()

    # Commands

    @on(RowList.Activated)
    def action_open(self) -> None:
        """Open the image under the cursor."""
        entry = self.query_one(ImageList).entry
        if entry is not None and not self.failed:
            self.lamina.open_image(entry.source, entry.summary.target, entry.name)

    def action_sort_by(self, key: str) -> None:
        """Sort; the same key again reverses."""
        images = self.query_one(ImageList)
        images.sort_reversed = key == images.sort_key and not images.sort_reversed
        images.sort_key = key
        images.rearrange()

    def action_find(self) -> None:
        """Filter as you type."""
        self.query_one(Prompt).open(
            "/", self.query_one(ImageList).filter, done=lambda text, _: self._filter(text), typed=self._filter
        )

    def action_open_other(self) -> None:
        """Ask for something to open."""
        self.query_one(Prompt).open("open (file, folder or image name):", "", done=self._open_typed)

    def _open_typed(self, text: str, kept: bool) -> None:
        if kept and text.strip():
            self.lamina.open_target(text.strip())

    def _filter(self, text: str) -> None:
        images = self.query_one(ImageList)
        images.filter = text
        images.placeholder = f"no image's name has “{display_name(text)}”" if text else "no images here"
        images.rearrange()
        self._show_title()

    def action_open_demo(self) -> None:
        """Show the built-in sample images."""
        self.lamina.open_demo()

    def action_copy(self) -> None:
        """Copy the name of the image under the cursor."""
        entry = self.query_one(ImageList).entry
        if entry is not None:
            self.lamina.copy((entry.summary.tags or (entry.summary.id,))[0])

    def action_back(self) -> None:
        """Drop the filter, or go back to where this list was opened from."""
        if self.query_one(ImageList).filter:
            self._filter("")
        else:
            self.lamina.go_back()


def source_lister(source: Callable[[], Source]) -> Lister:
    """Lists the images of one source, which may first have to be made."""

    def entries(cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
        found = source()
        return [Entry(found, summary) for summary in found.list(cancel, tell)]

    return entries


def demo_lister() -> Lister:
    """Lists the built-in samples."""
    return source_lister(sources.demo)


def engine_lister(host: str | None) -> Lister:
    """Lists the engine's images."""
    return source_lister(lambda: sources.engine(host, default_shelf()))
