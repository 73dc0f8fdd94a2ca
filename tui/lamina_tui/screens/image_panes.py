"""What the screen of one image shows: its layers, and the files, waste, advice and config beside them."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import ContentSwitcher

from lamina.figures.image import LoadedImage
from lamina.model import ImageInfo, Progress
from lamina_tui.command import Scope
from lamina_tui.keymap import keymap_of
from lamina_tui.screens import image_lines
from lamina_tui.screens.about import about_advice, about_guilt, about_layer, about_package, about_path
from lamina_tui.screens.base import Notice
from lamina_tui.screens.config_lines import config_lines
from lamina_tui.screens.image_state import restore
from lamina_tui.screens.reading import Opener, ReadingScreen
from lamina_tui.viewpoint import Viewpoint
from lamina_tui.widgets.about_pane import AboutPane
from lamina_tui.widgets.advice_view import AdviceView
from lamina_tui.widgets.duplicates_view import DuplicatesView
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.layer_list import LayerList
from lamina_tui.widgets.line_bar import Line, LineBar, TabBar
from lamina_tui.widgets.overview_view import OverviewView
from lamina_tui.widgets.packages_view import PackagesView
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.side_pane import SidePane
from lamina_tui.widgets.text_lines import TextLine
from lamina_tui.widgets.text_pane import TextPane
from lamina_tui.widgets.waste_view import WasteView

TABS = ("overview", "files", "waste", "advice", "packages", "duplicates", "config")
"""By their digits."""
_DESCRIBED = FileTree | PackagesView | DuplicatesView
"""What has a line of words for the row under the cursor."""


class ImagePanes(ReadingScreen):
    """Layers on one side, tabs on the other, two to four lines of words below; a subclass has the commands."""

    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-low"), (30, "-tall")]  # noqa: RUF012 - Textual's way

    def __init__(self, opener: Opener, label: str) -> None:
        super().__init__(opener, label)
        self.viewpoint = Viewpoint()
        self.tab = "overview"
        self.add_class("-overview")  # here, where no style has to be found again for it
        self._came_from = ""
        """The tab that led to a row of the open one."""
        self._view_due = False
        self._wanted_filter: str | None = None
        self._said = ""
        self._elsewhere = ""
        """What the filter of the files finds in layers that the view does not show."""
        self._layers_left = 0
        self._progress: Line = ([], [])

    def compose(self) -> ComposeResult:
        """Title, panes, status, prompt, footer."""
        yield LineBar(id="title")
        yield LineBar(id="verdict")
        with Container(id="panes"):
            with SidePane(id="left"):
                yield LayerList(id="layers")
                yield AboutPane(id="about")
            with Vertical(id="right"):
                yield TabBar([tab.capitalize() for tab in TABS], self._tab_clicked, first=0, id="tabs")
                with ContentSwitcher(initial=self.tab, id="views"):
                    yield OverviewView(id="overview")
                    yield FileTree(id="files")
                    yield WasteView(id="waste")
                    yield AdviceView(id="advice")
                    yield PackagesView(id="packages")
                    yield DuplicatesView(id="duplicates")
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
    def overview(self) -> OverviewView:
        """The overview."""
        return self.query_one(OverviewView)

    @property
    def files(self) -> FileTree:
        """The file tree."""
        return self.query_one(FileTree)

    @property
    def waste(self) -> WasteView:
        """The waste view."""
        return self.query_one(WasteView)

    @property
    def advice(self) -> AdviceView:
        """The advice."""
        return self.query_one(AdviceView)

    @property
    def packages(self) -> PackagesView:
        """The packages."""
        return self.query_one(PackagesView)

    @property
    def duplicates(self) -> DuplicatesView:
        """The files that are there several times."""
        return self.query_one(DuplicatesView)

    @property
    def pane(self) -> RowList:
        """The pane of the open tab."""
        return self.query_one(f"#{self.tab}", RowList)

    @property
    def filter(self) -> str:
        """Of the pane of the open tab; the overview is too short to have one."""
        pane = self.pane
        return "" if isinstance(pane, OverviewView) else str(getattr(pane, "filter", ""))

    def scopes(self) -> tuple[Scope, ...]:
        """The scopes whose commands work now."""
        return () if self.failed else super().scopes()

    # Reading

    def on_mount(self) -> None:
        """Paint first, read then."""
        self.query_one("#status", LineBar).resized = self._show_status
        self.query_one("#verdict", LineBar).resized = self._show_verdict
        self.set_focus(self.layer_list)
        self.action_reload()

    def action_reload(self) -> None:
        """Read the image, again."""
        self.hide_notice()
        self.set_focus(self.layer_list)
        self.files.placeholder = "the files appear when all layers are read"
        self.files.forget()
        self.overview.forget("what is worth doing shows when all layers are read")
        self.waste.placeholder = "what is wasted shows when all layers are read"
        self.advice.forget("advice comes when all layers are read")
        self.layer_list.placeholder = "reading …"
        self.start_reading()
        self._show_title()
        self.refresh_footer()

    def show_head(self, info: ImageInfo) -> None:
        """Show the layers, without sizes."""
        # Of a container the question is what it has written.
        first = len(info.layers) - 1 if info.container is not None else 0
        self.layer_list.show_head(info, first)
        if info.container is not None and self.info is None:
            self._open_tab("files")
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
        self.advice.forget("looking for what is worth doing …")
        self.overview.show(image)
        self.packages.forget()
        self.duplicates.forget()
        self._show_verdict()
        self.viewpoint.layer = layers.cursor
        if not image.complete:
            self._said = f"stopped: {keymap_of(self.app).key_of(Scope.IMAGE, 'reload')} reads again"
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

    def _show_about(self) -> None:
        """Where there is room: all that is to be said of the row under the cursor."""
        about = self.query_one(AboutPane)
        if about.display and self.info is not None:
            about.show_soon(self._about)

    def _about(self) -> list[TextLine]:
        info, image, pane = self.info, self.image, self.pane
        if info is None or not info.layers:
            return []
        layer = min(self.viewpoint.layer, len(info.layers) - 1)
        if image is None or not image.complete or self.focused is not pane:
            return about_layer(info, image, layer)
        if isinstance(pane, WasteView) and pane.guilt is not None:
            return about_guilt(info, *pane.guilt)
        if isinstance(pane, AdviceView | OverviewView) and pane.advice is not None:
            return about_advice(info, pane.advice)
        if isinstance(pane, PackagesView) and pane.package is not None:
            return about_package(info, pane.package)
        if isinstance(pane, OverviewView | FileTree) and pane.path_id:
            return about_path(info, image, pane.path_id)
        return about_layer(info, image, layer)

    def _show_status(self) -> None:
        """The lines below the panes: what the open pane has to say, and a last line of its own."""
        bar = self.query_one("#status", LineBar)
        height, width = bar.size.height or 2, (bar.size.width or 80) - 2
        last = self._last_lines(bar)
        room = height - len(last)
        lines: list[Line] = []
        if self.tab == "waste" and self.image is not None:
            lines = image_lines.story(self.waste.describe(), width, self.glyphs)
        elif self.tab == "advice" and self.image is not None:
            lines = image_lines.advice(*self.advice.describe(), width, self.glyphs)
        elif self.tab == "overview" and self.focused is self.overview and self.overview.describe():
            lines = image_lines.story(self.overview.describe(), width, self.glyphs)
        elif self.info is not None and self._told_layer < len(self.info.layers):
            lines = image_lines.instruction(self.info, self._told_layer, max(1, room), width, self.glyphs)
        lines = [*lines, *[([], [])] * height][:room]
        bar.show(*lines, *last)
        self._show_about()

    @property
    def _told_layer(self) -> int:
        """The layer whose instruction the status tells: the one that brought a package, else the one that is shown."""
        package = self.packages.package if self.tab == "packages" and self.focused is self.packages else None
        return self.viewpoint.layer if package is None or package.layer is None else package.layer

    def _last_lines(self, bar: LineBar) -> list[Line]:
        if self.reading:
            return [self._progress]
        if self._said:
            return self.said_whole(self._said, bar)
        pane = self.pane
        return [([(f" {pane.describe()}", "dim")], [])] if isinstance(pane, _DESCRIBED) else []

    def show_view(self) -> None:
        """Make the tree show the chosen view."""
        self._view_due = False
        if self.image is not None and self.image.layers:
            self.files.shows_layers = self.viewpoint.mode != "layer"
            self.files.show(self.viewpoint.view(self.image.union))
        self._show_note()
        self._show_status()

    def _show_note(self) -> None:
        """The tab line: which tab is open, and what its pane shows."""
        words: list[str] = []
        if self.tab == "files" and self.files.tree_rows is not None:
            # In the narrowest terminal there is room for one: the layer is marked in its list.
            title = "" if self._elsewhere and self.size.width < 60 else self.viewpoint.title
            words = [*self.files.remarks(), self._elsewhere, title]
        elif self.tab == "overview":
            words = [self.overview.summary()]
        elif self.tab == "waste":
            words = [self.waste.summary()]
        elif self.tab == "advice":
            words = [self.advice.summary()]
        elif self.tab == "packages":
            words = [self.packages.summary()]
        elif self.tab == "duplicates":
            words = [self.duplicates.summary()]
        self.query_one(TabBar).update(
            active=TABS.index(self.tab),
            here=self.focused is self.pane,
            note=[
                (f"{'  ' if n else ''}{self.glyphs.text(word)} ", "dim") for n, word in enumerate(filter(None, words))
            ],
        )

    def _show_guilt(self) -> None:
        """Mark in the layer list who ships and who hides what the cursor is on."""
        guilt = self.waste.guilt if self.tab == "waste" else None
        advice = None
        if self.tab == "advice" or (self.tab == "overview" and self.focused is self.overview):
            advice = self.advice.advice if self.tab == "advice" else self.overview.advice
        if advice is not None and advice.layer is not None and advice.hidden_by is not None:
            guilt = advice.layer, advice.hidden_by
        self.layer_list.mark_guilt(guilt)

    def _show_verdict(self) -> None:
        """Where the bytes are, and what is most worth doing, above all panes."""
        bar = self.query_one("#verdict", LineBar)
        if self.image is None or not self.image.complete:
            bar.show(([], []))
            return
        if self.tab == "overview":  # which says what is worth doing at length
            verdict = image_lines.facts(self.image, self.glyphs)
        elif not self.advice.known:
            verdict = [(f" {self.advice.placeholder}", "dim")], []
        else:
            verdict = image_lines.verdict(self.image, self.advice.first, self.glyphs)
        if bar.size.height > 1:
            bar.show(image_lines.layer_bar(self.image, bar.size.width - 2, self.glyphs), verdict)
        else:
            bar.show(verdict)

    def _open_tab(self, tab: str) -> None:
        self.tab = tab
        self.set_class(tab in {"waste", "advice"}, "-waste")
        self.set_class(tab == "overview", "-overview")
        self.query_one(ContentSwitcher).current = tab
        self._show_verdict()

    def _show_all(self) -> None:
        self._show_note()
        self._show_guilt()
        self._show_status()

    def action_show_tab(self, tab: str) -> None:
        """Open a tab and give it the keyboard."""
        raise NotImplementedError

    def _tab_clicked(self, index: int) -> None:
        self.action_show_tab(TABS[index])

    @on(FileTree.Shape)
    @on(WasteView.Shape)
    @on(PackagesView.Shape)
    @on(DuplicatesView.Shape)
    def _shape_changed(self) -> None:
        self._show_all()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        self._said = ""
        if event.rows is not self.layer_list:
            self._show_guilt()
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
        if self.tab == "overview":  # whose rows speak only while it has the focus
            self._show_guilt()
            self._show_status()
