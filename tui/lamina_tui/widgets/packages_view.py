"""An image's packages: what each weighs and wastes, the largest first, and what is of none."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from lamina.names import display_name
from lamina.packages.model import Package, PackageTable
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

LOOKING = "reading what package managers have written down …"
NOBODYS = "of no package"

_ORDERS = ("size", "wasted", "name")


class PackagesView(RowList):
    """A row for each package that has any bytes; Enter leads to its files."""

    BINDINGS = bindings(Scope.PACKAGES)
    SCOPES = (Scope.PACKAGES, Scope.LIST)

    class Jump(Message):
        """Show the files of a package; None: of none."""

        def __init__(self, package: int | None) -> None:
            super().__init__()
            self.package = package
            """Its place in the table."""

    class Shape(Message):
        """What is shown changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.filter = ""
        self.found: PackageTable | None = None
        """None until they are read."""
        self.order, self.reversed = "size", False
        self._longest = 1
        """Cells of the longest name that is shown."""
        self._rows: list[int | None] = []
        """Places in the table; None for what is of no package."""
        self.placeholder = LOOKING

    def show(self, found: PackageTable) -> None:
        """Show these."""
        self.found = found
        self._arrange(0)

    def forget(self) -> None:
        """They have to be read again."""
        self.found, self.placeholder = None, LOOKING
        self._arrange(0)

    def fail(self, text: str) -> None:
        """They could not be read; untrusted text is fine."""
        self.placeholder = f"could not be read: {display_name(text)}"
        self.refresh()

    def set_filter(self, text: str) -> None:
        """Show only packages whose name or manager has a text."""
        if text != self.filter:
            self.filter = text
            self._arrange(0)

    @property
    def packages(self) -> Sequence[Package]:
        """All of them."""
        return () if self.found is None else self.found.packages

    def _arrange(self, cursor: int | None = None) -> None:
        wanted = self.filter.lower()
        rows: list[int | None] = [
            place
            for place, package in enumerate(self.packages)
            if (package.size or package.wasted)
            and (not wanted or wanted in package.name.lower() or wanted in package.manager)
        ]
        if self.found is not None and self.found.unowned and not wanted:
            rows.append(None)
        rows.sort(key=self._key, reverse=self.reversed)
        names = [display_name(self.packages[place].name) for place in rows if place is not None]
        self._longest = max(map(texts.cell_len, names), default=1)
        self._rows = rows
        if self.found is not None:
            none = "no package manager that is known here has installed anything"
            self.placeholder = f"nothing here has “{display_name(self.filter)}”" if self.filter else none
        self.rows_changed(cursor)
        self.post_message(self.Shape())

    def _key(self, place: int | None) -> tuple[int, str]:
        if place is None:
            assert self.found is not None
            return {"size": (-self.found.unowned, ""), "wasted": (0, ""), "name": (0, "\U0010ffff")}[self.order]
        package = self.packages[place]
        figure = {"size": -package.size, "wasted": -package.wasted, "name": 0}[self.order]
        return figure, package.name

    def summary(self) -> str:
        """What the tab line says of this pane."""
        if self.found is None:
            return ""
        count = sum(package.installed for package in self.packages)
        told = f"{texts.size_bytes(sum(each.size for each in self.packages))} in {texts.plural(count, 'package')}"
        unread = {each.manager for each in self.found.unreadable}
        return f"{told}; not all of {', '.join(sorted(unread))} could be read" if unread else told

    def row_count(self) -> int:
        """Packages that are shown."""
        return len(self._rows)

    def header(self, width: int) -> list[Part]:
        """Column names, with the mark of the one that sorts."""
        mark = self.glyphs.up if self.reversed else self.glyphs.down
        titles = {order: order + (mark if order == self.order else "") for order in _ORDERS}
        line = f"{titles['size']:>9}{titles['wasted']:>9}  {titles['name'].replace('name', 'package')}"
        right = "layer " if width >= 50 else ""
        return [(texts.fit(line, width - len(right)) + right, "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One package: its name keeps most of the room, then its version."""
        place, glyphs = self._rows[index], self.glyphs
        assert self.found is not None
        if place is None:
            return [(f"{texts.size(self.found.unowned):>9}{'':9}", "plain"), (f"  {NOBODYS}", "dim")]
        package = self.packages[place]
        right = 6 if width >= 50 else 0
        room = max(1, width - 20 - right)
        name = texts.fit(glyphs.text(display_name(package.name)), self._name_width(room), glyphs.more)
        gone = "" if package.installed else "removed again, "
        rest = f"  {package.manager:<7} {gone}{glyphs.text(display_name(package.version))}"
        layer = "" if package.layer is None else str(package.layer)
        return [
            (f"{texts.size(package.size):>9}", "plain"),
            (f"{texts.size(package.wasted):>9}  " if package.wasted else " " * 11, "waste"),
            (name, "plain" if package.installed else "removed"),
            (texts.fit(rest, max(0, room - texts.cell_len(name)), glyphs.more), "dim"),
            (f"{layer:>5} " if right else "", "dim"),
        ]

    def _name_width(self, room: int) -> int:
        """Cells for the names: as many as the longest takes, but room for manager and version stays."""
        return min(self._longest, max(12, room - 36, room * 2 // 5), room)

    @property
    def package(self) -> Package | None:
        """The one under the cursor."""
        place = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        return None if place is None else self.packages[place]

    def describe(self) -> str:
        """The row under the cursor in words. Safe to show."""
        if self.found is None or self.cursor >= len(self._rows):
            return ""
        package = self.package
        if package is None:
            return self.glyphs.text(display_name(self._nobodys()))
        told = f"{texts.plural(package.files, 'file')}, {texts.count(package.size)} B"
        if package.wasted:
            told += f", {texts.count(package.wasted)} B wasted"
        place = f" in /{display_name(package.path)}" if package.path is not None else ""
        return self.glyphs.text(f"{display_name(package.name)} {display_name(package.version)}{place}: {told}")

    def _nobodys(self) -> str:
        """What is of no package, and why that may be; untrusted."""
        assert self.found is not None
        unread = [
            f"/{each.path.decode('utf-8', 'replace')} is not read: {each.reason}" for each in self.found.unreadable
        ]
        parts = [
            f"{texts.size_bytes(count)} in /{name.decode('utf-8', 'replace')}"
            for name, count in self.found.unowned_by_folder[:4]
        ]
        return unread[0] if unread else f"{texts.count(self.found.unowned)} B of no package: {', '.join(parts)}"

    def copied_text(self) -> str | None:
        """The name of the package under the cursor."""
        return None if self.package is None else self.package.name

    def action_sort_by(self, order: str) -> None:
        """Sort by a column; the same again reverses."""
        self.reversed = order == self.order and not self.reversed
        self.order = order
        self._arrange(0)

    def action_sort_beside(self, step: int) -> None:
        """Sort by the next column, or by the one before."""
        self.order = _ORDERS[(_ORDERS.index(self.order) + step) % len(_ORDERS)]
        self.reversed = False
        self._arrange(0)

    def title_clicked(self, title: str) -> None:
        """Sort by the column of that title; again reverses."""
        order = "name" if title == "package" else title
        if order in _ORDERS:
            self.action_sort_by(order)

    def action_open(self) -> None:
        """To the files of the package under the cursor."""
        if self.cursor < len(self._rows):
            self.post_message(self.Jump(self._rows[self.cursor]))
