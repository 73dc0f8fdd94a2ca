"""Themes: which one a terminal gets, that they can be read, and what a terminal says of its background."""

from __future__ import annotations

import os
import pty
import re
import termios
import threading
import time
import tty
from pathlib import Path

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.theme import Theme

from driving import Drive
from lamina_tui.settings import Settings
from lamina_tui.terminal_background import QUESTION, Answer, LateAnswer, answer_in, ask, worth_asking
from lamina_tui.themes import ALL, DARK, HIGH_CONTRAST, LIGHT, TERMINAL, theme_for

MANY = (DARK, LIGHT, HIGH_CONTRAST)
WHITE, BLACK = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\", b"\x1b]11;rgb:00/00/00\x07"
KNOWN = b"\x1b[?62;22c"
"""What every terminal answers to the second question."""


@pytest.mark.parametrize(
    ("system", "no_color", "wanted", "light", "theme"),
    [
        ("truecolor", False, "auto", None, DARK),
        ("256", False, "auto", False, DARK),
        ("256", False, "auto", True, LIGHT),
        ("256", False, "dark", True, DARK),
        ("256", False, "light", None, LIGHT),
        ("256", False, "terminal", None, TERMINAL),
        ("256", False, "high-contrast", True, HIGH_CONTRAST),
        ("standard", False, "light", None, TERMINAL),
        (None, False, "auto", None, TERMINAL),
        ("256", True, "high-contrast", None, TERMINAL),
    ],
)
def test_themes_suit_the_terminal(
    system: str | None, wanted: str, light: bool | None, theme: Theme, *, no_color: bool
) -> None:
    assert theme_for(system, no_color=no_color, wanted=wanted, light=light) is theme


@pytest.mark.parametrize("theme", MANY, ids=lambda theme: theme.name)
def test_the_colours_stand_in_the_256_palette(theme: Theme) -> None:
    levels = {0, 95, 135, 175, 215, 255}
    values = [theme.primary, theme.foreground, theme.background, theme.surface, theme.panel, *theme.variables.values()]
    for value in values:
        if value.startswith("#"):
            red, green, blue = parts(value)
            grey = red == green == blue and (red - 8) % 10 == 0
            assert grey or {red, green, blue} <= levels, value


def parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def contrast(one: str, other: str) -> float:
    """By WCAG 2: from 1 for the same to 21 for black on white."""

    def luminance(color: str) -> float:
        linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in (p / 255 for p in parts(color))]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("theme", "least"), [(DARK, 4.0), (LIGHT, 4.5), (HIGH_CONTRAST, 7.0)])
def test_texts_can_be_read_on_what_they_stand_on(theme: Theme, least: float) -> None:
    of = theme.variables
    background = str(theme.background)
    on = {
        background: ("here", "added", "modified", "metadata", "removed", "waste", "dim"),
        of["lamina-head"]: ("dim", "here"),
        of["lamina-title"]: ("dim", "title-bad"),
        of["lamina-cursor"]: ("cursor-text",),
        of["lamina-tab"]: ("tab-text",),
    }
    found = {
        (name, behind): contrast(of[f"lamina-{name}"], behind) for behind, names in on.items() for name in names
    } | {("text", behind): contrast(str(theme.foreground), behind) for behind in (background, of["lamina-idle"])}
    assert {pair: ratio for pair, ratio in found.items() if ratio < least} == {}


def test_the_terminals_own_theme_names_no_colour_of_ours() -> None:
    values = [value for value in vars(TERMINAL).values() if isinstance(value, str)]
    assert not [value for value in (*values, *TERMINAL.variables.values()) if "#" in value]


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
async def test_every_theme_draws_the_same_signs(drive: Drive, small: list[str], theme: Theme) -> None:
    async with drive(small) as screen:
        await screen.press("tab", "E")
        expected = screen.text
    async with drive(small, settings=Settings(theme=theme.name)) as screen:
        await screen.press("tab", "E")
        assert screen.app.theme == theme.name
        assert screen.text == expected


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True),
        ({"TERM": "xterm"}, False),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, False),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_can_show_it_are_asked(environ: dict[str, str], *, asked: bool) -> None:
    assert worth_asking(environ) is asked


@pytest.mark.parametrize(
    ("came", "answer"),
    [
        (WHITE + KNOWN, Answer(light=True)),
        (BLACK + KNOWN, Answer(light=False)),
        (b"\x1b]11;rgba:ee/ee/dd/ff\x1b\\" + KNOWN, Answer(light=True)),
        (b"q" + WHITE + b"\x1b[A" + KNOWN, Answer(light=True, typed=b"q\x1b[A")),
        (KNOWN, Answer(late=True)),
        (WHITE, Answer(light=True, late=True)),
        (b"", Answer(late=True)),
        (b"\x1b]11;rgb:zz/00/00\x07" + KNOWN, Answer(typed=b"\x1b]11;rgb:zz/00/00\x07", late=True)),
    ],
)
def test_answers_are_read_among_keys(came: bytes, answer: Answer) -> None:
    assert answer_in(came) == answer


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [([WHITE + KNOWN], Answer(light=True)), ([WHITE[:7], WHITE[7:] + KNOWN[:3], KNOWN[3:]], Answer(light=True))],
    ids=["whole", "in pieces"],
)
def test_a_terminal_is_asked_and_left_as_it_was(pieces: list[bytes], answer: Answer) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    seen: list[bytes] = []

    def terminal() -> None:
        seen.append(os.read(master, 1024))
        for piece in pieces:
            os.write(master, piece)
            time.sleep(0.01)

    thread = threading.Thread(target=terminal)
    thread.start()
    try:
        assert ask(slave, slave, patience=20) == answer
        thread.join()
        assert seen == [QUESTION]
        assert termios.tcgetattr(slave) == before
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):  # nothing of the answer is echoed
            os.read(master, 1)
    finally:
        os.close(master)
        os.close(slave)


def test_a_terminal_that_says_nothing_is_not_waited_for() -> None:
    master, slave = pty.openpty()
    try:
        tty.setraw(master)
        start = time.monotonic()
        assert ask(slave, slave, patience=0.05) == Answer(late=True)
        assert 0.04 < time.monotonic() - start < 10  # a busy machine wakes late
    finally:
        os.close(master)
        os.close(slave)


def test_a_pipe_is_not_asked(tmp_path: Path) -> None:
    read, write = os.pipe()
    try:
        assert ask(read, write) == Answer()
        os.set_blocking(read, False)
        with pytest.raises(BlockingIOError):
            os.read(read, 1)
    finally:
        os.close(read)
        os.close(write)


def keys_of(sent: bytes) -> list[events.Key]:
    """What Textual makes of bytes it does not know."""
    parser = XTermParser()
    found = list(parser.feed(sent.decode()))
    time.sleep(0.15)  # it waits for more of an escape sequence
    return [event for event in (*found, *parser.tick()) if isinstance(event, events.Key)]


@pytest.mark.parametrize("sent", [WHITE, BLACK, KNOWN, WHITE + KNOWN], ids=["st", "bel", "da1", "both"])
def test_a_late_answer_is_no_keys(sent: bytes) -> None:
    late: LateAnswer[events.Key] = LateAnswer()
    keys = keys_of(sent)
    assert len(keys) > 3  # else there is nothing to keep them from
    assert [key for event in keys for key in late.take(event)] == []
    assert late.release() == []


def test_keys_are_keys_while_an_answer_may_come() -> None:
    late: LateAnswer[events.Key] = LateAnswer(seconds=0)
    typed = [events.Key(key, character) for key, character in (("q", "q"), ("up", None), ("r", "r"))]
    assert [late.take(key) for key in typed] == [[key] for key in typed]
    bracket, letter = events.Key("right_square_bracket", "]"), events.Key("x", "x")
    assert late.take(bracket) == []
    assert not late.over
    assert late.take(letter) == [bracket, letter]
    assert late.take(bracket) == []
    assert late.release() == [bracket]
    assert late.over


async def test_an_answer_that_comes_late_does_nothing_and_keys_still_work(drive: Drive, small: list[str]) -> None:
    async with drive(small, background=Answer(late=True)) as screen:
        before = screen.text
        for event in keys_of(BLACK + KNOWN):
            screen.app.post_message(event)
        await screen.settle()
        assert screen.text == before
        await screen.press("right_square_bracket")
        await screen.pilot.pause(0.1)  # until it is clear that nothing follows
        await screen.settle()
        assert screen.image.viewpoint.layer == 1


async def test_keys_that_came_with_the_answer_are_not_lost(drive: Drive, small: list[str]) -> None:
    async with drive(small, tab="", background=Answer(light=True, typed=b"2")) as screen:
        assert screen.app.theme == "light"
        assert screen.image.tab == "waste"


def test_the_names_of_themes_are_the_settings() -> None:
    from lamina_tui.commands.options import Parser
    from lamina_tui.settings import THEMES

    assert {theme.name for theme in ALL} == set(THEMES) - {"auto"}
    parser = Parser("x")
    parser.add_screen()
    for name in THEMES:
        assert re.search(rf"\b{name}\b", parser.format_help())
