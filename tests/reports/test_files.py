"""A file tree as text, as JSON, and as ncdu reads it: each has every path and every byte of the view."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lamina.model import Change
from lamina.reports.files import files_json, files_text
from lamina.reports.ncdu import ncdu_export
from lamina.stack.tree_rows import TreeRows
from lamina.stack.view import View, view_layer, view_step, view_upto
from needs import tool
from stacks import stack
from tars import directory, file, hardlink, symlink, whiteout

ODD = b'a"\\\n\x1b[31m\xff\xe9'


def views() -> dict[str, View]:
    union = stack(
        [
            directory("usr", mode=0o700, mtime=86400),
            file("usr/share/one", 1000, uid=3, gid=4, mode=0o4755),
            hardlink("usr/share/two", "usr/share/one"),
            symlink("link", "usr/share"),
            file(ODD, 7),
            file("gone", 50),
        ],
        [whiteout("gone"), file("usr/share/one", 300), directory("empty")],
    ).union
    return {"layer": view_layer(union, 1), "upto": view_upto(union, 1), "step": view_step(union, 0, 1)}


def tree(view: str) -> TreeRows:
    rows = TreeRows(views()[view])
    rows.set_joins(True)
    return rows


def text_of(rows: TreeRows) -> list[str]:
    return "".join(files_text(rows)).splitlines()


def test_text_is_what_the_tree_shows_folded_as_it_is() -> None:
    rows = tree("upto")
    assert text_of(rows) == [
        "up to layer 1",
        "              size         removed  name",
        "~            1,300               0  usr/share/",
        '                 7               0  a"\\\\n\\x1b[31m\\xff\\xe9',
        "+                0               0  empty/",
        "-                0              50  gone",
        "                 0               0  link -> usr/share",
    ]
    rows.expand_all()
    assert text_of(rows)[2:5] == [
        "~            1,300               0  usr/share/",
        "             1,000               0    two -> usr/share/one",
        "M              300               0    one",
    ]


def test_text_of_groups() -> None:
    rows = tree("upto")
    rows.set_grouping("owner")
    assert text_of(rows)[2:] == [
        "             1,000               0  3:4   1 file",
        "               307              50  0:0   4 files",
    ]


def test_json_has_every_path_with_its_own_bytes() -> None:
    document = json.loads("".join(files_json(tree("upto"))))
    assert document["schema"] == "lamina.files/1"
    assert document["view"] == "up to layer 1"
    found = {row["path"]: row for row in document["files"]}
    assert list(found) == [
        'a"\\\n\x1b[31m��',
        "empty",
        "gone",
        "link",
        "usr",
        "usr/share",
        "usr/share/one",
        "usr/share/two",
    ]
    assert found["usr/share/two"] == {
        "path": "usr/share/two",
        "type": "hardlink",
        "size": 1000,
        "removed": 0,
        "mode": 0o4755,
        "uid": 3,
        "gid": 4,
        "mtime": found["usr/share/two"]["mtime"],
        "layer": 0,
        "change": "unchanged",
        "link": "usr/share/one",
    }
    assert (found["usr"]["mode"], found["usr"]["mtime"], found["usr"]["size"]) == (0o700, 86400 * 10**9, 0)
    assert (found["gone"]["change"], found["gone"]["removed"]) == ("removed", 50)
    assert found["link"]["link"] == "usr/share"


@pytest.mark.parametrize("view", ["layer", "upto", "step"])
def test_sizes_add_up_to_the_view(view: str) -> None:
    rows = tree(view)
    document = json.loads("".join(files_json(rows)))
    names = ("size", "before") if view == "step" else ("size", "removed")
    for name, figure in zip(names, ("after", "before") if view == "step" else names, strict=True):
        assert sum(row[name] for row in document["files"]) == rows.view.value(figure, 0)


def test_what_kinds_and_filter_leave_out_is_left_out() -> None:
    rows = tree("upto")
    rows.set_kinds(frozenset({Change.MODIFIED}))
    assert [row["path"] for row in json.loads("".join(files_json(rows)))["files"]] == [
        "usr",
        "usr/share",
        "usr/share/one",
    ]


def ncdu_of(rows: TreeRows) -> bytes:
    return "".join(ncdu_export(rows, "app:1 layer", "0")).encode("utf-8", "surrogateescape")


def flat(item: Any, above: bytes = b"") -> dict[bytes, dict[str, Any]]:
    """Path -> what ncdu's format says of it; of the outermost directory, what is in it."""
    found: dict[bytes, dict[str, Any]] = {}
    for child in item[1:]:
        facts = child[0] if isinstance(child, list) else child
        path = above + facts["name"].encode("utf-8", "surrogateescape")
        found[path] = {**facts, "dir": isinstance(child, list)}
        if isinstance(child, list):
            found |= flat(child, path + b"/")
    return found


@pytest.mark.parametrize("view", ["layer", "upto", "step"])
def test_ncdu_has_what_is_there(view: str) -> None:
    rows = tree(view)
    major, minor, facts, root = json.loads(ncdu_of(rows).decode("utf-8", "surrogateescape"))
    assert (major, minor, facts["progname"]) == (1, 2, "lamina")
    assert root[0] == {"name": "app:1 layer"}
    found = flat(root)
    assert b"gone" not in found  # it is removed
    for size in ("asize", "dsize"):
        assert sum(entry.get(size, 0) for entry in found.values()) == rows.view.value("after", 0)
    if view == "upto":
        assert found[ODD]["asize"] == 7
        assert found[b"link"]["notreg"]
        assert found[b"empty"]["dir"]
        assert found[b"usr"]["mode"] == 0o700
        assert found[b"usr/share/two"]["uid"] == 3


def test_ncdu_itself_reads_it(tmp_path: Path) -> None:
    ncdu = tool("ncdu")
    rows = tree("upto")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(ncdu_of(rows))
    subprocess.run([ncdu, "-e", "-f", ours, "-o", theirs], check=True, timeout=60)
    told = json.loads(theirs.read_bytes().decode("utf-8", "surrogateescape"))
    mine = json.loads(ncdu_of(rows).decode("utf-8", "surrogateescape"))
    assert flat(told[3]) == flat(mine[3])
