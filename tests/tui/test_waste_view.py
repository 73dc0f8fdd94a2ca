"""The waste view: ranked, grouped, told, and the way to the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from builders import Image, directory, file, layer, old_docker, pack
from driving import Drive


async def test_rows_are_ranked_with_their_cause_and_layers(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(120, 40)) as screen:
        await screen.press("2")
        assert "5.4 KB in 3 files\n" in screen.text
        old, same, motd = (
            screen.line_with(f"bin/{name}" if name != "motd" else "etc/motd") for name in ("same", "same", "motd")
        )
        assert "metadata" in same
        assert "0→1" in same
        assert "overwritten" in motd
        assert old
        rows = [line for line in screen.lines if "0→" in line]
        assert [row.split()[-1] for row in rows] == ["bin/old", "bin/same", "etc/motd"]


async def test_the_row_under_the_cursor_is_explained(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("2")
        assert "Shipped by layer 0 (step 0); layer 2 (step 2) removes it" in " ".join(screen.text.split())
        await screen.press("down")
        told = " ".join(screen.text.split())
        assert "layer 1 (step 1) copies it: the content is the same, only mode" in told


async def test_groups_by_directory_and_by_layer(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40)) as screen:
        await screen.press("2", "b")
        assert "by directory" in screen.text
        assert "▸ srv/shop/docs/  · 2 files" in screen.text
        await screen.press("down", "down", "space")
        assert "▾ srv/shop/docs/" in screen.text
        assert "srv/shop/docs/handbook.pdf" in screen.text
        await screen.press("down", "h")  # from a row: closes the group it stands in
        assert "handbook.pdf" not in screen.text
        assert "2 files, 222 KB in srv/shop/docs/: removed 222 KB" in screen.text
        await screen.press("b")
        assert "by layer" in screen.text
        assert "3→5" in screen.text
        assert "59 files  · RUN chmod -R o-rwx" in screen.text
        await screen.press("enter")
        assert "▾ 59 files" in screen.text
        await screen.press("b")
        assert "MB in 102 files\n" in screen.text
        assert "files by " not in screen.text


async def test_enter_goes_to_the_file_in_its_layer(drive: Drive, shop: Any) -> None:
    async with drive(shop) as screen:
        await screen.press("2", "down", "down", "enter")
        assert screen.image.tab == "files"
        assert screen.focus == "files"
        assert screen.image.viewpoint.layer == 4
        assert "srv/shop/docs/handbook.pdf" in screen.image.files.describe()
        assert "handbook.pdf" in screen.text


async def test_enter_finds_the_file_whatever_is_hidden(drive: Drive, shop: Any) -> None:
    async with drive(shop) as screen:
        await screen.press("tab", "slash", "z", "z", "enter", "f", "space", "escape", "2", "down", "down", "enter")
        assert "srv/shop/docs/handbook.pdf" in screen.image.files.describe()


async def test_sorting_and_filtering(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40)) as screen:
        await screen.press("2", "s")
        assert "bytes ▴" in screen.text
        assert "63" in screen.text
        await screen.press("S")
        assert "path ▾" in screen.text
        await screen.press("slash", "d", "o", "c", "s")
        assert "222 KB in 2 files" in screen.text
        await screen.press("enter", "b")
        assert "▸ srv/shop/docs/" in screen.text
        assert "srv/shop/static" not in screen.text
        await screen.press("escape")
        assert "102 files" in screen.text
        await screen.press("slash", "q", "q", "q")
        assert "no wasted path has “qqq”" in screen.text
        await screen.press("escape")
        assert "102 files" in screen.text


async def test_copying_a_path(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("2", "y")
        assert screen.clipboard == "bin/old"
        await screen.press("b", "y")
        assert screen.clipboard == "bin"


async def test_an_image_without_waste_says_so(drive: Drive, tmp_path: Any) -> None:
    from builders import Image, file, layer, old_docker, pack

    path = tmp_path / "clean.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"1"))]))))
    async with drive([str(path)]) as screen:
        await screen.press("2")
        assert "no waste: every byte" in screen.text
        for key in ("enter", "space", "left", "b", "y", "s", "down", "G"):
            await screen.press(key)
        assert "no waste: every byte" in screen.text


@pytest.mark.parametrize("keys", [("b",), ("b", "S"), ("b", "b", "space"), ("slash", "f", "enter")])
@pytest.mark.parametrize("turn", [1, -1], ids=["more", "less"])
async def test_read_again_nothing_is_left_of_the_image_that_was(
    drive: Drive, tmp_path: Path, keys: tuple[str, ...], turn: int
) -> None:
    def image(rewritten: int, size: int) -> bytes:
        rewriting = [layer(*(file(f"d{n}/f", b"y" * (size + n)) for n in range(rewritten))) for _ in range(3)]
        return pack(old_docker(Image([layer(directory("d")), *rewriting], ("app:1",))))

    def total(text: str) -> str:
        return re.findall(r"[\d.]+ K?B in \d+ files", text)[0]

    first, then = (image(2, 100), image(9, 7000))[::turn]
    path = tmp_path / "app.tar"
    path.write_bytes(first)
    async with drive([str(path)], size=(120, 40)) as screen:
        await screen.press("2", *keys)
        path.write_bytes(then)
        await screen.press("R", "2", "home", "space", "down", "down")
        again = screen.text
    async with drive([str(path)], size=(120, 40)) as screen:
        await screen.press("2")
        assert total(screen.text) == total(again)


async def test_a_click_on_a_title_sorts_by_it(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(120, 40)) as screen:
        await screen.press("2")
        header = next(line for line in screen.lines if "layers path" in line)
        await screen.pilot.click("#waste", offset=(header.index("path") + 1, 0))
        await screen.settle()
        assert [line.split()[-1] for line in screen.lines if "0→" in line] == ["bin/old", "bin/same", "etc/motd"]
        await screen.pilot.click("#waste", offset=(header.index("bytes") + 1, 0))
        await screen.settle()
        assert screen.image.waste.sort_key == "size"
