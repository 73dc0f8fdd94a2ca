"""One-line parts: title, tabs, status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lamina_tui import texts
from lamina_tui.glyphs import Glyphs, glyphs_of

Part = tuple[str, str]
"""A piece of text and the name of its style: a component class without its ``bar--``."""

Line = tuple[Sequence[Part], Sequence[Part]]
"""A left part, cut where there is no room, and a right part."""


WIDEST = 4096
"""Characters of a part that are looked at: more than any terminal is wide, and as long as a path. Names in a config
may have megabytes, which would be measured at every key.
"""


_READABLE = 6
"""Cells of a cut part that say more than the sign of the cut does."""


class LineBar(Widget):
    """Some lines of styled text: a left part that is cut when needed, and a right part that is not.

    Only the cells that may have changed are drawn again.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bar--plain",
        "bar--strong",
        "bar--dim",
        "bar--key",
        "bar--active",
        "bar--here",
        "bar--good",
        "bar--bad",
        "bar--fill",
    }
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._lines: list[Line] = []
        self.resized: Callable[[], None] | None = None
        """Called when there is another number of lines or cells to fill."""

    def on_resize(self) -> None:
        """Whoever fills the lines knows what more or fewer of them show."""
        if self.resized is not None:
            self.resized()

    @property
    def glyphs(self) -> Glyphs:
        """The signs of this terminal."""
        return glyphs_of(self.app)

    def show(self, *lines: Line) -> None:
        """Show lines, each a left and a right part."""
        old, self._lines = self._lines, [(_bounded(left), _bounded(right)) for left, right in lines]
        lines = tuple(self._lines)
        if not self.is_mounted:
            return
        for y in range(max(len(old), len(lines))):
            before = old[y] if y < len(old) else ([], [])
            after = lines[y] if y < len(lines) else ([], [])
            if before != after:
                width = self.size.width
                if not before[1] and not after[1]:
                    width = min(width, max(_width(before[0]), _width(after[0])))
                self.refresh(Region(0, y, width, 1))

    @property
    def plain(self) -> str:
        """The text as it is shown, without its styles; lines end in newlines."""
        width = self.size.width
        return "\n".join(self.render_line(y).text for y in range(self.size.height)) if width else ""

    def render_line(self, y: int) -> Strip:
        """One line."""
        width = self.size.width
        base = self.get_component_rich_style("bar--plain")
        if y >= len(self._lines):
            return Strip.blank(width, base)
        left, right = self._lines[y]
        # A name may not vanish before the last of the figures beside it has: those are the strong parts on the left.
        strong = max((index for index, (_, name) in enumerate(left, 1) if name == "strong"), default=0)
        needed = min(width * 2 // 3, max(_width(left[:strong]), min(8, _width(left))))
        while right and width - _width(right) - 1 < needed:
            right = right[:-1]
        room = width - _width(right)
        segments = self._cut(left, room - 1 if right else room)  # the two never touch
        used = sum(segment.cell_length for segment in segments)
        if used < room:
            segments.append(Segment(" " * (room - used), base))
        segments += [Segment(text, self._style(name)) for text, name in right]
        strip = Strip(segments)
        return strip if strip.cell_length == width else strip.adjust_cell_length(width, base)

    def _cut(self, parts: Sequence[Part], room: int) -> list[Segment]:
        segments: list[Segment] = []
        for text, name in parts:
            length = texts.cell_len(text)
            if length > room:
                if room >= _READABLE or (room > 0 and not segments):
                    segments.append(Segment(texts.fit(text, room, self.glyphs.more), self._style(name)))
                break
            segments.append(Segment(text, self._style(name)))
            room -= length
        return segments

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"bar--{name}")


def _bounded(parts: Sequence[Part]) -> Sequence[Part]:
    return [(text[:WIDEST], name) for text, name in parts]


def _width(parts: Sequence[Part]) -> int:
    return sum(texts.cell_len(text) for text, _ in parts)


_GAP = 3
"""Cells between the tabs and the note, whose first word may be a number, too."""


class TabBar(LineBar):
    """Tabs by number, with room on the right for what the tab shows: of several parts the last is the last to go."""

    class Dragged(Message):
        """The mouse holds the bar and went up or down with it."""

        def __init__(self, y: int) -> None:
            super().__init__()
            self.y = y
            """The row of the screen that the mouse is at."""

    def __init__(
        self,
        names: Sequence[str],
        chosen: Callable[[int], None],
        *,
        first: int = 1,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._first = first
        self.names = names
        self._chosen = chosen
        self.active = 0
        self.here = False
        self.note: Sequence[Part] = []
        self._held: int | None = None
        """The row of the screen that the mouse took hold of the bar at, or was last told to be at."""
        self._dragged = False

    def update(
        self, *, active: int | None = None, here: bool | None = None, note: Sequence[Part] | None = None
    ) -> None:
        """Change what is given: the open tab, whether its pane has the focus, the text on the right."""
        self.active = self.active if active is None else active
        self.here = self.here if here is None else here
        self.note = self.note if note is None else note
        self._show()

    def _show(self) -> None:
        left: list[Part] = []
        for index, label in enumerate(self._labels()):
            style = ("here" if self.here else "active") if index == self.active else "dim"
            left.append((label, style))
        # The tabs are never written over: of the note goes what has no room beside them.
        room = self.size.width - _width(left) - 1
        note = list(self.note)
        while note and _width(note) > room:
            note = note[1:]
            note[:1] = [(text.lstrip(), name) for text, name in note[:1]]
        self.show((left, note))

    def on_resize(self) -> None:
        """The note has more room, or less."""
        self._show()
        super().on_resize()

    def _labels(self) -> list[str]:
        """The tabs' labels: closer together where the note needs the room, then from the last on only their digits."""
        labels = [f" {index} {name} " for index, name in enumerate(self.names, self._first)]
        room = self.size.width - _width(self.note) - (_GAP if self.note else 1)
        if sum(map(len, labels)) > room:
            labels = [label[:-1] for label in labels]
        for index in range(len(labels) - 1, -1, -1):
            if sum(map(len, labels)) > room and index != self.active:
                labels[index] = f" {index + self._first}"
        return labels

    def on_mount(self) -> None:
        """Draw the tabs."""
        self._show()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the bar: it may be the border to what is above."""
        self._held, self._dragged = event.screen_y, False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell where the bar is drawn to."""
        if self._held is not None and event.screen_y != self._held:
            self._held, self._dragged = event.screen_y, True
            self.post_message(self.Dragged(event.screen_y))

    def on_mouse_up(self) -> None:
        """Let go of the bar."""
        if self._held is not None:
            self._held = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Open the tab under the mouse."""
        if self._dragged:
            return
        x = 0
        for index, label in enumerate(self._labels()):
            x += len(label)
            if event.x < x:
                self._chosen(index)
                return
