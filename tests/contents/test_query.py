"""What is typed where files are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from contents.support import image
from lamina.contents.conditions import Conditions, ModeBits, Owner, SizeRange
from lamina.contents.query import parse_query, run_query
from lamina.figures.find_paths import Found, PathFinder
from lamina.model import Change, Kind
from tars import directory, file, whiteout


def test_a_text_alone_is_for_names_as_it_stands() -> None:
    query = parse_query("a  b/size")

    assert (query.name, query.plain, query.fault) == ("a  b/size", True, "")


def test_words_are_conditions_and_the_rest_is_the_name() -> None:
    query = parse_query('perl size:+1k mode:setuid owner:0:5 change:-M type:f contains:"two words" contains:one core')

    assert query.name == "perl core"
    assert query.contains == ("two words", "one")
    assert query.conditions == Conditions(
        size=SizeRange(1001, None),
        owner=Owner(0, 5),
        changes=frozenset({Change.REMOVED, Change.MODIFIED}),
        modes=(ModeBits(0o4000, "any"),),
        kinds=frozenset({Kind.FILE, Kind.HARDLINK}),
    )


@pytest.mark.parametrize("text", ["size:", "size:+x", "mode:9", "owner:root", "change:?", "type:x", "contains:"])
def test_what_is_not_typed_to_its_end_is_left_out_and_told(text: str) -> None:
    query = parse_query(f"perl {text}")

    assert (query.name, query.plain, query.fault) == ("perl", True, text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("size:+100", {("big", 0, 2)}),
        ("secret", {("etc/secret", 0, 1), ("etc/secret", 2, None)}),
        ("secret contains:KEY", {("etc/secret", 0, 1)}),
        ("contains:KEY", {("etc/secret", 0, 1), ("other", 1, None)}),
        ("mode:4000", {("other", 1, None)}),
        ("contains:nothing", set()),
        ("secret size:+100", set()),
    ],
)
def test_versions_of_all_layers_with_what_became_of_them(
    tmp_path: Path, text: str, found: set[tuple[str, int, int | None]]
) -> None:
    files = image(
        tmp_path,
        [directory("etc"), file("etc/secret", b"a KEY"), file("big", 1000)],
        [whiteout("etc/secret"), file("other", b"KEYS", mode=0o4000)],
        [file("etc/secret", b"none"), whiteout("big")],
    )
    parts: list[Found] = []

    run_query(files, PathFinder(files.union), parse_query(text), parts.append)

    told = {
        (files.union.paths.path(path).decode(), layer, None if died < 0 else died)
        for part in parts
        for path, layer, died in zip(part.path.tolist(), part.layer.tolist(), part.died.tolist(), strict=True)
    }
    assert told == found
    assert sum(part.total for part in parts) == len(found)
