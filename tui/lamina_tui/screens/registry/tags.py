"""The versions of an image in a registry, and what each update costs."""

from __future__ import annotations

import threading

from textual import on

from lamina.figures.tag_steps import tag_steps
from lamina.names import display_name
from lamina.sources.registry.tags import TaggedImages
from lamina.workspace import Workspace
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.screens.registry.asking import AskingScreen, Tell
from lamina_tui.widgets.line_bar import Line
from lamina_tui.widgets.prompt import Prompt
from lamina_tui.widgets.registry_lists import TagList
from lamina_tui.widgets.row_list import RowList

_FIRST = 10


class TagsScreen(AskingScreen[TaggedImages]):
    """Tags, the newest first; Enter opens an image without an engine, ``p`` tells what a pull would fetch.

    Args:
        workspace: asks.
        name: of the repository; untrusted.
    """

    SCOPE = Scope.VERSIONS
    BINDINGS = bindings(Scope.VERSIONS)

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._repository = name
        self._last = _FIRST

    def make_list(self) -> RowList:
        """See :class:`AskingScreen`."""
        return TagList(id="rows")

    @property
    def tags(self) -> TagList:
        """The list."""
        return self.query_one(TagList)

    @property
    def asking(self) -> str:
        """See :class:`AskingScreen`."""
        return f"asking for the tags of {self._repository}"

    def ask(self, cancel: threading.Event, tell: Tell) -> TaggedImages:
        """See :class:`AskingScreen`."""
        return self._workspace.tags(self._repository, self._last, cancel=cancel, progress=tell)

    def take(self, answer: TaggedImages) -> None:
        """See :class:`AskingScreen`."""
        steps = tag_steps(answer.images)[::-1]
        looked_at = {step.tag for step in steps}
        self.tags.placeholder = "no tags"
        self._said = answer.remark
        first = self.tags.row_count() == 0
        self.tags.show(steps, [tag for tag in reversed(answer.tags) if tag not in looked_at])
        if first:
            self.tags.go_to(answer.reference.tag)

    def title_line(self) -> Line:
        """See :class:`AskingScreen`."""
        right = ""
        if self.answer is not None:
            right = texts.plural(len(self.answer.tags), "tag")
            if self.tags.filter:
                right = f"{self.tags.row_count()} of {right}"
        name = self._repository if self.answer is None else self.answer.reference.name
        return [(" tags ", "strong"), (f" {self.glyphs.text(display_name(name))}", "plain")], [(f"{right} ", "dim")]

    def status_lines(self) -> tuple[Line, ...]:
        """See :class:`AskingScreen`."""
        step, tag = self.tags.step, self.tags.tag
        if tag is None:
            return ()
        if step is None:
            return (
                ([(f" {self.glyphs.text(display_name(tag))}", "strong")], []),
                ([(" not looked at: m looks at more", "dim")], []),
            )
        words = f"{texts.size_bytes(step.size)} as transferred"
        if step.update is not None and step.before is not None:
            words = f"an update from {display_name(step.before)} transfers {texts.size_bytes(step.update)} of {words}"
        digest = step.info.digests[0].partition("@")[2] if step.info.digests else step.info.id
        return ([(f" {self.glyphs.text(words)}", "plain")], []), (
            [(f" {display_name(step.info.platform)} {self.glyphs.dot} {display_name(digest)}", "dim")],
            [],
        )

    def _named(self) -> str | None:
        tag = self.tags.tag
        return None if tag is None or self.failed or self.answer is None else f"{self.answer.reference.name}:{tag}"

    @on(RowList.Activated)
    def action_open(self) -> None:
        """Open the image under the cursor from its registry."""
        name = self._named()
        if name is not None:
            self.navigation.open_target(f"docker://{name}")

    def action_platforms(self) -> None:
        """List what it is for each platform."""
        name = self._named()
        if name is not None:
            self.navigation.open_platforms(name)

    def action_pull(self) -> None:
        """Tell what a pull of it would fetch."""
        name = self._named()
        if name is not None:
            self.navigation.open_pull(name)

    def action_copy(self) -> None:
        """Copy the image's name."""
        name = self._named()
        if name is not None:
            self.navigation.copy(name)

    def action_look_at_more(self) -> None:
        """Look at three times as many tags."""
        if self.answer is not None and len(self.answer.images) < len(self.answer.tags) and not self.busy:
            self._last *= 3
            self.action_reload()

    def action_find(self) -> None:
        """Filter as you type."""
        self.query_one(Prompt).open("/", self.tags.filter, done=lambda text, _: self._filter(text), typed=self._filter)

    def _filter(self, text: str) -> None:
        self.tags.filter = text
        self.tags.rearrange()
        self._show()

    def action_back(self) -> None:
        """Drop the filter, stop the asking, or go back."""
        if self.tags.filter:
            self._filter("")
        else:
            super().action_back()
