"""From a command line to an open screen. Importing this imports Textual."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from textual.screen import Screen

from lamina.model import ImageSummary, Progress
from lamina.sources.ahead import Ahead, AheadSource
from lamina.sources.target import STDIN, Target
from lamina.workspace import Workspace
from lamina_tui import hangup, terminal_background
from lamina_tui.app import NOT_ASKED, LaminaApp
from lamina_tui.image_entries import Entry, Lister, source_lister
from lamina_tui.settings import Settings


def run_screen(
    workspace: Workspace,
    words: Sequence[str],
    *,
    ascii_only: bool,
    diff: bool = False,
    settings: Settings | None = None,
    remark: str = "",
    ahead: Ahead | None = None,
) -> int:
    """Open the screen and wait for its end.

    Args:
        workspace: opens the targets.
        words: the targets; none opens the engine's images, ``demo`` the samples.
        ascii_only: draw with ASCII signs only.
        diff: the two targets are to be compared.
        settings: theme, units, mouse and keys; None: the defaults.
        remark: told once, on the first screen; may hold any text.
        ahead: reads the image of the one target already.

    Returns:
        The exit code.

    Raises:
        LaminaError: what was asked for can be seen to be unreadable before a screen is opened.
    """
    settings = settings or Settings()
    first = first_screen(workspace, words, diff=diff, ahead=ahead)
    asks = settings.theme == "auto" and terminal_background.worth_asking()
    app = LaminaApp(
        first,
        workspace,
        ascii_only=ascii_only,
        settings=settings,
        background=terminal_background.ask() if asks else NOT_ASKED,
        remark=remark,
    )
    hangup.watch(lambda: app.call_later(app.exit, hangup.HANGUP))
    code = app.run(mouse=settings.mouse)
    if app.crash is not None:
        raise app.crash
    return app.signalled or code or 0


def first_screen(
    workspace: Workspace, words: Sequence[str], *, diff: bool = False, ahead: Ahead | None = None
) -> Callable[[], Screen[None]]:
    """What makes the screen to start with.

    Raises:
        LaminaError: a target is a path where nothing readable is.
    """
    if not words or list(words) == ["demo"]:
        from lamina_tui.screens.images import ImagesScreen, engine_images

        if not words:
            return lambda: engine_images(workspace)
        return lambda: ImagesScreen(source_lister(workspace.demo), "built-in samples")
    targets = [workspace.resolve(word) for word in words]  # what is wrong with a path is told before a screen opens
    if ahead is not None:
        targets[0] = Target(AheadSource(targets[0].source, ahead), targets[0].name)
    labels = ["standard input" if word == "-" else word for word in words]
    if len(words) == 1 and (words[0] == "containerd:" or workspace.platform == "all"):
        from lamina_tui.screens.images import ImagesScreen

        source = targets[0].source
        return lambda: ImagesScreen(source_lister(lambda: source), source.label)

    openers = [_opener(workspace, word, target) for word, target in zip(words, targets, strict=True)]

    def screen() -> Screen[None]:
        # Numpy comes with these screens: the list of images alone does without.
        if diff:
            from lamina_tui.screens.diff import DiffScreen

            return DiffScreen((openers[0], openers[1]), (labels[0], labels[1]))
        if len(words) == 1:
            from lamina_tui.screens.image import ImageScreen

            return ImageScreen(openers[0], labels[0])
        from lamina_tui.screens.image_set import SetScreen

        return SetScreen(set_lister(targets), f"{len(words)} targets")

    return screen


def _opener(workspace: Workspace, word: str, first: Target) -> Callable[[], Target]:
    """Opens what a word names, as it was found at first; when it is read again, as it is then."""
    found = [first]

    def opened() -> Target:
        if word in STDIN:
            return first  # what went by there does not come again
        return found.pop() if found else workspace.resolve(word)

    return opened


def set_lister(targets: Sequence[Target]) -> Lister:
    """Lists what several targets name, in their order."""

    def entries(cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
        found: list[Entry] = []
        for source, name in targets:
            summaries = source.list(cancel, tell)
            if name is not None:
                summaries = [s for s in summaries if s.is_called(name)][:1] or [
                    ImageSummary(target=name, id="", tags=(name,))
                ]
            found += [Entry(source, summary) for summary in summaries]
        return found

    return entries
