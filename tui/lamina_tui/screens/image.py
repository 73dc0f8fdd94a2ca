"""One image: its layers, and the files, waste, advice and config beside them."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import ContentSwitcher

from lamina.figures.image import LoadedImage
from lamina.model import Change, ImageInfo, Progress
from lamina_tui.keymap import Scope, bindings
from lamina_tui.screens import image_lines
from lamina_tui.screens.base import Notice
from lamina_tui.screens.config_lines import advice_lines, config_lines, layer_lines
from lamina_tui.screens.dialogs import KindsScreen, TextScreen
from lamina_tui.screens.image_state import restore, state_of
from lamina_tui.screens.reading import Opener, ReadingScreen
from lamina_tui.viewpoint import Viewpoint
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.layer_list import LayerList
from lamina_tui.widgets.line_bar import Line, LineBar, TabBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.text_pane import TextPane
from lamina_tui.widgets.waste_view import WasteView

TABS = ("files", "waste", "advice", "config")


class ImageScreen(ReadingScreen):
    """The image screen: layers on one side, tabs on the other, two to four lines of words below."""

    SCOPE = Scope.IMAGE
    BINDINGS = bindings(Scope.IMAGE)

    def __init__(self, opener: Opener, label: str) -> None:
        super().__init__(opener, label)
        self.viewpoint = Viewpoint()
        self.tab = "files"
        self._came_from = ""
        """The tab that led to a row of the open one."""
        self._view_due = False
        self._wanted_filter: str | None = None
        self._said = ""
        self._layers_left = 0
        self._progress: Line = ([], [])

    def compose(self) -> ComposeResult:
        """Title, panes, status, prompt, footer."""
        yield LineBar(id="title")
        with Container(id="panes"):
            with Vertical(id="left"):
                yield LayerList(id="layers")
            with Vertical(id="right"):
                yield TabBar([tab.capitalize() for tab in TABS], self._tab_clicked, id="tabs")
                with ContentSwitcher(initial="files", id="views"):
                    yield FileTree(id="files")
                    yield WasteView(id="waste")
                    yield TextPane(id="advice", has_cursor=False)
                    yield TextPane(id="config")
        yield Notice(id="notice")
        yield LineBar(id="status")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    # The parts by name

    @property
    def layer_list(self) -> LayerList:
        """The layer list."""
        return self.query_one(LayerList)

    @property
    def files(self) -> FileTree:
        """The file tree."""
        return self.query_one(FileTree)

    @property
    def waste(self) -> WasteView:
        """The waste view."""
        return self.query_one(WasteView)

    @property
    def pane(self) -> RowList:
        """The pane of the open tab."""
        return self.query_one(f"#{self.tab}", RowList)

    @property
    def filtered(self) -> FileTree | WasteView | TextPane:
        """The pane of the open tab, as what can be filtered."""
        pane = self.pane
        assert isinstance(pane, FileTree | WasteView | TextPane)
        return pane

    def scopes(self) -> tuple[Scope, ...]:
        """The scopes whose commands work now."""
        return () if self.failed else super().scopes()

    # Reading

    def on_mount(self) -> None:
        """Paint first, read then."""
        self.query_one("#status", LineBar).resized = self._show_status
        self.set_focus(self.layer_list)
        self.action_reload()

    def action_reload(self) -> None:
        """Read the image, again."""
        self.hide_notice()
        self.set_focus(self.layer_list)
        self.files.placeholder = "the files appear when all layers are read"
        self.files.forget()
        self.layer_list.placeholder = "reading …"
        self.start_reading()
        self._show_title()
        self.refresh_footer()

    def show_head(self, info: ImageInfo) -> None:
        """Show the layers, without sizes."""
        # Of a container the question is what it has written.
        first = len(info.layers) - 1 if info.container is not None else 0
        self.layer_list.show_head(info, first)
        self._layers_left = len(info.layers)
        self.viewpoint.layer = first
        self.query_one("#config", TextPane).show_lines(config_lines(info))
        self._show_title()
        self._show_status()

    def show_layer(self, index: int, size: int) -> None:
        """Fill in a layer's size."""
        self.layer_list.show_size(index, size)
        self._layers_left -= 1
        if not self._layers_left:
            self.show_progress(Progress(0, None, "stacking the layers …"), None)

    def show_progress(self, progress: Progress, rate: float | None) -> None:
        """Show how far the reading is."""
        self._progress = image_lines.progress(progress, rate, self.glyphs)
        self._show_status()

    def show_image(self, image: LoadedImage) -> None:
        """Show all figures."""
        layers = self.layer_list
        layers.show_figures(image.info, image.layers)
        self.files.placeholder = "nothing here" if image.complete else "nothing was read of this layer"
        self.waste.show(image.waste, image.info)
        self.query_one("#config", TextPane).show_lines(config_lines(image.info))
        self.query_one("#advice", TextPane).show_lines(advice_lines(image))
        self.viewpoint.layer = layers.cursor
        if not image.complete:
            self._said = "stopped: R reads again"
        elif image.read_from:
            self._said = f"read {image.read_from}"
        self._show_title()
        self.show_view()
        restore(self, self.navigation.image_states.get(self.state_key))

    @property
    def state_key(self) -> tuple[str, str]:
        """What tells the image from others while the program lives."""
        return ("" if self.source is None else self.source.label, "" if self.info is None else self.info.id)

    def show_failure(self, text: str) -> None:
        """Show what happened and what can be done, in place of the panes."""
        hints = ["", "  R     read again"]
        if self.source is not None or len(self.app.screen_stack) > 2:
            hints.append("  esc   the list of images")
        self.show_notice(text, [*hints, "  q     quit"])
        self.set_focus(None)
        self.refresh_footer()
        self._show_title()
        self._show_status()

    # Showing

    def _show_title(self) -> None:
        self.query_one("#title", LineBar).show(image_lines.title(self.label, self.info, self.image, self.glyphs))

    def say(self, text: str) -> None:
        """Tell something once, in the last line of the status, until the cursor moves."""
        self._said = text
        self._show_status()

    def _show_status(self) -> None:
        """The lines below the panes: what the open pane has to say, and a last line of its own."""
        bar = self.query_one("#status", LineBar)
        height, width = bar.size.height or 2, (bar.size.width or 80) - 2
        last = self._last_line()
        room = height - (last is not None)
        lines: list[Line] = []
        if self.tab == "waste" and self.image is not None:
            lines = image_lines.story(self.waste.describe(), width, self.glyphs)
        elif self.info is not None and self.viewpoint.layer < len(self.info.layers):
            lines = image_lines.instruction(self.info, self.viewpoint.layer, max(1, room), width, self.glyphs)
        lines = [*lines, *[([], [])] * height][:room]
        bar.show(*lines, *([] if last is None else [last]))

    def _last_line(self) -> Line | None:
        if self.reading:
            return self._progress
        if self._said:
            return self.said(self._said)
        if self.tab == "files":
            return [(f" {self.files.describe()}", "dim")], []
        return None

    def show_view(self) -> None:
        """Make the tree show the chosen view."""
        self._view_due = False
        if self.image is not None and self.image.layers:
            self.files.show(self.viewpoint.view(self.image.union))
        self._show_note()
        self._show_status()

    def _show_note(self) -> None:
        """The tab line: which tab is open, and what its pane shows."""
        words: list[str] = []
        if self.tab == "files" and self.files.tree_rows is not None:
            words = [*self.files.remarks(), self.viewpoint.title]
        elif self.tab == "waste":
            words = [self.waste.summary()]
        note = "   ".join(words)
        self.query_one(TabBar).update(
            active=TABS.index(self.tab),
            here=self.focused is self.pane,
            note=[(self.glyphs.text(note) + " ", "dim")] if note else [],
        )

    @on(FileTree.Shape)
    @on(WasteView.Shape)
    def _shape_changed(self) -> None:
        self._show_note()
        self._show_status()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        self._said = ""
        if event.rows is not self.layer_list:
            self._show_status()
            return
        self.viewpoint.layer = self.layer_list.cursor
        self._show_status()
        if self.image is not None and not self._view_due:
            # Keys that wait already are handled before the tree is built: holding the key down stays smooth.
            self._view_due = True
            self.call_later(self.show_view)

    def on_descendant_focus(self) -> None:
        """Footer and tab line follow the focus."""
        super().on_descendant_focus()
        self._show_note()

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
        self.tab = tab
        self._came_from = ""
        self._said = ""
        self.set_class(tab == "waste", "-waste")
        self.query_one(ContentSwitcher).current = tab
        self.set_focus(self.pane)
        self._show_note()
        self._show_status()

    def _tab_clicked(self, index: int) -> None:
        self.action_show_tab(TABS[index])

    def action_next_view(self) -> None:
        """Show this layer, everything up to it, or what a range changed."""
        self.viewpoint.next_mode()
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

    def action_zoom(self) -> None:
        """Hide the layers, or show them again."""
        self.toggle_class("-zoomed")
        if self.has_class("-zoomed"):
            self.set_focus(self.pane)

    def action_back(self) -> None:
        """Stop the reading, drop the filter, or go back to the images."""
        if self.reading and not self.stopping:
            self.stop_reading()
        elif not self.failed and self.filtered.filter:
            self._filter("")
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
            self.navigation.open_source(self.source)

    @on(RowList.Activated, "#layers")
    def _open_layer(self) -> None:
        self.action_show_tab("files")

    @on(RowList.Activated, "#files")
    def _open_path(self) -> None:
        self.files.action_toggle_fold()

    @on(RowList.Activated, "#waste")
    def _open_waste(self) -> None:
        self.waste.action_jump()

    @on(WasteView.Jump)
    def _jump(self, event: WasteView.Jump) -> None:
        """Show a file in the layer that ships it."""
        self.viewpoint.mode = "layer"
        self.layer_list.move_to(event.layer)
        self.viewpoint.layer = event.layer
        self.files.set_filter("")
        self.files.set_kinds(frozenset(Change))
        self.show_view()
        self.action_show_tab("files")
        self.files.go_to(event.path_id)
        self._came_from = "waste"

    def action_kinds(self) -> None:
        """Choose the kinds of change shown."""
        _ = self.app.push_screen(KindsScreen(self.files.kinds, self.files.set_kinds))

    # The filter

    def action_find(self) -> None:
        """Filter the open pane as you type."""
        self.set_focus(self.pane)
        self.query_one(Prompt).open("/", self.filtered.filter, done=self._filter_done, typed=self._filter_typed)

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
        del kept  # a text that is dropped comes empty
        self._wanted_filter = None
        self._filter(text)

    def _filter(self, text: str) -> None:
        if self.tab == "files":
            self.files.set_filter(text)
        elif self.tab == "waste":
            tree = self.files.tree_rows
            wanted = None
            if text and tree is not None:
                # A folder's name stands in the path of all below it.
                wanted = tree.view.union.paths.with_subtrees(tree.search(text))
            self.waste.set_filter(text, wanted)
        else:
            self.query_one(f"#{self.tab}", TextPane).set_filter(text)
