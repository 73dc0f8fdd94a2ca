"""Which state of the file system the tree shows: one layer, up to a layer, or what a range changed."""

from __future__ import annotations

from lamina.dataclass import dataclass
from lamina.stack.union import Union
from lamina.stack.view import View, view_layer, view_range, view_upto

MODES = ("layer", "upto", "range")


@dataclass(slots=True)
class Viewpoint:
    """What the user chose to look at."""

    mode: str = "layer"
    """One of :data:`MODES`."""
    layer: int = 0
    """The selected layer."""
    start: int | None = None
    """The layer a range starts after, where the user marked one; else the base, layer 0."""

    def next_mode(self) -> None:
        """Go on to the next kind of view."""
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]

    def ends(self) -> tuple[int, int]:
        """The layers a range goes from and to, -1 standing for the empty file system.

        The mark may stand above the selected layer: a range always goes upwards. A range from a layer to itself
        shows what that layer changed.
        """
        first, last = sorted((0 if self.start is None else self.start, self.layer))
        return (first - 1, last) if first == last else (first, last)

    def view(self, union: Union) -> View:
        """The view of an image's layers."""
        if self.mode == "upto":
            return view_upto(union, self.layer)
        if self.mode == "range":
            return view_range(union, *self.ends())
        return view_layer(union, self.layer)

    @property
    def title(self) -> str:
        """The view's name, in few words."""
        if self.mode == "upto":
            return f"up to layer {self.layer}"
        if self.mode == "range":
            first, last = self.ends()
            return f"from {first} to {last}" if first >= 0 else f"from nothing to {last}"
        return f"layer {self.layer}"
