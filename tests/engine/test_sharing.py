"""What the images of a real engine share: without reading a layer, and the same as their archives say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from driving import Driven
from engine.images import APP1, APP2, BASE
from engine.tools import lamina
from lamina_tui.app import LaminaApp
from lamina_tui.launch import first_screen
from opening import workspace


def said(built: str, *words: str) -> Any:
    done = lamina(*words, "--json", host=built)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_the_overview_has_every_image_and_its_layers(built: str) -> None:
    report = said(built, "shared")
    rows = {
        tag: row
        for row, image in zip(report["sharing"]["images"], report["images"], strict=True)
        for tag in image["tags"]
    }

    assert {BASE, APP1, APP2} <= set(rows)
    assert rows[BASE]["frees"] == 0
    assert rows[APP1]["shared_with"] >= 2


def test_a_comparison_of_images_is_that_of_their_archives(built: str, saved: Path) -> None:
    engine, archive = said(built, "diff", APP1, APP2), said(built, "diff", str(saved), APP2)

    for key in ("disk", "parting", "added", "modified", "metadata", "removed", "files"):
        assert engine[key] == archive[key], key


async def test_home_tree_and_comparison_on_the_screen(built: str) -> None:
    app = LaminaApp(first_screen(workspace(built), []))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        assert "on disk" in screen.text
        await screen.press("t")
        assert "layer tree" in screen.lines[0]
        assert APP1 in screen.text
