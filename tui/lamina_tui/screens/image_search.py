"""One image's way to what its view does not show: what a filter finds in other layers, and a search over all."""

from __future__ import annotations

import asyncio
from functools import partial

from textual import on, work

from lamina.dataclass import dataclass
from lamina.figures.elsewhere import Elsewhere, elsewhere
from lamina.figures.find_paths import PathFinder
from lamina.figures.image import LoadedImage
from lamina.model import Change
from lamina_tui import texts
from lamina_tui.background import outcome_of
from lamina_tui.command import Scope
from lamina_tui.keymap import keymap_of
from lamina_tui.navigation import LayerPath
from lamina_tui.screens.advising import AdvisedPanes
from lamina_tui.screens.image_state import ImageState, restore, state_of
from lamina_tui.screens.reading import Opener
from lamina_tui.screens.search_results import Search, SearchResults
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.found_list import fate, searched
from lamina_tui.widgets.found_rows import Key

RESULTS = "results"
"""Stands for the results where a tab is told that led to the open one."""

_OF_PATHS = {"files", "waste", "duplicates"}
"""Tabs whose filter is about names."""

_PAUSE = 0.06  # seconds without another letter after which other layers are looked through


@dataclass(slots=True)
class _Step:
    """A search, and what was open when it was asked for."""

    search: Search
    state: ImageState | None
    filter: str
    kinds: frozenset[Change]
    at_layers: bool
    """Whether the layers had the keyboard."""
    came_from: str
    followed: bool = False
    """Whether a result was shown: else all is still open as it was."""


class ImageSearch(AdvisedPanes):
    """The panes, with what they leave out.

    Args:
        opener: answers the source and the image in it.
        label: how the user calls the image; untrusted.
        place: where to begin; None: as an image opens, or as it was left.
    """

    def __init__(self, opener: Opener, label: str, place: LayerPath | None = None) -> None:
        super().__init__(opener, label)
        self._place = place
        self._steps: list[_Step] = []
        """Searches whose results were followed, one from the other, and the one that is open."""
        self._finder: PathFinder | None = None

    def show_image(self, image: LoadedImage) -> None:
        """Show all figures, and the place that was asked for."""
        self._finder = None
        super().show_image(image)
        place, self._place = self._place, None
        path = None if place is None else image.union.paths.find(place.path)
        if place is not None and path is not None and place.layer < len(image.info.layers):
            self.show_in_layer(path, place.layer)

    def show_in_layer(self, path: int, layer: int) -> None:
        """Show a path in the layer that ships it."""
        self.viewpoint.mode = "layer"
        self.layer_list.move_to(layer)
        self.viewpoint.layer = layer
        self.files.set_filter("")
        self.files.set_kinds(frozenset(Change))
        self.show_view()
        self.action_show_tab("files")
        if not self.files.go_to(path):  # a list has no folders, and a group may be folded
            self.files.group_by("tree")
            self.files.go_to(path)

    @property
    def finder(self) -> PathFinder | None:
        """Searches the image; None before it is read."""
        tree = self.files.tree_rows
        if self._finder is None and self.image is not None and tree is not None:
            self._finder = PathFinder(self.image.union, tree.names)
        return self._finder

    # What the filter finds elsewhere

    @property
    def finds_nothing(self) -> bool:
        """Whether the filter of the files leaves no row of what is shown."""
        tree = self.files.tree_rows
        return self.tab == "files" and bool(self.files.filter) and tree is not None and not len(tree.rows)

    @on(FileTree.Shape)
    def _look_elsewhere(self) -> None:
        """The filter or the view is another: what it leaves out is looked for once no more letters come."""
        self._elsewhere = ""
        if self.files.filter:
            self._look()
        else:
            self.workers.cancel_group(self, "elsewhere")

    @work(exclusive=True, group="elsewhere")
    async def _look(self) -> None:
        await asyncio.sleep(_PAUSE)
        finder, tree, text = self.finder, self.files.tree_rows, self.files.filter
        if finder is None or tree is None:
            return
        view = tree.view
        found = await outcome_of(partial(elsewhere, finder, view, text))
        if isinstance(found, Elsewhere) and view is tree.view and text == self.files.filter:
            self._elsewhere = self._remark(found)
            self._show_note()

    def _remark(self, found: Elsewhere) -> str:
        """``1 in layer 5 (removed in 9): F``, ``14 in 3 other layers: F``; where there is no room ``14 more: F``."""
        if not found.count:
            return ""
        key = keymap_of(self.app).key_of(Scope.IMAGE, "find_everywhere")
        lists = f": {key}" if key else ""
        if self.size.width < 60:
            return f"{texts.count(found.count)} more{lists}"
        where = f"layer {found.layer}" if found.layers == 1 else f"{found.layers} other layers"
        ends = f" ({fate(found.died, replaced=False)})" if found.died is not None and not found.replaced else ""
        return f"{texts.count(found.count)} in {where}{ends}{lists}"

    # The results

    def action_find_everywhere(self) -> None:
        """Ask for a text, the filter's to begin with, and list what is found in all layers."""
        self.find_everywhere(asks=True)

    def find_everywhere(self, *, asks: bool = False) -> None:
        """List what is found in all layers.

        Args:
            asks: whether another text than the filter's may be typed first.
        """
        if self.finder is None:
            self.say("all layers can be searched when they are read")
            return
        if self._came_from != RESULTS:
            self._steps.clear()
        text = self.filter if self.tab in _OF_PATHS else ""
        at_layers = self.focused is self.layer_list
        files = self.files
        self._steps.append(
            _Step(Search(text, asks=asks), state_of(self), files.filter, files.kinds, at_layers, self._came_from)
        )
        self.show_results()

    def show_results(self) -> None:
        """Open the results of the last search as they were."""
        if self.finder is not None and self.image is not None and self._steps:
            images, search = [searched(self.label, self.image, self.finder)], self._steps[-1].search
            _ = self.app.push_screen(SearchResults(images, search, self._go_to_result, self._return))

    def _go_to_result(self, key: Key) -> None:
        """Show a result in place of the results; esc leads back to them."""
        _, path, layer = key
        if self.navigation.go_back():
            self.show_in_layer(path, layer)
            self._steps[-1].followed = True
            self._came_from = RESULTS

    def _return(self) -> None:
        """The results were closed: what was open before them is open again, where a result has been followed."""
        step = self._steps.pop()
        if not step.followed:
            return
        if step.state is not None:
            restore(self, step.state)
            here = self.files.path_id
            self.files.set_kinds(step.kinds)
            self.files.set_filter(step.filter)
            if here is not None:
                self.files.go_to(here)
        if step.at_layers:
            self.set_focus(self.layer_list)
        self._came_from = step.came_from
