"""Driving the app in a test: press keys, wait until all is drawn, read the lines of the screen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual import events
from textual.keys import key_to_character
from textual.pilot import Pilot
from textual.widget import Widget

from lamina_tui.app import LaminaApp
from lamina_tui.screens.image import ImageScreen

# Unicode has other names for these than Textual.
CHARACTERS = {"slash": "/", "plus": "+", "underscore": "_", "minus": "-", "full_stop": ".", "greater_than_sign": ">"}


class Driven:
    """A running app, as a user meets it."""

    def __init__(self, app: LaminaApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    async def settle(self) -> None:
        """Wait until nothing is read any more and everything is drawn."""
        await self._turns(4)  # a screen that is just opened starts its work when it is mounted
        shown: list[str] | None = None
        # What a worker shows last may change styles, those the layout, and so what is drawn: as often as it takes.
        for _ in range(100):
            if not all(worker.is_finished for worker in self.app.workers):
                await self.app.workers.wait_for_complete()
            elif shown == (shown := self.cells):
                return
            await self._turns(3)

    async def _turns(self, count: int) -> None:
        """Let every widget work its messages off, so many times: what one sends another comes in the next turn."""
        for _ in range(count):
            await self.pilot.pause(0)

    async def press(self, *keys: str) -> None:
        """Press keys one by one, as a person does."""
        for key in keys:
            self.send(key)
            await self.settle()

    def send(self, *keys: str) -> None:
        """Press keys in one go, as a script does."""
        for key in keys:
            self.app.post_message(events.Key(key, CHARACTERS.get(key) or key_to_character(key)))

    async def open_tab(self, tab: str) -> None:
        """Open a tab of an image and leave the keyboard where it was."""
        focused = self.app.focused
        said = self.image._said
        self.image.action_show_tab(tab)
        if focused is not None and focused.display:
            self.image.set_focus(focused if focused is self.image.layer_list else self.image.pane)
        self.image.say(said)
        await self.settle()

    @property
    def lines(self) -> list[str]:
        """What the screen shows, without trailing blanks."""
        return [line.rstrip() for line in self.cells]

    @property
    def cells(self) -> list[str]:
        """What the screen shows, whole lines."""
        with self.app._context():  # as the app itself draws, also where a test has two
            strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line_with(self, word: str) -> str:
        """The only line that has a word."""
        found = [line for line in self.lines if word in line]
        assert len(found) == 1, f"{len(found)} lines with {word!r} in\n{self.text}"
        return found[0]

    @property
    def focus(self) -> str:
        """The id of the widget that has the keyboard."""
        focused: Widget | None = self.app.focused
        return (focused.id or type(focused).__name__) if focused is not None else ""

    @property
    def image(self) -> ImageScreen:
        assert isinstance(self.app.screen, ImageScreen)
        return self.app.screen

    @property
    def clipboard(self) -> str:
        return self.app.clipboard


Drive = Callable[..., AbstractAsyncContextManager[Driven]]
