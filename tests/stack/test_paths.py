"""The table of paths holds exactly the keys and their ancestors, in pre-order, whatever the keys."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lamina.layers.index import SEPARATOR
from lamina.stack.paths import build_path_table

# Bytes that sort before, at and after all that separates names; names that begin alike.
NAMES = st.sampled_from([b"\x01", b"!", b"a", b"a!", b"a\x01", b"aa", b"b", b"\xff"])
KEYS = st.lists(NAMES, max_size=5).map(SEPARATOR.join)


@given(st.lists(st.lists(KEYS, max_size=12), max_size=4))
def test_every_key_and_ancestor_has_one_row_in_pre_order(key_lists: list[list[bytes]]) -> None:
    table, rows = build_path_table(key_lists)

    expected = {b""}
    for key in (key for keys in key_lists for key in keys):
        parts = key.split(SEPARATOR)
        expected |= {SEPARATOR.join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    ordered = sorted(expected)
    assert [table.path(row).replace(b"/", SEPARATOR) for row in range(table.count)] == ordered
    for row, key in enumerate(ordered):
        assert table.depth[row] == (key.count(SEPARATOR) + 1 if key else 0)
        assert ordered[table.parent[row]] == key.rpartition(SEPARATOR)[0]
        below = [other for other in ordered if not key or other == key or other.startswith(key + SEPARATOR)]
        assert table.end[row] == row + len(below)
        assert table.name(row) == key.rpartition(SEPARATOR)[2]
    assert [[ordered[row] for row in layer.tolist()] for layer in rows] == key_lists


def test_a_parent_that_is_missing_is_found_whoever_stands_beside_it() -> None:
    """The row taken for a parent has another name of the same length, or stands behind its child."""
    keys = [b"a\0x", b"b", b"b\0x", b"c\0x\0y", b"c\0z"]
    table, _ = build_path_table([keys])

    paths = [table.path(row) for row in range(table.count)]
    assert paths == [b"", b"a", b"a/x", b"b", b"b/x", b"c", b"c/x", b"c/x/y", b"c/z"]


def test_subtrees_are_covered_and_nothing_else() -> None:
    table, _ = build_path_table([[b"a\0b", b"a\0c", b"d"]])  # rows: root, a, a/b, a/c, d

    assert table.with_subtrees(np.array([False, True, False, False, False])).tolist() == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert table.with_subtrees(np.array([True, False, False, True, False])).all()
    assert not table.with_subtrees(np.zeros(5, dtype=bool)).any()
