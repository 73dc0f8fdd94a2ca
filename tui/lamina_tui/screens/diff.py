"""Two images held against each other: what the step costs, where the stacks part, and which files changed."""

from __future__ import annotations

import threading

from textual import on, work
from textual.app import ComposeResult

from lamina.contents.image_files import files_of
from lamina.contents.versions import Version
from lamina.figures.compare import Comparison, compare
from lamina.figures.image import LoadedImage, load
from lamina.model import Cancelled, Change, Progress
from lamina.names import decode, display_name, short_instruction
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.glyphs import Glyphs
from lamina_tui.image_entries import Entry
from lamina_tui.keymap import bindings
from lamina_tui.reading_messages import Rate, ScreenObserver
from lamina_tui.screens.about import about_path
from lamina_tui.screens.base import Notice
from lamina_tui.screens.dialogs import KindsScreen, TextScreen
from lamina_tui.screens.diff_packages import PackagesOfDiff
from lamina_tui.screens.export import ExportScreen
from lamina_tui.screens.reading import Opener
from lamina_tui.screens.versions import VersionsScreen
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.line_bar import Line, LineBar, Part
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.text_lines import TextLine, TextLines

CHANGES = frozenset(Change) - {Change.UNCHANGED}


def opener_of(entry: Entry) -> Opener:
    """Opens an image of a list."""
    return lambda: (entry.source, entry.summary.target)


class DiffScreen(ExportScreen, PackagesOfDiff):
    """The second image against the first.

    Args:
        openers: of the older and the newer image.
        labels: how the user calls them; untrusted.
        loaded: both images, where they were read before.
    """

    SCOPE = Scope.DIFF
    BINDINGS = bindings(Scope.DIFF)

    def __init__(
        self,
        openers: tuple[Opener, Opener],
        labels: tuple[str, str],
        loaded: tuple[LoadedImage, LoadedImage] | None = None,
    ) -> None:
        super().__init__()
        self._openers = openers
        self._labels = labels
        self._loaded = loaded
        self.comparison: Comparison | None = None

    def compose(self) -> ComposeResult:
        """Title, facts, file tree, status, prompt, footer."""
        yield LineBar(id="title")
        yield LineBar(id="facts")
        yield FileTree(id="files")
        yield Notice(id="notice")
        yield LineBar(id="status")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    @property
    def files(self) -> FileTree:
        """The tree of what changed."""
        return self.query_one(FileTree)

    @property
    def ends_with(self) -> int:
        """3 where the images could not be compared."""
        return 3 if self.failed else 0

    def scopes(self) -> tuple[Scope, ...]:
        """The scopes whose commands work now."""
        return (Scope.DIFF,) if self.failed else super().scopes()

    def on_mount(self) -> None:
        """Paint first, read then."""
        files = self.files
        files.usual_kinds = CHANGES
        files.set_kinds(CHANGES)
        self._start()

    # Reading

    def action_reload(self) -> None:
        """Read both images again."""
        self._loaded = None
        self._start()

    def _start(self) -> None:
        self._cancel.set()
        self._cancel = threading.Event()
        self.busy, self.failed, self.comparison = True, False, None
        self._said = ""
        self.hide_notice()
        files = self.files
        files.placeholder = "what changed appears when both images are read"
        files.forget()
        self.set_focus(files)
        self._tell(Progress(0, None, "opening …"), None)
        self._show()
        self._compare(self._cancel)

    @work(exclusive=True, group="read")
    async def _compare(self, cancel: threading.Event) -> None:
        found = await self._compared(cancel)
        if found is None:
            if cancel is self._cancel:
                self._fail("stopped before both images were read")
        elif isinstance(found, Failure):
            self._fail(found.text)
        else:
            self.busy, self.comparison = False, found
            self.files.placeholder = "no difference: both have the same files"
            self.files.show(found.view(of_changed=Change.UNCHANGED not in self.files.kinds))
            self._unfold_first()
            self._show()

    async def _compared(self, cancel: threading.Event) -> Comparison | Failure | None:
        if self._loaded is None:
            images = []
            for which in (0, 1):
                image = await self._load(which, cancel)
                if not isinstance(image, LoadedImage):
                    return image
                images.append(image)
            self._loaded = images[0], images[1]
        first, second = self._loaded
        self._reading = ""
        self._tell(Progress(0, None, "comparing …"), None)
        return await outcome_of(lambda: compare(first, second, cancel))

    def _unfold_first(self) -> None:
        """Unfold folders that stand alone: most changes have one or two."""
        files = self.files
        while files.row_count() == 1 and (tree := files.tree_rows) is not None:
            path = files.path_id
            if path is None or not tree.has_children(path) or tree.is_expanded(path):
                return
            files.action_unfold()

    async def _load(self, which: int, cancel: threading.Event) -> LoadedImage | Failure | None:
        self._reading, self._rate = self._labels[which], Rate()
        observer = ScreenObserver(self.post_message)

        def read() -> LoadedImage:
            source, target = self._openers[which]()
            image = load(source, target, observer, cancel)
            if not image.complete:
                raise Cancelled
            return image

        return await outcome_of(read)

    # Showing

    def _shown_name(self, which: int) -> str:
        image = None if self._loaded is None else self._loaded[which]
        tags = () if image is None else image.info.tags
        label = self._labels[which]
        return self.glyphs.text(display_name(label if label in tags or not tags else tags[0]))

    def _show(self) -> None:
        """Title, facts, footer and status."""
        left: list[Part] = [(f" {self._shown_name(0)}", "strong"), (f" {self.glyphs.arrow} ", "plain")]
        left.append((self._shown_name(1), "strong"))
        right: list[Part] = []
        if self._loaded is not None:
            first, second = self._loaded
            sizes = f"{texts.size_bytes(first.size)} {self.glyphs.arrow} {texts.size_bytes(second.size)} "
            right.append((sizes, "plain"))
        self.query_one("#title", LineBar).show((left, right))
        self._show_facts()
        self.refresh_footer()
        self._show_status()

    def _show_facts(self) -> None:
        bar, found = self.query_one("#facts", LineBar), self.comparison
        bar.show(*([] if found is None else fact_lines(found, self.files.remarks(), bar.size.width, self.glyphs)))

    def say(self, text: str) -> None:
        """Tell something once, in the status, until the cursor moves."""
        self._said = text
        self._show_status()

    def _show_status(self) -> None:
        bar = self.query_one("#status", LineBar)
        width = (bar.size.width or 80) - 2
        if self.busy:
            bar.show(([], []), self._progress)
        elif self._said:
            told = self.said_whole(self._said, bar)
            bar.show(*[([], [])] * (2 - len(told)), *told)
        else:
            described = "" if self.failed else self.files.describe()
            bar.show(*(([(f" {piece}", "dim")], []) for piece in texts.wrap(described, width)[: bar.size.height or 2]))

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._show_status()

    @on(FileTree.Shape)
    def _shape_changed(self) -> None:
        """Where what is the same is shown, too, its bytes count."""
        found, tree, kinds = self.comparison, self.files.tree_rows, self.files.kinds
        if found is not None and tree is not None and tree.view.of_changed != (Change.UNCHANGED not in kinds):
            self._count_again(found, of_changed=Change.UNCHANGED not in kinds)
        self._show_facts()
        self._show_status()

    def on_resize(self) -> None:
        """The status lines wrap to the width."""
        self.call_after_refresh(self._show_facts)
        self.call_after_refresh(self._show_status)

    @work(exclusive=True, group="view")
    async def _count_again(self, found: Comparison, *, of_changed: bool) -> None:
        view = await outcome_of(lambda: found.view(of_changed=of_changed))
        if found is self.comparison and not isinstance(view, Failure | None):
            self.files.show(view)

    # Commands

    @on(RowList.Activated)
    def _open_path(self) -> None:
        self.files.action_open()

    @on(FileTree.Opened)
    def _open_both(self, event: FileTree.Opened) -> None:
        """Show which layers of either image touched a path."""
        if self.comparison is None or event.path is None:
            return
        path = self.comparison.union.paths.path(event.path)
        before, after = (_final(image, path) for image in (self.comparison.a, self.comparison.b))
        if before is not None and after is not None:
            names = self._shown_name(0), self._shown_name(1)
            _ = self.app.push_screen(VersionsScreen(before, after, path, names))
            return
        lines = [TextLine("/" + display_name(path), style="strong", heading=True), TextLine("")]
        for which, image in enumerate((self.comparison.a, self.comparison.b)):
            row = image.union.paths.find(path)
            versions = [] if row is None else about_path(image.info, image, row)[1:]
            heading = TextLine(f"in {self._shown_name(which)}", style="strong", heading=True)
            lines += [heading, *(versions or [TextLine("is not there")]), TextLine("")]
        _ = self.app.push_screen(TextScreen("in both images", lines[:-1], copied="/" + decode(path)))

    def action_export(self) -> None:
        """Write what changed."""
        self.ask_where_to_write(self.files, " to ".join(self._labels), "")

    def action_kinds(self) -> None:
        """Choose the kinds of change shown."""
        _ = self.app.push_screen(KindsScreen(self.files.kinds, self.files.set_kinds))

    def action_find(self) -> None:
        """Filter as you type."""
        files = self.files
        if self.comparison is not None:
            self.query_one(Prompt).open(
                "/", files.filter, done=lambda text, _: files.set_filter(text), typed=files.set_filter
            )

    def action_swap(self) -> None:
        """Compare the other way round."""
        if self.busy:
            return
        self._openers, self._labels = self._openers[::-1], self._labels[::-1]
        if self._loaded is not None:
            self._loaded = self._loaded[::-1]
        self._start()

    def action_details(self) -> None:
        """Where the stacks part, with both instructions in whole."""
        found = self.comparison
        if found is None:
            return
        divergence = found.divergence
        lines = TextLines()
        for left, _ in fact_lines(found, [], 0, self.glyphs):
            lines.add("".join(text for text, _ in left).strip())
        if divergence is not None:
            for which, text in enumerate((divergence.before, divergence.after)):
                lines.blank()
                lines.heading(f"layer {divergence.index} of {self._shown_name(which)}")
                lines.add_text(text or "(no instruction)")
        _ = self.app.push_screen(TextScreen("the step in words", lines.lines))

    def action_back(self) -> None:
        """Stop the reading, drop the filter, or go back."""
        if self.busy and not self._cancel.is_set():
            self._cancel.set()
            self._tell(Progress(0, None, "stopping …"), None)
        elif self.files.filter:
            self.files.set_filter("")
        elif not self.navigation.go_back():
            self.say("q quits")


def _final(image: LoadedImage, path: bytes) -> Version | None:
    """What an image has at a path in the end; None where that is nothing."""
    files, row = files_of(image), image.union.paths.find(path)
    if row is None:
        return None
    alive = image.union.alive(image.union.layer_count - 1)
    events = alive[image.union.path[alive] == row]
    return Version(files, int(events[0])) if events.size else None


def fact_lines(found: Comparison, remarks: list[str], width: int, glyphs: Glyphs) -> list[Line]:
    """What the step costs, where the stacks part, and what changed, in five lines. Safe to show.

    Args:
        found: the comparison.
        remarks: stand at the right of the first line.
        width: cells of a line; 0 for as many as are needed.
        glyphs: of this terminal.
    """
    note = glyphs.text("   ".join(remarks))
    cost: list[Part] = [
        (f" pull or push {texts.cost(found.pull)}", "strong"),
        (f"   disk {texts.size_bytes(found.disk)}", "strong"),
        (" more", "plain"),
    ]
    lines: list[Line] = [(cost, [(f"{note} ", "dim")] if note else [])]
    divergence = found.divergence
    if divergence is None:
        lines += _top_lines(found, glyphs)
    else:
        why = ", though its instruction is the same" if divergence.same_instruction else ""
        shared = f"{texts.plural(divergence.index, 'layer')} stored once"
        lines.append(([(f" {shared}; layer {divergence.index} is another{why}", "plain")], []))
        was, now = (
            glyphs.text(short_instruction(text or "")) or "(no instruction)"
            for text in (divergence.before, divergence.after)
        )
        if was == now:
            lines += [([("  both  ", "key"), (was, "dim")], []), ([], [])]
        else:
            was, now = texts.from_where_they_part(was, now, (width or 1 << 20) - 8, glyphs.more)
            lines += [([(f"  {word:>4}  ", "key"), (text, "dim")], []) for word, text in (("was", was), ("is", now))]
    tallies = (
        ("+", " added", found.added),
        ("M", " modified", found.modified),
        ("m", " metadata", found.metadata),
        ("-", " removed", found.removed),
    )
    for form in (" {mark} {count}{word} {size} ", " {mark} {count} {size} ", " {mark} {count} "):
        parts: list[Part] = [
            (
                form.format(mark=mark, count=texts.count(tally.count), word=word, size=texts.size(tally.bytes)),
                "plain" if tally.count else "dim",
            )
            for mark, word, tally in tallies
        ]
        if not width or sum(len(text) for text, _ in parts) <= width:
            break
    return [*lines, (parts, [])]


def _top_lines(found: Comparison, glyphs: Glyphs) -> list[Line]:
    """Of two stacks that don't part: which is the longer, and the layers at its top. Three lines."""
    old, new = found.a.info.layers, found.b.info.layers
    if len(old) == len(new):
        return [([(" both have the same layers", "plain")], []), ([], []), ([], [])]
    more, word = (new[len(old) :], "adds") if len(new) > len(old) else (old[len(new) :], "drops")
    common = texts.plural(min(len(old), len(new)), "layer")
    lines: list[Line] = [
        ([(f" {common} stored once; the second {word} {texts.plural(len(more), 'layer')}", "plain")], [])
    ]
    for layer in more[:2]:
        shown = glyphs.text(short_instruction(layer.instruction)) or "(no instruction)"
        lines.append(([(f"  {'+' if word == 'adds' else '-':>4}  ", "key"), (shown, "dim")], []))
    if len(more) > 2:
        lines[-1] = ([(f"{'':8}and {texts.plural(len(more) - 1, 'more layer')}", "dim")], [])
    return [*lines, ([], [])][:3]
