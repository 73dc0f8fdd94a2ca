"""The lists of what registries have: repositories, tags, and the layers of a pull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamina.figures.pull_plan import PlannedLayer, Presence
from lamina.names import display_name, short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

if TYPE_CHECKING:
    from lamina.figures.tag_steps import TagStep
    from lamina.sources.engine.pulling import PulledLayer
    from lamina.sources.registry.search import Repository


class RepositoryList(RowList):
    """Repositories that were found."""

    BINDINGS = bindings(Scope.FOUND)
    SCOPES = (Scope.FOUND, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.repositories: Sequence[Repository] = ()

    def show(self, repositories: Sequence[Repository]) -> None:
        """Show these, in their order."""
        self.repositories = repositories
        self.rows_changed(0)

    @property
    def repository(self) -> Repository | None:
        """The one under the cursor."""
        return self.repositories[self.cursor] if self.cursor < len(self.repositories) else None

    def row_count(self) -> int:
        """Repositories."""
        return len(self.repositories)

    def _name_width(self, width: int) -> int:
        longest = max((texts.cell_len(display_name(row.name)) for row in self.repositories), default=0)
        return min(max(20, longest + 2), max(20, width // 2))

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = texts.fit("  name", self._name_width(width)) + f"{'stars':>8}  {'':<9} description"
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One repository."""
        row, glyphs = self.repositories[index], self.glyphs
        name_width = self._name_width(width)
        stars = "" if row.stars is None else texts.count(row.stars)
        about = " ".join(display_name((row.description or "")[:1000]).split())
        return [
            (texts.fit(f"  {glyphs.text(display_name(row.name))}", name_width, glyphs.more), "plain"),
            (f"{stars:>8}  ", "dim"),
            (f"{'official' if row.official else '':<9} ", "accent"),
            (texts.fit(glyphs.text(about), max(0, width - name_width - 20), glyphs.more), "dim"),
        ]

    def copied_text(self) -> str | None:
        """The name."""
        return None if self.repository is None else self.repository.name


class TagList(RowList):
    """The tags of a repository, the newest first; those that were not looked at come after."""

    BINDINGS = bindings(Scope.TAGS)
    SCOPES = (Scope.TAGS, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.steps: Sequence[TagStep] = ()
        self.others: Sequence[str] = ()
        self.filter = ""
        self._shown: list[TagStep | str] = []

    def show(self, steps: Sequence[TagStep], others: Sequence[str]) -> None:
        """Show tags that were looked at, and the names of those that were not."""
        self.steps, self.others = steps, others
        self.rearrange()

    def rearrange(self) -> None:
        """Filter again; the cursor stays on its tag."""
        here = self.tag
        text = self.filter.casefold()
        self._shown = [step for step in self.steps if text in step.tag.casefold()]
        self._shown += [tag for tag in self.others if text in tag.casefold()]
        self.go_to(here)

    def go_to(self, tag: str | None) -> None:
        """Put the cursor on a tag, or on the first row where it is not there."""
        names = [row if isinstance(row, str) else row.tag for row in self._shown]
        self.rows_changed(names.index(tag) if tag in names else 0)

    @property
    def tag(self) -> str | None:
        """The one under the cursor."""
        row = self._shown[self.cursor] if self.cursor < len(self._shown) else None
        return row if row is None or isinstance(row, str) else row.tag

    @property
    def step(self) -> TagStep | None:
        """What is known of it."""
        row = self._shown[self.cursor] if self.cursor < len(self._shown) else None
        return None if isinstance(row, str) else row

    def row_count(self) -> int:
        """Tags."""
        return len(self._shown)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = texts.fit("  tag", width - 38) + f"{'size':>8}{'update':>9}{'layers':>8}  age"
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One tag."""
        row, glyphs = self._shown[index], self.glyphs
        tag = row if isinstance(row, str) else row.tag
        name = texts.fit(f"  {glyphs.text(display_name(tag))}", width - 38, glyphs.more)
        if isinstance(row, str):
            return [(name, "dim")]
        update = "" if row.update is None else texts.size(row.update)
        return [
            (name, "plain"),
            (f"{texts.size(row.size):>8}", "plain"),
            (f"{update:>9}", "strong"),
            (f"{len(row.info.layers):>8}  {texts.fit(texts.age(row.info.created), 11, glyphs.more)}", "dim"),
        ]


class PullList(RowList):
    """The layers of an image that may be pulled: what comes, what is here, and how far it is."""

    BINDINGS = bindings(Scope.PULL)
    SCOPES = (Scope.PULL, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.planned: Sequence[PlannedLayer] = ()
        self.pulled: dict[str, PulledLayer] = {}
        """By the first digits of the blobs' digests, once the engine tells of them."""

    def show(self, layers: Sequence[PlannedLayer]) -> None:
        """Show what would come."""
        self.planned = layers
        self.rows_changed(0)

    def show_pulled(self, pulled: Sequence[PulledLayer]) -> None:
        """Show how far the engine is."""
        before = self.lines_in_view()
        self.pulled = {layer.id: layer for layer in pulled}
        self.redraw(before, self.cursor)

    def row_count(self) -> int:
        """Layers."""
        return len(self.planned)

    def _state_width(self, width: int) -> int:
        return 30 if width >= 100 else 24

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = f"{'#':>4}{'size':>8}{'fetched':>9}  " + texts.fit("", self._state_width(width)) + "instruction"
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One layer."""
        row, glyphs = self.planned[index], self.glyphs
        state, style = self._state(row)
        state_width = self._state_width(width)
        text = glyphs.text(short_instruction(row.layer.instruction)) or "(no instruction)"
        return [
            (f"{row.layer.index:>4}{texts.size(row.layer.blob_size or 0):>8}", "dim" if not row.fetched else "plain"),
            (f"{texts.size(row.fetched) if row.fetched else '0':>9}  ", "strong" if row.fetched else "dim"),
            (texts.fit(glyphs.text(state), state_width - 1, glyphs.more) + " ", style),
            (texts.fit(text, max(0, width - 23 - state_width), glyphs.more), "dim"),
        ]

    def _state(self, row: PlannedLayer) -> tuple[str, str]:
        digits = (row.layer.digest or "").removeprefix("sha256:")[:12]
        pulled = self.pulled.get(digits)
        if pulled is not None:
            word = display_name(pulled.status.lower())
            if pulled.total and pulled.status in {"Downloading", "Extracting"}:
                word += f" {texts.size(pulled.done)} of {texts.size(pulled.total)}"
            return word, "added" if pulled.status in {"Pull complete", "Already exists"} else "accent"
        if row.presence is Presence.NEW:
            return "new", "plain"
        where = "here, in" if row.presence is Presence.HERE else "here on others, in"
        room = self._state_width(self.text_width) - len(where) - 2
        return f"{where} {texts.fit_end(display_name(row.holder), room, self.glyphs.more)}", "dim"
