"""Every command of the screen, once: keys, footer, help and palette are all made from this table.

A configuration may give commands other keys (:mod:`lamina_tui.key_remaps`): the table itself stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lamina.dataclass import dataclass
from lamina_tui.command import Command, Scope
from lamina_tui.key_names import key_text

if TYPE_CHECKING:  # `lamina config` tells of keys without a screen
    from textual.binding import BindingType


_A, _L, _H, _I = Scope.APP, Scope.LIST, Scope.HOME, Scope.IMAGE
_R, _S, _M, _E = Scope.TREE, Scope.SET, Scope.MATRIX, Scope.MEMBERS
_G, _GF, _V, _VT = Scope.REGISTRY, Scope.FOUND, Scope.VERSIONS, Scope.TAGS
_B, _BL, _X, _O = Scope.PULLING, Scope.PULL, Scope.CONTEXTS, Scope.RESULTS
_C, _N, _D = Scope.SHARED, Scope.MISSES, Scope.DIFF
_CT, _VW, _CP = Scope.CONTENT, Scope.VIEWER, Scope.COMPARED
_Y, _F, _W, _T, _K, _P = Scope.LAYERS, Scope.FILES, Scope.WASTE, Scope.TEXT, Scope.KINDS, Scope.PROMPT

COMMANDS: tuple[Command, ...] = (
    Command(_A, ("question_mark", "f1"), "help", "this help", "help", priority=0),
    Command(_A, ("q",), "quit", "quit", "quit", priority=1),
    Command(_A, ("ctrl+c",), "interrupt", "stop at once", palette=False),
    Command(_A, ("ctrl+z",), "suspend_process", "suspend to the shell (fg comes back)"),
    Command(_A, ("ctrl+p",), "command_palette", "all commands, by name", palette=False),
    Command(_L, ("up", "k"), "move(-1)", "one row up", palette=False),
    Command(_L, ("down", "j"), "move(1)", "one row down", palette=False),
    Command(_L, ("pageup", "ctrl+b"), "page(-1)", "one page up", palette=False),
    Command(_L, ("pagedown", "ctrl+f"), "page(1)", "one page down", palette=False),
    Command(_L, ("ctrl+u",), "half_page(-1)", "half a page up", palette=False),
    Command(_L, ("ctrl+d",), "half_page(1)", "half a page down", palette=False),
    Command(_L, ("home", "g"), "first", "to the first row", palette=False),
    Command(_L, ("end", "G"), "last", "to the last row", palette=False),
    Command(_H, ("enter", "l", "right"), "open", "open the image", "open", priority=2),
    Command(
        _H, ("space",), "mark", "mark the image, or take its mark; marks survive filter and sort", "mark", priority=3
    ),
    Command(_H, ("A",), "mark_all", "mark all that are shown; again takes all marks"),
    Command(_H, ("m",), "mark_removable", "mark what the first line says could go"),
    Command(_H, ("t",), "layer_tree", "the images as a tree of layers", "tree", priority=4),
    Command(_H, ("c",), "share", "what the marked images share, and could", "share", priority=4),
    Command(_H, ("D",), "diff", "compare the two marked images: first mark to second", "diff", priority=4),
    Command(_H, ("slash",), "find", "show only images whose name has …", "find", priority=5),
    Command(_H, ("s",), "sort_by('size')", "sort by size; again reverses", "sort", "s/S/u/a", priority=6),
    Command(_H, ("S",), "sort_by('name')", "sort by name; again reverses"),
    Command(_H, ("u",), "sort_by('frees')", "sort by what removing an image frees; again reverses"),
    Command(_H, ("a",), "sort_by('age')", "sort by age; again reverses"),
    Command(_H, ("greater_than_sign",), "sort_beside(1)", "sort by the next column"),
    Command(_H, ("less_than_sign",), "sort_beside(-1)", "sort by the column before"),
    Command(_H, ("r",), "reload", "ask the engine again", "reload", priority=9),
    Command(_H, ("b",), "group", "by repository, or as one list again", "by repository", priority=9),
    Command(_H, ("p",), "search", "search for images in registries, and pull", "search", priority=7),
    Command(
        _H, ("v",), "versions", "versions of the image in its registry, and what updates cost", "versions", priority=7
    ),
    Command(_H, ("x",), "contexts", "look at another engine (docker contexts)", "engine", priority=8),
    Command(_H, ("o",), "open_other", "open another image, archive or layout folder", "other", priority=8),
    Command(_H, ("d",), "open_demo", "the built-in sample images", "demo", priority=9),
    Command(_H, ("y",), "copy", "copy the image's name", palette=True),
    Command(_H, ("escape",), "back", "drop the filter, or go back", palette=False),
    Command(_GF, ("enter", "l", "right"), "screen.open", "its tags", "tags", priority=2),
    Command(_GF, ("p",), "screen.pull", "what a pull of its latest would fetch", "pull", priority=3),
    Command(_GF, ("y",), "screen.copy", "copy the name", "copy", priority=5),
    Command(_G, ("slash", "f"), "search", "search for something else", "search", priority=4),
    Command(_G, ("R",), "reload", "ask again", palette=True),
    Command(_G, ("escape", "left", "h"), "back", "stop, or go back", "back", "esc", priority=6, palette=False),
    Command(_VT, ("enter", "l", "right"), "screen.open", "open the image, without an engine", "open", priority=2),
    Command(_VT, ("p",), "screen.pull", "what a pull of it would fetch", "pull", priority=3),
    Command(_VT, ("a",), "screen.platforms", "the image for each platform", "platforms", priority=4),
    Command(_VT, ("m",), "screen.look_at_more", "look at more tags", "more", priority=4),
    Command(_VT, ("y",), "screen.copy", "copy the name", "copy", priority=6),
    Command(_V, ("slash",), "find", "show only tags that have …", "find", priority=5),
    Command(_V, ("R",), "reload", "ask again", palette=True),
    Command(
        _V,
        ("escape", "left", "h"),
        "back",
        "drop the filter, stop, or go back",
        "back",
        "esc",
        priority=7,
        palette=False,
    ),
    Command(_BL, ("enter",), "screen.go", "let the engine pull; then open the image", "pull, then open", priority=2),
    Command(_B, ("R",), "reload", "ask again what it would fetch", "ask again", priority=4),
    Command(_B, ("escape", "left", "h"), "back", "stop, or go back", "stop or back", "esc", priority=3, palette=False),
    Command(_X, ("enter",), "choose", "look at this engine", "choose", priority=2),
    Command(_X, ("escape", "q", "x"), "close", "close", "close", "esc", priority=3, palette=False),
    Command(_R, ("enter",), "open", "open the image; of layers: list them and who has them", "open", priority=2),
    Command(_R, ("space",), "toggle_fold", "fold or unfold what stands on the layers", "fold", priority=3),
    Command(_R, ("right", "l"), "unfold", "unfold, or step in", palette=False),
    Command(_R, ("left", "h"), "fold", "fold, or step down to what this stands on", palette=False),
    Command(_R, ("E",), "unfold_all", "unfold everything", "all", "E/C", priority=5),
    Command(_R, ("C",), "fold_all", "fold everything"),
    Command(_R, ("slash",), "screen.find", "show only images whose name has …", "find", priority=4),
    Command(_R, ("y",), "screen.copy", "copy the image's name, or the layer's digest", "copy", priority=6),
    Command(_R, ("escape",), "screen.back", "drop the filter, or go back", "back", priority=7, palette=False),
    Command(_S, ("1",), "show_tab('pairs')", "what each pair shares", "tabs", "1-4", priority=4),
    Command(_S, ("2",), "show_tab('images')", "each image: what is unique to it, what it costs"),
    Command(_S, ("3",), "show_tab('layers')", "layers, by how many images have them"),
    Command(_S, ("4",), "show_tab('misses')", "near misses: the same bytes in layers that are not shared"),
    Command(_S, ("tab",), "next_tab(1)", "next tab"),
    Command(_S, ("shift+tab",), "next_tab(-1)", "previous tab"),
    Command(
        _S, ("F", "slash"), "find", "find in all layers of all images, removed files too", "find in all", priority=5
    ),
    Command(_S, ("R",), "reload", "read what is not read yet", palette=True),
    Command(_S, ("escape",), "back", "stop the reading, or go back", "back", priority=9, palette=False),
    Command(_M, ("enter",), "open", "compare the two images", "diff", priority=2),
    Command(_M, ("right", "l"), "column(1)", "one column to the right", palette=False),
    Command(_M, ("left", "h"), "column(-1)", "one column to the left", palette=False),
    Command(_M, ("p",), "percent", "with or without percent of the smaller image", "percent", priority=3),
    Command(_E, ("enter",), "open", "open the image", "open", priority=2),
    Command(_E, ("space",), "toggle_fold", "show or hide the layers that only this image has", "layers", priority=3),
    Command(_E, ("right", "l"), "unfold", "show the layers that only this image has", palette=False),
    Command(_E, ("left", "h"), "fold", "hide them", palette=False),
    Command(_E, ("y",), "screen.copy", "copy the image's name, or the layer's digest"),
    Command(_C, ("enter",), "open", "the whole instruction, and who has the layer", "who", priority=2),
    Command(_C, ("s",), "sort_by('size')", "sort by size; again reverses", "sort", "s/S", priority=3),
    Command(_C, ("S",), "sort_by('count')", "sort by how many images have it; again reverses"),
    Command(_C, ("y",), "screen.copy", "copy the layer's digest (diff_id)"),
    Command(_N, ("enter",), "open", "both instructions, and the folders", "details", priority=2),
    Command(_D, ("slash",), "find", "show only names that have … (a/b looks at the folder too)", "find", priority=3),
    Command(_D, ("w",), "swap", "the other way round", "swap", priority=5),
    Command(_D, ("i",), "details", "where the stacks part, in whole", "whole", priority=6),
    Command(_D, ("p",), "packages", "packages that are others, with bytes and versions", "packages", priority=6),
    Command(_D, ("R",), "reload", "read both images again"),
    Command(
        _D, ("escape",), "back", "stop the reading, drop the filter, or go back", "back", priority=9, palette=False
    ),
    Command(_I, ("slash",), "find", "show only names that have … (a/b looks at the folder too)", "find", priority=3),
    Command(_I, ("F",), "find_everywhere", "find in all layers, removed files too", "find in all", priority=8),
    Command(_I, ("tab",), "next_pane(1)", "next pane", "pane", "Tab", priority=5),
    Command(_I, ("shift+tab",), "next_pane(-1)", "previous pane"),
    Command(
        _I,
        ("0",),
        "show_tab('overview')",
        "Overview: what is most worth doing",
        "tabs",
        "0-6",
        priority=6,
    ),
    Command(_I, ("1",), "show_tab('files')", "Files"),
    Command(_I, ("2",), "show_tab('waste')", "Waste: bytes shipped that no name reaches any more"),
    Command(_I, ("3",), "show_tab('advice')", "Advice"),
    Command(_I, ("4",), "show_tab('packages')", "Packages: what each weighs and wastes"),
    Command(_I, ("5",), "show_tab('duplicates')", "Duplicates: the same content at several places"),
    Command(_I, ("6",), "show_tab('config')", "Config"),
    Command(_I, ("v",), "next_view", "view: this layer, up to here, range", "view", priority=7),
    Command(_I, ("r",), "range_start", "the range starts after this layer (again: from nothing)"),
    Command(_I, ("left_square_bracket",), "step_layer(-1)", "previous layer, from any pane"),
    Command(_I, ("right_square_bracket",), "step_layer(1)", "next layer, from any pane"),
    Command(_I, ("x",), "extract", "take the file or folder under the cursor out of the image", "extract", priority=9),
    Command(_I, ("i",), "instruction", "the layer's whole instruction", "whole", priority=9),
    Command(_I, ("R",), "reload", "read the image again"),
    Command(_I, ("plus", "equals_sign"), "move_border(1)", "more room for the layers"),
    Command(_I, ("minus",), "move_border(-1)", "less room for the layers"),
    Command(_I, ("z",), "zoom", "hide the layers; again shows them"),
    Command(_I, ("escape",), "back", "stop the reading, drop the filter, or go back", palette=False),
    Command(_Y, ("enter", "l", "right"), "open", "to this layer's files", "files", priority=2),
    Command(_Y, ("y",), "screen.copy", "copy the layer's digest (diff_id)"),
    Command(Scope.OVERVIEW, ("enter",), "follow", "to the files that the row is about", "files", priority=2),
    Command(Scope.OVERVIEW, ("y",), "screen.copy", "copy the advice or the path", "copy", priority=8),
    Command(_Y, (), "screen.show_mode('layer')", "show this layer alone", "this layer", priority=4),
    Command(_Y, (), "screen.show_mode('upto')", "show all up to this layer", "up to here", priority=4),
    Command(_F, ("s",), "sort_by('size')", "sort by size; again reverses", "sort", "s/S", priority=3),
    Command(_F, ("S",), "sort_by('name')", "sort by name; again reverses"),
    Command(_F, ("enter",), "open", "every layer that touched the file; fold or unfold a folder", "open", priority=3),
    Command(_F, ("space",), "toggle_fold", "fold or unfold the folder", "fold", priority=4),
    Command(_F, ("f",), "screen.kinds", "choose the kinds of change shown", "kinds", priority=8),
    Command(_F, ("n",), "match(1)", "next match"),
    Command(_F, ("N",), "match(-1)", "previous match"),
    Command(_F, ("right", "l"), "unfold", "unfold, or step into the folder", palette=False),
    Command(_F, ("left", "h"), "fold", "fold, or step out to the folder above", palette=False),
    Command(
        _F,
        ("b",),
        "next_grouping",
        "the largest files as one list; by extension; by owner; the tree again",
        "largest",
        priority=5,
    ),
    Command(_F, ("e",), "screen.export", "write what is shown: as text, as JSON, or for ncdu"),
    Command(_F, ("m",), "metadata", "mode, owner and time of each file; the age in place of the time; neither"),
    Command(_F, ("c",), "join", "folders that hold but a folder: in one row with it, or each in its own"),
    Command(_F, ("E",), "unfold_all", "unfold everything"),
    Command(_F, ("C",), "fold_all", "fold everything"),
    Command(_F, (), "toggle_fold_all", "unfold everything, or fold it"),
    Command(_F, (), "toggle_kind('added')", "show or hide what was added", "added", priority=2),
    Command(_F, (), "toggle_kind('removed')", "show or hide what was removed", "removed", priority=2),
    Command(_F, (), "toggle_kind('modified')", "show or hide what was modified", "modified", priority=2),
    Command(_F, (), "toggle_kind('unmodified')", "show or hide what is unchanged", "unchanged", priority=2),
    Command(_F, ("y",), "screen.copy", "copy the path", "copy", priority=8),
    Command(_F, ("greater_than_sign",), "sort_beside(1)", "sort by the next column"),
    Command(_F, ("less_than_sign",), "sort_beside(-1)", "sort by the column before"),
    Command(
        _W, ("enter",), "jump", "to this file in the layer that ships it; of a group: unfold it", "open", priority=2
    ),
    Command(_W, ("b",), "next_grouping", "rank by file, by directory, by layer", "group", priority=3),
    Command(_W, ("s",), "sort_by('size')", "sort by bytes; again reverses", "sort", "s/S", priority=4),
    Command(_W, ("S",), "sort_by('name')", "sort by path; again reverses"),
    Command(_W, ("greater_than_sign", "less_than_sign"), "sort_beside", "sort by the other column"),
    Command(_W, ("space", "right", "l"), "toggle_fold", "open or close the group"),
    Command(_W, ("left", "h"), "fold", "close the group"),
    Command(_W, ("y",), "screen.copy", "copy the path", "copy", priority=8),
    Command(Scope.PACKAGES, ("enter",), "open", "to the package's files", "files", priority=2),
    Command(Scope.PACKAGES, ("s",), "sort_by('size')", "sort by bytes; again reverses", "sort", "s/S", priority=3),
    Command(Scope.PACKAGES, ("S",), "sort_by('name')", "sort by name; again reverses"),
    Command(Scope.PACKAGES, ("greater_than_sign",), "sort_beside(1)", "sort by the next column"),
    Command(Scope.PACKAGES, ("less_than_sign",), "sort_beside(-1)", "sort by the column before"),
    Command(Scope.PACKAGES, ("y",), "screen.copy", "copy the package's name", "copy", priority=8),
    Command(
        Scope.DUPLICATES,
        ("enter", "space"),
        "open",
        "list its places; to the place under the cursor",
        "open",
        priority=2,
    ),
    Command(Scope.DUPLICATES, ("y",), "screen.copy", "copy the path", "copy", priority=8),
    Command(Scope.ADVICE, ("enter",), "follow", "to the files that it is about", "files", priority=2),
    Command(Scope.ADVICE, ("y",), "screen.copy", "copy the advice", "copy", priority=8),
    Command(_T, ("y",), "screen.copy", "copy the line"),
    Command(Scope.CARD, ("enter",), "choose", "show it in the layer under the cursor", "show", priority=2),
    Command(
        Scope.CARD, ("d",), "compare", "what changed since the marked version, or the one before", "diff", priority=2
    ),
    Command(Scope.CARD, ("space",), "mark", "mark a version, for another to be held against it", "mark", priority=3),
    Command(Scope.CARD, ("v",), "view", "read the file as that layer ships it", "read", priority=2),
    Command(Scope.CARD, ("y",), "screen.copy", "copy the absolute path", "copy", priority=3),
    Command(Scope.CARD, ("escape", "q"), "close", "close", "close", "esc", priority=5, palette=False),
    Command(_O, ("enter", "l", "right"), "open", "to the file in its layer", "go there", priority=2),
    Command(_O, ("slash", "F"), "screen.find", "find another text (a/b looks at the folder too)", "find", priority=3),
    Command(_O, ("s",), "screen.next_sort", "sort by relevance, by size, by path", "sort", priority=4),
    Command(_O, ("f",), "screen.fuzzy", "with or without what only has the letters in order", "fuzzy", priority=5),
    Command(_O, ("y",), "screen.copy", "copy the path", "copy", priority=6),
    Command(_O, ("escape", "left", "h"), "screen.back", "stop, or go back", "back", "esc", priority=7, palette=False),
    Command(_CT, ("right", "l"), "shift(1)", "move the text to the left", palette=False),
    Command(_CT, ("left", "h"), "shift(-1)", "move the text to the right", palette=False),
    Command(_CP, ("v",), "beside", "side by side, or one below the other", "side by side", priority=2),
    Command(_CP, ("y",), "copy", "copy the absolute path", "copy", priority=4),
    Command(_CP, ("escape",), "back", "go back", "back", "esc", priority=3, palette=False),
    Command(_VW, ("v",), "next_view", "as text, as hexadecimal numbers, the texts within", "text/hex", priority=2),
    Command(_VW, ("slash",), "find", "go to where it has …", "find", priority=3),
    Command(_VW, ("n",), "match(1)", "next match", "next", "n/N", priority=4),
    Command(_VW, ("N",), "match(-1)", "previous match"),
    Command(_VW, ("w",), "wrap", "break long lines, or let them run on", "wrap", priority=5),
    Command(_VW, ("number_sign",), "numbers", "with line numbers and offsets, or without"),
    Command(_VW, ("y",), "copy", "copy the absolute path", "copy", priority=7),
    Command(_VW, ("escape",), "back", "stop the search, or go back", "back", "esc", priority=6, palette=False),
    Command(_K, ("space", "enter"), "toggle_kind", "show or hide this kind", "show/hide", "space", priority=2),
    Command(_K, ("c",), "only_changes", "only what changed", "changes", priority=3),
    Command(_K, ("a",), "all_kinds", "everything", "all", priority=4),
    Command(_K, ("escape", "f", "q"), "close", "close", "close", "esc", priority=5, palette=False),
    Command(_P, ("enter", "down"), "accept", "keep the text and go on", "keep", priority=2, palette=False),
    Command(_P, ("escape",), "cancel", "drop the text", "drop", priority=3, palette=False),
)

CHAINS: tuple[tuple[Scope, ...], ...] = (
    *((near, _L, _I, _A) for near in (_Y, Scope.OVERVIEW, _F, _W, Scope.ADVICE, Scope.PACKAGES, Scope.DUPLICATES, _T)),
    (_L, _H, _A),
    (_R, _L, _A),
    (_O, _L, _A),
    (_CT, _L, _VW, _A),
    (_CT, _L, _CP, _A),
    *((near, _L, _S, _A) for near in (_M, _E, _C, _N)),
    (_F, _L, _D, _A),
    (_GF, _L, _G, _A),
    (_VT, _L, _V, _A),
    (_BL, _L, _B, _A),
    (_X, _L),
    (Scope.CARD, _L),
    (_K, _L),
    (_P,),
)
"""Scopes whose commands work at the same time, from the pane that has the keyboard outwards."""

UNBOUND = "unbound"
"""Stands for no key where Textual wants one: no terminal sends it."""


def of(*scopes: Scope) -> list[Command]:
    """The commands of some scopes, in the table's order."""
    return Keymap().of(*scopes)


def bindings(*scopes: Scope) -> list[BindingType]:
    """The commands of some scopes as Textual's bindings, which :meth:`Keymap.moved` gives other keys by their ids."""
    from textual.binding import Binding

    return [
        Binding(
            ",".join(command.keys) or UNBOUND, command.action, command.help, show=bool(command.footer), id=command.id
        )
        for command in of(*scopes)
    ]


@dataclass(frozen=True, slots=True)
class Keymap:
    """The commands with the keys that are in effect."""

    commands: tuple[Command, ...] = COMMANDS
    """In the table's order, each with its keys."""
    preset: str = ""
    """Whose habits they follow: ``dive``, or nobody's."""

    def of(self, *scopes: Scope) -> list[Command]:
        """The commands of some scopes, in the table's order."""
        return [command for command in self.commands if command.scope in scopes]

    def in_footer(self, scopes: Iterable[Scope]) -> list[Command]:
        """The commands of some scopes that the footer has, the most useful first."""
        found = [command for command in self.of(*scopes) if command.footer and command.keys]
        return sorted(found, key=lambda command: command.priority)

    def footer(self, scopes: Iterable[Scope]) -> list[tuple[str, str]]:
        """``(key, word)`` pairs for the footer, the most useful first; the app's own come first."""
        found = self.in_footer(scopes)
        moved = {key for was, now in zip(COMMANDS, self.commands, strict=True) if was != now for key in was.keys}
        return [(_footer_key(command, moved), command.footer) for command in found]

    def key_of(self, scope: Scope, name: str) -> str:
        """The first key of a command for people, where a text tells of it: ``F``, ``^f``; empty where it has none.

        Args:
            scope: where the command works.
            name: what a configuration calls it.
        """
        keys = next(command.keys for command in self.of(scope) if command.name == name)
        return key_text(keys[0]) if keys else ""

    def moved(self) -> dict[str, str]:
        """By id of the commands whose keys are not the table's: their keys, as Textual's ``set_keymap`` takes them."""
        pairs = zip(COMMANDS, self.commands, strict=True)
        return {now.id: ",".join(now.keys) or UNBOUND for was, now in pairs if was != now}


def _footer_key(command: Command, moved: set[str]) -> str:
    """The key as the footer has it; one that stands for several (``s/S``, ``1-5``) only while all of them do."""
    several = command.footer_key
    if several and not moved & {*command.keys, *re.split("[/-]", several)}:
        return several
    return key_text(command.keys[0])


def keymap_of(app: Any) -> Keymap:
    """The keys of a Textual app: its ``keymap`` attribute, else the table's own."""
    keymap = getattr(app, "keymap", None)
    return keymap if isinstance(keymap, Keymap) else Keymap()
