"""What find finds: by each condition, in each scope; held against find(1) where the tree can be laid out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lamina.contents import conditions as of
from lamina.contents.conditions import Conditions
from lamina.contents.file_rows import FileRows
from lamina.contents.find_files import find_files
from lamina.contents.globs import Globs
from lamina.contents.image_files import ImageFiles, files_of
from lamina.contents.place import scope_of
from lamina.model import Change, LaminaError
from needs import tool
from stacks import stack
from tars import directory, fifo, file, hardlink, symlink, whiteout


@pytest.fixture
def image() -> ImageFiles:
    return files_of(
        stack(
            [
                directory("usr"),
                directory("usr/bin", mode=0o2755),
                file("usr/bin/su", 3000, mode=0o4755),
                hardlink("usr/bin/sudo", "usr/bin/su"),
                file("usr/bin/ls", 900, uid=7, gid=8),
                symlink("bin", "usr/bin"),
                directory("tmp", mode=0o1777),
                fifo("tmp/pipe", mode=0o622),
                file("etc/key", 40),
            ],
            [whiteout("etc/key"), file("usr/bin/ls", 901, uid=7, gid=8), file("usr/bin/su", 3000, mode=0o755)],
            [file("etc/key", 41), whiteout("usr/bin/ls")],
        )
    )


def listed(rows: FileRows) -> list[str]:
    """Mark and path of each."""
    texts = rows.union.paths.texts(rows.path)
    return [f"{Change(mark).mark} {text.decode()}" for mark, text in zip(rows.change.tolist(), texts, strict=True)]


def names(rows: FileRows) -> list[str]:
    return [line[2:] for line in listed(rows)]


def test_without_conditions_all_of_the_final_file_system_is_found(image: ImageFiles) -> None:
    assert names(find_files(image, "", scope_of(image), Conditions())) == [
        "bin", "etc", "etc/key", "tmp", "tmp/pipe", "usr", "usr/bin", "usr/bin/su", "usr/bin/sudo",
    ]  # fmt: skip


def test_a_folder_is_found_with_what_is_below(image: ImageFiles) -> None:
    expected = ["usr/bin", "usr/bin/su", "usr/bin/sudo"]
    assert names(find_files(image, "usr/bin", scope_of(image), Conditions())) == expected
    assert names(find_files(image, "bin", scope_of(image), Conditions())) == expected
    assert names(find_files(image, "usr/bin/su", scope_of(image), Conditions())) == ["usr/bin/su"]
    with pytest.raises(LaminaError, match="no nowhere"):
        find_files(image, "nowhere", scope_of(image), Conditions())


@pytest.mark.parametrize(
    ("conditions", "finds"),
    [
        (Conditions(names=Globs(("su*",))), ["usr/bin/su", "usr/bin/sudo"]),
        (Conditions(whole_paths=Globs(("usr/*s?",))), ["usr/bin/su"]),
        (Conditions(size=of.size_range("+899")), ["usr/bin/ls", "usr/bin/su"]),  # the link adds none
        (Conditions(size=of.size_range("-41")), ["etc/key", "usr/bin/sudo"]),
        (Conditions(size=of.size_range("+3k"), kinds=of.kinds_of("d")), ["usr", "usr/bin"]),
        (Conditions(owner=of.owner_of("7")), ["usr/bin/ls"]),
        (Conditions(owner=of.owner_of(":8")), ["usr/bin/ls"]),
        (Conditions(owner=of.owner_of("7:9")), []),
        (Conditions(modes=(of.mode_bits("setuid"),)), ["usr/bin/su", "usr/bin/sudo"]),
        (Conditions(modes=(of.mode_bits("/6000"),)), ["usr/bin", "usr/bin/su", "usr/bin/sudo"]),
        (Conditions(modes=(of.mode_bits("-1002"),)), ["tmp"]),
        (Conditions(modes=(of.mode_bits("world-writable"),)), ["tmp", "tmp/pipe"]),
        (Conditions(modes=(of.mode_bits("4755"),)), ["usr/bin/su", "usr/bin/sudo"]),
        (Conditions(kinds=of.kinds_of("l,p")), ["bin", "tmp/pipe"]),
        (Conditions(kinds=of.kinds_of("h")), ["usr/bin/sudo"]),
        (Conditions(kinds=of.kinds_of("f"), names=Globs(("*s*",)), size=of.size_range("900")), ["usr/bin/ls"]),
    ],
)
def test_each_condition(image: ImageFiles, conditions: Conditions, finds: list[str]) -> None:
    assert names(find_files(image, "", scope_of(image, up_to=0), conditions)) == finds


def test_a_layer_alone_has_what_it_carries_and_removes(image: ImageFiles) -> None:
    scope = scope_of(image, layer=1)
    assert listed(find_files(image, "", scope, Conditions())) == ["- etc/key", "M usr/bin/ls", "m usr/bin/su"]
    assert listed(find_files(image, "", scope, Conditions(changes=of.changes_of("m-")))) == [
        "- etc/key",
        "m usr/bin/su",
    ]


def test_what_is_removed_weighs_what_goes(image: ImageFiles) -> None:
    removed = Conditions(size=of.size_range("+30"), changes=of.changes_of("-"))
    assert names(find_files(image, "", scope_of(image, layer=1), removed)) == ["etc/key"]
    assert names(find_files(image, "", scope_of(image, up_to=1), removed)) == ["etc/key"]
    assert names(find_files(image, "", None, removed)) == ["etc/key", "usr/bin/ls"]


def test_of_a_file_system_what_its_last_layer_removed_is_told_where_asked(image: ImageFiles) -> None:
    scope = scope_of(image, up_to=1)
    assert listed(find_files(image, "", scope, Conditions(changes=of.changes_of("-M")))) == [
        "- etc/key",
        "M usr/bin/ls",
    ]


def versions(rows: FileRows) -> list[tuple[str, int, int, bool]]:
    """(mark and path, layer, hidden by, replaced) of each."""
    assert rows.hidden_by is not None
    assert rows.replaced is not None
    return list(zip(listed(rows), rows.layer.tolist(), rows.hidden_by.tolist(), rows.replaced.tolist(), strict=True))


def test_all_layers_have_every_version_with_its_fate(image: ImageFiles) -> None:
    files = Conditions(kinds=of.kinds_of("f"))
    assert versions(find_files(image, "", None, files)) == [
        ("+ etc/key", 0, 1, False),
        ("+ etc/key", 2, -1, False),
        ("+ usr/bin/ls", 0, 1, True),
        ("M usr/bin/ls", 1, 2, False),
        ("+ usr/bin/su", 0, 1, True),
        ("m usr/bin/su", 1, -1, False),
        ("+ usr/bin/sudo", 0, -1, False),
    ]


def test_removals_of_all_layers_are_told_where_asked(image: ImageFiles) -> None:
    removed = Conditions(changes=of.changes_of("-"))
    assert versions(find_files(image, "", None, removed)) == [
        ("- etc/key", 0, 1, False),
        ("- usr/bin/ls", 1, 2, False),
    ]


def test_a_folder_that_layers_list_again_is_removed_once() -> None:
    image = files_of(stack([directory("d"), file("d/x", 5)], [directory("d", mode=0o700)], [whiteout("d")]))
    removed = find_files(image, "", None, Conditions(changes=of.changes_of("-m")))
    assert versions(removed) == [("m d", 1, 2, False), ("- d", 1, 2, False), ("- d/x", 0, 2, False)]


def test_a_path_that_is_removed_in_the_end_is_found_in_all_layers(image: ImageFiles) -> None:
    assert len(find_files(image, "usr/bin/ls", None, Conditions())) == 2


def test_bytes_of_all_finds_are_those_of_the_image(image: ImageFiles) -> None:
    assert find_files(image, "", scope_of(image), Conditions()).own.sum() == 3000 + 3000 + 41
    every = find_files(image, "", None, Conditions())
    assert every.own.sum() == image.union.size.sum()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+10M", (10_000_001, None)),
        ("-4k", (0, 3_999)),
        ("100", (100, 100)),
        ("1.5KiB", (1536, 1536)),
        ("+1Gi", ((1 << 30) + 1, None)),
        ("2MB", (2_000_000, 2_000_000)),
        ("12c", (12, 12)),
        ("-1.0001k", (0, 1000)),
    ],
)
def test_sizes_as_people_write_them(text: str, expected: tuple[int, int | None]) -> None:
    assert of.size_range(text) == expected


@pytest.mark.parametrize("text", ["", "k", "10X", "--4", "1e3", "\u0663"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(text)):
        of.size_range(text)


@pytest.mark.parametrize("text", ["", "8", "rwx", "/", "77777", "+755"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(text)):
        of.mode_bits(text)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (["-name", "*e*"], Conditions(names=Globs(("*e*",)))),
        (["-path", "./d*/[a-f]*"], Conditions(whole_paths=Globs(("d*/[a-f]*",)))),
        (["-perm", "/111"], Conditions(modes=(of.mode_bits("/111"),))),
        (["-perm", "-644"], Conditions(modes=(of.mode_bits("-644"),))),
        (["-perm", "600"], Conditions(modes=(of.mode_bits("600"),))),
        (["-type", "f", "-size", "+99c"], Conditions(size=of.size_range("+99c"))),
        (["-type", "d"], Conditions(kinds=of.kinds_of("d"))),
    ],
)
def test_find_itself_finds_the_same(tmp_path: Path, theirs: list[str], ours: Conditions) -> None:
    members = [directory("deep", mode=0o755), directory("deep/er", mode=0o700)]
    members += [file(f"deep/{name}", 40 * place, mode=mode) for place, (name, mode) in enumerate(
        [("ab", 0o644), ("cd", 0o600), ("e f", 0o755), ("x\ny", 0o666)]
    )]  # fmt: skip
    for member in members:
        path = tmp_path / member.name.decode()
        path.mkdir() if member.flag == b"5" else path.write_bytes(member.content)
        path.chmod(member.mode)
    command = [tool("find"), ".", "-mindepth", "1", *theirs, "-print0"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.split(b"\0")[:-1]
    image = files_of(stack(members))
    rows = find_files(image, "", scope_of(image), ours)
    assert sorted(b"./" + text for text in rows.union.paths.texts(rows.path)) == sorted(told)
