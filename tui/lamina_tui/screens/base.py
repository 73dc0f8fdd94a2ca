"""What the full screens share: the notice in place of content, and where the keyboard goes."""

from __future__ import annotations

from textual._context import active_app
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.glyphs import Glyphs, glyphs_of
from lamina_tui.navigation import Navigation, navigation_of
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import Line, LineBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList


class Notice(VerticalScroll):
    """A calm message in place of content: what happened and what can be done."""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static("", markup=False)

    def say(self, title: str, lines: list[str], glyphs: Glyphs) -> None:
        """Show a message.

        Args:
            title: one line; may hold untrusted names.
            lines: what can be done.
            glyphs: of this terminal.
        """
        text = Content.styled(glyphs.text(display_name(title)), "bold")
        for line in lines:
            text = text.append(Content("\n" + glyphs.text(display_name(line) if line else "")))
        self.query_one(Static).update(text)


class FullScreen(Screen[None]):
    """A screen with a footer that follows the focus."""

    SCOPE: Scope
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - Textual's way

    def __init__(self) -> None:
        super().__init__()
        app = active_app.get(None)
        if app is not None:
            # Textual adds them when the screen is there, and then finds all its styles again: 20 ms of its opening.
            for size, breakpoints in zip(
                app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True
            ):
                reached = [name for least, name in sorted(breakpoints or ()) if size >= least]
                self.add_class(*reached[-1:])

    @property
    def navigation(self) -> Navigation:
        """What leads to other screens."""
        return navigation_of(self.app)

    @property
    def glyphs(self) -> Glyphs:
        """The signs of this terminal."""
        return glyphs_of(self.app)

    @property
    def ends_with(self) -> int:
        """The exit code of a command that was started for this screen."""
        return 0

    def scopes(self) -> tuple[Scope, ...]:
        """The scopes whose commands work now, the nearest first."""
        focused = self.focused
        if isinstance(focused, Input):
            return (Scope.PROMPT,)
        near = focused.SCOPES if isinstance(focused, RowList) else ()
        return (*near, self.SCOPE)

    def on_descendant_focus(self) -> None:
        """The footer shows the keys of the pane that has the focus."""
        self.refresh_footer()

    def refresh_footer(self) -> None:
        """Show the keys that work now."""
        prompt = self.focused.parent if isinstance(self.focused, Input) else None
        words = prompt.words if isinstance(prompt, Prompt) else {}
        for bar in self.query(KeyBar):
            bar.show_scopes(self.scopes(), words)

    def say(self, text: str) -> None:
        """Tell something once; untrusted text is fine."""
        raise NotImplementedError

    def on_row_list_told(self, event: RowList.Told) -> None:
        """Say what a list has to say."""
        self.say(event.text)

    def said(self, text: str) -> Line:
        """A line of what was told once; untrusted text is fine."""
        return [(f" {self.glyphs.text(display_name(text))}", "strong")], []

    def is_cut_off(self, text: str, title: str) -> bool:
        """Whether the right of the title line has no room for what is told once; untrusted text is fine.

        Args:
            text: what is told.
            title: what the line begins with and keeps.
        """
        return texts.cell_len(f"{title} {self.glyphs.text(display_name(text))} ") > self.size.width

    def said_whole(self, text: str, bar: LineBar) -> list[Line]:
        """The same in as many lines as it takes and the bar has."""
        pieces = texts.wrap(self.glyphs.text(display_name(text)), (bar.size.width or 80) - 2)
        lines = max(1, bar.size.height)
        if len(pieces) > lines:
            pieces[lines - 1 :] = [" ".join(pieces[lines - 1 :])]
        return [([(f" {piece}", "strong")], []) for piece in pieces]

    def action_copy(self) -> None:
        """Copy what the row under the cursor stands for."""
        rows = self.focused
        text = rows.copied_text() if isinstance(rows, RowList) else None
        if text:
            self.navigation.copy(text)

    def show_notice(self, title: str, lines: list[str]) -> None:
        """Show a message in place of the content."""
        self.query_one(Notice).say(title, lines, self.glyphs)
        self.add_class("-notice")

    def hide_notice(self) -> None:
        """Show the content again."""
        self.remove_class("-notice")
