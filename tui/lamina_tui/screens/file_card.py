"""One path of an image in a dialog: every layer that touched it, and who ships what is seen in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.markup import escape
from textual.message import Message
from textual.screen import ModalScreen

from lamina.dataclass import dataclass
from lamina.figures.links import follow, other_names
from lamina.figures.path_history import PathVersion
from lamina.model import Change, ImageInfo, Kind
from lamina.names import decode, display_name, short_instruction
from lamina.stack.union import Union
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.navigation import navigation_of
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE, Part, RowList
from lamina_tui.widgets.text_lines import TextLine
from lamina_tui.widgets.text_pane import TextPane

_WIDE = 96
"""Cells of a row from which it has the time, too."""


@dataclass(frozen=True, slots=True)
class LinkedPath:
    """Another path that the card leads to."""

    word: str
    """What it is to the card's path: ``same file``, ``leads to``."""
    path: bytes
    """Whole, without a leading slash; untrusted."""
    row: int | None
    """Of the union's path table; None where nothing is there."""
    remark: str = ""


def places_of(union: Union, path: int, versions: Sequence[PathVersion]) -> list[LinkedPath]:
    """Where a path leads to in the final file system: what its link ends at, its file's other names.

    Args:
        union: the image.
        path: row of ``union.paths``.
        versions: what became of it.
    """
    last = versions[-1]
    layer = union.layer_count - 1
    if last.change is Change.REMOVED:
        return []
    if last.kind is Kind.SYMLINK:
        end = follow(union, path, layer)
        remark = "too many links" if end.endless else "nothing is there" if end.row is None else ""
        return [LinkedPath("leads to", end.path, end.row, remark)]
    return [LinkedPath("same file", union.paths.path(row), row) for row in other_names(union, path, layer)]


class VersionList(RowList):
    """The layers that touched a path, the newest first; then the places that it leads to."""

    BINDINGS = bindings(Scope.CARD)
    SCOPES = (Scope.CARD, Scope.LIST)

    class Compare(Message):
        """The version under the cursor is to be held against the marked one, or the one before it."""

        def __init__(self, rows: VersionList) -> None:
            super().__init__()
            self.rows = rows

    class Read(Message):
        """The version under the cursor is to be read."""

        def __init__(self, rows: VersionList) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, versions: Sequence[PathVersion], info: ImageInfo, places: Sequence[LinkedPath]) -> None:
        super().__init__()
        self.rows: list[PathVersion | LinkedPath] = [*reversed(versions), *places]
        self.marked: int | None = None
        """A row, to hold others against."""
        self._info = info

    @property
    def chosen(self) -> PathVersion | LinkedPath:
        """What is under the cursor."""
        return self.rows[self.cursor]

    def row_count(self) -> int:
        """Layers and places."""
        return len(self.rows)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = f"{'layer':>6} {'':2}{'what':<12}{'size':>8}  {'mode':<11}{'owner':<10}"
        line += f"{'time':<17}" if width >= _WIDE else ""
        return [(texts.fit(f"{line}instruction", width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """What one layer did, or where it leads."""
        version, glyphs = self.rows[index], self.glyphs
        if isinstance(version, LinkedPath):
            head = f"{'':>6} {glyphs.arrow} {version.word:<12}"
            remark = f" ({version.remark})" if version.remark else ""
            room = width - len(head) - len(remark)
            path = texts.fit_end(glyphs.text("/" + display_name(version.path)), room, glyphs.more)
            return [(head + path + remark, "dim" if version.row is None else "plain")]
        gone = version.change is Change.REMOVED
        size = "" if gone or version.kind is Kind.DIR else texts.size(version.size)
        mode = "" if gone else texts.mode_text(version.kind, version.mode)
        owner = "" if gone else f"{version.uid}:{version.gid}"
        mark = glyphs.mark if index == self.marked else " "
        head = f"{mark}{version.layer:>5} {version.change.mark} {version.word:<12}{size:>8}  {mode:<11}{owner:<10}"
        if width >= _WIDE:
            head += f"{'' if gone else texts.moment(version.mtime):<17}"
        text = glyphs.text(short_instruction(self._info.layers[version.layer].instruction)) or "(no instruction)"
        head = texts.fit(head, min(width, len(head)), glyphs.more)
        return [
            (head, STYLE_OF_CHANGE[version.change]),
            (texts.fit(text, max(0, width - len(head)), glyphs.more), "plain"),
        ]

    def action_choose(self) -> None:
        """To the path in the layer under the cursor."""
        self.post_message(self.Activated(self))

    @property
    def pair(self) -> tuple[PathVersion, PathVersion] | None:
        """The older and the newer of two: the one under the cursor and the marked one, or else the one before it."""
        other = self.cursor + 1 if self.marked in (None, self.cursor) else self.marked
        newer, older = (self.rows[row : row + 1] for row in sorted((self.cursor, other)))
        if older and isinstance(older[0], PathVersion) and isinstance(newer[0], PathVersion):
            return older[0], newer[0]
        return None

    def action_mark(self) -> None:
        """Mark the version under the cursor, or take the mark away."""
        if isinstance(self.chosen, PathVersion):
            self.marked = None if self.marked == self.cursor else self.cursor
            self.refresh()

    def action_compare(self) -> None:
        """Hold the version under the cursor against another."""
        self.post_message(self.Compare(self))

    def action_view(self) -> None:
        """Read the file as the layer under the cursor has it."""
        self.post_message(self.Read(self))

    def action_close(self) -> None:
        """Close the dialog."""
        _ = self.screen.dismiss()


class FileCard(ModalScreen[None]):
    """The card of one path.

    Args:
        path: whole, without a leading slash; untrusted.
        versions: what became of it, the lowest layer first; at least one.
        info: the image's head.
        places: where it leads to.
        chosen: called with what is to be shown, once the dialog is closed: the path in a layer, or a place.
        read: called with the layer whose version of the file is to be read.
        compare: called with two layers whose versions are to be held against each other.
    """

    def __init__(
        self,
        path: bytes,
        versions: Sequence[PathVersion],
        info: ImageInfo,
        places: Sequence[LinkedPath],
        chosen: Callable[[int | LinkedPath], None],
        read: Callable[[int], None],
        compare: Callable[[int, int], None],
    ) -> None:
        super().__init__()
        self._path = path
        self._versions = versions
        self._info = info
        self._places = places
        self._chosen = chosen
        self._read = read
        self._compare = compare

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(classes="dialog card") as box:
            box.border_title = "what became of this path"
            box.border_subtitle = "enter layer - v reads - d what changed - space marks - y copies"
            yield TextPane(has_cursor=False, fit_height=True)
            yield VersionList(self._versions, self._info, self._places)

    def on_mount(self) -> None:
        """Fill the box; the list takes the keyboard."""
        self.query_one(TextPane).show_lines([TextLine("/" + display_name(self._path), style="strong"), *self._facts()])
        self.set_focus(self.query_one(VersionList))

    def on_resize(self) -> None:
        """The list has another height, when the text above it has its own."""
        self.call_after_refresh(self._fit_list)

    def _fit_list(self) -> None:
        """Give the list what the text above it leaves, so that it scrolls within the box and not out of it."""
        box = self.query_one(".card")
        room = self.size.height * 9 // 10 - box.gutter.height
        self.query_one(VersionList).styles.max_height = max(2, room - self.query_one(TextPane).outer_size.height)

    def _facts(self) -> list[TextLine]:
        last = self._versions[-1]
        lines = []
        if last.change is Change.REMOVED:
            lines.append(TextLine(f"is not in the final file system: layer {last.layer} removes it"))
        elif last.kind is Kind.DIR:
            lines.append(TextLine("is a directory in the final file system"))
        else:
            shipped = f"is in the final file system as layer {last.layer} has it"
            if last.kind in (Kind.FILE, Kind.HARDLINK):
                shipped += f", {texts.size_bytes(last.leads_to)}"
            lines.append(TextLine(shipped))
        if last.link:
            what = "a hard link to" if last.kind is Kind.HARDLINK else "a link to"
            lines.append(TextLine(f"{what} {display_name(decode(last.link))}"))
        wasted = sum(version.size for version in self._versions if version.hidden_by is not None)
        if wasted:
            lines.append(TextLine(f"lower layers ship {texts.size_bytes(wasted)} under this name that later ones hide"))
        lines.append(TextLine(f"last changed {texts.moment(last.mtime)} UTC, as its layer says"))
        return [*lines, TextLine("")]

    @on(RowList.Activated)
    def _take(self) -> None:
        if not self.is_current:
            return  # closed by a key before
        chosen = self.query_one(VersionList).chosen
        if isinstance(chosen, LinkedPath) and chosen.row is None:
            self.say(f"{chosen.remark}: /{display_name(chosen.path)}")
            return
        _ = self.dismiss()
        self._chosen(chosen if isinstance(chosen, LinkedPath) else chosen.layer)

    @on(VersionList.Compare)
    def _hold_against(self) -> None:
        pair = self.query_one(VersionList).pair
        if pair is None:
            self.say("there is no version before this one")
        elif Change.REMOVED in (pair[0].change, pair[1].change):
            self.say("one of the two is a removal: space marks another version")
        elif self.is_current:
            _ = self.dismiss()
            self._compare(pair[0].layer, pair[1].layer)

    @on(VersionList.Read)
    def _view(self) -> None:
        version = self.query_one(VersionList).chosen
        if isinstance(version, LinkedPath):
            self.say("v reads a version above: enter goes to this path")
        elif version.change is Change.REMOVED or version.kind not in (Kind.FILE, Kind.HARDLINK):
            self.say("there is nothing to read in this layer")
        elif self.is_current:
            _ = self.dismiss()
            self._read(version.layer)

    def say(self, text: str) -> None:
        """Tell something once, in the box's lower edge; untrusted text is fine."""
        self.query_one(".dialog").border_subtitle = escape(display_name(text)[:60])

    def action_copy(self) -> None:
        """Copy the absolute path."""
        navigation_of(self.app).copy(b"/" + self._path)
