"""The list of images: what each holds, alone and with others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from lamina.dataclass import dataclass
from lamina.figures.overview import Overview, Standing, frees_together
from lamina.model import ImageSummary, KnownImage
from lamina.names import display_name, repository_of, short_id
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.image_entries import Entry
from lamina_tui.widgets.row_list import Part, RowList

Key = tuple[str, str, str]

MARK = "*"
"""Stands before an image that is marked."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one image beside its summary."""

    known: KnownImage
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of numbers: its title, its cells, what it is sorted by and what it shows."""

    title: str
    width: int
    value: Callable[[Entry, Figures | None], int | None]
    text: Callable[[int], str] = texts.size


def _standing(name: str) -> Callable[[Entry, Figures | None], int | None]:
    def value(_entry: Entry, figures: Figures | None) -> int | None:
        return getattr(figures.standing, name) if figures is not None and figures.standing is not None else None

    return value


def _size(entry: Entry, figures: Figures | None) -> int | None:
    """Of an image all of its layers; of a container what it has written."""
    return entry.summary.size if figures is None else figures.known.size


def _layers(entry: Entry, figures: Figures | None) -> int | None:
    return entry.summary.layers if figures is None else len(figures.known.layers)


def _containers(_entry: Entry, figures: Figures | None) -> int | None:
    return None if figures is None else figures.known.containers


COLUMNS = {
    "size": _Column("size", 8, _size),
    "frees": _Column("frees", 8, _standing("frees")),
    "shared": _Column("shared", 8, _standing("shared")),
    "with": _Column("with", 6, _standing("shared_with"), texts.count),
    "layers": _Column("layers", 8, _layers, texts.count),
    "used": _Column("used", 6, _containers, texts.count),
}
"""By the name of their sort order; every title leaves room for the order's sign and a blank."""

ORDERS = ("name", *COLUMNS, "age")
_AGE, _ID = 12, 14
_NAME = 20
"""Cells of a name at the least."""
_LEAST_FIRST = ("layers", "used", "with", "shared", "frees")
"""Which columns go where there is no room."""


@dataclass(frozen=True, slots=True)
class Group:
    """The images of one repository, and the containers made of them."""

    name: str
    """Untrusted."""
    entries: tuple[Entry, ...]


class ImageList(RowList):
    """Images: name, size, frees, shared, with how many, layers, containers, age."""

    SCOPES = (Scope.LIST,)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.entries: list[Entry] = []
        self.shown: list[Entry] = []
        self.grouped = False
        self._rows: list[Entry | Group] = []
        self._folded: set[str] = set()
        self.figures: Mapping[Key, Figures] = {}
        self.overview: Overview | None = None
        self.marked: dict[Key, None] = {}
        """Keys of the marked images, in the order they were marked; some may be filtered away."""
        self.sort_key = ""
        self.sort_reversed = False
        self.filter = ""

    def show_entries(self, entries: list[Entry]) -> None:
        """Show these images, in the source's order until the user sorts; marks of those that are gone go."""
        self.entries = entries
        keys = {entry.key for entry in entries}
        self.marked = {key: None for key in self.marked if key in keys}
        self.rearrange()

    def show_all(self, entries: list[Entry], known: Mapping[Key, KnownImage], overview: Overview) -> None:
        """Show what a source answered when it was asked again. Cursor and marks stay on their images, also where these
        have other names now.
        """  # noqa: D205
        now = {entry.key[:2]: entry.key for entry in entries}
        there = {entry.key for entry in entries}
        self.marked = {key if key in there else now.get(key[:2], key): None for key in self.marked}
        here, row, before = self.entry, self.cursor, self.lines_in_view()
        self.marked = {key: None for key in self.marked if key in there}
        self.entries = entries
        self.figures = _figures(known, overview)
        self.overview = overview
        self._arrange()
        wanted = None if here is None else here.key if here.key in there else now.get(here.key[:2])
        self.redraw(before, self._row_of(wanted, row))

    def show_figures(self, known: Mapping[Key, KnownImage], overview: Overview) -> None:
        """Fill in what was learnt of the images, ``overview`` being of ``known`` in its order."""
        self.figures = _figures(known, overview)
        self.overview = overview
        self.rearrange()

    def show_written(self, sizes: Mapping[Key, int]) -> None:
        """Fill in how many bytes containers have written."""
        self.entries = [
            replace(entry, summary=replace(entry.summary, size=sizes[entry.key])) if entry.key in sizes else entry
            for entry in self.entries
        ]
        self.rearrange()

    def rearrange(self) -> None:
        """Filter and sort again; the cursor stays on its image."""
        here, group = self.entry, self.group
        self._arrange()
        if group is not None:
            names = [row.name if isinstance(row, Group) else None for row in self._rows]
            self.rows_changed(names.index(group.name) if group.name in names else 0)
        else:
            self.rows_changed(self._row_of(None if here is None else here.key, 0))

    def _row_of(self, key: Key | None, otherwise: int) -> int:
        found = (n for n, row in enumerate(self._rows) if not isinstance(row, Group) and row.key == key)
        return next(found, otherwise)

    def _arrange(self) -> None:
        text = self.filter.casefold()
        self.shown = [e for e in self.entries if text in f"{e.name} {e.summary.id}".casefold()]
        key = self.sort_key
        if key in COLUMNS:
            value = COLUMNS[key].value
            # What is not known comes last, whichever way the rest is sorted.
            sign = 1 if self.sort_reversed else -1
            numbers = {id(e): value(e, self.figures.get(e.key)) for e in self.shown}
            self.shown.sort(key=lambda e: ((n := numbers[id(e)]) is None, sign * (n or 0)))
        elif key == "name":
            self.shown.sort(key=lambda e: e.name, reverse=self.sort_reversed)
        elif key == "age":
            self.shown.sort(key=lambda e: _moment(e.summary.created), reverse=not self.sort_reversed)
        self._rows = list(self.shown) if not self.grouped else self._grouped()

    def _grouped(self) -> list[Entry | Group]:
        """The images by repository: repositories in the order of their first image, and so are the images of each."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.shown:
            groups.setdefault(_repository(entry), []).append(entry)
        rows: list[Entry | Group] = []
        for name, entries in groups.items():
            rows.append(Group(name, tuple(entries)))
            rows += entries if name not in self._folded else []
        return rows

    def group_by_repository(self) -> None:
        """Show the images by repository, or as one list again."""
        self.grouped = not self.grouped
        self.rearrange()

    def toggle_group(self) -> bool:
        """Fold or unfold the repository under the cursor; False where there is an image."""
        group = self.group
        if group is None:
            return False
        self._folded ^= {group.name}
        self.rearrange()
        return True

    @property
    def group(self) -> Group | None:
        """The repository under the cursor, where its own row is."""
        row = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        return row if isinstance(row, Group) else None

    def sort_by(self, key: str) -> None:
        """Sort; the same key again reverses."""
        self.sort_reversed = key == self.sort_key and not self.sort_reversed
        self.sort_key = key
        self.rearrange()

    def title_clicked(self, title: str) -> None:
        """Sort by the column of that title."""
        titles = {"image": "name", "age": "age", **{column.title: key for key, column in COLUMNS.items()}}
        if title in titles:
            self.sort_by(titles[title])

    def sort_beside(self, step: int) -> None:
        """Sort by the next column, or by the one before."""
        at = ORDERS.index(self.sort_key) + step if self.sort_key else (0 if step > 0 else -1)
        self.sort_key, self.sort_reversed = ORDERS[at % len(ORDERS)], False
        self.rearrange()

    # Marks

    def mark(self) -> None:
        """Mark the image under the cursor, or take its mark, and go on to the next."""
        entry = self.entry
        if entry is None:
            return
        if entry.key in self.marked:
            del self.marked[entry.key]
        else:
            self.marked[entry.key] = None
        self.refresh_row(self.cursor)
        self.action_move(1)

    def mark_ids(self, ids: Collection[str]) -> None:
        """Mark the images of these IDs too."""
        self.marked.update({e.key: None for e in self.entries if e.summary.id in ids and e.summary.container is None})
        self.refresh()

    def mark_all(self) -> None:
        """Mark all that are shown; where they are, take all marks."""
        keys = [entry.key for entry in self.shown]
        if all(key in self.marked for key in keys):
            self.marked.clear()
        else:
            self.marked.update(dict.fromkeys(keys))
        self.refresh()

    @property
    def marked_entries(self) -> list[Entry]:
        """The marked images, in the order they were marked."""
        by_key = {entry.key: entry for entry in self.entries}
        return [by_key[key] for key in self.marked if key in by_key]

    @property
    def entry(self) -> Entry | None:
        """The image under the cursor."""
        row = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        return None if isinstance(row, Group) else row

    # Drawing

    def row_count(self) -> int:
        """Images shown, and their repositories where they are grouped."""
        return len(self._rows)

    def _columns(self, width: int) -> tuple[dict[str, _Column], bool]:
        """The columns that leave the name room, and whether the age is among them: what tells least goes first."""
        columns = dict(COLUMNS)
        room = width - sum(column.width for column in columns.values()) - _AGE
        aged = room >= _NAME
        room += 0 if aged else _AGE
        for key in _LEAST_FIRST:
            if room >= _NAME:
                break
            room += columns.pop(key).width
        return columns, aged

    def _name_width(self, width: int) -> int:
        columns, aged = self._columns(width)
        used = sum(column.width for column in columns.values()) + (_AGE if aged else 0)
        return max(1, width - used - (_ID if width >= 98 else 0))

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down

        def title(key: str, word: str) -> str:
            return word + sign if key == self.sort_key else word

        line = texts.fit(f"  {title('name', 'image')}", self._name_width(width))
        line += texts.fit("  id", _ID) if width >= 98 else ""
        columns, aged = self._columns(width)
        for key, column in columns.items():
            line += f"{title(key, column.title):>{column.width}}"
        return [(texts.fit(f"{line}  {title('age', 'age')}" if aged else line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One image, or the head of a repository."""
        entry, glyphs = self._rows[index], self.glyphs
        if isinstance(entry, Group):
            return self._group_row(entry, width)
        summary, figures = entry.summary, self.figures.get(entry.key)
        marked = entry.key in self.marked
        name = glyphs.text(display_name(entry.name))
        if len(summary.tags) == 1:  # the end of a long name tells more than the host of a registry
            name = texts.fit_end(name, self._name_width(width) - 3, glyphs.more)
        name = f"{MARK if marked else ' '} {'  ' if self.grouped else ''}{name}"
        style = "accent" if marked else "plain" if summary.tags else "dim"
        parts: list[Part] = [(texts.fit(name, self._name_width(width), glyphs.more), style)]
        if width >= 98:
            parts.append((texts.fit("  " + glyphs.text(display_name(short_id(summary.id))), _ID), "dim"))
        columns, aged = self._columns(width)
        for key, column in columns.items():
            number = column.value(entry, figures)
            text = "" if number is None else column.text(number)
            strong = key in {"size", "frees"}
            parts.append((f"{text:>{column.width}}", "plain" if strong and number else "dim"))
        if aged:
            parts.append(("  " + texts.fit(texts.age(summary.created), _AGE - 2, glyphs.more), "dim"))
        return parts

    def describe(self) -> str:
        """The image under the cursor in words: what removing it frees, and with whom it shares. Safe to show."""
        entry = self.entry
        if entry is None:
            return self._describe_group()
        if entry.summary.container is not None:
            return self._describe_container(entry.summary)
        words = [display_name(short_id(entry.summary.id))] if entry.summary.tags else ["no tag leads to it"]
        figures = self.figures.get(entry.key)
        standing = None if figures is None else figures.standing
        if figures is not None and standing is not None:
            frees = f"removing it frees {texts.size_bytes(standing.frees)}"
            if figures.known.containers:
                count = figures.known.containers
                frees += f" once {texts.plural(count, 'container')} of it {'is' if count == 1 else 'are'} gone"
            words.append(frees)
            if standing.shared_with:
                others = texts.plural(standing.shared_with, "image")
                words.append(f"{texts.size_bytes(standing.shared)} shared with {others}")
            else:
                words.append("shares nothing")
        elif figures is not None:
            words.append("its source does not tell which layer has which size")
        dot = f" {self.glyphs.dot} "  # where there is no room the ID is the first to go, then who shares
        forms = [dot.join(form) for form in (words, words[1:], words[1:2]) if form]
        return self.glyphs.text(texts.first_fitting(forms, self.size.width - 2))

    def _group_row(self, group: Group, width: int) -> list[Part]:
        glyphs = self.glyphs
        sign = glyphs.closed if group.name in self._folded else glyphs.opened
        name = texts.fit_end(glyphs.text(display_name(group.name)), self._name_width(width) - 5, glyphs.more)
        count = texts.plural(len(group.entries), "row")
        head = texts.fit(f"  {sign} {name}", self._name_width(width), glyphs.more)
        return [(head, "strong"), (texts.fit(f"  {count}", max(0, width - self._name_width(width))), "dim")]

    def _describe_group(self) -> str:
        group = self.group
        if group is None:
            return ""
        images = [entry for entry in group.entries if entry.summary.container is None]
        words = [self.glyphs.text(display_name(group.name)), texts.plural(len(images), "image")]
        if len(group.entries) > len(images):
            words.append(texts.plural(len(group.entries) - len(images), "container"))
        if self.overview is not None and images:
            freed = frees_together(self.overview.images, {entry.summary.id for entry in images})
            words.append(f"removing all of them frees {texts.size_bytes(freed)}")
        return f" {self.glyphs.dot} ".join(words)

    def _describe_container(self, summary: ImageSummary) -> str:
        words = [f"container {display_name(short_id(summary.id))}"]
        words.append("" if summary.size is None else f"has written {texts.size_bytes(summary.size)}")
        words.append("enter shows what")
        return self.glyphs.text(f" {self.glyphs.dot} ".join(word for word in words if word))


def _repository(entry: Entry) -> str:
    container = entry.summary.container
    name = container.image if container is not None else next(iter(entry.summary.tags), "")
    if not name and entry.summary.digests:
        name = entry.summary.digests[0]
    return repository_of(name) if name and not name.startswith("sha256:") else "(no name)"


def _figures(known: Mapping[Key, KnownImage], overview: Overview) -> dict[Key, Figures]:
    pairs = zip(known.items(), overview.standings, strict=True)
    return {key: Figures(image, standing) for (key, image), standing in pairs}


def _moment(created: str | None) -> float:
    moment = texts.parse_time(created)
    return moment.timestamp() if moment else 0.0
