"""Two images compared: cost, where they part, files, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builders import Image, file, layer, oci, old_docker, pack
from driving import Drive
from lamina_tui.launch import first_screen
from lamina_tui.screens.diff import DiffScreen
from opening import workspace
from packages.support import apk_installed

BASE = layer(file("etc/base", b"b" * 5000), file("bin/tool", b"t" * 300))


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    """Two versions on one base: a file of each kind of change."""
    old = layer(file("srv/app", b"1" * 1000), file("srv/gone", b"g" * 40), file("srv/same", b"s" * 7))
    new = layer(file("srv/app", b"2" * 1500), file("srv/new", b"n" * 60), file("srv/same", b"s" * 7, mode=0o755))
    paths = []
    for name, top in (("1", old), ("2", new)):
        path = tmp_path / f"app{name}.tar"
        path.write_bytes(pack(oci(Image([BASE, top], tags=(f"app:{name}",)))))
        paths.append(str(path))
    return paths


async def test_cost_parting_and_files(drive: Drive, versions: list[str]) -> None:
    async with drive(first_screen(workspace(), versions, diff=True)) as screen:
        assert "app:1 → app:2" in screen.lines[0]
        assert "compressed" in screen.lines[1]
        assert "uncompressed" not in screen.lines[1]
        assert "disk 1.6 KB more" in screen.lines[1]
        assert "1 layer stored once; layer 1 is another, though its instruction is the same" in screen.text
        assert "+ 1 added 60  M 1 modified 1.5 K  m 1 metadata 7  - 1 removed 40" in screen.text
        rows = {line.split()[0]: line for line in screen.lines[7:] if line.startswith("    ")}
        assert set(rows) == {"app", "gone", "new", "same"}
        assert rows["app"].split()[1] == "M"
        assert rows["gone"].split()[1:3] == ["-", "40"]
        assert "mode 644→755" in rows["same"]
        assert "etc" not in screen.text


async def test_swap_filter_kinds_and_details(drive: Drive, versions: list[str]) -> None:
    async with drive(first_screen(workspace(), versions, diff=True)) as screen:
        await screen.press("w")
        assert "app:2 → app:1" in screen.lines[0]
        assert "+ 1 added 40" in screen.text
        await screen.press("slash", *"gone", "enter")
        assert "1 match for gone" in screen.lines[1]
        assert "new" not in "\n".join(screen.lines[7:-3])
        await screen.press("y")
        assert screen.clipboard == "srv/gone"
        await screen.press("escape", "f", "space", "escape")
        assert "hidden (f)" in screen.lines[1]
        await screen.press("i")
        assert "layer 1 of app:2" in screen.text
        await screen.press("escape", "escape")
        assert "q quits" in screen.text


async def test_the_same_image_has_no_difference(drive: Drive, versions: list[str]) -> None:
    async with drive(first_screen(workspace(), [versions[0], versions[0]], diff=True)) as screen:
        assert "both have the same layers" in screen.text
        assert "no difference" in screen.text
        assert "pull or push 0 B" in screen.text


async def test_a_stack_on_the_other(drive: Drive, tmp_path: Path, versions: list[str]) -> None:
    path = tmp_path / "base.tar"
    path.write_bytes(pack(old_docker(Image([BASE], tags=("base:1",)))))
    async with drive(first_screen(workspace(), [str(path), versions[0]], diff=True)) as screen:
        assert "1 layer stored once; the second adds 1 layer" in screen.text
        assert "+  step 1" in screen.text
        await screen.press("w", "i")
        assert "the second drops 1 layer" in screen.text


async def test_an_unreadable_image_is_told_and_asked_again(drive: Drive, tmp_path: Path, versions: list[str]) -> None:
    path = tmp_path / "broken.tar"
    path.write_bytes((tmp_path / "app1.tar").read_bytes()[:3000])
    async with drive(first_screen(workspace(), [versions[0], str(path)], diff=True)) as screen:
        assert "R     read again" in screen.text
        await screen.press("slash", "i", "f", "space")
        path.write_bytes((tmp_path / "app2.tar").read_bytes())
        await screen.press("R")
        assert "app:1 → app:2" in screen.lines[0]
        assert "added" in screen.text
        path.write_bytes(b"")
        await screen.press("R")
        assert isinstance(screen.app.screen, DiffScreen)
        assert screen.app.screen.failed
        await screen.press("q")
    assert screen.app.return_value == 3


async def test_from_the_list_by_marks(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("down", "space", "up", "up", "D")
        assert "shop-web:1.4 → shop-web:1.5" in screen.lines[0]
        await screen.press("escape")
        assert "1 marked" in screen.lines[0]


async def test_enter_on_a_file_that_only_one_has_tells_of_it_there(drive: Drive, versions: list[str]) -> None:
    async with drive(first_screen(workspace(), versions, diff=True)) as screen:
        await screen.press("slash", *"gone", "enter", "G", "enter")
        text = " ".join(screen.text.split())
        assert "/srv/gone" in text
        assert "in app:1" in text
        assert "layer 1 added, 40 B, -rw-r--r-- 0:0" in text
        assert "is not there" in text
        await screen.press("y", "escape")
        assert screen.clipboard == "/srv/gone"
        assert isinstance(screen.app.screen, DiffScreen)


async def test_what_is_the_same_has_its_bytes_where_it_is_shown(drive: Drive, versions: list[str]) -> None:
    async with drive(first_screen(workspace(), versions, diff=True)) as screen:
        # given only what changed, a folder says that it counts nothing else
        await screen.press("g")
        assert "1,047 B before, 1,567 B after of what changed" in screen.text
        # when all kinds are shown
        await screen.press("f", "a", "escape")
        # then what is the same has its bytes on both sides, and folders count them
        await screen.press("E", "slash", *"base", "enter")
        assert "5,000 B before, 5,000 B after etc/base" in screen.text
        assert "of what changed" not in screen.text
        assert "same again" not in screen.text  # no layer is looked at here that could ship it again
        await screen.press("escape")
        view = screen.app.screen.files.tree_rows.view  # type: ignore[attr-defined]
        assert int(view.was[0]) == 5000 + 300 + 1000 + 40 + 7
        assert int(view.size[0]) == 5000 + 300 + 1500 + 60 + 7
        # and back
        await screen.press("f", "c", "escape")
        view = screen.app.screen.files.tree_rows.view  # type: ignore[attr-defined]
        assert (int(view.was[0]), int(view.size[0])) == (1047, 1567)


async def test_nothing_at_a_path_is_told_from_no_bytes_there(drive: Drive, tmp_path: Path) -> None:
    # given an empty file that both have, and one that only the second has
    tops = layer(file("srv/empty", b"")), layer(file("srv/empty", b"", mode=0o600), file("srv/new", b""))
    paths = []
    for number, top in enumerate(tops):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(pack(oci(Image([BASE, top], tags=(f"app:{number}",)))))
        paths.append(str(path))
    async with drive(first_screen(workspace(), paths, diff=True)) as screen:
        rows = {line.split()[0]: line.split()[1:] for line in screen.lines[7:] if line.startswith("    ")}
        # then the one had no bytes before, and the other wasn't there
        assert rows["empty"][:3] == ["m", "0", "0"]
        assert rows["new"] == ["+", "0"]


async def test_a_narrow_line_of_what_changed_has_no_half_figure(drive: Drive) -> None:
    async with drive(["demo"], size=(40, 12)) as screen:
        await screen.press("space", "down", "space", "D")
        assert re.fullmatch(r"\+ \d+ M \d+ m \d+ - \d+", " ".join(screen.lines[5].split()))


async def test_packages_that_are_others(drive: Drive, tmp_path: Path) -> None:
    paths = []
    for name, packages in (("a", [("musl", "1.1"), ("gone", "1")]), ("b", [("musl", "1.2"), ("e[red]\x1b[2J", "1")])):
        database = apk_installed(*((package, version, [f"lib/{package}"]) for package, version in packages))
        files = [file(f"lib/{package}", 1000 * (1 + at)) for at, (package, _) in enumerate(packages)]
        path = tmp_path / f"{name}.tar"
        path.write_bytes(pack(old_docker(Image([layer(database, *files)], (f"{name}:1",)))))
        paths.append(str(path))
    async with drive(first_screen(workspace(), paths, diff=True), size=(100, 30)) as screen:
        await screen.press("p")
        rows = [" ".join(line.split()) for line in screen.lines]
        assert any("+ 2.0 K e[red]\\x1b[2J (apk) 1 added" in row for row in rows)
        assert any("- 2.0 K gone (apk) 1 removed" in row for row in rows)
        assert any("+ 0 musl (apk) 1.1 → 1.2 upgraded" in row for row in rows)
        await screen.press("escape", "w", "p")
        assert "musl (apk) 1.2 → 1.1" in screen.text
