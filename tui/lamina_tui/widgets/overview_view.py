"""An image at a glance: what is most worth doing, and the files that take most."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from lamina.advice.model import Advice
from lamina.dataclass import dataclass
from lamina.figures.image import LoadedImage
from lamina.figures.largest import LargeFile, largest_files
from lamina.names import display_name, short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.advice_view import OF_BASE, layers_of, titled, worth_doing
from lamina_tui.widgets.row_list import Part, RowList

_BEST = 3
_FILES = 40
_LAYERS = 6
_INDENT = " " * (texts.SIZE_WIDTH + 6 + _LAYERS)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line; what it leads to, if anything."""

    parts: tuple[Part, ...]
    advice: Advice | None = None
    file: LargeFile | None = None


class OverviewView(RowList):
    """The best advice in two lines each, then the largest files. Enter leads to whatever the row is about."""

    BINDINGS = bindings(Scope.OVERVIEW)
    SCOPES = (Scope.OVERVIEW, Scope.LIST)

    class Follow(Message):
        """Show what an advice is about."""

        def __init__(self, advice: Advice) -> None:
            super().__init__()
            self.advice = advice

    class Jump(Message):
        """Show a file of the final file system."""

        def __init__(self, path: int) -> None:
            super().__init__()
            self.path = path

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._rows: list[_Row] = []
        self._files: list[_Row] = []
        self._image: LoadedImage | None = None
        self._advice: Sequence[Advice] | None = None
        """None while it is looked for."""
        self.packages = 0
        """How many are installed, where that is known."""

    def forget(self, placeholder: str) -> None:
        """Show nothing but a text: the image is read, again."""
        self._rows, self._image, self.placeholder, self.packages = [], None, placeholder, 0
        self.rows_changed(0)

    def show(self, image: LoadedImage) -> None:
        """Show an image that was read; advice about it comes later."""
        self._image, self._advice = image, None
        self._files = self._file_rows(image, largest_files(image, _FILES))
        self.placeholder = "an image without bytes"
        self._arrange(image)
        self.rows_changed(0)

    def show_advice(self, advice: Sequence[Advice]) -> None:
        """Show advice about the image; the cursor stays on what it is on."""
        if self._image is None:
            return
        here = self._rows[self.cursor] if 0 < self.cursor < len(self._rows) else None
        self._advice = advice
        self._arrange(self._image)
        self.rows_changed(self._rows.index(here) if here in self._rows else 0)

    def _arrange(self, image: LoadedImage) -> None:
        self._rows = [*self._advice_rows(image), *self._files]

    def _advice_rows(self, image: LoadedImage) -> list[_Row]:
        glyphs, advice = self.glyphs, self._advice
        if advice is None:
            return [_Row((("  looking for what is worth doing …", "dim"),))]
        rows = []
        best = worth_doing(advice)[:_BEST]
        for each in best:
            layers = layers_of(each, glyphs.arrow)
            changed = each.changes
            instruction = "" if changed is None else short_instruction(image.info.layers[changed].instruction)
            saves = (f"{texts.size(each.saves) if each.saves else '':>{texts.SIZE_WIDTH + 2}}  ", "waste")
            named = glyphs.text(display_name(instruction)) or (
                "(several layers)" if len(each.layers) > 1 else each.rule
            )
            rows.append(_Row((saves, (texts.fit(layers, _LAYERS) + "  ", "dim"), (named, "strong")), advice=each))
            told = display_name(each.text) + (OF_BASE if each.in_base else f" {display_name(each.do)}")
            rows.append(_Row(((_INDENT + glyphs.text(told), "plain"),), advice=each))
        if not best:
            words = "every byte that it ships is reachable" if not image.wasted else "nothing is worth changing"
            rows.append(_Row(((f"  {words}", "added"),)))
        if len(advice) > len(best):
            left = len(advice) - len(best)
            words = f"{_INDENT}and {left} more" if best else f"  {texts.plural(left, 'remark')}"
            rows.append(_Row(((f"{words}: 3 lists all", "dim"),)))
        return rows

    def _file_rows(self, image: LoadedImage, files: Sequence[LargeFile]) -> list[_Row]:
        if not files:
            return []
        heading = f"{'size':>{texts.SIZE_WIDTH + 2}}  {'layer':<{_LAYERS}}  the largest files"
        rows = [_Row(((heading, "header"),))]
        for each in files:
            path = self.glyphs.text(display_name(image.union.paths.path(each.path)))
            numbers = f"{texts.size(each.size):>{texts.SIZE_WIDTH + 2}}  {each.layer:<{_LAYERS}}  "
            rows.append(_Row(((numbers, "plain"), (path, "plain")), file=each))
        return rows

    @property
    def advice(self) -> Advice | None:
        """What the row under the cursor is about, if that is advice."""
        return self._rows[self.cursor].advice if self.cursor < len(self._rows) else None

    @property
    def path_id(self) -> int | None:
        """The file that the row under the cursor is, as the union's id."""
        file = self._rows[self.cursor].file if self.cursor < len(self._rows) else None
        return None if file is None else file.path

    def row_count(self) -> int:
        """Advice, headings and files."""
        return len(self._rows)

    def header(self, width: int) -> list[Part]:
        """Column names, and what all advice comes to."""
        line, title = f"{'saves':>{texts.SIZE_WIDTH + 2}}  {'layers':<{_LAYERS}}  ", "what is most worth doing"
        size = 0 if self._image is None else self._image.size
        line += titled(title, self._advice or (), size, width - len(line), self.glyphs.arrow)
        return [(texts.fit(line, width, self.glyphs.more), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One line; of a path the end is what tells."""
        parts, room = [], width
        for text, style in self._rows[index].parts:
            fit = texts.fit_end if self._rows[index].file is not None else texts.fit
            parts.append((fit(text, room, self.glyphs.more) if texts.cell_len(text) > room else text, style))
            room -= min(room, texts.cell_len(text))
        return parts

    def summary(self) -> str:
        """What the tab line says of this pane."""
        if self._image is None:
            return ""
        told = f"{texts.plural(self._image.files, 'file')} in {texts.plural(len(self._image.layers), 'layer')}"
        return f"{told}, {texts.plural(self.packages, 'package')}" if self.packages else told

    def describe(self) -> str:
        """The row under the cursor in words; of a file its path, a newline, and what ships it. Safe to show."""
        if self._image is None or self.cursor >= len(self._rows):
            return ""
        row = self._rows[self.cursor]
        if row.advice is not None:
            return self.glyphs.text(display_name(f"{row.advice.text} {row.advice.do}"))
        if row.file is None:
            return ""
        path = display_name(self._image.union.paths.path(row.file.path))
        instruction = display_name(short_instruction(self._image.info.layers[row.file.layer].instruction))
        return self.glyphs.text(f"{path}\nlayer {row.file.layer}  {instruction}")

    def action_follow(self) -> None:
        """To the files of the advice, or to the file, under the cursor."""
        if self.cursor >= len(self._rows):
            return
        row = self._rows[self.cursor]
        if row.advice is not None:
            self.post_message(self.Follow(row.advice))
        elif row.file is not None:
            self.post_message(self.Jump(row.file.path))

    def copied_text(self) -> str | bytes | None:
        """The advice, or the file's path."""
        if self._image is None or self.cursor >= len(self._rows):
            return None
        row = self._rows[self.cursor]
        if row.advice is not None:
            return f"{row.advice.text} {row.advice.do}"
        return None if row.file is None else self._image.union.paths.path(row.file.path)
