"""One image against another as JSON, text and Markdown."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

from builders import Image, directory, file, layer, link, old_docker, pack
from lamina.figures.compare import compare
from lamina.figures.image import LoadedImage, load
from lamina.packages.find_packages import find_packages
from lamina.packages.model import PackageTable
from lamina.reports.diff import build, to_markdown, to_text
from lamina.reports.diff_packages import ComparedPackages
from lamina.reports.json_text import to_json
from opening import resolve
from packages.support import apk_installed
from tars import Member

BASE = layer(file("etc/base", b"b" * 5000))


def loaded(tag: str, *layers: bytes, **extra: Any) -> LoadedImage:
    packed = pack(old_docker(Image(layers, tags=(tag,), extra=extra)))
    source, _ = resolve("-", stdin=io.BytesIO(packed))  # type: ignore[arg-type]
    return load(source, None, None, threading.Event())


def diff_of(old: list[Member], new: list[Member]) -> Any:
    return json.loads(to_json(build(compare(loaded("app:1", BASE, layer(*old)), loaded("app:2", BASE, layer(*new))))))


def test_every_kind_of_change() -> None:
    diff = diff_of(
        [file("app", b"1" * 100), file("gone", b"g" * 40), file("mode", b"m" * 30), file("same", b"s")],
        [file("app", b"2" * 150), file("new", b"n" * 60), file("mode", b"m" * 30, mode=0o600), file("same", b"s")],
    )

    assert diff["schema"] == "lamina.diff/1"
    assert (diff["a"]["tags"], diff["b"]["tags"]) == (["app:1"], ["app:2"])
    assert diff["disk"] == 150 + 60 + 30 + 1
    assert diff["pull"] == diff["push"]
    assert diff["pull"]["compressed"] is False
    assert diff["parting"] == {"index": 1, "before": "step 1", "after": "step 1", "same_instruction": True}
    assert diff["added"] == {"count": 1, "bytes": 60}
    assert diff["modified"] == {"count": 1, "bytes": 150}
    assert diff["metadata"] == {"count": 1, "bytes": 30}
    assert diff["removed"] == {"count": 1, "bytes": 40}
    assert diff["files"] == [
        {"path": "app", "change": "modified", "kind": "file", "bytes": 150, "before_bytes": 100, "detail": None},
        {"path": "new", "change": "added", "kind": "file", "bytes": 60, "before_bytes": None, "detail": None},
        {"path": "gone", "change": "removed", "kind": "file", "bytes": None, "before_bytes": 40, "detail": None},
        {
            "path": "mode",
            "change": "metadata",
            "kind": "file",
            "bytes": 30,
            "before_bytes": 30,
            "detail": "mode 644→600",
        },
    ]


def test_rows_and_tallies_agree() -> None:
    diff = diff_of(
        [directory("d"), file("d/a", b"1" * 10), link("d/l", "a"), file("was-file", b"x" * 9)],
        [directory("d"), file("d/b", b"1" * 10), link("d/l", "b"), directory("was-file"), file("was-file/in", b"yy")],
    )

    for change in ("added", "modified", "metadata", "removed"):
        rows = [row for row in diff["files"] if row["change"] == change and row["kind"] != "directory"]
        assert len(rows) == diff[change]["count"], change


def test_a_hard_link_has_its_files_bytes() -> None:
    diff = diff_of([file("one", b"1" * 77)], [file("one", b"1" * 77), link("two", "one", hard=True)])

    (row,) = [row for row in diff["files"] if row["path"] == "two"]
    assert (row["kind"], row["bytes"], diff["added"]["bytes"]) == ("hardlink", 77, 0)


def test_paths_that_are_not_utf8_keep_their_bytes() -> None:
    diff = diff_of([], [file("raw\udcff", b"1" * 5)])

    assert diff["files"][0]["path"] == "raw\N{REPLACEMENT CHARACTER}"
    assert diff["files"][0]["path_base64"] == "cmF3/w=="
    assert r"raw\xff" in to_text(diff)


def test_one_on_the_other_and_the_same() -> None:
    base, app = loaded("base:1", BASE), loaded("app:1", BASE, layer(file("app", b"1")))

    assert "one stands whole on the other's layers" in to_text(build(compare(base, app)))
    same = build(compare(app, app))
    assert same["parting"] is None
    assert same["pull"] == {"bytes": 0, "compressed": True}
    assert "both have the same layers" in to_text(same)
    assert "pull or push 0 B, 0 B more on disk" in to_text(same)
    assert same["files"] == []


def test_text_and_markdown() -> None:
    old, new = [file("x/app", b"1" * 100)], [file("x/app", b"2" * 150)]
    text, markdown = to_text(diff_of(old, new)), to_markdown(diff_of(old, new))

    assert text.startswith("app:1 → app:2\n")
    assert "1 layer stored once; layer 1 is another, though its instruction is the same" in text
    assert "0 added (0 B), 1 modified (150 B), 0 metadata (0 B), 0 removed (0 B)" in text
    assert "M    150     100  x/app" in text
    assert "x/app" in markdown
    many = diff_of([], [file(f"f{number}", b"x" * (number + 1)) for number in range(50)])
    assert "and 10 more files (all of them: --json)" in to_text(many)
    assert "f49" in to_text(many)


def test_instructions_of_strangers_are_made_safe() -> None:
    evil = [{"created_by": "RUN \x1b]0;x\x07 \u202e"}, {"created_by": "RUN \ud800 | <b>"}]
    old = loaded("a:1", BASE, layer(file("a", b"1")), history=evil)
    new = loaded("b:1", BASE, layer(file("a", b"2")), history=evil)
    diff = json.loads(to_json(build(compare(old, new))))

    assert diff["parting"]["before"] == "RUN \N{REPLACEMENT CHARACTER} | <b>"
    for text in (to_text(diff), to_markdown(diff)):
        assert all(line.isprintable() for line in text.splitlines())


# Packages


def with_packages(folder: Path, name: str, *packages: tuple[str, str, int]) -> tuple[LoadedImage, PackageTable]:
    """An image of Alpine packages, each (name, version, bytes)."""
    path = folder / name
    database = apk_installed(*((package, version, [f"lib/{at}"]) for at, (package, version, _) in enumerate(packages)))
    files = [file(f"lib/{at}", size) for at, (_, _, size) in enumerate(packages)]
    path.write_bytes(pack(old_docker(Image([layer(database, *files)], tags=(f"{name}:1",)))))
    image = load(resolve(str(path))[0], None, None, threading.Event())
    return image, find_packages(image)


def test_packages_that_are_others(tmp_path: Path) -> None:
    evil = "evil\x1b[2J|`"
    (a, before), (b, after) = (
        with_packages(tmp_path, "a", ("musl", "1.1", 600), ("gone", "3", 90), ("same", "1", 5)),
        with_packages(tmp_path, "b", ("musl", "1.2", 700), (evil, "1", 4000), ("same", "1", 5)),
    )

    diff = json.loads(to_json(build(compare(a, b), ComparedPackages(before, after))))

    assert diff["packages"] == [
        {"manager": "apk", "name": evil, "change": "added", "before": [], "after": ["1"], "before_bytes": 0,
         "bytes": 4000},
        {"manager": "apk", "name": "musl", "change": "upgraded", "before": ["1.1"], "after": ["1.2"],
         "before_bytes": 600, "bytes": 700},
        {"manager": "apk", "name": "gone", "change": "removed", "before": ["3"], "after": [], "before_bytes": 90,
         "bytes": 0},
    ]  # fmt: skip
    assert diff["unowned"] == {"bytes": after.unowned, "before_bytes": before.unowned}
    text, markdown = to_text(diff), to_markdown(diff)
    assert "Packages: +4.0 KB; 1 added, 1 removed, 1 upgraded" in text
    assert "1.1 -> 1.2" in text
    assert "\x1b" not in text + markdown
    assert "| \\+ | 4.0 K | \\+4.0 KB |" in markdown


def test_packages_that_are_not_known_are_null() -> None:
    diff = diff_of([file("a", b"1")], [file("b", b"2")])

    assert (diff["packages"], diff["unowned"]) == (None, None)
    assert "Packages" not in to_text(diff) + to_markdown(diff)
