"""The layer tree: where images part, folds, filter, and what enter opens."""

from __future__ import annotations

from driving import Drive


async def test_images_stand_on_what_they_share(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("t")
        rows = [line.split("  ")[0].rstrip() or line for line in screen.lines[2:]]
        text = screen.text
        base = next(line for line in screen.lines if "ADD file" in line)
        assert base.split("…")[1].split()[:5] == ["2.4", "M", "13.0", "M", "4"]
        both = next(line for line in screen.lines if "[3 layers]" in line)
        assert both.split()[-2] == "2"
        for name in ("debian-base:12", "shop-web:1.5", "shop-web:1.4", "shop-worker:2.0"):
            assert name in text
        assert "4 images on it: shop-web:1.5" in screen.lines[-2]
        assert rows


async def test_folds(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("t", "space")
        assert "shop-web" not in "\n".join(screen.lines[2:-3])
        await screen.press("right", "right")
        assert "debian-base:12" in screen.lines[-3]
        await screen.press("left")
        assert "layer 0" in screen.lines[-3]
        await screen.press("C", "right", "G", "right")
        assert "shop-worker:2.0" in screen.text
        assert "shop-web:1.4" not in "\n".join(screen.lines[2:-3])
        await screen.press("left", "left", "E")
        assert "shop-web:1.4" in "\n".join(screen.lines[2:-3])


async def test_the_filter_keeps_what_the_found_stand_on(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("t", "slash", *"worker")
        shown = "\n".join(screen.lines[2:-3])
        assert "shop-worker:2.0" in shown
        assert "ADD file" in shown
        assert "shop-web" not in shown
        await screen.press("enter")
        assert "shop-worker:2.0" in screen.lines[-3]
        await screen.press("escape")
        assert "shop-web:1.4" in "\n".join(screen.lines[2:-3])
        await screen.press("slash", *"nowhere")
        assert "no image's name has" in screen.text
        await screen.press("escape", "escape")
        assert "4 images" in screen.lines[0]
        assert "layer tree" not in screen.text


async def test_enter_lists_a_run_and_opens_an_image(drive: Drive) -> None:
    async with drive(["demo"], (120, 40)) as screen:
        await screen.press("t", "down", "down", "enter")
        for word in ("3 layers", "RUN pip install -r requirements.txt", "2 images on it", "shop-web:1.4"):
            assert word in screen.text
        await screen.press("escape", "up", "y")
        assert screen.clipboard == "debian-base:12"
        await screen.press("enter")
        assert "efficiency" in screen.lines[0]
        assert "debian-base:12" in screen.lines[0]
        await screen.press("escape", "up", "y")
        assert screen.clipboard.startswith("sha256:")


async def test_levels_are_told_apart_however_narrow_it_is(drive: Drive) -> None:
    async with drive(["demo"], size=(40, 14)) as screen:
        await screen.press("t", "E")
        rows = [line for line in screen.lines[2:8] if line.strip()]
        starts = [len(line) - len(line.lstrip()) for line in rows]
        assert len(set(starts)) >= 3
