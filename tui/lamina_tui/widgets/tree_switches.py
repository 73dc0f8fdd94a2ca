"""What people who come from dive switch in a file tree by one key each: kinds of change, and all folds."""

from __future__ import annotations

from lamina.model import Change
from lamina.stack.tree_rows import TreeRows
from lamina_tui import dive_keys
from lamina_tui.keymap import keymap_of
from lamina_tui.widgets.row_list import RowList

_KINDS = {
    "added": frozenset({Change.ADDED}),
    "removed": frozenset({Change.REMOVED}),
    "modified": frozenset({Change.MODIFIED, Change.METADATA}),
    "unmodified": frozenset({Change.UNCHANGED}),
}


class TreeSwitches(RowList):
    """The switches; the tree they belong to has the rest."""

    tree_rows: TreeRows | None
    kinds: frozenset[Change]

    def set_kinds(self, kinds: frozenset[Change]) -> None:
        """Show only some kinds of change."""
        raise NotImplementedError

    def action_unfold_all(self) -> None:
        """Unfold every folder."""
        raise NotImplementedError

    def action_fold_all(self) -> None:
        """Fold every folder."""
        raise NotImplementedError

    def unfold_at_first(self) -> None:
        """Of a tree that was just made: unfold it, a row a folder, where the keys are those of who is used to that."""
        if self.tree_rows is not None:
            dive = keymap_of(self.app).preset == dive_keys.NAME
            self.tree_rows.set_joins(not dive)
            if dive:
                self.tree_rows.expand_all()

    def action_toggle_kind(self, kind: str) -> None:
        """Show or hide one kind of change; ``modified`` is of content or of metadata, as dive has it."""
        kinds = _KINDS[kind]
        self.set_kinds(self.kinds - kinds if kinds & self.kinds else self.kinds | kinds)

    def action_toggle_fold_all(self) -> None:
        """Unfold everything; where all is unfolded, fold it."""
        tree = self.tree_rows
        if tree is None:
            return
        shown = len(tree.rows)
        self.action_unfold_all()
        if len(tree.rows) == shown:
            self.action_fold_all()
