"""A pull by the engine: what it costs, then how far it is."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from textual import on, work
from textual.message import Message

from lamina.model import Progress
from lamina.names import display_name
from lamina.pull import Pull
from lamina.sources.engine.pulling import PulledLayer
from lamina.workspace import Workspace
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.command import Scope
from lamina_tui.keymap import bindings
from lamina_tui.reading_messages import ProgressMade, Rate
from lamina_tui.screens.registry.asking import AskingScreen, Tell
from lamina_tui.widgets.line_bar import Line
from lamina_tui.widgets.registry_lists import PullList
from lamina_tui.widgets.row_list import RowList


class PullScreen(AskingScreen[Pull]):
    """Layers that would come and that are here; Enter lets the engine pull, then opens the image.

    Args:
        workspace: asks registry and engine.
        name: of the image; untrusted.
    """

    SCOPE = Scope.PULLING
    BINDINGS = bindings(Scope.PULLING)

    class LayersMoved(Message):
        """The engine tells how far its layers are."""

        def __init__(self, layers: Sequence[PulledLayer]) -> None:
            super().__init__()
            self.layers = layers

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._image = name
        self.pulled = False

    def make_list(self) -> RowList:
        """See :class:`AskingScreen`."""
        return PullList(id="rows")

    @property
    def listed(self) -> PullList:
        """The list."""
        return self.query_one(PullList)

    @property
    def asking(self) -> str:
        """See :class:`AskingScreen`."""
        return f"asking what a pull of {self._image} would fetch"

    def ask(self, cancel: threading.Event, tell: Tell) -> Pull:
        """See :class:`AskingScreen`."""
        return self._workspace.pull(self._image, cancel=cancel, progress=tell)

    def take(self, answer: Pull) -> None:
        """See :class:`AskingScreen`."""
        self.pulled = False
        self.listed.pulled = {}
        self.listed.show(answer.plan.layers)

    def title_line(self) -> Line:
        """See :class:`AskingScreen`."""
        right = ""
        if self.answer is not None:
            plan = self.answer.plan
            right = f"{display_name(plan.info.platform)}, {texts.plural(len(plan.layers), 'layer')}"
        name = self._image if self.answer is None else str(self.answer.reference)
        return [(" pull ", "strong"), (f" {self.glyphs.text(display_name(name))}", "plain")], [(f"{right} ", "dim")]

    def status_lines(self) -> tuple[Line, ...]:
        """See :class:`AskingScreen`."""
        if self.answer is None:
            return ()
        plan = self.answer.plan
        cost: Line = (
            [
                (f" {texts.size_bytes(plan.fetched)} to fetch", "strong"),
                (f" of {texts.size_bytes(plan.size)}   ", "plain"),
                (f"{texts.size_bytes(plan.saved)} saved by what is here   ", "good" if plan.saved else "plain"),
                (
                    "disk known once unpacked" if plan.stored is None else f"disk {texts.size_bytes(plan.stored)}",
                    "dim",
                ),
            ],
            [],
        )
        engine = self.glyphs.text(display_name(self.answer.engine))
        what = f" pulled: enter opens it from {engine}" if self.pulled else f" enter lets {engine} pull it"
        return cost, ([(what, "key")], [])

    # Pulling

    @on(RowList.Activated)
    def action_go(self) -> None:
        """Let the engine pull; once that is done, open the image."""
        if self.answer is None or self.busy or self.failed:
            return
        if self.pulled:
            self.navigation.open_target(f"docker-daemon:{self.answer.reference}")
            return
        self._cancel = threading.Event()
        self.busy, self._said = True, ""
        self._rate = Rate()
        self._tell(Progress(0, self.answer.plan.fetched or None, "asking the engine to pull"), None)
        self._pull(self.answer, self._cancel)

    @work(exclusive=True, group="ask")
    async def _pull(self, pull: Pull, cancel: threading.Event) -> None:
        def tell(progress: Progress) -> None:
            self.post_message(ProgressMade(progress))

        def moved(layers: Sequence[PulledLayer]) -> None:
            self.post_message(
                self.LayersMoved([PulledLayer(row.id, row.status, row.done, row.total) for row in layers])
            )

        def run() -> bool:
            pull.run(cancel, tell, moved)
            return True

        ended = await outcome_of(run)
        self.busy = False
        if isinstance(ended, Failure):
            self._said = f"{ended.text} · R asks again"
        elif ended is None:
            self._said = "stopped: the engine gives up what nobody waits for"
        else:
            self.pulled = True
        self._show()

    def on_pull_screen_layers_moved(self, event: LayersMoved) -> None:
        """Show how far each layer is."""
        self.listed.show_pulled(event.layers)
