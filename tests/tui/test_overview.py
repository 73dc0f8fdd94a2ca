"""The overview, on which an image opens: what is most worth doing, the largest files, and the ways from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders import Image, file, layer, old_docker, pack
from driving import Drive


async def test_an_image_opens_on_what_is_most_worth_doing(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40), tab="overview") as screen:
        assert "with all of it 8.0 MB would be 4.9 MB" in screen.text
        best = screen.line_with("1.3 M  3→5")
        assert "RUN chmod -R o-rwx" in best
        assert "and 8 more: 3 lists all" in screen.text
        assert "149 files in 9 layers" in screen.text
        assert "lib/x86_64-linux-gnu/libc.so.6" in screen.line_with("412 K")
        # Nothing is said twice: in place of the verdict the image's own facts.
        assert "3 tells how" not in screen.text


async def test_enter_leads_to_the_files_and_escape_back(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(120, 40), tab="overview") as screen:
        await screen.press("tab")
        assert any(line.startswith("◂  3") for line in screen.lines)  # who ships and who hides are marked
        assert (
            len([line for line in screen.lines if "Layer 5 copies 59 files of layer 3" in line]) == 2
        )  # and whole below
        await screen.press("enter")
        assert screen.image.tab == "waste"
        assert "▾ 59 files" in screen.text
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
        assert "9.0 K" in screen.line_with("0       a")
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


def on_a_base(tmp_path: Path) -> list[str]:
    """An image of two layers on a base of two, each pair with a file that is written twice."""
    layers = [
        layer(file("base", b"a" * 50_000), file("own", b"")),
        layer(file("base", b"b" * 50_000)),
        layer(file("own", b"c" * 20_000)),
        layer(file("own", b"d" * 20_000)),
    ]
    history = [
        {"created_by": "ADD base"},
        {"created_by": "RUN base"},
        {"created_by": 'CMD ["sh"]', "empty_layer": True},
    ]
    history += [{"created_by": "COPY own"}, {"created_by": "RUN own"}]
    path = tmp_path / "based.tar"
    path.write_bytes(pack(old_docker(Image(layers, extra={"history": history}))))
    return [str(path)]


async def test_advice_that_is_for_the_base_stands_apart(drive: Drive, tmp_path: Path) -> None:
    async with drive(on_a_base(tmp_path), size=(120, 40), tab="overview") as screen:
        assert "on a base of 2 layers" in screen.text
        own, base = screen.line_with("of layer 2"), screen.line_with("of layer 0")
        assert "It is for who builds the base." in base
        assert "base" not in own
        assert screen.lines.index(own) < screen.lines.index(base)  # it saves less, and can be done
        assert "with all of it 140 KB would be 120 KB" in screen.text
        await screen.press("3")
        assert "base: Layer 1" in screen.line_with("50.0 K  high")
        assert "all of it saves 70.0 KB, 50.0 KB of it in the base" in screen.text
