"""The packages of an image on the screen, and the way to the files of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import Image, old_docker, pack
from driving import Drive, Driven
from lamina.model import LaminaError
from packages.support import apk_installed, dpkg_list, dpkg_status, package_json
from tars import file, layer_tar, whiteout

EVIL = "[red]e\x1b[2J\u202e"


@pytest.fixture
def image(tmp_path: Path) -> list[str]:
    """Packages of three managers, one of them removed again, one with an evil name, and files of none."""
    layers = [
        [dpkg_status(("perl", "5.36"), ("gcc", "12")), dpkg_list("perl", "usr", "usr/lib", "usr/lib/perl.so")],
        [file("usr/lib/perl.so", 5000), file("usr/lib/other.so", 700), file("srv/mine", 90)],
        [dpkg_list("gcc", "usr/bin/gcc", "usr/lib/cc1"), file("usr/bin/gcc", 400), file("usr/lib/cc1", 9000)],
        [apk_installed((EVIL, EVIL, ["evil"])), file("evil", 30), package_json("srv/node_modules/left-pad")],
        [dpkg_status(("perl", "5.36")), whiteout("var/lib/dpkg/info/gcc.list"), whiteout("usr/bin/gcc")],
        [whiteout("usr/lib/cc1"), file("var/lib/rpm/Packages", 10)],
    ]
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image([layer_tar(*layer) for layer in layers]))))
    return [str(path)]


def names(screen: Driven) -> list[str]:
    """What the rows are about, in their order."""
    view = screen.image.packages
    return ["" if place is None else view.packages[place].name for place in view._rows]


async def test_packages_stand_by_what_they_weigh(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4")
        assert names(screen)[:2] == ["perl", ""]
        assert names(screen)[-1] == "gcc"
        assert "in 3 packages; not all of rpm could be read" in screen.text
        assert "5.0 K perl dpkg 5.36 1" in " ".join(screen.text.split())
        assert "gcc dpkg removed again, 12" in " ".join(screen.text.split())
        assert "1 file, 5,000 B" in screen.text
        assert "step 1" in screen.lines[-3]  # the instruction that brought it
        await screen.press("down")
        assert "older form" in screen.text


async def test_the_rows_add_up_to_what_is_visible(drive: Drive, image: list[str]) -> None:
    async with drive(image) as screen:
        await screen.press("4")
        found, figures = screen.image.packages.found, screen.image.image
        assert found is not None
        assert figures is not None
        assert sum(package.size for package in found.packages) + found.unowned == figures.visible


async def test_enter_shows_the_files_of_a_package_alone(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4", "enter")
        assert screen.image.tab == "files"
        assert screen.image.files.copied_text() == b"usr/lib/perl.so"
        assert "1 file of perl" in screen.text
        tree = screen.image.files.tree_rows
        assert tree is not None
        assert int(tree.view.size[0]) == 5000  # folders tell of these files alone
        assert len(tree.rows) == 2  # the folder, and the file
        await screen.press("escape")
        assert screen.image.tab == "packages"
        await screen.press("1", "escape")
        assert int(tree.view.size[0]) > 5700
        assert "other.so" in screen.text or len(tree.rows) > 3


async def test_files_of_a_package_that_is_gone_are_shown_where_they_were(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4", "G", "enter")
        assert "2 files of gcc" in screen.text
        assert screen.image.viewpoint.title.startswith("layer 2")


async def test_files_of_no_package(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4", "down", "enter")
        assert "of no package" in screen.text
        assert "perl.so" not in screen.text
        assert "other.so" in screen.text


async def test_a_wide_terminal_tells_who_ships_a_package(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(160, 45)) as screen:
        await screen.press("4", "G")
        screen.image._show_about()
        await screen.settle()
        words = " ".join(text.text for text in screen.image._about())
        assert "a later layer removes it" in words
        assert "Layer 2 ships 9,400 B, 9,400 B of them wasted" in words
        assert "step 2" in words


async def test_another_filter_takes_the_place_of_a_package(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4", "enter", "slash", *"mine", "enter")
        assert "of perl" not in screen.text
        assert screen.image.files.copied_text() == b"srv/mine"


async def test_packages_are_found_and_sorted(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4", "slash", *"npm", "enter")
        assert names(screen) == ["left-pad"]
        await screen.press("escape", "greater_than_sign")
        assert names(screen)[0] == "gcc"
        await screen.press("S")
        assert names(screen) == [EVIL, "gcc", "left-pad", "perl", ""]
        await screen.press("y")
        assert screen.clipboard == "[red]e\\x1b[2J\\u202e"


async def test_names_of_strangers_act_on_nothing(drive: Drive, image: list[str]) -> None:
    async with drive(image, size=(110, 30)) as screen:
        await screen.press("4", "slash", *"apk")
        assert "[red]e\\x1b[2J\\u202e" in screen.text


async def test_an_image_without_packages(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image([layer_tar()]))))
    async with drive([str(path)]) as screen:
        await screen.press("4", "enter", "y", "S")
        assert "no package manager that is known here" in screen.text


async def test_records_that_can_not_be_read(drive: Drive, image: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LaminaError("it is gone\x1b[2J")

    monkeypatch.setattr("lamina.packages.find_packages.PackageSearch.run", fail)
    async with drive(image) as screen:
        await screen.press("4")
        assert "could not be read: it is gone\\x1b[2J" in screen.text
