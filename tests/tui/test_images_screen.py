"""The list of images: before the answer, with it, and without an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from builders import Image, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina.model import ImageSummary, LaminaError, Progress
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import Entry, ImagesScreen
from lamina_tui.start import first_screen


class Shelf:
    """A source whose list comes when the test lets it."""

    label = "engine at test"

    def __init__(self, *summaries: ImageSummary) -> None:
        self.summaries = list(summaries)
        self.go = threading.Event()
        self.error: LaminaError | None = None
        self.asked = 0

    def __call__(self, cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
        self.asked += 1
        assert self.go.wait(20)
        if self.error:
            raise self.error
        source: Any = self
        return [Entry(source, summary) for summary in self.summaries]


def summary(name: str, size: int, created: str = "2024-01-02T03:04:05Z") -> ImageSummary:
    return ImageSummary(name, "sha256:" + "ab12" * 16, (name,), created=created, size=size)


async def test_paints_before_the_engine_has_answered(drive: Drive) -> None:
    shelf = Shelf(summary("web:1", 5_000_000))
    app = LaminaApp(lambda: ImagesScreen(shelf, "container engine"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = Driven(app, pilot)
        assert "asking container engine" in screen.text
        assert "? help" in screen.lines[-1]
        shelf.go.set()
        await screen.settle()
        assert "web:1" in screen.text
        assert "5.0 M" in screen.text
        assert "1 image" in screen.lines[0]


async def test_columns_sort_and_filter(drive: Drive) -> None:
    shelf = Shelf(
        summary("b:1", 300, "2024-03-01T00:00:00.123456789Z"),
        summary("a:1", 100, "2024-01-01T00:00:00Z"),
        summary("c:1", 200, "bad"),
    )
    shelf.go.set()

    def order(text: str) -> str:
        return "".join(sorted("abc", key=lambda letter: text.index(f" {letter}:1")))

    async with drive(lambda: ImagesScreen(shelf, "x")) as screen:
        assert order(screen.text) == "bac"
        for key, expected in (("s", "bca"), ("s", "acb"), ("S", "abc"), ("S", "cba"), ("a", "bac"), ("a", "cab")):
            await screen.press(key)
            assert order(screen.text) == expected, key
        await screen.press("slash", "b")
        assert "a:1" not in screen.text.splitlines()[2:][0]
        # The id of all three begins with ab12: what people see can be searched.
        assert "3 of 3 images" in screen.lines[0]
        await screen.press("colon")
        assert "1 of 3 images" in screen.lines[0]
        await screen.press("enter", "escape")
        assert "3 images" in screen.lines[0]


async def test_an_absent_engine_is_told_calmly_and_asked_again(drive: Drive) -> None:
    shelf = Shelf(summary("web:1", 5))
    shelf.error = LaminaError("no container engine found")
    shelf.go.set()
    async with drive(lambda: ImagesScreen(shelf, "container engine")) as screen:
        assert "no container engine found" in screen.text
        for word in ("ask again", "built-in sample images", "open an archive"):
            assert word in screen.text
        await screen.press("enter", "s", "y", "down")  # nothing there to open or sort: and nothing breaks
        shelf.error = None
        await screen.press("r")
        assert shelf.asked == 2
        assert "web:1" in screen.text
        assert "no container engine" not in screen.text


async def test_samples_can_be_opened_from_a_failed_list_and_left_again(drive: Drive) -> None:
    shelf = Shelf()
    shelf.error = LaminaError("no container engine found")
    shelf.go.set()
    async with drive(lambda: ImagesScreen(shelf, "container engine")) as screen:
        await screen.press("d")
        assert "shop-web:1.5" in screen.text
        await screen.press("enter")
        assert "efficiency" in screen.text
        await screen.press("escape", "escape")
        assert "no container engine found" in screen.text


async def test_another_target_can_be_typed(drive: Drive, tmp_path: Path, small: list[str]) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("o")
        for letter in small[0]:
            await screen.press({"/": "slash", ".": "full_stop", "-": "minus", "_": "underscore"}.get(letter, letter))
        await screen.press("enter")
        assert "small:1" in screen.text
        await screen.press("escape")
        assert "shop-web:1.5" in screen.text
        await screen.press("o", "slash", "n", "o", "enter")
        assert "no such file: /no" in screen.text
        await screen.press("escape", "o", "escape")
        assert "shop-web:1.5" in screen.text


async def test_an_archive_with_several_images_can_be_walked(drive: Drive, tmp_path: Path) -> None:
    one, two = (Image([layer(file(name, b"1"))], tags=(f"{name}:1",)) for name in ("one", "two"))
    path = tmp_path / "both.tar"
    path.write_bytes(pack(old_docker(one, two)))
    async with drive([str(path)]) as screen:
        assert "one:1" in screen.lines[0]
        assert "the first of 2 images here: esc lists them" in screen.text
        await screen.press("escape")
        assert "2 images" in screen.lines[0]
        await screen.press("down", "enter")
        assert "two:1" in screen.lines[0]


async def test_several_targets_make_one_list(drive: Drive, tmp_path: Path, small: list[str]) -> None:
    path = tmp_path / "two.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("f", b"1"))], tags=("two:1",)))))
    async with drive(first_screen([small[0], str(path)])) as screen:
        assert "2 targets" in screen.lines[0]
        assert "small:1" in screen.text
        await screen.press("down", "enter")
        assert "two:1" in screen.lines[0]


async def test_copying_a_name(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("y")
        assert screen.clipboard == "shop-web:1.5"
        assert "copied shop-web:1.5" in screen.lines[0]
