"""A pane with a border to the pane beside or below it, which keys and the mouse move."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical

_STEP = 10
_LEAST, _MOST = 10, 90
"""Percent of the room of both panes."""


class SidePane(Vertical):
    """Takes the share of the room that its style sheet gives it, until the border is moved."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.share: int | None = None
        """Percent; None: as the style sheet says."""
        self._dragged = False

    def move_border(self, step: int) -> None:
        """Give this pane more of the room, or less."""
        self._set(self._now() + step * _STEP)

    def _now(self) -> int:
        parent = self.parent
        whole = getattr(parent, "size", self.size)
        if self._beside:
            return round(100 * self.outer_size.width / max(1, whole.width))
        return round(100 * self.outer_size.height / max(1, whole.height))

    @property
    def _beside(self) -> bool:
        """Whether the other pane stands beside this one, not below."""
        return self.styles.border_right[0] != ""

    def _set(self, share: int) -> None:
        self.share = min(max(share, _LEAST), _MOST)
        self.share_again()

    def share_again(self) -> None:
        """Take the share again: the panes may stand otherwise now."""
        if self.share is None:
            return
        styles = self.styles
        for rule in ("width", "max_width", "min_width", "height", "max_height", "min_height"):
            styles.inline.clear_rule(rule)
        if self._beside:
            styles.width, styles.max_width, styles.min_width = f"{self.share}%", "90%", 16
        else:
            styles.height, styles.max_height = f"{self.share}%", "90%"

    # The mouse, on the border

    def end_at(self, y: int) -> None:
        """Where the other pane is below: end above a row of the screen, as near to it as the least share allows."""
        parent = self.parent
        whole = getattr(parent, "region", self.region)
        if not self._beside and whole.height:
            self._set(round(100 * (y - whole.y) / whole.height))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the border."""
        if self._beside and event.x == self.outer_size.width - 1:
            self._dragged = True
            self.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the border that is held."""
        whole = getattr(self.parent, "size", self.size).width
        if self._dragged and whole:
            self._set(round(100 * (event.x + 1) / whole))
            event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the border."""
        if self._dragged:
            self._dragged = False
            self.release_mouse()
            event.stop()
