"""Globs match whole names as find(1) does, whatever bytes these have."""

from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.contents.globs import Globs
from lamina.stack.paths import build_path_table

NAMES = [
    b"a.js",
    b"b.min.js",
    b".hidden",
    b"A.JS",
    b"x\ny",
    "gr\u00fc\u00dfe.txt".encode(),
    b"\xff\xfe",
    b"[a]",
    b"a*b",
    b"-",
]


def matched(*globs: str, names: list[bytes] = NAMES, fold: bool = False) -> list[bytes]:
    table, (rows,) = build_path_table([names])
    found = Globs(globs, fold=fold).names(table)
    by_name = [name for name, row in zip(names, rows.tolist(), strict=True) if found[row]]
    assert by_name == [name for name, fits in zip(names, Globs(globs, fold=fold).whole(names), strict=True) if fits]
    return by_name


@pytest.mark.parametrize(
    ("glob", "finds"),
    [
        ("*.js", [b"a.js", b"b.min.js"]),
        ("*.*.js", [b"b.min.js"]),
        (".*", [b".hidden"]),
        ("x?y", [b"x\ny"]),
        ("gr?\u00dfe.*", ["gr\u00fc\u00dfe.txt".encode()]),
        ("gr[\u00e4-\u00fc]*", ["gr\u00fc\u00dfe.txt".encode()]),
        ("gr[!\u00e4]\u00dfe*", ["gr\u00fc\u00dfe.txt".encode()]),
        ("??", [b"\xff\xfe"]),
        ("\udcff*", [b"\xff\xfe"]),
        ("[[]*", [b"[a]"]),
        ("[a]", []),
        ("[", []),
        (r"\[a\]", [b"[a]"]),
        (r"a\*b", [b"a*b"]),
        ("[!a-z]*.[jJ]*", [b"A.JS"]),
        ("[]-]", [b"-"]),
        ("a", []),
        ("*", NAMES),
        ("", []),
    ],
)
def test_a_glob_fits_whole_names(glob: str, finds: list[bytes]) -> None:
    assert matched(glob) == finds


def test_of_several_any_has_to_fit() -> None:
    assert matched("-", "*.js") == [b"a.js", b"b.min.js", b"-"]


def test_letters_of_either_case() -> None:
    assert matched("a.js", fold=True) == [b"a.js", b"A.JS"]


@given(st.text("ab*?", max_size=8), st.lists(st.text("ab", min_size=1, max_size=6), min_size=1, unique=True))
def test_it_is_what_python_finds(glob: str, texts: list[str]) -> None:
    expected = [text.encode() for text in texts if fnmatch.fnmatchcase(text, glob)]
    assert matched(glob, names=[text.encode() for text in texts]) == expected


def test_no_name_makes_it_try_every_way() -> None:
    name = b"a" * 4000
    start = time.monotonic()
    assert matched("*a" * 12 + "b", names=[name]) == []
    assert time.monotonic() - start < 5


def test_a_set_of_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("\x01-\U0010ffff")):
        Globs(("[\x01-\U0010ffff]",))
