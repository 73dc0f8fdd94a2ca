"""A dialog of the docker command's contexts: which engine to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from lamina.names import display_name
from lamina.sources.engine.contexts import Context
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList


class ContextList(RowList):
    """Engines by name."""

    header_lines = 0
    BINDINGS = bindings(Scope.CONTEXTS)
    SCOPES = (Scope.CONTEXTS, Scope.LIST)

    def __init__(self, contexts: Sequence[Context], current: str) -> None:
        super().__init__()
        self._contexts = contexts
        self._current = current
        self.cursor = next((n for n, row in enumerate(contexts) if row.name == current), 0)

    def row_count(self) -> int:
        """Contexts."""
        return len(self._contexts)

    def row(self, index: int, width: int) -> list[Part]:
        """One context: name, and where it leads."""
        row, glyphs = self._contexts[index], self.glyphs
        name_width = min(max(texts.cell_len(display_name(each.name)) for each in self._contexts) + 4, width // 2)
        sign = "*" if row.name == self._current else " "
        about = row.fault or "  ".join(filter(None, (row.url, row.description)))
        return [
            (texts.fit(f" {sign} {glyphs.text(display_name(row.name))}", name_width, glyphs.more), "plain"),
            (
                texts.fit(f" {glyphs.text(display_name(about))}", width - name_width, glyphs.more),
                "removed" if row.fault else "dim",
            ),
        ]

    def action_choose(self) -> None:
        """Take the context under the cursor."""
        if self._contexts and not self._contexts[self.cursor].fault:
            self.post_message(self.Activated(self))

    @property
    def context(self) -> Context:
        """The one under the cursor."""
        return self._contexts[self.cursor]

    def action_close(self) -> None:
        """Close the dialog."""
        _ = self.screen.dismiss()


class ContextsScreen(ModalScreen[None]):
    """Contexts to choose from.

    Args:
        contexts: at least the default one.
        current: the name of the one that is in use.
        chosen: called with what was chosen, once the dialog is closed.
    """

    def __init__(self, contexts: Sequence[Context], current: str, chosen: Callable[[Context], None]) -> None:
        super().__init__()
        self._contexts = contexts
        self._current = current
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(classes="dialog") as box:
            box.border_title = "engines (docker contexts)"
            box.border_subtitle = "enter looks at it - esc closes"
            yield ContextList(self._contexts, self._current)

    def on_mount(self) -> None:
        """The list takes the keyboard."""
        self.set_focus(self.query_one(ContextList))

    @on(RowList.Activated)
    def _take(self) -> None:
        context = self.query_one(ContextList).context
        if not context.fault and self.is_current:
            _ = self.dismiss()
            self._chosen(context)
