"""The list of what a search found: path, layer, bytes, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.contents.image_files import ImageFiles, files_of
from lamina.dataclass import dataclass
from lamina.figures.find_paths import PathFinder
from lamina.figures.image import LoadedImage
from lamina.model import ImageInfo, Kind
from lamina.names import decode, display_name, short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.glyphs import LOOSE
from lamina_tui.keymap import bindings
from lamina_tui.widgets.found_rows import FoundRows
from lamina_tui.widgets.row_list import Part, RowList

_NARROW = 60
"""Cells below which what became of a file is a sign and the layer's number."""


@dataclass(frozen=True, slots=True)
class SearchedImage:
    """One of the images that are searched."""

    name: str
    """Untrusted."""
    info: ImageInfo
    finder: PathFinder
    files: ImageFiles


def searched(name: str, image: LoadedImage, finder: PathFinder | None = None) -> SearchedImage:
    """An image that was read, for a search."""
    return SearchedImage(name, image.info, finder or PathFinder(image.union), files_of(image))


def fate(died: int | None, *, replaced: bool) -> str:
    """What became of a version: ``alive``, ``removed in 9``, ``overwritten in 9``."""
    if died is None:
        return "alive"
    return f"{'overwritten' if replaced else 'removed'} in {died}"


class FoundList(RowList):
    """Versions of paths, of one image or of several.

    Args:
        images: those that are searched; with more than one each row tells its own.
        id: as Textual has it.
    """

    BINDINGS = bindings(Scope.RESULTS)
    SCOPES = (Scope.RESULTS, Scope.LIST)

    def __init__(self, images: Sequence[SearchedImage], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._images = images
        self.rows = FoundRows([image.finder.union.paths for image in images])

    def show(self, rows: FoundRows) -> None:
        """Show other rows, or the same in another order; the cursor stays on its row once it has left the first."""
        key = self.rows.key(self.cursor) if 0 < self.cursor < len(self.rows) else None
        self.rows = rows
        self.rows_changed(0 if key is None else rows.index_of(key) or 0)

    def row_count(self) -> int:
        """Versions."""
        return len(self.rows)

    def _widths(self, width: int) -> tuple[int, int, int]:
        """Cells of the path, of what became of it, and of the image."""
        what = 5 if width < _NARROW else 18
        image = min(30, width // 4) if len(self._images) > 1 else 0
        return max(0, width - 1 - 6 - texts.SIZE_WIDTH - 4 - what - image), what, image

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        path, what, image = self._widths(width)
        sign = self.glyphs.up if self.rows.reverse else self.glyphs.down
        size, name = (f"{word}{sign if self.rows.order == word else ' '}" for word in ("size", "path"))
        line = f" {texts.fit(name, path)}{'layer':>6}{size:>{texts.SIZE_WIDTH + 3}} {texts.fit('what', what)}"
        return [(texts.fit(f"{line}{texts.fit('image', image)}", width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One version."""
        rows, glyphs = self.rows, self.glyphs
        cells, what, image = self._widths(width)
        kind = Kind(int(rows.kind[index]))
        text = glyphs.text(display_name(rows.text(index)) + ("/" if kind is Kind.DIR else ""))
        path = texts.fit(texts.fit_end(text, cells, glyphs.more), cells)
        size = texts.size(int(rows.size[index])) if kind in (Kind.FILE, Kind.HARDLINK, Kind.DIR) else ""
        gone = self._died(index)
        replaced = bool(rows.replaced[index])
        style = "plain" if gone is None else "modified" if replaced else "removed"
        word = fate(gone, replaced=replaced)
        wasted = self._wasted_below(index)
        if wasted:
            word, style = f"{wasted} wasted", "waste"
        if what < len("overwritten in 127"):
            word = (glyphs.wasted if wasted else "") if gone is None else f"{'M' if replaced else '-'} {gone}"
        parts = [
            (f"{LOOSE if rows.only_letters(index) else ' '}{path}", style if gone is not None else "plain"),
            (f"{int(rows.layer[index]):>6}{size:>{texts.SIZE_WIDTH + 2}}  ", "plain"),
            (texts.fit(word, what), style),
        ]
        if image:
            name = glyphs.text(display_name(self._images[int(rows.image[index])].name))
            parts.append((texts.fit(name, image, glyphs.more), "dim"))
        return parts

    def _died(self, index: int) -> int | None:
        died = int(self.rows.died[index])
        return died if died >= 0 else None

    def _wasted_below(self, index: int) -> str:
        """Of a folder that is there in the end, how much of its bytes is not: ``all``, ``1.7 K``, or nothing."""
        rows = self.rows
        wasted = int(rows.wasted[index])
        if not wasted or self._died(index) is not None or rows.kind[index] != Kind.DIR:
            return ""
        return "all" if wasted == rows.size[index] else texts.size(wasted)

    def describe(self) -> list[str]:
        """The row under the cursor in words: the whole path; its bytes, its layer, its end. Safe to show."""
        rows, here = self.rows, self.cursor
        if not 0 <= here < len(rows):
            return []
        kind = Kind(int(rows.kind[here]))
        image, layer = self._images[int(rows.image[here])], int(rows.layer[here])
        where = f"layer {layer} of {image.name}" if len(self._images) > 1 else f"layer {layer}"
        what = {Kind.DIR: "a folder with ", Kind.SYMLINK: "a symbolic link, ", Kind.HARDLINK: "a hard link, "}
        told = f"{texts.size_bytes(int(rows.size[here]))} in {where}"
        gone = self._died(here)
        if wasted := self._wasted_below(here):
            amount = wasted if wasted == "all" else texts.size_bytes(int(rows.wasted[here]))
            ends = f", {amount} of it wasted"
        else:
            ends = ", there in the end" if gone is None else f", {fate(gone, replaced=bool(rows.replaced[here]))}"
        letters = "; only the letters match" if rows.only_letters(here) else ""
        forms = [f"{what.get(kind, '')}{told}{ends}{letters}", f"{told}{ends}{letters}", f"{told}{ends}"]
        words = texts.first_fitting(forms, self.size.width - 2)
        instruction = short_instruction(image.info.layers[layer].instruction)
        lines = [decode(rows.text(here)), words, f"layer {layer}  {instruction or '(no instruction)'}"]
        return [self.glyphs.text(display_name(line)) for line in lines]

    def copied_text(self) -> bytes | None:
        """The path."""
        return self.rows.text(self.cursor) if 0 <= self.cursor < len(self.rows) else None

    def title_clicked(self, title: str) -> None:
        """Sort by the column of that title."""
        if title in ("size", "path"):
            again = title == self.rows.order
            self.rows.sort_by(title, reverse=again and not self.rows.reverse)
            self.show(self.rows)

    def action_open(self) -> None:
        """Choose the row under the cursor."""
        if len(self.rows):
            self.post_message(self.Activated(self))
