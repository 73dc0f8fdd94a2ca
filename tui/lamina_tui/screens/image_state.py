"""What an image's screen had open, kept while the program lives: whoever comes back finds it as it was left."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.figures.image import LoadedImage
from lamina_tui.viewpoint import Viewpoint
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.layer_list import LayerList
from lamina_tui.widgets.waste_view import WasteView


class Opened(Protocol):
    """A screen of one image, as far as it has a state that is worth keeping."""

    image: LoadedImage | None
    viewpoint: Viewpoint
    tab: str

    @property
    def layer_list(self) -> LayerList:
        """The layers."""

    @property
    def files(self) -> FileTree:
        """The file tree."""

    @property
    def waste(self) -> WasteView:
        """The waste."""

    def show_view(self) -> None:
        """Make the tree show the chosen view."""

    def action_show_tab(self, tab: str) -> None:
        """Open a tab."""


@dataclass(frozen=True, slots=True)
class ImageState:
    """Of one image."""

    layer: int
    mode: str
    start: int | None
    tab: str
    folds: NDArray[np.bool_] | None
    """Which folders are unfolded, by path of the image's union."""
    path: bytes | None
    """Of the file under the cursor."""
    top: int
    """The first row of files in view."""
    files_as: str
    """One of :data:`lamina.stack.tree_rows.GROUPINGS`."""
    metadata: str
    """What is shown of each file beside its bytes."""
    grouping: str
    """Of the waste."""
    waste_row: int


def state_of(screen: Opened) -> ImageState | None:
    """What is open now; None before the image was read."""
    if screen.image is None or not screen.image.complete:
        return None
    tree = screen.files.tree_rows
    view = screen.viewpoint
    return ImageState(
        layer=view.layer,
        mode=view.mode,
        start=view.start,
        tab=screen.tab,
        folds=None if tree is None else tree.folds,
        path=screen.files.copied_text(),
        top=screen.files.scroll_offset.y,
        files_as="tree" if tree is None else tree.grouping,
        metadata=screen.files.metadata,
        grouping=screen.waste.grouping,
        waste_row=screen.waste.cursor,
    )


def restore(screen: Opened, state: object) -> None:
    """Open what was open, as far as the image still has it; nothing where no state was kept."""
    image = screen.image
    if not isinstance(state, ImageState) or image is None or not state.layer < len(image.info.layers):
        return
    view = screen.viewpoint
    view.layer, view.mode, view.start = state.layer, state.mode, state.start
    screen.layer_list.move_to(state.layer)
    screen.layer_list.mark_range(state.start)
    screen.waste.group_by(state.grouping)
    screen.waste.move_to(state.waste_row)
    screen.show_view()
    screen.files.metadata = state.metadata
    screen.files.group_by(state.files_as)
    tree = screen.files.tree_rows
    if tree is not None and state.folds is not None and tree.set_folds(state.folds):
        found = None if state.path is None else image.union.paths.find(state.path)
        if found is None or not screen.files.go_to(found):
            screen.files.rows_changed(0)
        screen.files.show_from(state.top)
    if state.tab != screen.tab:
        screen.action_show_tab(state.tab)
