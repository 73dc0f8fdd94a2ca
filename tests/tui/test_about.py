"""The pane of a wide terminal that tells of the row under the cursor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina_tui.widgets import about_pane
from lamina_tui.widgets.about_pane import AboutPane

SIZE = (160, 45)


def told(screen: Driven) -> str:
    """What the pane says, in one line."""
    pane = screen.app.screen.query_one(AboutPane)
    rows = ["".join(text for text, _ in pane.row(index, 80)) for index in range(pane.row_count())]
    return " ".join(" ".join(rows).split())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about_pane, "_REST", 0.001)


async def rest(screen: Driven) -> str:
    await screen.pilot.pause(0.05)
    await screen.settle()
    return told(screen)


async def test_of_a_layer_all_figures_and_digests(drive: Drive, shop: Any) -> None:
    async with drive(shop, SIZE) as screen:
        image = screen.image.image
        assert image is not None
        ships, hides = image.layers[3], image.layers[7]
        await screen.press("j", "j", "j")
        text = await rest(screen)
        wasted = f"wasted {ships.wasted:,} B, hidden by later layers"
        assert text.startswith(f"Layer 3 ships {ships.size:,} B in {ships.files} files {wasted}")
        assert f"added {ships.added.count} files, {ships.added.bytes:,} B" in text
        assert image.info.layers[3].diff_id in text.replace(" ", "")
        await screen.press("G", "k")
        assert f"hides {hides.hides:,} B of lower layers" in await rest(screen)


async def test_of_a_file_every_layer_that_touched_it(drive: Drive, shop: Any) -> None:
    async with drive(shop, SIZE) as screen:
        await screen.press("2", "enter")
        text = await rest(screen)
        assert text.startswith("/usr/local/lib/python3.11/site-packages/numpy.libs/libopenbl")
        assert "layer 5 metadata, 468,000 B, -rw-r----- 0:0" in text
        assert "layer 3 added, 468,000 B, -rw-r--r-- 0:0" in text
        assert "RUN /bin/sh -c chmod -R o-rwx" in text


async def test_of_waste_and_advice_who_ships_and_who_hides(drive: Drive, shop: Any) -> None:
    async with drive(shop, SIZE) as screen:
        for tab in ("2", "3", "0"):
            await screen.press(tab)
            text = await rest(screen)
            assert "Shipped by layer 3 RUN /bin/sh -c pip install -r requirements.txt" in text
            assert "Hidden by layer 5 RUN /bin/sh -c chmod -R o-rwx" in text
        assert text.startswith("Saves ")
        assert "Layer 5 copies 59 files" in text


async def test_of_an_image_in_a_list_its_layers_and_who_has_them(drive: Drive) -> None:
    async with drive(["demo"], (100, 36)) as screen:
        text = await rest(screen)
        assert text.startswith("shop-web:1.5, shop-web:latest 0 2.4 M ADD file:4d192565")
        assert "in / (in 4 images) 1 1.9 M RUN apt-get update" in text
        await screen.press("G")
        assert (await rest(screen)).startswith("debian-base:12 0 2.4 M ADD file:")


async def test_a_list_of_many_images_keeps_its_height(drive: Drive, tmp_path: Path) -> None:
    images = [Image([layer(file("f", bytes([number])))], tags=(f"app:{number}",)) for number in range(50)]
    path = tmp_path / "many.tar"
    path.write_bytes(pack(old_docker(*images)))
    async with drive([str(path)], (100, 36)) as screen:
        await screen.press("escape")
        assert sum("app:" in line for line in screen.lines) >= 30
        assert screen.lines[-1].startswith(" ? help")
        await screen.press("G")
        assert any("app:49" in line for line in screen.lines)


@pytest.mark.parametrize("size", [(120, 45), (160, 24), (40, 12)])
async def test_it_takes_no_room_where_there_is_none(drive: Drive, shop: Any, size: tuple[int, int]) -> None:
    async with drive(shop, size) as screen:
        assert not screen.app.screen.query_one(AboutPane).display
        assert await rest(screen) == ""


async def test_a_cursor_that_goes_on_changes_nothing_yet(
    drive: Drive, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(shop, SIZE) as screen:
        before = await rest(screen)
        monkeypatch.setattr(about_pane, "_REST", 30)
        await screen.press("j", "j")
        assert told(screen) == before
        assert before.startswith("Layer 0")
