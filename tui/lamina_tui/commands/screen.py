"""``lamina`` and ``lamina TARGET...``: a screen, or the report where there is none."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from lamina.errors import LaminaError
from lamina_tui.commands.options import UsageError, workspace_of

if TYPE_CHECKING:
    from lamina.sources.ahead import Ahead
    from lamina.sources.base import Observer, ReadImage
    from lamina_tui.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Open what was named on a screen; without a terminal print its report.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
        UsageError: there is nothing to draw on, or no keyboard.
    """
    words: list[str] = options.targets
    if words[:1] == ["demo"] and len(words) > 1:
        raise UsageError("lamina demo takes no target (an image called demo is docker-daemon:demo)")
    if sys.stdout.isatty():
        return open_screen(options, words)
    if not words:
        raise UsageError("no terminal to draw on: name a target to report on, or try `lamina --help`")
    from lamina_tui.commands import report

    options.json = options.markdown = options.html = options.verify = options.own = options.ask_base = False
    options.output = options.base = None
    return report.run(options)


def open_screen(options: argparse.Namespace, words: Sequence[str], *, diff: bool = False) -> int:
    """Open a screen and wait for its end.

    Args:
        options: with ``ascii``, ``theme``, ``no_mouse``, ``host`` and ``no_cache``.
        words: the targets; none: the engine's images; ``demo``: the samples.
        diff: the two targets are to be compared.

    Returns:
        The exit code.

    Raises:
        LaminaError: what was asked for can be seen to be unreadable before a screen is opened.
        UsageError: there is no keyboard, or no such theme.
    """
    from lamina_tui.glyphs import needs_ascii
    from lamina_tui.settings import config_path, read_settings

    found = read_settings(config_path())
    settings = _with_flags(found.settings, options)

    # Textual reads both when it is imported. Nothing on this screen moves by itself; and the theme's colours all
    # stand in the 256-colour palette, where naming one takes 11 bytes and not 19: a third less for a slow line.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if os.environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    stdin = _keyboard_from_terminal() if _reads_standard_input(words) else None
    if not sys.stdin.isatty() and stdin is None:
        raise UsageError("the keyboard is not a terminal: to read an archive from a pipe say `lamina -`")
    workspace = workspace_of(options, screen=True, stdin=stdin)
    # A child reads while this process loads Textual: both take some tenths of a second.
    ahead = None if diff or options.no_cache else _read_ahead(options, words)
    gc.disable()  # all that is loaded now stays: looking through it for garbage takes a tenth of the start
    try:
        from lamina_tui.launch import run_screen

        return run_screen(
            workspace,
            words,
            ascii_only=options.ascii or needs_ascii(),
            diff=diff,
            settings=settings,
            remark=found.complaint,
            ahead=ahead,
        )
    finally:
        gc.enable()
        if ahead is not None:
            ahead.stop()


def _read_ahead(options: argparse.Namespace, words: Sequence[str]) -> Ahead | None:
    """Begin to read the one image that was named, where it has a place that can be read twice."""
    if len(words) != 1 or words == ["demo"] or options.platform == "all" or _reads_standard_input(words):
        return None
    if words[0].partition(":")[0] in ("container", "containerd", "docker"):
        return None
    from lamina.sources.ahead import read_ahead

    def read(observer: Observer, cancel: threading.Event) -> ReadImage | None:
        source, name = workspace_of(options).resolve(words[0])
        found = source.read(name, observer, cancel)
        if cancel.is_set():
            return found
        from lamina.figures.image import compute

        compute(found, source.label, cancel)  # which keeps it in the cache
        return None

    return read_ahead(read)


def _with_flags(settings: Settings, options: argparse.Namespace) -> Settings:
    """What the file says, where the command line does not say otherwise."""
    from lamina_tui.settings import THEMES

    if options.theme not in {None, *THEMES}:
        raise UsageError(f"no theme is called {options.theme}, only {', '.join(THEMES)}")
    return replace(settings, theme=options.theme or settings.theme, mouse=settings.mouse and not options.no_mouse)


def _reads_standard_input(words: Sequence[str]) -> bool:
    if not words:
        return False
    from lamina.sources.target import STDIN

    return any(word in STDIN for word in words)


def _keyboard_from_terminal() -> BinaryIO:
    """Standard input brings an archive: keep it under another number, and put the terminal in its place."""
    if sys.stdin.isatty():
        raise LaminaError("standard input is a terminal: pipe an archive in, as in `docker save NAME | lamina -`")
    archive = os.fdopen(os.dup(0), "rb")
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        raise LaminaError("no terminal for the keyboard: `lamina report -` needs none") from None
    os.dup2(terminal, 0)
    os.close(terminal)
    return archive
