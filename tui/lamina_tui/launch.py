"""From a command line to an open screen. Importing this imports Textual."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

from textual.screen import Screen

from lamina import sources
from lamina.model import ImageSummary, Progress
from lamina.names import same_reference
from lamina.sources.base import Source
from lamina_tui import hangup
from lamina_tui.app import LaminaApp
from lamina_tui.image_entries import Entry, Lister, demo_lister, engine_lister
from lamina_tui.screens.images import ImagesScreen

Resolved = tuple[Source, str | None]


def run_screen(
    words: Sequence[str],
    *,
    host: str | None,
    demo: bool,
    stdin: BinaryIO | None,
    ascii_only: bool,
    diff: bool = False,
) -> int:
    """Open the screen and wait for its end.

    Args:
        words: the targets; none opens the engine's images.
        host: the engine's address where the user gave one.
        demo: the built-in samples are wanted.
        stdin: where the target ``-`` reads from.
        ascii_only: draw with ASCII signs only.
        diff: the two targets are to be compared.

    Returns:
        The exit code.

    Raises:
        LaminaError: what was asked for can be seen to be unreadable before a screen is opened.
    """
    first = first_screen(words, host=host, demo=demo, stdin=stdin, diff=diff)
    if words:
        _prepare()

    def opened() -> Screen[None]:
        if not words:
            app.call_after_refresh(threading.Thread(target=_prepare, name="lamina-prepare", daemon=True).start)
        return first()

    app = LaminaApp(opened, host=host, ascii_only=ascii_only)
    hangup.watch(lambda: app.call_later(app.exit, hangup.HANGUP))
    code = app.run()
    if app.crash is not None:
        raise app.crash
    return code or 0


def _prepare() -> None:
    """Load what the reading needs: for a list of images on a thread, while the user looks at its first frame."""
    from lamina.workers.pool import leave_this_process_free

    leave_this_process_free()


def first_screen(
    words: Sequence[str],
    *,
    host: str | None = None,
    demo: bool = False,
    stdin: BinaryIO | None = None,
    diff: bool = False,
) -> Callable[[], Screen[None]]:
    """What makes the screen to start with.

    Raises:
        LaminaError: a target is a path where nothing readable is.
    """
    if demo:
        return lambda: ImagesScreen(demo_lister(), "built-in samples")
    if not words:
        return lambda: ImagesScreen(engine_lister(host), "container engine")
    for word in words:
        sources.resolve(word, host=host, stdin=stdin)  # what is wrong with a path is told before a screen opens
    openers = [_opener(word, host, stdin) for word in words]
    labels = ["standard input" if word == "-" else word for word in words]

    def screen() -> Screen[None]:
        # Numpy comes with these screens: the list of images alone does without.
        if diff:
            from lamina_tui.screens.diff import DiffScreen

            return DiffScreen((openers[0], openers[1]), (labels[0], labels[1]))
        if len(words) == 1:
            from lamina_tui.screens.image import ImageScreen

            return ImageScreen(openers[0], labels[0])
        from lamina_tui.screens.image_set import SetScreen

        return SetScreen(set_lister(openers), f"{len(words)} targets")

    return screen


def _opener(word: str, host: str | None, stdin: BinaryIO | None) -> Callable[[], Resolved]:
    """Answers a target's source, the same one every time: it may be a pipe, or know what it read."""
    found: list[Resolved] = []

    def opened() -> Resolved:
        if not found:
            from lamina.cache.cache import default_cache

            found.append(sources.resolve(word, host=host, stdin=stdin, cache=default_cache()))
        return found[0]

    return opened


def set_lister(openers: Sequence[Callable[[], Resolved]]) -> Lister:
    """Lists what several targets name, in their order."""

    def entries(cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
        found: list[Entry] = []
        for opener in openers:
            source, name = opener()
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
