"""What a command of the screen is, and where commands work."""

from __future__ import annotations

import enum

from lamina.dataclass import dataclass


class Scope(enum.Enum):
    """Where a command works; the text is its heading in the help."""

    APP = "Everywhere"
    LIST = "In every list"
    HOME = "Images"
    REGISTRY = "Search"
    FOUND = "Repositories found"
    VERSIONS = "Versions in a registry"
    TAGS = "Tags"
    PULLING = "Pull"
    PULL = "Layers of a pull"
    CONTEXTS = "Engines"
    TREE = "Layer tree"
    SET = "A set of images"
    MATRIX = "What pairs share"
    MEMBERS = "Each image of the set"
    SHARED = "Layers of the set"
    MISSES = "Near misses"
    DIFF = "Two images compared"
    IMAGE = "One image"
    LAYERS = "Layers"
    OVERVIEW = "Overview"
    FILES = "Files"
    WASTE = "Waste"
    ADVICE = "Advice"
    PACKAGES = "Packages"
    DUPLICATES = "Duplicates"
    TEXT = "Texts"
    CARD = "A path's layers"
    RESULTS = "Found in all layers"
    CONTENT = "A file's content"
    VIEWER = "A file"
    COMPARED = "Two versions of a file"
    KINDS = "Kinds shown"
    PROMPT = "While typing"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the user can do."""

    scope: Scope
    keys: tuple[str, ...]
    """As Textual names them; none leaves the command to the palette, to presets and to who maps it."""
    action: str
    """As Textual runs it: the method's name without ``action_``, with its arguments; after ``screen.`` the screen's."""
    help: str
    footer: str = ""
    """The word in the footer; empty keeps it out of there."""
    footer_key: str = ""
    """The key in the footer where it is not the first of ``keys``."""
    priority: int = 5
    """Order in the footer, smallest first: what does not fit is left out from the end."""
    palette: bool = True
    """Whether the command palette lists it: cursor keys would be noise there."""

    @property
    def name(self) -> str:
        """What a configuration calls it: ``find``, ``sort_by_size``; ``move``, and ``move_back`` the other way."""
        call, _, argument = self.action.removeprefix("screen.").rstrip(")").partition("(")
        argument = argument.strip("'")
        return call + {"": "", "1": "", "-1": "_back"}.get(argument, f"_{argument}")

    @property
    def id(self) -> str:
        """What tells it from all others."""
        return f"{self.scope.name}.{self.action}"
