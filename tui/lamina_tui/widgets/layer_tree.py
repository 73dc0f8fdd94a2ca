"""Images as a tree of layers: which bases there are, and what stands on them."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.figures.layer_tree import LayerNode, layer_tree
from lamina.model import KnownImage
from lamina.names import display_name, short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.image_entries import Entry
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

Stack = tuple[Entry, KnownImage]

_FIGURES = ("size", "total", "images")
"""Columns; the last is the first to go where there is no room."""
_NAME = 20
"""Cells of a name at the least."""


@dataclass(slots=True, eq=False)
class TreeRow:
    """A run of layers, or an image as a leaf on the run it ends with."""

    node: LayerNode
    parent: TreeRow | None
    first: int
    """Index of the run's lowest layer in the stacks it belongs to."""
    depth: int
    images: tuple[int, ...]
    """All images that have the run's layers."""
    total: int = 0
    """Bytes of the run and all that stands on it, each layer once."""
    leaf: int | None = None
    """The image, where this is one."""
    opened: bool = True
    below: tuple[TreeRow, ...] = ()


_LEVELS = 6
"""Levels that are told apart however narrow it is."""


class LayerTree(RowList):
    """The tree: runs of layers fold, images are its leaves."""

    BINDINGS = bindings(Scope.TREE)
    SCOPES = (Scope.TREE, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.stacks: Sequence[Stack] = ()
        self.filter = ""
        self._roots: list[TreeRow] = []
        self._shown: list[TreeRow] = []

    def show(self, stacks: Sequence[Stack]) -> None:
        """Show these images."""
        self.stacks = stacks
        nodes = layer_tree([(image.layers, image.sizes) for _, image in stacks])
        self._roots = [_grown(node, None, 0) for node in nodes]
        self._arrange(None)

    def _arrange(self, here: TreeRow | None) -> None:
        """Build the shown rows again; the cursor stays on its row, or goes to what hides it."""
        wanted = self._wanted()
        shown: list[TreeRow] = []
        waiting = self._roots[::-1]
        while waiting:
            row = waiting.pop()
            if wanted is not None and not wanted.intersection(row.images):
                continue
            shown.append(row)
            if row.opened or wanted is not None:
                waiting.extend(row.below[::-1])
        self._shown = shown
        places = {id(row): index for index, row in enumerate(shown)}
        while here is not None and id(here) not in places:
            here = here.parent
        self.rows_changed(0 if here is None else places[id(here)])

    def _wanted(self) -> set[int] | None:
        """Images that pass the filter; None without one."""
        if not self.filter:
            return None
        text = self.filter.casefold()
        return {number for number, (entry, _) in enumerate(self.stacks) if text in entry.name.casefold()}

    def set_filter(self, text: str) -> None:
        """Show only images whose name has a text, with what they stand on."""
        here = self.current
        self.filter = text
        self.placeholder = f"no image's name has “{display_name(text)}”" if text else ""
        self._arrange(here)
        if text:
            found = next((index for index, row in enumerate(self._shown) if row.leaf is not None), 0)
            self.rows_changed(found)

    @property
    def current(self) -> TreeRow | None:
        """The row under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    # Drawing

    def row_count(self) -> int:
        """Rows that are not folded away."""
        return len(self._shown)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        name, figures, bar = self._layout(width)
        line = texts.fit(" layers and the images on them", name, self.glyphs.more)
        line += "".join(f"{title:>8}" for title in _FIGURES[:figures]) + " "
        return [(texts.fit(line + ("  of all" if bar else ""), width), "header")]

    def _layout(self, width: int) -> tuple[int, int, int]:
        """Cells of the name, how many figures stand beside it, and cells of the bar."""
        bar = self._bar_width(width)
        rest = width - 1 - (bar + 2 if bar else 0)
        figures = min(len(_FIGURES), max(1, (rest - _NAME) // 8))
        return rest - 8 * figures, figures, bar

    def _bar_width(self, width: int) -> int:
        return 10 if width >= 70 else 0

    def row(self, index: int, width: int) -> list[Part]:
        """A run: fold sign, instruction, its bytes, all bytes on it, how many images; or an image."""
        row, glyphs = self._shown[index], self.glyphs
        room, figures, bar = self._layout(width)
        # Two cells a level; where there is no room one, as far as a name still has its own.
        indent = " " * (1 + min(2 * row.depth, max(min(row.depth, _LEVELS), room - 24)))
        if row.leaf is not None:
            entry, _ = self.stacks[row.leaf]
            name = f"{indent}  {glyphs.text(display_name(entry.name))}"
            style = "accent" if entry.summary.tags else "dim"
            return [
                (texts.fit(name, room, glyphs.more), style),
                (_cells("", texts.size(row.total), "", figures=figures), "dim"),
            ]
        sign = (glyphs.opened if row.opened or self.filter else glyphs.closed) if row.below else " "
        name = f"{indent}{sign} {glyphs.text(self._instruction(row))}"
        parts: list[Part] = [
            (texts.fit(name, room, glyphs.more), "plain"),
            (f"{self._size_text(row):>8}", "strong"),
            (_cells(texts.size(row.total), texts.count(len(row.images)), figures=figures - 1), "plain"),
        ]
        if bar:
            whole = sum(root.total for root in self._roots) or 1
            parts.append(("  " + glyphs.bar(row.total / whole, bar), "bar"))
        return parts

    def _instruction(self, row: TreeRow) -> str:
        layers = row.node.layers
        text = short_instruction(layers[0].instruction) or "(no instruction)"
        more = len(layers) - 1
        # The count comes first: the instruction is what may be cut.
        return f"[{len(layers)} layers] {text}" if more else text

    def _size_text(self, row: TreeRow) -> str:
        return "?" if None in row.node.sizes and not row.node.size else texts.size(row.node.size)

    def describe(self) -> tuple[str, str]:
        """The row under the cursor in two lines of words. Safe to show."""
        row = self.current
        if row is None:
            return "", ""
        glyphs = self.glyphs
        if row.leaf is not None:
            entry, image = self.stacks[row.leaf]
            words = f"{texts.plural(len(image.layers), 'layer')}, {texts.size_bytes(row.total)}: enter opens it"
            return glyphs.text(display_name(entry.name)), words
        last = row.first + len(row.node.layers) - 1
        which = f"layer {row.first}" if last == row.first else f"layers {row.first} to {last}"
        names = ", ".join(display_name(self.stacks[number][0].short_name) for number in row.images)
        having = f"{texts.plural(len(row.images), 'image')} on it: {names}"
        text = short_instruction(row.node.layers[0].instruction) or "(no instruction)"
        return glyphs.text(f"{which}, {texts.size_bytes(row.node.size)}: {text}"), glyphs.text(having)

    # Commands

    def action_open(self) -> None:
        """Open the image, or list the layers."""
        self.post_message(self.Activated(self))

    def _foldable(self, row: TreeRow | None) -> bool:
        return row is not None and bool(row.below) and not self.filter

    def action_toggle_fold(self) -> None:
        """Fold or unfold what stands on the run."""
        row = self.current
        if row is not None and self._foldable(row):
            row.opened = not row.opened
            self._arrange(row)

    def action_unfold(self) -> None:
        """Unfold, or step to the first row on it."""
        row = self.current
        if row is None or not row.below:
            return
        if row.opened or self.filter:
            self.action_move(1)
        else:
            self.action_toggle_fold()

    def action_fold(self) -> None:
        """Fold, or step to what this stands on."""
        row = self.current
        if row is not None and self._foldable(row) and row.opened:
            self.action_toggle_fold()
        elif row is not None and row.parent is not None:
            self.move_to(next(index for index, other in enumerate(self._shown) if other is row.parent))

    def action_unfold_all(self) -> None:
        """Unfold everything."""
        self._fold_all(opened=True)

    def action_fold_all(self) -> None:
        """Fold everything."""
        self._fold_all(opened=False)

    def _fold_all(self, *, opened: bool) -> None:
        here = self.current
        waiting = list(self._roots)
        while waiting:
            row = waiting.pop()
            row.opened = opened
            waiting.extend(row.below)
        self._arrange(here)

    def copied_text(self) -> str | None:
        """The image's name, or the digest of the run's topmost layer."""
        row = self.current
        if row is None:
            return None
        if row.leaf is not None:
            return self.stacks[row.leaf][0].short_name
        return row.node.layers[-1].diff_id


def _cells(*values: str, figures: int) -> str:
    return "".join(f"{value:>8}" for value in values[:figures]) + " "


def _grown(node: LayerNode, parent: TreeRow | None, first: int) -> TreeRow:
    """A node's row with those of all that stands on it: images first, then runs, most bytes first."""
    row = TreeRow(node, parent, first, node.depth, ())
    above = first + len(node.layers)
    runs = [_grown(child, row, above) for child in node.children]
    carried = node.size
    below = parent
    while below is not None:
        carried += below.node.size
        below = below.parent
    leaves = [
        TreeRow(node, row, above, node.depth + 1, (number,), total=carried, leaf=number) for number in node.images
    ]
    row.below = (*leaves, *runs)
    row.images = tuple(sorted(number for part in row.below for number in part.images))
    row.total = node.size + sum(run.total for run in runs)
    return row
