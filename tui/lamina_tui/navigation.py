"""Where a screen can lead to. Screens know this and not the app, which implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lamina.dataclass import dataclass

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage
    from lamina.model import KnownImage
    from lamina.sources.base import Source
    from lamina_tui.image_entries import Entry, Lister


@dataclass(frozen=True, slots=True)
class LayerPath:
    """A path in one layer of an image."""

    path: bytes
    """Without a leading slash."""
    layer: int


@runtime_checkable
class Navigation(Protocol):
    """What the app does for its screens."""

    image_states: dict[tuple[str, str], object]
    """By source and ID, what was open of images that are closed now."""

    def open_image(self, source: Source, target: str | None, label: str, place: LayerPath | None = None) -> None:
        """Open one image of a source over the list it came from; at a place of it, if one is given."""

    def open_target(self, text: str) -> None:
        """Open what the user typed."""

    def open_tree(self, stacks: Sequence[tuple[Entry, KnownImage]], label: str) -> None:
        """Open the tree of some images' layers."""

    def open_set(self, entries: Sequence[Entry]) -> None:
        """Open what some images share."""

    def open_diff(self, first: Entry, second: Entry, loaded: tuple[LoadedImage, LoadedImage] | None = None) -> None:
        """Open the comparison of two images."""

    def open_demo(self) -> None:
        """Open the list of the built-in samples."""

    def open_source(self, source: Source, read: Sequence[LoadedImage] = ()) -> None:
        """Open the list of a source's images in place of the image that is shown; some of them were read."""

    def open_list(self, lister: Lister, label: str, read: Sequence[LoadedImage] = ()) -> None:
        """Open a list of images in place of what is shown; some of them were read."""

    def open_search(self, term: str) -> None:
        """Open a search for repositories."""

    def open_tags(self, name: str) -> None:
        """Open the versions of a repository."""

    def open_platforms(self, name: str) -> None:
        """Open the list of what an image of a registry is for each platform."""

    def open_pull(self, name: str) -> None:
        """Open what a pull of an image would fetch."""

    def open_contexts(self) -> None:
        """Ask for another engine."""

    def go_back(self) -> bool:
        """Close this screen, unless it is the first; False if it is."""

    def copy(self, text: str | bytes) -> None:
        """Put a text on the clipboard, in its visible form."""


def navigation_of(app: Any) -> Navigation:
    """A Textual app as what leads from screen to screen."""
    assert isinstance(app, Navigation)
    return app
