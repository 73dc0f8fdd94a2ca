"""The dialogs over a screen: help, a whole text, the kinds of change shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.markup import escape
from textual.screen import ModalScreen

from lamina.model import Change
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.glyphs import UNICODE, Glyphs
from lamina_tui.key_names import keys_text
from lamina_tui.keymap import Keymap, bindings
from lamina_tui.navigation import navigation_of
from lamina_tui.screens.legend import legend
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE, Part, RowList
from lamina_tui.widgets.text_lines import TextLine
from lamina_tui.widgets.text_pane import TextPane


class TextScreen(ModalScreen[None]):
    """Some paragraphs in a dialog that scrolls."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        ("escape,q,enter,i,question_mark", "dismiss", "close"),
    ]

    def __init__(self, title: str, lines: Sequence[TextLine], copied: str = "") -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)
        self._copied = copied

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes" + (" - y copies" if self._copied else "")
            yield TextPane(has_cursor=False, fit_height=True)

    def on_mount(self) -> None:
        """Fill the box."""
        pane = self.query_one(TextPane)
        pane.show_lines(self._lines)
        self.set_focus(pane)

    def say(self, text: str) -> None:
        """Tell something once, in the box's lower edge; untrusted text is fine."""
        self.query_one(".dialog").border_subtitle = escape(display_name(text)[:60])

    def action_copy(self) -> None:
        """Copy the whole text: lines of it are no rows here."""
        if self._copied:
            navigation_of(self.app).copy(self._copied)


def help_lines(near: Sequence[Scope] = (), keymap: Keymap | None = None, glyphs: Glyphs = UNICODE) -> list[TextLine]:
    """The help, made from the table of commands.

    Args:
        near: the scopes the user is in, which come first.
        keymap: the keys in effect; None: the table's own.
        glyphs: of this terminal.
    """
    keymap = keymap or Keymap()
    lines: list[TextLine] = []
    for scope in dict.fromkeys([*near, *Scope]):
        lines.append(TextLine(scope.value, style="strong", heading=True))
        lines += [TextLine(command.help, label=keys_text(command.keys)) for command in keymap.of(scope) if command.keys]
        lines.append(TextLine(""))
    lines += legend(glyphs)
    return lines


class HelpScreen(TextScreen):
    """Every key, from the table of commands."""

    def __init__(self, near: Sequence[Scope] = (), keymap: Keymap | None = None, glyphs: Glyphs = UNICODE) -> None:
        super().__init__("lamina: keys, signs and columns", help_lines(near, keymap, glyphs))


class KindList(RowList):
    """The kinds of change, each shown or hidden."""

    header_lines = 0
    BINDINGS = bindings(Scope.KINDS)
    SCOPES = (Scope.KINDS, Scope.LIST)
    WORDS = ("unchanged", "added", "modified (other content)", "metadata only", "removed")
    ORDER = (Change.ADDED, Change.MODIFIED, Change.METADATA, Change.REMOVED, Change.UNCHANGED)

    def __init__(self, kinds: frozenset[Change], changed: Callable[[frozenset[Change]], None]) -> None:
        super().__init__()
        self.kinds = kinds
        self._changed = changed

    def row_count(self) -> int:
        """Kinds."""
        return len(self.ORDER)

    def row(self, index: int, width: int) -> list[Part]:
        """One kind, with its mark."""
        kind = self.ORDER[index]
        sign = "x" if kind in self.kinds else " "
        return [(texts.fit(f" [{sign}] {kind.mark} {self.WORDS[kind]}", width), STYLE_OF_CHANGE[kind])]

    def _set(self, kinds: frozenset[Change]) -> None:
        self.kinds = kinds
        self.refresh()
        self._changed(kinds)

    def on_row_list_activated(self) -> None:
        """A click on the cursor's row."""
        self.action_toggle_kind()

    def action_toggle_kind(self) -> None:
        """Show or hide the kind under the cursor."""
        self._set(self.kinds ^ {self.ORDER[self.cursor]})

    def action_only_changes(self) -> None:
        """Show only what changed."""
        self._set(frozenset(Change) - {Change.UNCHANGED})

    def action_all_kinds(self) -> None:
        """Show everything."""
        self._set(frozenset(Change))

    def action_close(self) -> None:
        """Close the dialog."""
        _ = self.screen.dismiss()


class KindsScreen(ModalScreen[None]):
    """Which kinds of change the tree shows; the tree behind follows at once."""

    def __init__(self, kinds: frozenset[Change], changed: Callable[[frozenset[Change]], None]) -> None:
        super().__init__()
        self._kinds = kinds
        self._changed = changed

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(classes="dialog") as box:
            box.border_title = "kinds of change shown"
            box.border_subtitle = "space shows/hides - c changes - a all - esc closes"
            yield KindList(self._kinds, self._changed)

    def on_mount(self) -> None:
        """The list takes the keyboard."""
        self.set_focus(self.query_one(KindList))
