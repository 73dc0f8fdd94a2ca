"""From a command line to an open screen. Importing this imports Textual."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

from textual.screen import Screen

from lamina import sources
from lamina.model import ImageSummary, Progress
from lamina.names import same_reference
from lamina.shelf import default_shelf
from lamina.sources.base import Source
from lamina_tui.app import LaminaApp
from lamina_tui.screens.image import ImageScreen
from lamina_tui.screens.images import Entry, ImagesScreen, Lister, demo_lister, engine_lister


def run_screen(words: Sequence[str], *, host: str | None, demo: bool, stdin: BinaryIO | None, ascii_only: bool) -> int:
    """Open the screen and wait for its end.

    Args:
        words: the targets; none opens the engine's images.
        host: the engine's address where the user gave one.
        demo: the built-in samples are wanted.
        stdin: where the target ``-`` reads from.
        ascii_only: draw with ASCII signs only.

    Returns:
        The exit code.

    Raises:
        LaminaError: what was asked for can be seen to be unreadable before a screen is opened.
    """
    first = first_screen(words, host=host, demo=demo, stdin=stdin)
    app = LaminaApp(first, host=host, ascii_only=ascii_only)
    code = app.run()
    if app.crash is not None:
        raise app.crash
    return code or 0


def first_screen(
    words: Sequence[str], *, host: str | None = None, demo: bool = False, stdin: BinaryIO | None = None
) -> Callable[[], Screen[None]]:
    """What makes the screen to start with.

    Raises:
        LaminaError: a target is a path where nothing readable is.
    """
    if demo:
        return lambda: ImagesScreen(demo_lister(), "built-in samples")
    if not words:
        return lambda: ImagesScreen(engine_lister(host), "container engine")
    shelf = default_shelf()
    resolved = [sources.resolve(word, host=host, stdin=stdin, shelf=shelf) for word in words]
    if len(resolved) == 1:
        label = "standard input" if words[0] == "-" else words[0]
        return lambda: ImageScreen(lambda: resolved[0], label)
    return lambda: ImagesScreen(set_lister(resolved), f"{len(words)} targets")


def set_lister(resolved: Sequence[tuple[Source, str | None]]) -> Lister:
    """Lists what several targets name, in their order."""

    def entries(cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
        found: list[Entry] = []
        for source, name in resolved:
            summaries = source.list(cancel, tell)
            if name is not None:
                summaries = [s for s in summaries if _is(s, name)][:1] or [
                    ImageSummary(target=name, id="", tags=(name,))
                ]
            found += [Entry(source, summary) for summary in summaries]
        return found

    return entries


def _is(summary: ImageSummary, name: str) -> bool:
    """Whether a summary is what a target names, by tag or by (short) ID."""
    return (
        name == summary.target
        or any(same_reference(tag, name) for tag in summary.tags)
        or (len(name) >= 4 and summary.id.removeprefix("sha256:").startswith(name.removeprefix("sha256:")))
    )
