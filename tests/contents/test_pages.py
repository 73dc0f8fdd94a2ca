"""A file as rows: text of any length, hexadecimal numbers, the texts within."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from contents.support import image
from lamina.contents import line_index
from lamina.contents.content import PIECE, FileContent, open_content
from lamina.contents.find_bytes import find_bytes
from lamina.contents.highlight import highlight
from lamina.contents.line_index import LONGEST, LineIndex
from lamina.contents.pages import HexDump, LongText, Page, StringList, WholeText, is_text
from lamina.contents.place import find_place, scope_of
from lamina.contents.shown_text import shown_text
from lamina.contents.strings_in import strings_in
from tars import file

CANCEL = threading.Event()


@pytest.fixture
def opened(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Opens a file of some bytes in an image."""

    def make(data: bytes) -> FileContent:
        files = image(tmp_path, [file("f", data)])
        return open_content(files, find_place(files, "f", scope_of(files)).event)

    return make


def texts(page: Page) -> list[str]:
    """All rows as they read."""
    while not page.complete:
        page.more(CANCEL)
    return ["".join(text for text, _ in row.pieces) for row in page.rows(0, page.count)]


def labels(page: Page) -> list[str]:
    return [row.label for row in page.rows(0, page.count)]


TEXTS = {
    "nothing": b"",
    "one line": b"one",
    "an end": b"one\n",
    "empty lines": b"\n\nthree\n\n",
    "other ends": b"a\r\nb\r\n",
    "many": b"".join(b"%d\n" % n for n in range(3000)),
    "no last end": b"x\n" * 700 + b"end",
}


def held_whole(content: FileContent) -> Page:
    return WholeText(content, "f")


@pytest.mark.parametrize("make", [held_whole, LongText])
@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS.keys())
def test_lines_are_those_of_the_text(opened, data: bytes, make) -> None:  # type: ignore[no-untyped-def]
    page = make(opened(data))

    lines = data.decode().split("\n")
    lines = lines if lines[-1] else lines[:-1]
    assert texts(page) == [line.rstrip("\r") for line in lines]
    assert labels(page) == [str(number + 1) for number in range(page.count)]


def test_lines_of_a_text_of_many_pieces_are_found_from_any_place(opened) -> None:  # type: ignore[no-untyped-def]
    chance = random.Random(5)
    lines = [b"%d " % n + b"y" * chance.randrange(400) for n in range(20_000)]
    content = opened(b"\n".join(lines))
    assert content.size > 3 * PIECE
    index = LineIndex(content)

    index.scan(1)
    known = index.count
    assert 0 < known < len(lines)
    while not index.complete:
        index.scan(1)

    assert index.count == len(lines)
    for first in (0, 1, 255, 256, 257, known - 1, 12_345, len(lines) - 3):
        assert index.lines(first, 5) == lines[first : first + 5]
    offset = 0
    for number, line in enumerate(lines):
        if number % 997 == 0:
            assert index.line_at(offset) == index.line_at(offset + len(line)) == number
        offset += len(line) + 1


def test_of_a_line_without_end_only_so_much_is_held(opened) -> None:  # type: ignore[no-untyped-def]
    index = LineIndex(opened(b"a" * (3 * PIECE) + b"\nb\n"))
    index.scan(100)

    first, second = index.lines(0, 2)

    assert (first, second) == (b"a" * LONGEST, b"b")


def test_a_scan_can_be_left(opened) -> None:  # type: ignore[no-untyped-def]
    index = LineIndex(opened(b"a\n" * PIECE))
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(line_index.Cancelled):
        index.scan(8, cancel)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"plain", "plain"),
        (b"\tone\t2", "        one     2"),
        (b"1234567\tx\t12345678\ty", "1234567 x       12345678        y"),
        (b"esc\x1b[2J\x07", r"esc\x1b[2J\x07"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("größe\u202e".encode(), "größe\\u202e"),
        (b"end\r", "end"),
    ],
)
def test_nothing_in_a_line_controls_a_terminal(line: bytes, shown: str) -> None:
    assert shown_text(line) == shown


def test_a_held_text_is_wrapped_and_its_lines_keep_their_numbers(opened) -> None:  # type: ignore[no-untyped-def]
    page = WholeText(opened(b"0123456789\n\nab\n"), "f")

    page.wrap(4)

    assert texts(page) == ["0123", "4567", "89", "", "ab"]
    assert labels(page) == ["1", "", "", "2", "3"]
    assert [page.row_of(offset) for offset in (0, 9, 11, 12)] == [0, 0, 3, 4]
    assert [page.offset_of(row) for row in range(5)] == [0, 0, 0, 11, 12]


def test_source_has_colours_and_the_same_lines(opened) -> None:  # type: ignore[no-untyped-def]
    source = b"# why\nimport os\n\n\nx = 'a\\\n  b'  # \x1b\n"
    page = WholeText(opened(source), "tool.py")

    assert texts(page) == ["# why", "import os", "", "", "x = 'a\\", r"  b'  # \x1b"]
    kinds = {text: kind for row in page.rows(0, 6) for text, kind in row.pieces}
    assert (kinds["# why"], kinds["import"], kinds["x"]) == ("comment", "keyword", "")


def test_what_nobody_knows_has_no_colours() -> None:
    assert highlight("import os\n", "README.unknown") is None
    assert highlight("#!/bin/sh\nexit 1\n", "run") is not None


def test_hexadecimal_rows(opened) -> None:  # type: ignore[no-untyped-def]
    page = HexDump(opened(bytes(range(0x38, 0x58)) + b"\0\x7f\xffA"), 16)

    assert labels(page) == ["00000000", "00000010", "00000020"]
    assert texts(page)[0] == "38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47 89:;<=>?@ABCDEFG"
    assert texts(page)[2] == "00 7f ff 41".ljust(49) + "...A"
    assert (page.row_of(0x1F), page.offset_of(2)) == (1, 32)


def test_texts_within_are_those_of_strings(opened) -> None:  # type: ignore[no-untyped-def]
    data = b"\0abc\0abcd\x01with blank\tand tab\xff" + b"z" * 10
    page = StringList(opened(data))

    assert texts(page) == ["abcd", "with blank      and tab", "z" * 10]
    assert labels(page) == ["00000005", "0000000a", f"{data.index(b'z' * 10):08x}"]


def test_a_text_at_the_edge_of_a_piece_is_found_once_and_whole(opened) -> None:  # type: ignore[no-untyped-def]
    data = b"\0" * (PIECE - 3) + b"across the edge" + b"\0" * 5 + b"second" + b"\0" * PIECE

    assert list(strings_in(opened(data))) == [(PIECE - 3, b"across the edge"), (PIECE + 17, b"second")]


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "back"])
def test_a_text_is_found_wherever_pieces_meet(opened, forward: bool) -> None:  # type: ignore[no-untyped-def]
    places = [0, 5, PIECE - 2, 2 * PIECE - 4, 2 * PIECE + 100]
    data = bytearray(b"." * (2 * PIECE + 104))
    for at in places:
        data[at : at + 4] = b"FiNd"
    content = opened(bytes(data))

    found = []
    at: int | None = 0 if forward else content.size
    while at is not None:
        start = at + 1 if forward and found else at
        at = find_bytes(content, b"find", start, forward=forward, ignore_case=True)
        found += [] if at is None else [at]

    assert found == (places if forward else places[::-1])
    assert find_bytes(content, b"find", 0) is None


def test_what_has_a_nul_is_no_text(opened) -> None:  # type: ignore[no-untyped-def]
    assert is_text(opened(b"text"))
    assert not is_text(opened(b"t\0"))
