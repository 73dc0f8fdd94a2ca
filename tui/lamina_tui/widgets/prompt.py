"""One line to type into: a filter, or what to open."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label

from lamina_tui.command import Scope
from lamina_tui.keymap import bindings, keymap_of


class _Field(Input):
    """The input. It takes its closing keys itself and at once, so that keys that follow in one go, pasted or
    sent by a script, find the screen as a slow typist would.
    """  # noqa: D205

    async def _on_key(self, event: events.Key) -> None:
        prompt = self.parent
        assert isinstance(prompt, Prompt)
        if not prompt.is_open:
            # Typed when the line was closing: it is meant for who has the keyboard now.
            event.stop()
            event.prevent_default()
            self.app.post_message(events.Key(event.key, event.character))
            return
        for command in keymap_of(self.app).of(Scope.PROMPT):
            if event.key in command.keys:
                event.stop()
                event.prevent_default()
                await prompt.run_action(command.action)
                return
        await super()._on_key(event)


class Prompt(Horizontal):
    """A line that opens at the bottom of a screen."""

    BINDINGS = bindings(Scope.PROMPT)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._back: Widget | None = None
        self._typed: Callable[[str], None] | None = None
        self._done: Callable[[str, bool], None] | None = None
        self.words: dict[str, str] = {}
        """By action: the footer's word for it, where it is not the table's."""

    def compose(self) -> ComposeResult:
        """Label and input."""
        yield Label("", markup=False)
        field = _Field(compact=True, select_on_focus=False)
        field.cursor_blink = False  # each blink would send the line again: 300 bytes a second while nobody types
        yield field

    @property
    def is_open(self) -> bool:
        """Whether the line is shown."""
        return self.has_class("-open")

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self.query_one(_Field).value

    def open(
        self,
        label: str,
        text: str,
        *,
        done: Callable[[str, bool], None],
        typed: Callable[[str], None] | None = None,
        does: str = "",
    ) -> None:
        """Show the line and take the keyboard.

        Args:
            label: stands before the text.
            text: to start with.
            done: called with the text, and whether it is to be kept, when the line closes.
            typed: called with every change of the text.
            does: what Enter does with the text, in the footer; empty: it keeps a filter.
        """
        self.words = {"accept": does, "cancel": "cancel"} if does else {}
        self._back, self._typed, self._done = self.screen.focused, typed, done
        self.query_one(Label).update(f" {label} ")
        field = self.query_one(_Field)
        self.add_class("-open")
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.screen.set_focus(field)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open and self._typed is not None:
            self._typed(event.value)

    def action_accept(self) -> None:
        """Close and keep the text."""
        self._close(self.text, kept=True)

    def action_cancel(self) -> None:
        """Close and drop the text."""
        self._close("", kept=False)

    def _close(self, text: str, *, kept: bool) -> None:
        self.remove_class("-open")
        self.screen.set_focus(self._back)
        if self._done is not None:
            self._done(text, kept)
