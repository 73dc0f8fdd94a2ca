"""A set of images: what each pair shares, what each costs, and what they could share."""

from __future__ import annotations

import threading

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import ContentSwitcher

from lamina.figures.image import LoadedImage, load
from lamina.figures.image_set import ImageSet, image_set
from lamina.figures.near_misses import NearMiss, find_near_misses
from lamina.model import Progress
from lamina.names import display_name
from lamina.packages.shared_files import PackageBytes, packages_of_misses
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.image_entries import Entry, Lister, listed
from lamina_tui.keymap import bindings, keymap_of
from lamina_tui.navigation import LayerPath
from lamina_tui.reading_messages import Rate, ScreenObserver
from lamina_tui.screens.base import Notice
from lamina_tui.screens.dialogs import TextScreen
from lamina_tui.screens.search_results import Search, SearchResults
from lamina_tui.screens.working import WorkingScreen
from lamina_tui.widgets.found_list import searched
from lamina_tui.widgets.found_rows import Key
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import Line, LineBar, TabBar
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.set_lists import HeldList, MemberList, MissList, SetList
from lamina_tui.widgets.share_matrix import ShareMatrix
from lamina_tui.widgets.text_lines import TextLines

TABS = ("pairs", "images", "layers", "misses")
_TITLES = ("Pairs", "Images", "Layers", "Near misses")


class SetScreen(WorkingScreen):
    """Reads images one after the other and shows what those that are read share.

    Args:
        lister: answers the images; runs on a thread.
        label: what the set is called; untrusted.
    """

    SCOPE = Scope.SET
    BINDINGS = bindings(Scope.SET)

    def __init__(self, lister: Lister, label: str) -> None:
        super().__init__()
        self._lister = lister
        self._label = label
        self._misses_of = 0
        self.tab = "pairs"
        self.entries: list[Entry] = []
        self.loaded: dict[tuple[str, str, str], LoadedImage] = {}
        self.faults: dict[tuple[str, str, str], str] = {}
        self.figures: ImageSet | None = None

    def compose(self) -> ComposeResult:
        """Title, tabs with their lists, status, footer."""
        yield LineBar(id="title")
        yield LineBar(id="could")
        yield TabBar(_TITLES, self._tab_clicked, id="tabs")
        with ContentSwitcher(initial="pairs", id="views"):
            yield ShareMatrix(id="pairs")
            yield MemberList(id="images")
            yield HeldList(id="layers")
            yield MissList(id="misses")
        yield Notice(id="notice")
        yield LineBar(id="status")
        yield KeyBar(id="keys")

    @property
    def pane(self) -> RowList:
        """The open tab's list."""
        return self.query_one(f"#{self.tab}", RowList)

    @property
    def ends_with(self) -> int:
        """3 where nothing of what was asked for could be read."""
        return 3 if self.failed and not self.loaded else 0

    def on_mount(self) -> None:
        """Paint first, read then."""
        self.set_focus(self.pane)
        self.action_reload()

    # Reading

    def action_reload(self) -> None:
        """Read what is not read yet."""
        if self.busy:
            return
        self._cancel = threading.Event()
        self.busy, self.failed = True, False
        self.faults.clear()
        self.hide_notice()
        self.set_focus(self.pane)
        for rows in self.query(RowList):
            rows.placeholder = "reading the images …"
        self._show()
        self._read(self._cancel)

    @work(exclusive=True, group="read")
    async def _read(self, cancel: threading.Event) -> None:
        observer = ScreenObserver(self.post_message)
        if not self.entries:
            self._tell(Progress(0, None, "asking for the images …"), None)
            found = await outcome_of(lambda: self._lister(cancel, observer.progress))
            self.entries = found if isinstance(found, list) else []
            if isinstance(found, Failure):
                self._fail(found.text)
                return
        for number, entry in enumerate(self.entries, 1):
            if cancel.is_set():
                break
            if entry.key in self.loaded:
                continue
            self._rate = Rate()
            self._reading = f"{number} of {len(self.entries)}: {entry.short_name}"
            self._tell(Progress(0, None, "opening …"), None)
            image = await outcome_of(
                lambda entry=entry: load(entry.source, entry.summary.target, observer, cancel)  # type: ignore[misc]
            )
            if isinstance(image, Failure):
                self.faults[entry.key] = image.text
            elif image is not None and image.complete:
                self.loaded[entry.key] = image
                self._show_figures()
        self._read_all(cancel)

    def _read_all(self, cancel: threading.Event) -> None:
        self.busy = False
        left = len(self.entries) - len(self.loaded)
        if not self.loaded and self.faults:
            self._fail(next(iter(self.faults.values())))
            return
        placeholder = "nothing was read" if left else "no images"
        for rows in self.query(RowList):
            rows.placeholder = placeholder
        if cancel.is_set() and left:
            key = keymap_of(self.app).key_of(Scope.SET, "reload")
            self._said = f"stopped: {len(self.loaded)} of {len(self.entries)} images read, {key} reads the rest"
        elif self.faults:
            names = [entry.short_name for entry in self.entries if entry.key in self.faults]
            self._said = f"{', '.join(names)} can't be read: {next(iter(self.faults.values()))}"
        self._show()
        # The contents of images that had to be fetched would have to be fetched too: not without being asked.
        if self.tab == "misses" or not any(image.fetched is not None for image in self.loaded.values()):
            self._look_for_misses()

    # Showing

    def _members(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.key in self.loaded]

    def _show_figures(self) -> None:
        members = self._members()
        self.figures = image_set([self.loaded[entry.key] for entry in members])
        names = [entry.short_name for entry in members]
        self.query_one(ShareMatrix).show(self.figures, names)
        for rows in self.query(SetList):
            rows.show(self.figures, names)
        self._show()

    def say(self, text: str) -> None:
        """Tell something once, in the last line of the status, until the cursor moves."""
        self._said = text
        self._show_status()

    def _show(self) -> None:
        """Title, tabs, status and footer."""
        glyphs, figures = self.glyphs, self.figures
        title = (
            f"{texts.plural(len(self.entries), 'image')}" if self.entries else glyphs.text(display_name(self._label))
        )
        right: list[tuple[str, str]] = []
        if figures is not None:
            sharing = figures.sharing
            if len(figures.images) < len(self.entries):
                right.append((f"{len(figures.images)} read   ", "bad"))
            right += [
                (f"all {texts.size_bytes(sharing.sum)}   ", "strong"),
                (f"on disk {texts.size_bytes(sharing.on_disk)}   ", "strong"),
                (f"saved by sharing {texts.size_bytes(sharing.sum - sharing.on_disk)} ", "plain"),
            ]
        self.query_one("#title", LineBar).show(([(" sharing ", "strong"), (f" {title}", "plain")], right))
        note = ""
        if self.tab == "misses" and self.query_one(MissList).misses:
            note = texts.plural(len(self.query_one(MissList).misses), "pair")
        elif self.tab == "layers" and figures is not None:
            common = sum(len(held.images) > 1 for held in figures.layers)
            note = f"{common} of {texts.plural(len(figures.layers), 'layer')} shared"
        self.query_one(TabBar).update(
            active=TABS.index(self.tab), here=self.focused is self.pane, note=[(f"{note} ", "dim")] if note else []
        )
        self.refresh_footer()
        self._show_could()
        self._show_status()

    def _show_could(self) -> None:
        """What sharing would be most worth having, above all tabs, once it is known."""
        bar, rows = self.query_one("#could", LineBar), self.query_one(MissList)
        known = self.figures is not None and len(self.loaded) > 1 and self._misses_of == len(self.loaded)
        bar.display = known
        if not known:
            return
        if not rows.misses:
            bar.show(([(" nothing more could be shared: no two layers hold the same files", "good")], []))
            return
        miss = rows.misses[0]
        names = [rows.image_name(place.image) for place in (miss.a, miss.b)]
        words = f" could be shared by {names[0]} (layer {miss.a.layer}) and {names[1]} (layer {miss.b.layer})"
        words += ", built by the same instruction" if miss.same_instruction else ""
        bar.show(([(f" {texts.size_bytes(miss.size)}", "bad"), (words, "plain")], [(" 4 tells all ", "key")]))

    def _show_status(self) -> None:
        bar = self.query_one("#status", LineBar)
        height, width = bar.size.height or 2, (bar.size.width or 80) - 2
        last = [self._progress] if self.busy else self.said_whole(self._said, bar) if self._said else []
        room = height - len(last)
        described = [] if self.failed else self._described()
        pieces = [(p, "dim" if n else "plain") for n, line in enumerate(described) for p in texts.wrap(line, width)]
        if len(pieces) > room > 0:  # what can't be told whole runs on
            told = texts.wrap("; ".join(described), width)
            pieces = [(piece, "plain") for piece in [*told[: room - 1], " ".join(told[room - 1 :])]]
        lines: list[Line] = [([(f" {piece}", style)], []) for piece, style in pieces]
        lines = [*lines, *[([], [])] * height][:room]
        bar.show(*lines, *last)

    def _described(self) -> list[str]:
        pane = self.pane
        return pane.describe() if isinstance(pane, ShareMatrix | MemberList | HeldList | MissList) else []

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._show_status()

    def on_resize(self) -> None:
        """The status lines wrap to the width."""
        self.call_after_refresh(self._show_status)

    # Near misses

    def _look_for_misses(self) -> None:
        """Compare the contents, once for the images that are there."""
        if self.busy or self.figures is None or self._misses_of == len(self.loaded):
            return
        self._cancel = threading.Event()
        self.busy = True
        self.query_one(MissList).placeholder = "comparing the contents …"
        self._reading = ""
        self._tell(Progress(0, None, "comparing files of equal size …"), None)
        self._find_misses(self.figures, self._cancel)

    @work(exclusive=True, group="misses")
    async def _find_misses(self, figures: ImageSet, cancel: threading.Event) -> None:
        def find() -> tuple[list[NearMiss], list[PackageBytes]]:
            misses = find_near_misses(figures.images, cancel)
            return misses, packages_of_misses(figures.images, misses, cancel)

        found = await outcome_of(find)
        self.busy = False
        rows = self.query_one(MissList)
        if isinstance(found, tuple):
            self._misses_of = len(figures.images)
            rows.show_misses(*found)
        elif found is None:
            rows.placeholder = "stopped: 4 looks again"
        else:
            rows.placeholder = "the contents can't be compared"
            self._said = found.text
        rows.refresh()
        self._show()

    # Commands

    def action_show_tab(self, tab: str) -> None:
        """Open a tab."""
        if self.failed:
            return
        self.tab = tab
        self._said = ""
        self.query_one(ContentSwitcher).current = tab
        self.set_focus(self.pane)
        self.set_class(tab == "misses", "-misses")
        self._show()
        if tab == "misses":
            self._look_for_misses()
        self.call_after_refresh(self._show_status)

    def action_next_tab(self, step: int) -> None:
        """Open the next tab, or the one before."""
        self.action_show_tab(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    def _tab_clicked(self, index: int) -> None:
        self.action_show_tab(TABS[index])

    @on(RowList.Activated, "#pairs")
    def _open_pair(self) -> None:
        a, b = self.query_one(ShareMatrix).pair
        members = self._members()
        if a < len(members) and b < len(members):
            if a == b:
                self._open_image(a)
            else:
                first, second = members[a], members[b]
                self.navigation.open_diff(first, second, (self.loaded[first.key], self.loaded[second.key]))

    @on(RowList.Activated, "#images")
    def _open_member(self) -> None:
        image = self.query_one(MemberList).image
        if image is not None:
            self._open_image(image)

    def _open_image(self, image: int) -> None:
        entry = self._members()[image]
        self.navigation.open_image(entry.source, entry.summary.target, entry.name)

    @on(RowList.Activated, "#layers")
    def _open_layer(self) -> None:
        held = self.query_one(HeldList).held
        if held is None:
            return
        lines = TextLines()
        lines.add_text(held.layer.instruction or "(no instruction)")
        lines.blank()
        lines.add(held.layer.diff_id, "diff_id")
        lines.blank()
        lines.heading(texts.plural(len(held.images), "image"))
        lines.add_items(map(self.query_one(HeldList).image_name, held.images), len(held.images), "")
        _ = self.app.push_screen(TextScreen("a layer", lines.lines, copied=held.layer.instruction))

    @on(RowList.Activated, "#misses")
    def _open_miss(self) -> None:
        rows = self.query_one(MissList)
        miss = rows.miss
        if miss is None:
            return
        lines = TextLines()
        for line in rows.describe():
            lines.add(line)
        for place in (miss.a, miss.b):
            lines.blank()
            lines.heading(f"{rows.image_name(place.image)} layer {place.layer}")
            lines.add(rows.instruction(place))
        lines.blank()
        lines.heading("where most of it is")
        for path, size in miss.directories:
            lines.add(f"/{display_name(path)}", f"{texts.size(size):>{texts.SIZE_WIDTH}}")
        if rows.packages:
            lines.blank()
            lines.heading("packages")
        for name, size in rows.packages:
            lines.add(display_name(name), f"{texts.size(size):>{texts.SIZE_WIDTH}}")
        _ = self.app.push_screen(TextScreen("a near miss", lines.lines))

    def action_find(self) -> None:
        """Search all layers of the images that are read; from a result its image opens at the file."""
        members = self._members()
        if not members:
            self.say("no image is read yet")
            return
        images = [searched(entry.short_name, self.loaded[entry.key]) for entry in members]

        def show(key: Key) -> None:
            image, path, layer = key
            entry, place = members[image], LayerPath(images[image].finder.union.paths.path(path), layer)
            self.navigation.open_image(entry.source, entry.summary.target, entry.name, place)

        _ = self.app.push_screen(SearchResults(images, Search(), show))

    def action_back(self) -> None:
        """Stop the reading, or go back to the images."""
        if self.busy and not self._cancel.is_set():
            self._cancel.set()
            self._tell(Progress(0, None, "stopping …"), None)
        elif not self.navigation.go_back():
            if self.entries:
                self.navigation.open_list(listed(self.entries), self._label, list(self.loaded.values()))
            else:
                self.say("q quits")
