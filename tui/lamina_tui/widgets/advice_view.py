"""What to do about an image, the most severe first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from lamina.advice.model import Advice, Severity
from lamina.model import ImageInfo
from lamina.names import display_name, short_instruction
from lamina_tui import texts
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.widgets.row_list import Part, RowList

_LAYERS = 7
_SEVERITY = 7


OF_BASE = " It is for who builds the base."
"""Behind advice about layers that came with the image that this one is built from."""


SEVERITY_STYLES = {Severity.HIGH: "waste", Severity.MEDIUM: "strong", Severity.LOW: "plain", Severity.INFO: "dim"}
"""Styles of the words that tell how much an advice matters."""


def worth_doing(advice: Sequence[Advice]) -> list[Advice]:
    """Those that save something or that matter otherwise; the others are but to be known."""
    return [each for each in advice if each.saves or each.severity > Severity.INFO]


def layers_of(advice: Advice, arrow: str) -> str:
    """Who ships what an advice is about, and who hides it: ``3``, ``3→5``; nothing where many do."""
    layers = "" if advice.layer is None else str(advice.layer)
    if advice.hidden_by is not None and advice.hidden_by != advice.layer:
        layers += f"{arrow}{advice.hidden_by}"
    return layers


def titled(title: str, advice: Sequence[Advice], size: int, room: int, arrow: str) -> str:
    """A title, and what following all that is for who builds the image would leave of it, as far as there is room.

    Args:
        title: what the column is called.
        advice: all there is; no byte is in two of them.
        size: bytes of the image.
        room: cells.
        arrow: of this terminal.
    """
    saved = sum(each.saves for each in advice if not each.in_base)
    if not saved:
        return title
    now, then = texts.size_bytes(size), texts.size_bytes(size - saved)
    forms = (
        f"{title}; with all of it {now} would be {then}",
        f"{title}; all of it: {now} {arrow} {then}",
        f"what to do; all of it: {now} {arrow} {then}",
        f"all of it: {now} {arrow} {then}",
        f"all leaves {then}",
    )
    return next((form for form in forms if texts.cell_len(form) <= room), title)


class AdviceView(RowList):
    """One row an advice; the status tells it whole, Enter leads to the files."""

    BINDINGS = bindings(Scope.ADVICE)
    SCOPES = (Scope.ADVICE, Scope.LIST)

    class Follow(Message):
        """Show the files that an advice is about."""

        def __init__(self, advice: Advice) -> None:
            super().__init__()
            self.advice = advice

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.info: ImageInfo | None = None
        self.size_now = 0
        self.filter = ""
        self.known = False
        """Whether advice has been looked for."""
        self._all: Sequence[Advice] = ()
        self._shown: list[Advice] = []

    def forget(self, placeholder: str) -> None:
        """Show nothing but a text: advice is looked for."""
        self.known, self._all, self._shown, self.placeholder = False, (), [], placeholder
        self.rows_changed(0)

    def show(self, found: Sequence[Advice], info: ImageInfo, size: int) -> None:
        """Show advice for an image of so many bytes; the cursor stays on what it is on, where that is there again."""
        here = self.advice
        self.known, self._all, self.info, self.size_now = True, found, info, size
        self._arrange()
        if here in self._shown:
            self.move_to(self._shown.index(here))

    def set_filter(self, text: str) -> None:
        """Show only advice whose rule, text or instruction has a text."""
        if text != self.filter:
            self.filter = text
            self._arrange()

    def _arrange(self) -> None:
        wanted = self.filter.casefold()
        self._shown = [
            each
            for each in self._all
            if wanted in f"{each.rule} {each.text} {each.do} {self._instruction(each)}".casefold()
        ]
        self.placeholder = (
            f"nothing here has “{display_name(self.filter)}”"
            if self.filter
            else "nothing to advise: no layer hides much of another, and nothing needless was left behind"
        )
        self.rows_changed(0)

    @property
    def advice(self) -> Advice | None:
        """The one under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    @property
    def first(self) -> tuple[Advice, str] | None:
        """The one that is most worth following, with its instruction; None where there is none."""
        best = next(iter(worth_doing(self._all)), None)
        return None if best is None else (best, self._instruction(best))

    @property
    def total(self) -> int:
        """Bytes that following all of it saves: no byte is in two of them."""
        return sum(advice.saves for advice in self._all)

    def summary(self) -> str:
        """What the tab line says of this pane."""
        if not self._all:
            return ""
        if not self.total:
            return texts.plural(len(self._all), "remark")
        told = f"all of it saves {texts.size_bytes(self.total)}"
        base = sum(advice.saves for advice in self._all if advice.in_base)
        return told + (f", {texts.size_bytes(base)} of it in the base" if base else "")

    def row_count(self) -> int:
        """Advice."""
        return len(self._shown)

    def header(self, width: int) -> list[Part]:
        """Column names."""
        line = f"{'saves':>{texts.SIZE_WIDTH + 2}}  {'':<{_SEVERITY}}{'layers':<{_LAYERS}}"
        line += titled("what to do", self._all, self.size_now, width - len(line), self.glyphs.arrow)
        return [(texts.fit(line, width), "header")]

    def row(self, index: int, width: int) -> list[Part]:
        """One advice."""
        advice, glyphs = self._shown[index], self.glyphs
        room = max(0, width - texts.SIZE_WIDTH - 4 - _LAYERS - _SEVERITY)
        told = ("base: " if advice.in_base else "") + display_name(f"{advice.text} {advice.do}")
        return [
            (f"{texts.size(advice.saves) if advice.saves else '':>{texts.SIZE_WIDTH + 2}}  ", "waste"),
            (texts.fit(advice.severity.word, _SEVERITY), SEVERITY_STYLES[advice.severity]),
            (texts.fit(layers_of(advice, glyphs.arrow), _LAYERS), "dim"),
            (texts.fit(glyphs.text(told), room, glyphs.more), "dim" if advice.in_base else "plain"),
        ]

    def _instruction(self, advice: Advice) -> str:
        """Of the layer that is to be changed."""
        layer = advice.changes
        if self.info is None or layer is None or layer >= len(self.info.layers):
            return ""
        return short_instruction(self.info.layers[layer].instruction)

    def describe(self) -> tuple[str, str]:
        """The row under the cursor: its rule and instruction, and what to do. Safe to show."""
        advice = self.advice
        if advice is None:
            return "", ""
        layer = advice.changes
        instruction = self._instruction(advice)
        named = f"{advice.rule}: layer {layer}  {instruction}" if instruction else advice.rule
        told = f"{display_name(advice.text)} {display_name(advice.do)}" + (OF_BASE if advice.in_base else "")
        return self.glyphs.text(display_name(named)), self.glyphs.text(told)

    def action_follow(self) -> None:
        """To the files of the advice under the cursor."""
        if self.advice is not None:
            self.post_message(self.Follow(self.advice))

    def copied_text(self) -> str | None:
        """The advice."""
        return None if self.advice is None else f"{self.advice.text} {self.advice.do}"
