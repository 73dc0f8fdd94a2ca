"""The first screen: the images a source holds, and what they share."""

from __future__ import annotations

from functools import cache

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from lamina.figures.removals import Removal
from lamina.names import display_name
from lamina.sources.registry.reference import names_a_host
from lamina.workspace import Workspace
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.image_entries import Entry, engine_lister
from lamina_tui.keymap import bindings
from lamina_tui.screens.about_image import about_image
from lamina_tui.screens.base import Notice
from lamina_tui.screens.listing import ListingScreen
from lamina_tui.widgets.about_pane import AboutPane
from lamina_tui.widgets.image_list import ImageList
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import LineBar, Part
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.text_lines import TextLine

_TITLE = " lamina "


class ImagesScreen(ListingScreen):
    """The images of an engine, an archive or the demo; Enter opens one."""

    SCOPE = Scope.HOME
    BINDINGS = bindings(Scope.HOME)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012 - Textual's way

    def compose(self) -> ComposeResult:
        """Title, list, the cursor's image and the totals in words, prompt, footer."""
        yield LineBar(id="title")
        yield LineBar(id="removable")
        with Vertical(id="lists"):
            yield ImageList(id="images")
            yield AboutPane(id="about")
        yield Notice(id="notice")
        yield LineBar(id="totals")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    @property
    def images(self) -> ImageList:
        """The list."""
        return self.query_one(ImageList)

    def on_mount(self) -> None:
        """Paint first, ask then."""
        self.set_focus(self.images)
        self.refresh_footer()
        self.action_reload()

    # Telling

    def say(self, text: str) -> None:
        """Tell something once, in the title line; what it has no room for in the last lines."""
        self._said = text
        self._show_title()
        self._show_totals()

    @on(RowList.Moved)
    def _moved(self) -> None:
        if self._said:
            self.say("")
        else:
            self._show_totals()

    def _show_title(self) -> None:
        images = self.images
        left: list[Part] = [
            (_TITLE, "strong"),
            (f" {self.glyphs.text(display_name(self._label))}", "plain"),
        ]
        right = self.glyphs.text(display_name(self._said or self._busy))
        if not right and not self.failed:
            containers = sum(entry.summary.container is not None for entry in images.entries)
            right = texts.plural(len(images.entries) - containers, "image")
            if containers:
                right += f", {texts.plural(containers, 'container')}"
            if images.filter:
                right = f"{len(images.shown)} of {right}"
            if images.overview is not None and images.overview.dangling:
                right = f"{right}, {images.overview.dangling} dangling"
            if images.marked:
                right = f"{len(images.marked)} marked, {right}"
        self.query_one("#title", LineBar).show((left, [(f"{right} ", "dim")]))

    def _show_totals(self) -> None:
        images = self.images
        here: list[Part] = [] if self.failed else [(f" {images.describe()}", "dim")]
        totals: list[Part] = []
        figures = images.overview
        if figures is not None and not self.failed:
            totals = [
                (f" all {texts.size_bytes(figures.sum)}", "plain"),
                (f"   on disk {texts.size_bytes(figures.on_disk)}", "strong"),
                (f"   saved by sharing {texts.size_bytes(figures.saved)}", "good" if figures.saved else "plain"),
                (f"   reclaimable {texts.size_bytes(figures.reclaimable)}", "plain"),
            ]
        while len(totals) > 1 and sum(len(text) for text, _ in totals) > self.size.width:
            del totals[-1]  # whole, as a figure without its end would be another
        bar = self.query_one("#totals", LineBar)
        if self.is_cut_off(self._said, _TITLE):
            bar.show(*self.said_whole(self._said, bar))
        else:
            bar.show((here, []), (totals, []))
        about = self.query_one(AboutPane)
        if about.size.height:
            about.show_soon(self._about)
        self._show_verdict()

    def _about(self) -> list[TextLine]:
        """Where the list leaves the height: the layers of the image under the cursor."""
        entry, figures = self.images.entry, self.images.figures
        known = None if entry is None else figures.get(entry.key)
        return [] if known is None else about_image(known.known, (each.known for each in figures.values()))

    def _show_verdict(self) -> None:
        """What could be removed, above the list of an engine's images; the best of what is not marked yet."""
        bar, removal = self.query_one("#removable", LineBar), self._worst_unmarked()
        bar.display = removal is not None
        if removal is None:
            return
        what = "that no tag leads to"
        if removal.repository:
            what = f"of {display_name(removal.repository)} older than its newest"
        images = texts.plural(len(removal.ids), "image")
        bar.show(
            (
                [
                    (f" {texts.size_bytes(removal.bytes)}", "bad"),
                    (self.glyphs.text(f" could go: {images} {what}, no container of {self._them(removal)}"), "plain"),
                ],
                [(f" m marks {self._them(removal)} ", "key")],
            )
        )

    @staticmethod
    def _them(removal: Removal) -> str:
        return "it" if len(removal.ids) == 1 else "them"

    def _worst_unmarked(self) -> Removal | None:
        marked = {entry.summary.id for entry in self.images.marked_entries}
        return next((removal for removal in self.removals if not marked.issuperset(removal.ids)), None)

    def action_mark_removable(self) -> None:
        """Mark the images that the first line says could go."""
        removal = self._worst_unmarked()
        if removal is None:
            self.say("no more is known that could go")
            return
        self.images.mark_ids(removal.ids)
        self.say("")
        self._show_verdict()

    # Opening

    @on(RowList.Activated)
    def action_open(self) -> None:
        """Open the image under the cursor."""
        entry = self.images.entry
        if self.images.toggle_group():
            self._show_totals()
        elif entry is not None and not self.failed:
            self.navigation.open_image(entry.source, entry.summary.target, entry.name)

    def action_layer_tree(self) -> None:
        """Show the images as a tree of layers, once their layers are known."""
        images = self.images
        if self.failed or not images.entries:
            return
        if self._known is None:
            self._then = self.action_layer_tree
            if not self._busy:
                self._learn()
            return
        known = self._known
        self.navigation.open_tree(
            [(entry, known[entry.key]) for entry in images.entries if entry.key in known], self._label
        )

    def action_share(self) -> None:
        """Show what the marked images share."""
        chosen = self._chosen(2)
        if chosen:
            self.navigation.open_set(chosen)

    def action_diff(self) -> None:
        """Compare the two marked images, or the marked one with that under the cursor."""
        chosen = self._chosen(2)
        if len(chosen) > 2:
            self.say(f"{len(chosen)} images are marked: a comparison takes two")
        elif chosen:
            self.navigation.open_diff(chosen[0], chosen[1])

    def _chosen(self, least: int) -> list[Entry]:
        """The marked images; the one under the cursor completes a single one. Says what is missing."""
        images = self.images
        chosen = images.marked_entries
        if len(chosen) == 1 and images.entry is not None and images.entry.key not in images.marked:
            chosen = [*chosen, images.entry]
        if len(chosen) < least:
            self.say("mark two images with space first" if not chosen else "one is marked: go to another")
            return []
        return chosen

    def action_open_other(self) -> None:
        """Ask for something to open."""
        self.query_one(Prompt).open("open (file, folder or image name):", "", done=self._open_typed, does="open")

    def _open_typed(self, text: str, kept: bool) -> None:
        if kept and text.strip():
            self.navigation.open_target(text.strip())

    def action_search(self) -> None:
        """Ask for words to search registries for."""
        label = "search for (words, or HOST/words for one registry):"
        self.query_one(Prompt).open(label, "", done=self._search_typed, does="search")

    def _search_typed(self, text: str, kept: bool) -> None:
        if kept and text.strip():
            self.navigation.open_search(text.strip())

    def action_versions(self) -> None:
        """Show the versions of the image under the cursor in its registry."""
        entry = self.images.entry
        if entry is None or self.failed:
            return
        name = next(iter(entry.summary.tags), "")
        # The name of what was built here is nobody's business: it is asked for where its registry is known.
        if not name:
            self.say("no tag leads to it, so that no registry can be asked")
        elif not entry.summary.digests and not names_a_host(name):
            self.say(f"it never was in a registry: `lamina tags {name}` asks all the same")
        else:
            self.navigation.open_tags(name)

    def action_contexts(self) -> None:
        """Ask for another engine."""
        self.navigation.open_contexts()

    def action_open_demo(self) -> None:
        """Show the built-in sample images."""
        self.navigation.open_demo()

    # Order, filter, marks

    def action_sort_by(self, key: str) -> None:
        """Sort; the same key again reverses."""
        self.images.sort_by(key)

    def action_sort_beside(self, step: int) -> None:
        """Sort by the column to the right, or to the left."""
        self.images.sort_beside(step)

    def action_group(self) -> None:
        """Show the images by repository, or as one list again."""
        self.images.group_by_repository()
        self._show_totals()

    def action_mark(self) -> None:
        """Mark the image under the cursor, or take its mark."""
        self.images.mark()
        self.say("")
        self._show_verdict()

    def action_mark_all(self) -> None:
        """Mark all images that are shown, or take all marks."""
        self.images.mark_all()
        self.say("")
        self._show_verdict()

    def action_find(self) -> None:
        """Filter as you type."""
        self.query_one(Prompt).open(
            "/", self.images.filter, done=lambda text, _: self._filter(text), typed=self._filter
        )

    def _filter(self, text: str) -> None:
        images = self.images
        images.filter = text
        images.placeholder = f"no image's name has “{display_name(text)}”" if text else "no images here"
        images.rearrange()
        self._show_title()
        self._show_totals()

    def action_copy(self) -> None:
        """Copy the name of the image under the cursor."""
        entry = self.images.entry
        if entry is not None:
            self.navigation.copy((entry.summary.tags or (entry.summary.id,))[0])

    def action_back(self) -> None:
        """Stop the asking, drop the filter, or go back to where this list was opened from."""
        if self.images.filter:
            self._filter("")
        elif self._then is not None:
            self._cancel.set()
        else:
            self.navigation.go_back()


def engine_images(workspace: Workspace) -> ImagesScreen:
    """The images and containers of an engine, and what becomes of them."""
    # Made when the screen is painted, and kept: what they know of images need not be asked again.
    engine, containers = cache(workspace.engine), cache(workspace.containers)
    lister = engine_lister(engine, containers)
    return ImagesScreen(lister, "container engine", lambda cancel: engine().changes(cancel))
