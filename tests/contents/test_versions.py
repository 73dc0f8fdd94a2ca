"""Two versions of a path: what of them differs, and where."""

from __future__ import annotations

import difflib
import random
import subprocess
from pathlib import Path

import pytest

from contents.support import image
from lamina.contents import versions
from lamina.contents.place import find_place, scope_of
from lamina.contents.versions import Comparison, Version, compare_versions
from lamina.model import Kind
from needs import tool
from tars import Member, directory, file, hardlink, symlink


def compared(tmp_path: Path, before: Member, after: Member, *more: Member) -> Comparison:
    files = image(tmp_path, [before], [after, *more])

    def version(layer: int) -> Version:
        return Version(files, find_place(files, "f", scope_of(files, layer), last_link=False).event)

    return compare_versions(version(0), version(1))


def unified(found: Comparison) -> list[str]:
    assert found.hunks is not None
    return [line.mark + line.text.decode() for hunk in found.hunks for line in hunk]


def test_what_is_beside_the_content_stands_as_fields(tmp_path: Path) -> None:
    old, new = (
        file("f", b"same", uid=1, mode=0o644),
        file("f", b"same", uid=2, mode=0o600, mtime=5, pax={b"SCHILY.xattr.user.a": b"1"}),
    )

    found = compared(tmp_path, old, new)

    assert found.same_content
    changed = {field.name: (field.before, field.after) for field in found.fields}
    assert changed.keys() == {"mode", "owner", "time", "attributes"}
    assert changed["mode"] == (0o644, 0o600)
    assert changed["owner"] == ((1, 0), (2, 0))


def test_texts_are_compared_by_lines(tmp_path: Path) -> None:
    old = b"".join(b"line %d\n" % n for n in range(30))
    new = old.replace(b"line 10\n", b"LINE 10\n").replace(b"line 25\n", b"")

    found = compared(tmp_path, file("f", old), file("f", new))

    assert found.first_difference == old.index(b"line 10")
    assert found.sizes == (len(old), len(new))
    assert unified(found) == [
        *(" line 7", " line 8", " line 9", "-line 10", "+LINE 10", " line 11", " line 12", " line 13"),
        *(" line 22", " line 23", " line 24", "-line 25", " line 26", " line 27", " line 28"),
    ]
    assert found.hunks is not None
    assert (found.hunks[1][0].before, found.hunks[1][-1].before, found.hunks[1][-1].after) == (23, 29, 28)


@pytest.mark.parametrize("seed", range(20))
def test_hunks_are_those_of_difflib(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    old = [f"{chance.randrange(12)}" for _ in range(chance.randrange(60))]
    new = [line for line in old if chance.random() > 0.1]
    for _ in range(chance.randrange(5)):
        new.insert(chance.randrange(len(new) + 1), "new")
    a, b = ("".join(line + "\n" for line in lines).encode() for lines in (old, new))
    if a == b:
        return

    found = compared(tmp_path, file("f", a), file("f", b))

    assert found.hunks is not None
    patch = ["--- f\n+++ f\n"]
    for hunk in found.hunks:
        patch += [_header(hunk), *(f"{line.mark}{line.text.decode()}\n" for line in hunk)]
    (tmp_path / "f").write_bytes(a)
    subprocess.run([tool("patch"), "-s", "f"], cwd=tmp_path, input="".join(patch).encode(), check=True)
    assert (tmp_path / "f").read_bytes() == b
    theirs = list(difflib.unified_diff(old, new, lineterm=""))
    assert len(found.hunks) <= sum(line.startswith("@@") for line in theirs) + 2


def _header(hunk: list[versions.DiffLine]) -> str:
    before = [line.before for line in hunk if line.before is not None]
    after = [line.after for line in hunk if line.after is not None]
    first = before[0] if before else 0
    return f"@@ -{first},{len(before)} +{after[0] if after else 0},{len(after)} @@\n"


def test_binaries_are_told_by_size_and_first_difference(tmp_path: Path) -> None:
    old = random.Random(1).randbytes(3 << 20)
    new = old[: 2 << 20] + b"!" + old[(2 << 20) + 1 :] + b"more"

    found = compared(tmp_path, file("f", old), file("f", new))

    assert found.first_difference == 2 << 20
    assert found.sizes == (3 << 20, (3 << 20) + 4)
    assert found.hunks is None


def test_a_file_that_only_grew_differs_at_its_old_end(tmp_path: Path) -> None:
    found = compared(tmp_path, file("f", b"\0old"), file("f", b"\0older"))

    assert found.first_difference == 4


@pytest.mark.parametrize(
    ("before", "after", "name", "values"),
    [
        (symlink("f", "a"), symlink("f", "b"), "target", (b"a", b"b")),
        (file("f", b"1"), symlink("f", "b"), "type", (Kind.FILE, Kind.SYMLINK)),
        (directory("f"), file("f", b"1"), "type", (Kind.DIR, Kind.FILE)),
    ],
)
def test_what_has_no_content_is_compared_by_what_it_is(
    tmp_path: Path, before: Member, after: Member, name: str, values: tuple[object, object]
) -> None:
    found = compared(tmp_path, before, after)

    assert values in [(field.before, field.after) for field in found.fields if field.name == name]
    assert found.hunks is None


def test_a_hard_link_is_compared_by_its_file(tmp_path: Path) -> None:
    found = compared(tmp_path, file("f", b"one\n"), hardlink("f", "g"), file("g", b"two\n"))

    assert unified(found) == ["-one", "+two"]


def test_two_files_that_have_nothing_in_common_take_no_long_time(tmp_path: Path) -> None:
    old = b"".join(b"%d old\n" % n for n in range(60_000))
    new = b"".join(b"%d new\n" % n for n in range(60_000))

    found = compared(tmp_path, file("f", old), file("f", new))

    assert len(unified(found)) == 120_000


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [(b"a\nb\n", b"a\nb", []), (b"a\r\n", b"a\n", ["-a\r", "+a"]), (b"", b"a\n", ["+a"]), (b"a\n", b"", ["-a"])],
)
def test_line_ends(tmp_path: Path, old: bytes, new: bytes, lines: list[str]) -> None:
    found = compared(tmp_path, file("f", old), file("f", new))

    assert unified(found) == lines
    assert not found.same_content
