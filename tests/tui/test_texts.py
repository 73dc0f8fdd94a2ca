"""Texts and signs: every function gives exactly the cells it promises."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lamina.model import Change, Kind
from lamina.stack.view import CHANGED_BELOW
from lamina_tui import texts
from lamina_tui.glyphs import ASCII, LOOSE, UNICODE, needs_ascii
from lamina_tui.texts import mode_text
from lamina_tui.viewpoint import Viewpoint
from lamina_tui.widgets.image_list import MARK

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z", "M"))) | st.text("ab 宽字é")


@given(PRINTABLE, st.integers(0, 30))
def test_fit_is_exact(text: str, width: int) -> None:
    assert cell_len(texts.fit(text, width)) == width


@given(PRINTABLE, st.integers(1, 30))
def test_fit_end_keeps_the_end(text: str, width: int) -> None:
    shown = texts.fit_end(text, width)
    assert cell_len(shown) <= width
    assert text.endswith(shown.removeprefix("…"))


@given(PRINTABLE, st.integers(2, 30))
def test_wrap_loses_nothing_and_stays_within(text: str, width: int) -> None:
    lines = texts.wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrap_parts_at_words() -> None:
    assert texts.wrap("RUN apt-get update && apt-get install", 12) == ["RUN apt-get", "update &&", "apt-get", "install"]


def test_a_word_that_has_to_be_broken_begins_where_it_stands_and_ends_in_more_than_a_digit() -> None:
    # given a digest that is longer than a line, behind a word
    digest = "0123456789" * 3
    assert texts.wrap(f"ADD {digest} in /", 24) == ["ADD " + digest[:20], digest[20:] + " in /"]
    # and one that would leave a single digit on the last line
    assert texts.wrap(digest + "0", 30) == [digest[:27], "7890"]
    # a sign that is wider than the line is still there
    assert texts.wrap("宽", 1) == ["宽"]
    # where hardly any of it has room behind the word it begins on a line of its own
    assert texts.wrap(f"COPY --chown=0:0 {digest}", 20) == ["COPY --chown=0:0", digest[:20], digest[20:]]


@pytest.mark.parametrize("word", ["x", "宽", "é"])
def test_a_long_word_is_measured_once(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = 0

    def counted(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return cell_len(text)

    monkeypatch.setattr(texts, "cell_len", counted)
    lines = texts.wrap(word * 20_000, 10)
    assert "".join(lines) == word * 20_000
    assert measured < 3 * 20_000


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=lambda glyphs: glyphs.name)
@given(share=st.floats(-1, 2), width=st.integers(1, 40))
def test_bars_fill_their_column(glyphs: type[UNICODE], share: float, width: int) -> None:
    bar = glyphs.bar(share, width)
    assert cell_len(bar) == width
    assert bar.isascii() or glyphs is UNICODE
    # To the nearest of its signs: what is smaller than half of one has no length.
    steps = len(glyphs.bars)
    length = sum(glyphs.bars.index(sign) + 1 for sign in bar if sign != " ")
    assert abs(length - min(max(share, 0), 1) * width * steps) <= 0.5


def test_bars_have_eighths() -> None:
    assert UNICODE.bar(0.5, 4) == "██  "
    assert UNICODE.bar(0.53, 4) == "██▏ "
    assert ASCII.bar(0.53, 4) == "##  "


@given(PRINTABLE)
def test_ascii_glyphs_make_any_text_ascii(text: str) -> None:
    assert ASCII.text(text).isascii()
    assert UNICODE.text(text) == text


def test_ascii_glyphs_show_what_is_beyond_as_escapes() -> None:
    assert ASCII.text("mode 644→755 é") == r"mode 644->755 \xe9"


def test_no_ascii_sign_has_two_meanings_in_one_list() -> None:
    # given what a file tree draws beside names: folds, sort order, cuts, and the marks of changes
    marks = [change.mark for change in Change if change.mark.strip()]
    signs = [ASCII.opened, ASCII.closed, ASCII.up, ASCII.down, ASCII.more, LOOSE, CHANGED_BELOW, *marks]
    assert len(signs) == len(set(signs))
    # and what the list of images draws
    assert MARK not in {ASCII.up, ASCII.down, ASCII.opened, ASCII.closed}
    # and behind a title stands nothing that could be its last letter
    assert not (ASCII.up + ASCII.down).isalpha()


@pytest.mark.parametrize(
    ("environ", "encoding", "wanted"),
    [
        ({"LANG": "en_US.UTF-8"}, "utf-8", False),
        ({}, "utf-8", False),
        ({"LANG": "C"}, "utf-8", True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "utf-8", True),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8", False),
        ({"LANG": "de_DE.ISO-8859-1"}, "iso-8859-1", True),
        ({"LANG": "en_US.UTF-8"}, "UTF8", False),
    ],
)
def test_when_ascii_is_needed(environ: dict[str, str], encoding: str, *, wanted: bool) -> None:
    assert needs_ascii(environ, encoding) is wanted


NOW = datetime(2024, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("created", "shown"),
    [
        ("2024-06-01T00:00:00Z", "14 days"),
        ("2024-06-14T23:30:30.123456789Z", "29 minutes"),
        ("2024-06-15T01:00:00+02:00", "an hour"),
        ("1970-01-01T00:00:00Z", ""),  # a reproducible build
        ("0001-01-01T00:00:00Z", ""),  # BuildKit's zero
        ("2030-01-01T00:00:00Z", ""),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
        ("9" * 5000, ""),
    ],
)
def test_ages(created: str | None, shown: str) -> None:
    assert texts.age(created, NOW) == shown


@pytest.mark.parametrize(
    ("kind", "mode", "shown"),
    [
        (Kind.FILE, 0o644, "-rw-r--r--"),
        (Kind.FILE, 0o4755, "-rwsr-xr-x"),
        (Kind.FILE, 0o2644, "-rw-r-Sr--"),
        (Kind.DIR, 0o1777, "drwxrwxrwt"),
        (Kind.SYMLINK, 0o777, "lrwxrwxrwx"),
        (Kind.HARDLINK, 0o600, "hrw-------"),
        (Kind.CHAR, 0o620, "crw--w----"),
        (Kind.BLOCK, 0, "b---------"),
        (Kind.FIFO, 0o7000, "p--S--S--T"),
        (Kind.WHITEOUT, 0, "?---------"),
    ],
)
def test_modes_as_ls_writes_them(kind: Kind, mode: int, shown: str) -> None:
    assert mode_text(kind, mode) == shown


@pytest.mark.parametrize(
    ("start", "layer", "ends", "title"),
    [
        (None, 3, (0, 3), "from 0 to 3"),
        (2, 5, (2, 5), "from 2 to 5"),
        (5, 2, (2, 5), "from 2 to 5"),
        (4, 4, (3, 4), "from 3 to 4"),
        (None, 0, (-1, 0), "from nothing to 0"),
    ],
)
def test_ranges(start: int | None, layer: int, ends: tuple[int, int], title: str) -> None:
    point = Viewpoint("range", layer, start)
    assert point.ends() == ends
    assert point.title == title


def test_times_to_wait_are_told_in_two_units_at_most() -> None:
    told = [texts.duration(seconds) for seconds in (0.2, 8.4, 59.4, 59.6, 125, 3599, 4800)]
    assert told == ["1 s", "8 s", "59 s", "1 min 0 s", "2 min 5 s", "59 min 59 s", "1 h 20 min"]


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        ("RUN one", "RUN two", ("RUN one", "RUN two")),
        ("RUN " + "x " * 30 + "one", "RUN " + "x " * 30 + "two", ("…x x x x x one", "…x x x x x two")),
        ("RUN --" + "o" * 16 + " one", "RUN --" + "o" * 16 + " two", ("…one", "…two")),
        ("one " + "x" * 60, "two " + "x" * 60, ("one " + "x" * 60, "two " + "x" * 60)),
        ("RUN " + "x " * 30, "RUN " + "x " * 30, ("RUN " + "x " * 30, "RUN " + "x " * 30)),
    ],
    ids=["both fit", "alike for long", "alike for a long word", "another from the start", "the same"],
)
def test_two_texts_are_cut_so_that_where_they_part_is_seen(a: str, b: str, shown: tuple[str, str]) -> None:
    found = texts.from_where_they_part(a, b, 20)

    assert found == shown
