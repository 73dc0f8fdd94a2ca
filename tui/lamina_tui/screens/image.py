"""One image: its layers, and the files, waste, advice and config beside them."""

from __future__ import annotations

import numpy as np
from textual import on, work

from lamina.advice.model import Advice
from lamina.contents.image_files import files_of
from lamina.contents.place import Scope as FileScope
from lamina.contents.place import event_in
from lamina.contents.versions import Version
from lamina.figures.duplicates import find_duplicates
from lamina.figures.image import LoadedImage
from lamina.figures.path_history import path_history
from lamina.model import Change, Kind
from lamina.packages.model import PackageTable
from lamina_tui import dive_keys
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings, keymap_of
from lamina_tui.screens.config_lines import layer_lines
from lamina_tui.screens.dialogs import KindsScreen, TextScreen
from lamina_tui.screens.extracting import ExtractScreen
from lamina_tui.screens.file_card import FileCard, LinkedPath, places_of
from lamina_tui.screens.image_search import RESULTS, ImageSearch
from lamina_tui.screens.image_state import state_of
from lamina_tui.screens.versions import VersionsScreen
from lamina_tui.screens.viewer import viewer_of
from lamina_tui.widgets.advice_view import AdviceView
from lamina_tui.widgets.duplicates_view import DuplicatesView
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.line_bar import TabBar
from lamina_tui.widgets.overview_view import OverviewView
from lamina_tui.widgets.packages_view import NOBODYS, PackagesView
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.side_pane import SidePane
from lamina_tui.widgets.text_pane import TextPane
from lamina_tui.widgets.waste_view import WasteView


class ImageScreen(ExtractScreen, ImageSearch):
    """The image screen, with its commands."""

    SCOPE = Scope.IMAGE
    BINDINGS = bindings(Scope.IMAGE)

    def on_mount(self) -> None:
        """Who has dive's keys in the fingers wants the files first."""
        if keymap_of(self.app).preset == dive_keys.NAME:
            self._open_tab("files")

    # Commands

    def action_next_pane(self, step: int) -> None:
        """Move the keyboard to the other pane: with two of them both directions lead there."""
        del step
        if self.focused is self.layer_list or self.has_class("-zoomed"):
            self.set_focus(self.pane)
        else:
            self.set_focus(self.layer_list)

    def action_show_tab(self, tab: str) -> None:
        """Open a tab and give it the keyboard."""
        self._open_tab(tab)
        self._came_from = ""
        self._said = ""
        self.set_focus(self.pane)
        if tab == "duplicates" and self.duplicates.found is None and self.image is not None:
            self._find_duplicates(self.image)
        if tab == "packages" and self.packages.found is None and self.image is not None:
            self._find_packages(self.image)
        self._show_all()

    def action_next_view(self) -> None:
        """Show this layer, everything up to it, or what a range changed."""
        self.viewpoint.next_mode()
        self.show_view()

    def action_show_mode(self, mode: str) -> None:
        """Show this layer, or everything up to it."""
        self.viewpoint.mode = mode
        self.show_view()

    def action_range_start(self) -> None:
        """Mark the selected layer as the start of ranges, and show the range; again drops the mark."""
        here = self.viewpoint.layer
        again = self.viewpoint.start == here
        self.viewpoint.start = None if again else here
        self.viewpoint.mode = "layer" if again else "range"
        self.layer_list.mark_range(self.viewpoint.start)
        self._said = "no range" if again else f"the range starts after layer {here}: now choose its other end"
        self.show_view()

    def action_step_layer(self, step: int) -> None:
        """Select the next or previous layer."""
        self.layer_list.action_move(step)

    def action_instruction(self) -> None:
        """Show the selected layer's whole instruction."""
        here = self.viewpoint.layer
        if self.info is None or here >= len(self.info.layers):
            return
        layer = self.info.layers[here]
        _ = self.app.push_screen(TextScreen(f"layer {here}", layer_lines(layer), copied=layer.instruction))

    def action_move_border(self, step: int) -> None:
        """Give the layers more room, or less."""
        self.query_one(SidePane).move_border(step)

    @on(TabBar.Dragged)
    def _tabs_dragged(self, event: TabBar.Dragged) -> None:
        """The tabs stand on the border, where the layers are above them."""
        self.query_one(SidePane).end_at(event.y)

    def on_resize(self) -> None:
        """The panes may stand otherwise now."""
        self.call_after_refresh(self.query_one(SidePane).share_again)

    def action_zoom(self) -> None:
        """Hide the layers, or show them again."""
        self.toggle_class("-zoomed")
        if self.has_class("-zoomed"):
            self.set_focus(self.pane)

    def action_back(self) -> None:
        """Stop the reading, drop the filter, or go back to the images."""
        if self.reading and not self.stopping:
            self.stop_reading()
        elif self.extracts:
            self.stop_extracting()
        elif not self.failed and (self.filter or (self.tab == "files" and self.files.only and not self._came_from)):
            self._filter("")
        elif self._came_from == RESULTS:
            self.show_results()
        elif self._came_from:
            self.action_show_tab(self._came_from)
        else:
            self._leave()

    def _leave(self) -> None:
        """Go back to the images; whoever comes again finds this one as it is left."""
        state = state_of(self)
        if state is not None:
            self.navigation.image_states[self.state_key] = state
        if self.navigation.go_back():
            return
        if self.source is not None:
            self.navigation.open_source(self.source, [] if self.image is None else [self.image])

    @on(RowList.Activated, "#layers")
    def _open_layer(self) -> None:
        self.action_show_tab("files")

    @on(RowList.Activated, "#overview")
    def _open_overview(self) -> None:
        self.overview.action_follow()

    @on(OverviewView.Follow)
    def _follow_overview(self, event: OverviewView.Follow) -> None:
        self._show_advised(event.advice)
        self._came_from = "overview"

    @on(OverviewView.Jump)
    def _jump_to_large(self, event: OverviewView.Jump) -> None:
        self._show_in_the_end(event.path)
        self._came_from = "overview"

    @on(RowList.Activated, "#files")
    def _open_path(self) -> None:
        self.files.action_open()

    @on(FileTree.Opened)
    def _open_card(self, event: FileTree.Opened) -> None:
        """Show every layer that touched a file; where the filter leaves none, what other layers have."""
        image, path = self.image, event.path
        if path is None:
            if self.finds_nothing:
                self.find_everywhere()
            return
        versions = [] if image is None else path_history(image.union, path)
        if image is None or not versions:
            return

        def show(chosen: int | LinkedPath) -> None:
            if isinstance(chosen, LinkedPath):
                self._show_in_the_end(chosen.row)
                return
            layer = chosen
            self.viewpoint.mode, self.viewpoint.layer = "layer", layer
            self.layer_list.move_to(layer)
            self.files.set_filter("")
            self.files.set_kinds(frozenset(Change))
            self.show_view()
            self.files.go_to(path)

        def read(layer: int) -> None:
            _ = self.app.push_screen(viewer_of(image, path, layer, self.label))

        def compare(older: int, newer: int) -> None:
            files = files_of(image)
            before, after = (Version(files, event_in(files, path, layer)) for layer in (older, newer))
            names = f"layer {older}", f"layer {newer}"
            _ = self.app.push_screen(VersionsScreen(before, after, union.paths.path(path), names))

        union = image.union
        places = places_of(union, path, versions)
        card = FileCard(union.paths.path(path), versions, image.info, places, show, read, compare)
        _ = self.app.push_screen(card)

    @on(RowList.Activated, "#waste")
    def _open_waste(self) -> None:
        self.waste.action_jump()

    @on(RowList.Activated, "#advice")
    def _open_advice(self) -> None:
        self.advice.action_follow()

    @on(AdviceView.Follow)
    def _follow(self, event: AdviceView.Follow) -> None:
        self._show_advised(event.advice)
        self._came_from = "advice"

    def _show_advised(self, advice: Advice) -> None:
        """Show the files that an advice is about: its rows of the waste, or the folder."""
        if advice.cause is not None and advice.layer is not None and advice.hidden_by is not None:
            self.waste.set_filter("", None)
            self.action_show_tab("waste")
            self.waste.show_group(advice.layer, advice.hidden_by, advice.cause)
        elif self.image is not None and len(advice.paths):
            path = int(advice.paths.rows[0])
            if advice.layer is not None:
                self.show_in_layer(path, advice.layer)
            else:
                self._show_in_the_end(path)
            mine = np.zeros(self.image.union.paths.count, dtype=bool)
            mine[advice.paths.rows] = True
            self.files.show_only(mine, f"of {advice.rule}")

    @work(exclusive=True, group="duplicates")
    async def _find_duplicates(self, image: LoadedImage) -> None:
        """Contents may have to be read for this, so it is done when it is asked for."""
        found = await outcome_of(lambda: find_duplicates(image, self._cancel))
        if image is not self.image:
            return
        if isinstance(found, list):
            self.duplicates.show(found)
            self.find_advice(image)
        elif isinstance(found, Failure):
            self.duplicates.fail(found.text)

    @work(exclusive=True, group="packages")
    async def _find_packages(self, image: LoadedImage) -> None:
        """Records have to be read for this, so it is done when it is asked for."""
        from lamina.packages.find_packages import find_packages

        found = await outcome_of(lambda: find_packages(image, self._cancel))
        if image is not self.image:
            return
        if isinstance(found, PackageTable):
            self.packages.show(found)
            self.find_advice(image)
        elif isinstance(found, Failure):
            self.packages.fail(found.text)

    @on(RowList.Activated, "#packages")
    def _open_package(self) -> None:
        self.packages.action_open()

    @on(PackagesView.Jump)
    def _jump_to_package(self, event: PackagesView.Jump) -> None:
        """Show the files of a package: in the end, or, where none is left, in the layer that ships most of them."""
        found, image = self.packages.found, self.image
        if found is None or image is None:
            return
        place = -1 if event.package is None else event.package
        package = None if event.package is None else found.packages[place]
        union = image.union
        mine = found.owner == place
        # A list names folders too, in which others have files.
        mine[union.path[union.kind == Kind.DIR]] = False
        self._show_in_the_end(None)
        if package is not None and not package.size and package.layer is not None:
            self.viewpoint.mode, self.viewpoint.layer = "layer", package.layer
            self.layer_list.move_to(package.layer)
            self.show_view()
        name = NOBODYS if package is None else f"of {package.name}"
        self.files.show_only(mine, name)
        self._came_from = "packages"

    @on(RowList.Activated, "#duplicates")
    def _open_duplicate(self) -> None:
        self.duplicates.action_open()

    @on(DuplicatesView.Jump)
    def _jump_to_duplicate(self, event: DuplicatesView.Jump) -> None:
        """Show a file of the final file system."""
        if self.image is None:
            return
        self._show_in_the_end(self.image.union.paths.find(event.path))
        self._came_from = "duplicates"

    def _show_in_the_end(self, path: int | None) -> None:
        """A path in the file system as it is after all layers."""
        assert self.image is not None
        self.viewpoint.mode = "upto"
        self.layer_list.move_to(len(self.image.info.layers) - 1)
        self.viewpoint.layer = self.layer_list.cursor
        self.files.set_filter("")
        self.files.set_kinds(frozenset(Change))
        self.show_view()
        self.action_show_tab("files")
        if path is not None:
            self.files.go_to(path)

    @on(WasteView.Jump)
    def _jump(self, event: WasteView.Jump) -> None:
        """Show a file in the layer that ships it."""
        self.show_in_layer(event.path_id, event.layer)
        self._came_from = "waste"

    def action_export(self) -> None:
        """Write the files that are shown."""
        name = self.info.tags[0] if self.info is not None and self.info.tags else self.label
        self.ask_where_to_write(self.files, name, self.viewpoint.title)

    def action_extract(self) -> None:
        """Take out what is under the cursor, as the view shows it."""
        path = self.files.copied_text() if self.tab == "files" else None
        if self.image is None or path is None:
            self.say("x takes a file or folder out: go to one in Files (1)")
            return
        viewpoint = self.viewpoint
        self.ask_where_to_extract(self.image, path, FileScope(viewpoint.layer, alone=viewpoint.mode == "layer"))

    def action_kinds(self) -> None:
        """Choose the kinds of change shown."""
        _ = self.app.push_screen(KindsScreen(self.files.kinds, self.files.set_kinds))

    # The filter

    def action_find(self) -> None:
        """Filter the open pane as you type; from the overview, the files as they are in the end."""
        if self.tab == "overview" and self.image is not None:
            self._show_in_the_end(None)
            self._came_from = "overview"
        self.set_focus(self.pane)
        self.query_one(Prompt).open("/", self.filter, done=self._filter_done, typed=self._filter_typed)

    def _filter_typed(self, text: str) -> None:
        # Letters that wait already are taken first: half a million names take some 20 ms a search.
        if self._wanted_filter is None:
            self.call_later(self._filter_now)
        self._wanted_filter = text

    def _filter_now(self) -> None:
        text, self._wanted_filter = self._wanted_filter, None
        if text is not None:
            self._filter(text)

    def _filter_done(self, text: str, kept: bool) -> None:
        self._wanted_filter = None
        self._filter(text)  # one that is dropped comes empty
        if kept and self.finds_nothing:
            self.find_everywhere()

    def _filter(self, text: str) -> None:
        if self.tab == "files":
            self.files.set_filter(text)
        elif self.tab == "waste":
            tree = self.files.tree_rows
            wanted = None
            if text and tree is not None:
                # A folder's name stands in the path of all below it.
                wanted = tree.view.union.paths.with_subtrees(tree.names.search(text))
            self.waste.set_filter(text, wanted)
        elif self.tab == "advice":
            self.advice.set_filter(text)
        elif self.tab == "packages":
            self.packages.set_filter(text)
        elif self.tab == "duplicates":
            self.duplicates.set_filter(text)
        elif self.tab != "overview":
            self.query_one(f"#{self.tab}", TextPane).set_filter(text)
