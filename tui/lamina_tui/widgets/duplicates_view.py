"""The same content at several places of the final file system, what costs most first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from lamina.figures.duplicates import MIN_SIZE, Duplicate
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

LOOKING = "looking for files with the same content …"


class DuplicatesView(RowList):
    """A row for each content, below it when unfolded its places; Enter on a place leads there."""

    BINDINGS = bindings(Scope.DUPLICATES)
    SCOPES = (Scope.DUPLICATES, Scope.LIST)

    class Jump(Message):
        """Show a file of the final file system."""

        def __init__(self, path: bytes) -> None:
            super().__init__()
            self.path = path

    class Shape(Message):
        """What is shown changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.filter = ""
        self.found: Sequence[Duplicate] | None = None
        """None until they are looked for."""
        self._open: set[int] = set()
        self._rows: list[tuple[int, int]] = []
        """(number of the duplicate, place); -1 for its own row."""
        self.placeholder = LOOKING

    def show(self, found: Sequence[Duplicate]) -> None:
        """Show these, most bytes first."""
        self.found = found
        self._open.clear()
        self._arrange(0)

    def forget(self) -> None:
        """They have to be looked for again."""
        self.found, self.placeholder = None, LOOKING
        self._arrange(0)

    def fail(self, text: str) -> None:
        """They could not be looked for; untrusted text is fine."""
        self.placeholder = f"could not be looked for: {display_name(text)}"
        self.refresh()

    def set_filter(self, text: str) -> None:
        """Show only contents one of whose places has a text."""
        if text != self.filter:
            self.filter = text
            self._arrange(0)

    def _arrange(self, cursor: int | None = None) -> None:
        wanted = self.filter.encode("utf-8", "surrogateescape").lower()
        self._rows = []
        for number, duplicate in enumerate(self.found or ()):
            if wanted and not any(wanted in path.lower() for path in duplicate.paths):
                continue
            self._rows.append((number, -1))
            if number in self._open:
                self._rows += [(number, place) for place in range(len(duplicate.paths))]
        if self.found is not None:
            none = f"no two files of {texts.size_bytes(MIN_SIZE)} and more have the same content"
            self.placeholder = f"nothing here has “{display_name(self.filter)}”" if self.filter else none
        self.rows_changed(cursor)
        self.post_message(self.Shape())

    def summary(self) -> str:
        """What the tab line says of this pane."""
        if not self.found:
            return ""
        total = sum(duplicate.bytes for duplicate in self.found)
        return f"{texts.size_bytes(total)} in copies of {texts.plural(len(self.found), 'file')}"

    def row_count(self) -> int:
        """Contents, and places of the unfolded ones."""
        return len(self._rows)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = f"{'copies cost':>12}{'times':>7}{'size':>9}  path"
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One content, or one of its places."""
        assert self.found is not None
        number, place = self._rows[index]
        duplicate, glyphs = self.found[number], self.glyphs
        path = duplicate.paths[max(0, place)]
        if place >= 0:
            name = texts.fit_end(glyphs.text(display_name(path)), max(1, width - 34), glyphs.more)
            return [(texts.fit(" " * 34 + name, width, glyphs.more), "dim")]
        sign = glyphs.opened if number in self._open else glyphs.closed
        name = texts.fit_end(glyphs.text(display_name(path)), max(1, width - 32), glyphs.more)
        return [
            (f"{texts.size(duplicate.bytes):>12}", "waste"),
            (f"{len(duplicate.paths):>7}{texts.size(duplicate.size):>9}", "plain"),
            (texts.fit(f"  {sign} {name}", max(0, width - 28), glyphs.more), "plain"),
        ]

    @property
    def path(self) -> bytes | None:
        """The path under the cursor."""
        if self.found is None or self.cursor >= len(self._rows):
            return None
        number, place = self._rows[self.cursor]
        return self.found[number].paths[max(0, place)]

    def describe(self) -> str:
        """The row under the cursor in words. Safe to show."""
        if self.found is None or self.cursor >= len(self._rows):
            return ""
        duplicate = self.found[self._rows[self.cursor][0]]
        cost = f"{texts.count(len(duplicate.paths))} times {texts.count(duplicate.size)} B of the same content"
        return self.glyphs.text(f"{cost}: {display_name(self.path or b'')}")

    def copied_text(self) -> bytes | None:
        """The path under the cursor."""
        return self.path

    def action_open(self) -> None:
        """To the place under the cursor; a content's own row unfolds or folds."""
        if self.cursor < len(self._rows):
            number, place = self._rows[self.cursor]
            if place < 0:
                self._open ^= {number}
                self._arrange()
            elif self.path is not None:
                self.post_message(self.Jump(self.path))
