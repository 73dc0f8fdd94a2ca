"""The keys that dive's users have in their fingers, for what both have; all other commands keep their own.

``^m`` is Enter itself for terminals that can't tell the two apart: ``M`` says the same everywhere.
"""

from __future__ import annotations

from lamina_tui.command import Scope

NAME = "dive"

_FILES, _LIST = Scope.FILES, Scope.LIST
_FIND = ("ctrl+f", "slash")

DIVE: tuple[tuple[Scope, str, tuple[str, ...]], ...] = (
    (Scope.IMAGE, "find", _FIND),
    (Scope.HOME, "find", _FIND),
    (Scope.DIFF, "find", _FIND),
    (Scope.VERSIONS, "find", _FIND),
    (Scope.TREE, "find", _FIND),
    (Scope.LAYERS, "show_mode_layer", ("ctrl+l",)),
    (Scope.LAYERS, "show_mode_upto", ("ctrl+a",)),
    (_FILES, "toggle_fold_all", ("ctrl+space", "ctrl+@")),
    (_FILES, "toggle_kind_added", ("ctrl+a",)),
    (_FILES, "toggle_kind_removed", ("ctrl+r",)),
    (_FILES, "toggle_kind_modified", ("M", "ctrl+m")),
    (_FILES, "toggle_kind_unmodified", ("ctrl+u",)),
    (_FILES, "sort_beside_back", ("ctrl+o", "less_than_sign")),  # by name first, as there
    (_FILES, "metadata", ("ctrl+b", "m")),
    # What gives its keys to the above.
    (_LIST, "page", ("pagedown",)),
    (_LIST, "page_back", ("pageup",)),
    (_LIST, "half_page_back", ()),
    (_LIST, "half_page", ()),
)
"""By scope and command's name: its keys."""
