"""The lists of a set of images: each image, each layer, each near miss."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.figures.image_set import HeldLayer, ImageSet
from lamina.figures.near_misses import LayerOf, NearMiss
from lamina.names import display_name, short_instruction
from lamina.packages.shared_files import PackageBytes
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList


class SetList(RowList):
    """A list that speaks of the images of a set by their names."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.figures: ImageSet | None = None
        self.names: list[str] = []
        """Untrusted."""

    def show(self, figures: ImageSet, names: list[str]) -> None:
        """Show a set; its images come one after the other, so the cursor stays."""
        self.figures, self.names = figures, names
        self.build()

    def build(self) -> None:
        """Build the rows again."""
        self.rows_changed()

    def image_name(self, image: int) -> str:
        """An image's name, safe to show."""
        return self.glyphs.text(display_name(self.names[image]))

    def action_open(self) -> None:
        """Choose the row under the cursor."""
        self.post_message(self.Activated(self))


_MEMBER_COLUMNS = {"size": 8, "unique": 9, "shared": 8, "frees": 8, "pull": 8, "layers": 8}
"""Of the images of a set, and their cells."""
_MEMBER_NAME = 20
"""Cells of an image's name at the least."""


def _members_shown(width: int) -> dict[str, int]:
    """The columns that leave a name its room: what tells least goes first."""
    shown = dict(_MEMBER_COLUMNS)
    for title in ("layers", "shared", "pull", "frees", "size"):
        if width - 1 - sum(shown.values()) >= _MEMBER_NAME:
            break
        del shown[title]
    return shown


class MemberList(SetList):
    """The images: what only they have, what removing one frees, what adding one costs."""

    BINDINGS = bindings(Scope.MEMBERS)
    SCOPES = (Scope.MEMBERS, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._open: set[int] = set()
        self._shown: list[tuple[int, HeldLayer | None]] = []

    def build(self) -> None:
        """Images, and below the open ones the layers that only they have."""
        figures = self.figures
        self._shown = []
        if figures is not None:
            for number in range(len(figures.images)):
                self._shown.append((number, None))
                if number in self._open:
                    self._shown += [(number, layer) for layer in figures.own[number]]
        self.rows_changed()

    @property
    def image(self) -> int | None:
        """The image that the cursor's row is of."""
        return self._shown[self.cursor][0] if self.cursor < len(self._shown) else None

    def row_count(self) -> int:
        """Images and open layers."""
        return len(self._shown)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        shown = _members_shown(width)
        line = texts.fit(" image", width - 1 - sum(shown.values()))
        line += "".join(f"{title:>{cells}}" for title, cells in shown.items()) + " "
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """An image, or a layer that only it has."""
        figures, glyphs = self.figures, self.glyphs
        assert figures is not None
        number, layer = self._shown[index]
        if layer is not None:
            text = glyphs.text(short_instruction(layer.layer.instruction)) or "(no instruction)"
            head = f"      layer {layer.layer.index:<3} {texts.size(layer.size):>{texts.SIZE_WIDTH}}  "
            return [(texts.fit(head + text, width, glyphs.more), "dim")]
        sharing = figures.sharing
        sign = (glyphs.opened if number in self._open else glyphs.closed) if figures.own[number] else " "
        name = f" {sign} {self.image_name(number)}"
        told = {
            "size": (texts.size(figures.images[number].size), "plain"),
            "unique": (texts.size(sharing.unique[number]), "strong"),
            "shared": (texts.size(sharing.shared[number]), "plain"),
            "frees": (texts.size(figures.frees[number]), "plain"),
            "pull": (texts.size(figures.adds[number].bytes), "plain"),
            "layers": (str(len(figures.images[number].info.layers)), "dim"),
        }
        shown = _members_shown(width)
        return [
            (texts.fit(name, width - 1 - sum(shown.values()), glyphs.more), "plain"),
            *((f"{told[title][0]:>{cells}}", told[title][1]) for title, cells in shown.items()),
        ]

    def describe(self) -> list[str]:
        """The row under the cursor in words. Safe to show."""
        figures, image = self.figures, self.image
        if figures is None or image is None:
            return []
        _, layer = self._shown[self.cursor]
        if layer is not None:
            text = self.glyphs.text(short_instruction(layer.layer.instruction)) or "(no instruction)"
            return [
                f"only {self.image_name(image)} has layer {layer.layer.index}, {texts.size_bytes(layer.size)}",
                text,
            ]
        adds = figures.adds[image]
        frees = texts.size_bytes(figures.frees[image])
        # An engine keeps a layer once for each stack below it: what is shared may be on disk for this image alone.
        twice = figures.frees[image] - figures.sharing.unique[image]
        where = f", {texts.size_bytes(twice)} of it shared, but stored twice" if twice > 0 else " of an engine's disk"
        return [
            f"removing {self.image_name(image)} frees {frees}{where}",
            f"adding it to the others pulls {texts.cost(adds)} and stores {frees}",
        ]

    def copied_text(self) -> str | None:
        """The image's name, or the layer's digest."""
        image = self.image
        if image is None:
            return None
        _, layer = self._shown[self.cursor]
        return self.names[image] if layer is None else layer.layer.diff_id

    def _fold(self, image: int, *, opened: bool) -> None:
        (self._open.add if opened else self._open.discard)(image)
        self.build()
        self.move_to(self._shown.index((image, None)))

    def action_toggle_fold(self) -> None:
        """Show or hide the image's own layers."""
        image = self.image
        if image is not None:
            self._fold(image, opened=image not in self._open)

    def action_unfold(self) -> None:
        """Show the image's own layers, or step into them."""
        image = self.image
        if image is None:
            return
        if image in self._open:
            self.action_move(1)
        else:
            self._fold(image, opened=True)

    def action_fold(self) -> None:
        """Hide the image's own layers."""
        if self.image is not None:
            self._fold(self.image, opened=False)


_BAR = 10
"""Cells of a bar."""


def _layer_bar(width: int) -> int:
    """Cells of the bar of a layer's size: none where the instruction needs them."""
    return _BAR if width >= 60 else 0


class HeldList(SetList):
    """The distinct layers, by how many images have them."""

    BINDINGS = bindings(Scope.SHARED)
    SCOPES = (Scope.SHARED, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.sort_key = "count"
        self.sort_reversed = False
        self.order: list[HeldLayer] = []

    def build(self) -> None:
        """Sort; the cursor stays on its layer."""
        here = self.held
        self.order = list(self.figures.layers) if self.figures is not None else []
        if self.sort_key == "size":
            self.order.sort(key=lambda held: -held.size)
        if self.sort_reversed:
            self.order.reverse()
        digests = [held.layer.diff_id for held in self.order]
        stays = here is not None and here.layer.diff_id in digests
        self.rows_changed(digests.index(here.layer.diff_id) if stays and here is not None else None)

    @property
    def held(self) -> HeldLayer | None:
        """The layer under the cursor."""
        return self.order[self.cursor] if self.cursor < len(self.order) else None

    def row_count(self) -> int:
        """Distinct layers."""
        return len(self.order)

    def header(self, width: int) -> list[Part]:
        """Column names, with the sign of the sort order."""
        sign = self.glyphs.up if self.sort_reversed else self.glyphs.down
        count, size = (
            f"{word}{sign if key == self.sort_key else ' '}" for key, word in (("count", "images"), ("size", "size"))
        )
        bar = " " * (_layer_bar(width) + 2) if _layer_bar(width) else ""
        return [(texts.fit(f" {count:>8} {size:>{texts.SIZE_WIDTH + 1}} {bar}instruction", width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """A layer: how many have it, its size, drawn against the largest, its instruction."""
        held, glyphs = self.order[index], self.glyphs
        assert self.figures is not None
        total = len(self.figures.images)
        many = len(held.images) > 1
        head = f" {len(held.images):>3} of {total:<2}{texts.size(held.size):>{texts.SIZE_WIDTH}}  "
        largest = max(other.size for other in self.figures.layers) or 1
        text = glyphs.text(short_instruction(held.layer.instruction)) or "(no instruction)"
        cells = _layer_bar(width)
        bar = glyphs.bar(held.size / largest, cells) + "  " if cells else ""
        return [
            (head, "strong" if many else "dim"),
            (bar, "bar"),
            (texts.fit(text, max(0, width - len(head) - len(bar)), glyphs.more), "plain" if many else "dim"),
        ]

    def describe(self) -> list[str]:
        """Who has the layer under the cursor. Safe to show."""
        held = self.held
        if held is None:
            return []
        having = ", ".join(self.image_name(image) for image in held.images)
        text = self.glyphs.text(short_instruction(held.layer.instruction)) or "(no instruction)"
        return [f"{texts.size_bytes(held.size)} in {texts.plural(len(held.images), 'image')}: {having}", text]

    def copied_text(self) -> str | None:
        """The layer's digest."""
        return None if self.held is None else self.held.layer.diff_id

    def action_sort_by(self, key: str) -> None:
        """Sort; the same key again reverses."""
        self.sort_reversed = key == self.sort_key and not self.sort_reversed
        self.sort_key = key
        self.build()
        self.refresh_header()

    def title_clicked(self, title: str) -> None:
        """Sort by the column of that title."""
        if title in ("size", "images"):
            self.action_sort_by("size" if title == "size" else "count")


class MissList(SetList):
    """Pairs of layers that hold the same contents and are not shared, most bytes first."""

    BINDINGS = bindings(Scope.MISSES)
    SCOPES = (Scope.MISSES, Scope.LIST)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.misses: Sequence[NearMiss] = ()
        self._packages: Sequence[PackageBytes] = ()

    def show_misses(self, misses: Sequence[NearMiss], packages: Sequence[PackageBytes]) -> None:
        """Show what was found, and of each the packages that its files are of."""
        self.misses, self._packages = misses, packages
        self.placeholder = "no near misses: no two layers hold the same files without being shared"
        self.rows_changed(0)

    @property
    def miss(self) -> NearMiss | None:
        """The near miss under the cursor."""
        return self.misses[self.cursor] if self.cursor < len(self.misses) else None

    @property
    def packages(self) -> PackageBytes:
        """Of the near miss under the cursor."""
        return self._packages[self.cursor] if self.cursor < len(self._packages) else ()

    def row_count(self) -> int:
        """Near misses."""
        return len(self.misses)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        return [(texts.fit(f"{'bytes':>8} {'files':>6}  {'why':<12}where", width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """Bytes, files, the kind, and the two places."""
        miss, glyphs = self.misses[index], self.glyphs
        head = f"{texts.size(miss.size):>8} {texts.count(miss.files):>6}  "
        why = "times only" if miss.only_times else "same step" if miss.same_instruction else "same files"
        where = f"{self._place(miss.a)} {glyphs.dot} {self._place(miss.b)}"
        return [
            (head, "strong"),
            (f"{why:<12}", "metadata" if miss.only_times else "modified" if miss.same_instruction else "dim"),
            (texts.fit(where, max(0, width - len(head) - 12), glyphs.more), "plain"),
        ]

    def _place(self, place: LayerOf) -> str:
        return f"{self.image_name(place.image)} layer {place.layer}"

    def instruction(self, place: LayerOf) -> str:
        """The instruction of a layer, short and safe to show."""
        assert self.figures is not None
        layer = self.figures.images[place.image].info.layers[place.layer]
        return self.glyphs.text(short_instruction(layer.instruction)) or "(no instruction)"

    def describe(self) -> list[str]:
        """What is missed, and what to do. Safe to show."""
        miss = self.miss
        if miss is None:
            return []
        first, second = self.instruction(miss.a), self.instruction(miss.b)
        places = f"{self._place(miss.a)} and {self._place(miss.b)}"
        amount = texts.size_bytes(miss.size)
        if miss.only_times:
            return [f"{first}: in {places} the same {amount}, only times differ: build it once, in a common base"]
        if miss.same_instruction:
            return [f"{first}: made twice, in {places}; {amount} of the same files: put it in a common base"]
        cut = max(24, self.app.size.width // 2)  # its own is none before it is shown
        first, second = texts.from_where_they_part(first, second, cut, self.glyphs.more)
        first, second = (texts.fit(text, min(cut, texts.cell_len(text)), self.glyphs.more) for text in (first, second))
        both = f"{first} in {self._place(miss.a)} and {second} in {self._place(miss.b)}"
        return [f"{both} hold {amount} of the same files: put them in a common base"]
