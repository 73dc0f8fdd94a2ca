"""The overview, on which an image opens: what is most worth doing, the largest files, and the ways from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders import Image, file, layer, old_docker, pack
from driving import Drive


async def test_an_image_opens_on_what_is_most_worth_doing(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40), tab="overview") as screen:
        assert "with all of it 8.0 MB would be 5.0 MB" in screen.text
        best = screen.line_with("1.3 M  3→5")
        assert "RUN chmod -R o-rwx" in best
        assert "and 4 more: 3 lists all" in screen.text
        assert "122 files in 9 layers" in screen.text
        assert "lib/x86_64-linux-gnu/libc.so.6" in screen.line_with("412 K")
        # Nothing is said twice: in place of the verdict the image's own facts.
        assert "3 tells how" not in screen.text


async def test_enter_leads_to_the_files_and_escape_back(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40), tab="overview") as screen:
        await screen.press("tab")
        assert any(line.startswith("◂  3") for line in screen.lines)  # who ships and who hides are marked
        assert (
            len([line for line in screen.lines if "Layer 5 copies 51 files of layer 3" in line]) == 2
        )  # and whole below
        await screen.press("enter")
        assert screen.image.tab == "waste"
        assert "▾ 51 files" in screen.text
        await screen.press("escape")
        assert screen.image.tab == "overview"
        assert screen.image.overview.cursor == 0
        await screen.press(*["down"] * 8)
        assert screen.clipboard == ""
        await screen.press("y")
        largest = screen.clipboard
        await screen.press("enter")
        assert screen.image.tab == "files"
        assert screen.image.viewpoint.title == "up to layer 8"
        await screen.press("y")
        assert screen.clipboard == largest
        await screen.press("escape")
        assert screen.image.tab == "overview"


async def test_a_search_from_there_is_one_in_all_files(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40), tab="overview") as screen:
        await screen.press("slash", *"libc.so")
        assert screen.image.tab == "files"
        assert "1 match for libc.so   up to layer 8" in screen.text
        await screen.press("escape", "escape")
        assert screen.image.tab == "overview"


async def test_an_image_without_waste_says_so(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "lean.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"a" * 9000))], ("lean:1",)))))
    async with drive([str(path)], tab="overview") as screen:
        assert "every byte that it ships is reachable" in screen.text
        assert "9.0 K" in screen.line_with("  a")
        await screen.press("tab", "enter", "y")  # a row that leads nowhere
        assert screen.clipboard == ""
        await screen.press("2", "R")
        assert screen.image.tab == "waste"


async def test_an_image_without_bytes_has_no_largest_file(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "empty.tar"
    path.write_bytes(pack(old_docker(Image([layer()], ("empty:1",)))))
    async with drive([str(path)], tab="overview") as screen:
        assert "every byte" in screen.text
        assert "the largest files" not in screen.text
