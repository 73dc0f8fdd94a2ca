"""The app for the tests: on a terminal that is the same everywhere, with images that are easy to recognise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from builders import Image, directory, file, layer, link, old_docker, pack
from driving import Drive, Driven
from lamina.sources.demo.source import DemoSource
from lamina_tui.app import LaminaApp
from lamina_tui.launch import first_screen
from lamina_tui.screens.image import ImageScreen
from opening import workspace


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same terminal for every test, whatever runs them."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("COLORTERM", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def drive() -> Drive:
    """Opens the app on a first screen, or on targets as the command line has them."""

    @asynccontextmanager
    async def opened(
        what: Callable[[], Screen[None]] | list[str],
        size: tuple[int, int] = (80, 24),
        *,
        tab: str = "files",
        **options: Any,
    ) -> AsyncIterator[Driven]:
        if isinstance(what, list):
            what = first_screen(workspace(), what)
        app = LaminaApp(what, **options)
        async with app.run_test(size=size) as pilot:
            driven = Driven(app, pilot)
            await driven.settle()
            # An image opens on its overview; most tests are about its files.
            if tab and isinstance(app.screen, ImageScreen) and tab != app.screen.tab and not app.screen.failed:
                await driven.open_tab(tab)
            yield driven

    return opened


@pytest.fixture
def shop() -> Callable[[], Screen[None]]:
    """The screen of one built-in sample, which has all kinds of changes and waste."""
    source = DemoSource()
    return lambda: ImageScreen(lambda: (source, "shop-web:1.5"), "shop-web:1.5")


@pytest.fixture
def small(tmp_path: Path) -> list[str]:
    """A target of four layers: every kind of change, sizes that are easy to recognise."""
    image = Image(
        [
            layer(
                directory("etc"),
                file("etc/motd", b"m" * 100),
                file("bin/old", b"o" * 5000),
                file("bin/same", b"s" * 300, mode=0o644),
                file("bin/big", b"b" * 70_000),
            ),
            layer(file("etc/motd", b"n" * 200), file("bin/same", b"s" * 300, mode=0o755), file("new", b"x" * 1234)),
            layer(file("bin/.wh.old"), link("sh", "bin/big")),
            layer(file("deep/er/est/leaf.txt", b"l" * 42)),
        ],
        tags=("small:1",),
    )
    path = tmp_path / "small.tar"
    path.write_bytes(pack(old_docker(image)))
    return [str(path)]
