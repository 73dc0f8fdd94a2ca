"""The second wall: what is drawn can't carry anything a terminal obeys, whoever drew it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from lamina_tui.terminal_filter import Wall

BLACK = Color(0, 0, 0)


def through(text: str, *, ascii_only: bool = False) -> str:
    segments = Wall(ascii_only=ascii_only).apply([Segment("ok "), Segment(text)], BLACK)
    return "".join(segment.text for segment in segments)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a[31mb"),
        ("\x9b31m", "31m"),
        ("a\nb", "ab"),
        ("a\xa0b", "a b"),
        ("plain", "plain"),
        ("宽é", "宽é"),
    ],
)
def test_controls_are_dropped(text: str, shown: str) -> None:
    assert through(text) == "ok " + shown


@pytest.mark.parametrize("text", ["a\x1bb", "\u202ex", "\udcff", "\ue000", "宽", "▏▎─│╭╮▾", "…·→"])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_widths_stay_and_all_is_printable(text: str, *, ascii_only: bool) -> None:
    shown = through(text, ascii_only=ascii_only)
    assert shown.isprintable()
    assert cell_len(shown) == cell_len("ok " + text)
    assert shown.isascii() or not ascii_only


def test_what_needs_nothing_is_passed_on_as_it_is() -> None:
    segments = [Segment("plain"), Segment("text")]
    assert Wall().apply(segments, BLACK) is segments


def test_controls_of_textual_itself_pass() -> None:
    control = Segment("\x1b[2J", None, [(1,)])
    assert Wall().apply([Segment("\x1b"), control], BLACK)[1] is control
