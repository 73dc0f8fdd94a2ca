"""One path of an image in a dialog: every layer that touched it, and who ships what is seen in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.markup import escape
from textual.screen import ModalScreen

from lamina.figures.path_history import PathVersion
from lamina.model import Change, ImageInfo, Kind
from lamina.names import decode, display_name, short_instruction
from lamina_tui import texts
from lamina_tui.keymap import Scope, bindings
from lamina_tui.navigation import navigation_of
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE, Part, RowList
from lamina_tui.widgets.text_lines import TextLine
from lamina_tui.widgets.text_pane import TextPane

_WORDS = {
    Change.ADDED: "added",
    Change.MODIFIED: "modified",
    Change.METADATA: "metadata",
    Change.REMOVED: "removed",
    Change.UNCHANGED: "same again",
}


class VersionList(RowList):
    """The layers that touched a path, the newest first."""

    BINDINGS = bindings(Scope.CARD)
    SCOPES = (Scope.CARD, Scope.LIST)

    def __init__(self, versions: Sequence[PathVersion], info: ImageInfo) -> None:
        super().__init__()
        self.versions = list(reversed(versions))
        self._info = info

    @property
    def version(self) -> PathVersion:
        """The one under the cursor."""
        return self.versions[self.cursor]

    def row_count(self) -> int:
        """Layers."""
        return len(self.versions)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = f"{'layer':>6} {'':2}{'what':<11}{'size':>8}  {'mode':<11}{'owner':<10}"
        return [(texts.fit(f"{line}instruction", width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """What one layer did."""
        version, glyphs = self.versions[index], self.glyphs
        gone = version.change is Change.REMOVED
        size = "" if gone or version.kind is Kind.DIR else texts.size(version.size)
        mode = "" if gone else texts.mode_text(version.kind, version.mode)
        owner = "" if gone else f"{version.uid}:{version.gid}"
        head = f"{version.layer:>6} {version.change.mark} {_WORDS[version.change]:<11}{size:>8}  {mode:<11}{owner:<10}"
        text = glyphs.text(short_instruction(self._info.layers[version.layer].instruction)) or "(no instruction)"
        head = texts.fit(head, min(width, len(head)), glyphs.more)
        return [
            (head, STYLE_OF_CHANGE[version.change]),
            (texts.fit(text, max(0, width - len(head)), glyphs.more), "plain"),
        ]

    def action_choose(self) -> None:
        """To the path in the layer under the cursor."""
        self.post_message(self.Activated(self))

    def action_close(self) -> None:
        """Close the dialog."""
        _ = self.screen.dismiss()


class FileCard(ModalScreen[None]):
    """The card of one path.

    Args:
        path: whole, without a leading slash; untrusted.
        versions: what became of it, the lowest layer first; at least one.
        info: the image's head.
        chosen: called with a layer that is to be shown, once the dialog is closed.
    """

    def __init__(
        self, path: bytes, versions: Sequence[PathVersion], info: ImageInfo, chosen: Callable[[int], None]
    ) -> None:
        super().__init__()
        self._path = path
        self._versions = versions
        self._info = info
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(classes="dialog card") as box:
            box.border_title = "what became of this path"
            box.border_subtitle = "enter shows it in its layer - y copies the path - esc closes"
            yield TextPane(has_cursor=False, fit_height=True)
            yield VersionList(self._versions, self._info)

    def on_mount(self) -> None:
        """Fill the box; the list takes the keyboard."""
        self.query_one(TextPane).show_lines([TextLine("/" + display_name(self._path), style="strong"), *self._facts()])
        self.set_focus(self.query_one(VersionList))

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
            what = "a hard link to" if last.kind is Kind.HARDLINK else "leads to"
            lines.append(TextLine(f"{what} {display_name(decode(last.link))}"))
        wasted = sum(version.size for version in self._versions if version.hidden_by is not None)
        if wasted:
            lines.append(TextLine(f"lower layers ship {texts.size_bytes(wasted)} under this name that later ones hide"))
        moment = datetime.fromtimestamp(max(0, min(last.mtime, _LATEST)) / 1e9, UTC)
        lines.append(TextLine(f"last changed {moment:%Y-%m-%d %H:%M:%S} UTC, as its layer says"))
        return [*lines, TextLine("")]

    @on(RowList.Activated)
    def _take(self) -> None:
        if not self.is_current:
            return  # closed by a key before
        layer = self.query_one(VersionList).version.layer
        _ = self.dismiss()
        self._chosen(layer)

    def say(self, text: str) -> None:
        """Tell something once, in the box's lower edge; untrusted text is fine."""
        self.query_one(".dialog").border_subtitle = escape(display_name(text)[:60])

    def action_copy(self) -> None:
        """Copy the absolute path."""
        navigation_of(self.app).copy(b"/" + self._path)


_LATEST = 253402300799 * 10**9
"""The last moment that a date can tell, in nanoseconds."""
