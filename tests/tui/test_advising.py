"""Advice comes when it is found, and nothing waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive
from lamina.advice.advise import advise
from lamina_tui.screens import advising

KEY = b"-----BEGIN PRIVATE KEY-----\n"


def image_file(tmp_path: Path) -> str:
    path = tmp_path / "image.tar"
    layers = [layer(file("tmp/x", b"x" * 50_000), file("tmp/y", b"y" * 40_000)), layer(file("srv/server.key", KEY))]
    path.write_bytes(pack(old_docker(Image(layers))))
    return str(path)


async def test_files_are_shown_while_advice_is_looked_for(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        wait.wait(20)
        return advise(*arguments, **options)

    monkeypatch.setattr(advising, "advise", slow)
    path = image_file(tmp_path)
    async with drive(["demo"], tab="overview") as screen:
        screen.app.open_target(path)
        for _ in range(200):
            await screen._turns(2)
            if "tmp/x" in screen.text:
                break
        assert "looking for what is worth doing" in screen.text
        assert "50.0 K" in screen.line_with("tmp/x")
        wait.set()
        await screen.settle()
        assert "temporary files" in screen.text


async def test_what_contents_tell_comes_after_what_listings_tell(drive: Drive, tmp_path: Path) -> None:
    async with drive([image_file(tmp_path)], size=(120, 40), tab="overview") as screen:
        assert "Layer 1 ships 1 file that looks like private keys." in screen.text
        await screen.press("3")
        assert "high" in screen.line_with("90.0 K  high")
        assert "high" in screen.line_with("private keys.")


async def test_an_advice_leads_to_its_files_alone(drive: Drive, tmp_path: Path) -> None:
    async with drive([image_file(tmp_path)], size=(120, 40)) as screen:
        await screen.press("3", "enter")
        assert screen.image.tab == "files"
        assert "of temporary-files" in screen.text
        assert "tmp" in screen.text
        await screen.press("escape")
        assert screen.image.tab == "advice"


async def test_packages_are_known_with_the_advice(drive: Drive) -> None:
    async with drive(["demo"], size=(120, 40), tab="overview") as screen:
        await screen.press("enter")
        assert "149 files in 9 layers, 23 packages" in screen.text
        assert screen.image.packages.found is not None
