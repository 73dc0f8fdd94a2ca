"""What became of packages between two images, in words."""

from __future__ import annotations

import threading

from textual import work

from lamina.figures.compare import Comparison
from lamina.packages.compare import PackageChange, compare_packages
from lamina.packages.find_packages import find_packages
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.screens.dialogs import TextScreen
from lamina_tui.screens.working import WorkingScreen
from lamina_tui.widgets.text_lines import TextLine, TextLines

_STYLES = {"added": "added", "removed": "removed", "upgraded": "modified", "changed": "metadata"}


class PackagesOfDiff(WorkingScreen):
    """A screen that compares two images, and can tell of their packages."""

    comparison: Comparison | None

    def action_packages(self) -> None:
        """Read the packages of both images and list those that are others."""
        if self.comparison is not None:
            self.say("reading the packages of both …")
            self._find_changes(self.comparison, self._cancel)

    @work(exclusive=True, group="packages")
    async def _find_changes(self, found: Comparison, cancel: threading.Event) -> None:
        changes = await outcome_of(
            lambda: compare_packages(*(find_packages(image, cancel).packages for image in (found.a, found.b)))
        )
        if isinstance(changes, list):
            self.say("")
            _ = self.app.push_screen(TextScreen("packages that are others", change_lines(changes)))
        elif isinstance(changes, Failure):
            self.say(changes.text)


def change_lines(changes: list[PackageChange]) -> list[TextLine]:
    """A line a package: by how much it weighs more or less, its name, its versions."""
    lines = TextLines()
    if not changes:
        lines.add("all packages are the same")
    for change in changes:
        if lines.full:
            break
        sign = "-" if change.difference < 0 else "+"
        versions = " → ".join(", ".join(side) for side in (change.before, change.after) if any(side))
        told = f"{change.name} ({change.manager}) {versions} {change.change}"
        lines.add(told, f"{sign}{texts.size(abs(change.difference)):>{texts.SIZE_WIDTH}}", _STYLES[change.change])
    return lines.lines
