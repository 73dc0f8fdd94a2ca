"""The layer tree: which bases the images stand on, and where they part."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult

from lamina.names import display_name, short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.screens.base import FullScreen
from lamina_tui.screens.dialogs import TextScreen
from lamina_tui.widgets.key_bar import KeyBar
from lamina_tui.widgets.layer_tree import LayerTree, Stack, TreeRow
from lamina_tui.widgets.line_bar import LineBar
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.text_lines import TextLine, TextLines

_TITLE = " layer tree "


class TreeScreen(FullScreen):
    """Images as a prefix tree of layers.

    Args:
        stacks: the images, with what is known of their layers.
        label: where they come from; untrusted.
    """

    SCOPE = Scope.TREE

    def __init__(self, stacks: Sequence[Stack], label: str) -> None:
        super().__init__()
        self._stacks = stacks
        self._label = label
        self._said = ""

    def compose(self) -> ComposeResult:
        """Title, tree, the cursor's row in words, prompt, footer."""
        yield LineBar(id="title")
        yield LayerTree(id="tree")
        yield LineBar(id="totals")
        yield Prompt(id="prompt")
        yield KeyBar(id="keys")

    @property
    def tree_list(self) -> LayerTree:
        """The tree."""
        return self.query_one(LayerTree)

    def on_mount(self) -> None:
        """Fill the tree."""
        tree = self.tree_list
        tree.show(self._stacks)
        self.set_focus(tree)
        self.refresh_footer()
        self._show()

    def scopes(self) -> tuple[Scope, ...]:
        """The tree's own commands are the screen's."""
        return tuple(dict.fromkeys(super().scopes()))

    def say(self, text: str) -> None:
        """Tell something once, in the title line; what it has no room for in the last lines."""
        self._said = text
        self._show()

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._said = ""
        self._show()

    def _show(self) -> None:
        glyphs = self.glyphs
        name = glyphs.text(display_name(self._label))
        right = glyphs.text(display_name(self._said)) or texts.plural(len(self._stacks), "image")
        self.query_one("#title", LineBar).show(([(_TITLE, "strong"), (f" {name}", "plain")], [(f"{right} ", "dim")]))
        first, second = self.tree_list.describe()
        bar = self.query_one("#totals", LineBar)
        if self.is_cut_off(self._said, _TITLE):
            bar.show(*self.said_whole(self._said, bar))
            return
        bar.show(([(f" {first}", "plain")], []), ([(f" {second}", "dim")], []))

    @on(RowList.Activated)
    def _open(self) -> None:
        row = self.tree_list.current
        if row is None:
            return
        if row.leaf is None:
            _ = self.app.push_screen(TextScreen(*self._run_of(row)))
            return
        entry, _ = self._stacks[row.leaf]
        self.navigation.open_image(entry.source, entry.summary.target, entry.name)

    def _run_of(self, row: TreeRow) -> tuple[str, list[TextLine]]:
        """A run's layers and the images that have it."""
        node = row.node
        lines = TextLines()
        lines.heading(texts.plural(len(node.layers), "layer"))
        for index, (layer, size) in enumerate(zip(node.layers, node.sizes, strict=True), row.first):
            shown = "?" if size is None else texts.size(size)
            text = short_instruction(layer.instruction) or "(no instruction)"
            lines.add(text, f"{index:>3} {shown:>{texts.SIZE_WIDTH}}")
        lines.blank()
        lines.heading(f"{texts.plural(len(row.images), 'image')} on it")
        for number in row.images:
            entry, image = self._stacks[number]
            size_text = "" if image.size is None else texts.size(image.size)
            lines.add(entry.name, f"{'':3} {size_text:>{texts.SIZE_WIDTH}}")
        return "a run of layers", lines.lines

    def action_find(self) -> None:
        """Filter as you type."""
        tree = self.tree_list
        self.query_one(Prompt).open("/", tree.filter, done=lambda text, _: self._filter(text), typed=self._filter)

    def action_back(self) -> None:
        """Drop the filter, or go back."""
        if self.tree_list.filter:
            self._filter("")
        else:
            self.navigation.go_back()

    def _filter(self, text: str) -> None:
        self.tree_list.set_filter(text)
        self._show()
