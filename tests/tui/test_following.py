"""The list of images follows its source's changes, and asks nothing while nothing happens."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driving import Driven
from lamina.model import ImageSummary, LaminaError, Progress
from lamina_tui.app import LaminaApp
from lamina_tui.screens import listing
from lamina_tui.screens.images import Entry, ImagesScreen


class Engine:
    """A source of some images whose changes the test makes."""

    label = "engine at test"
    remark = ""
    knows_sizes = False

    def __init__(self, *names: str) -> None:
        self.images = {name: f"sha256:{number:064x}" for number, name in enumerate(names)}
        self.asked = 0
        self.followed = 0
        self.happened: queue.Queue[LaminaError | None] = queue.Queue()
        self.closed = threading.Event()

    def list(self, cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
        self.asked += 1
        source: Any = self
        return [Entry(source, ImageSummary(name, id_, (name,), size=7)) for name, id_ in self.images.items()]

    def follow(self, cancel: threading.Event) -> Engine:
        self.followed += 1
        return self

    def __iter__(self) -> Iterator[None]:
        while True:
            event = self.happened.get()
            if self.closed.is_set():
                return
            if event is not None:
                raise event
            yield

    def close(self) -> None:
        self.closed.set()
        self.happened.put(None)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_PAUSE", 0.02)
    monkeypatch.setattr(listing, "_SPACING", 0.02)


async def until(screen: Driven, done: Callable[[], bool]) -> None:
    for _ in range(400):
        await screen.settle()
        if done():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"it never came:\n{screen.text}")


async def test_what_is_new_appears_and_cursor_and_marks_stay(drive: Any) -> None:
    engine = Engine("a:1", "b:1", "c:1")
    async with drive(lambda: ImagesScreen(engine.list, "x", engine.follow)) as screen:
        await screen.press("down", "space")  # marks b, and goes to c
        engine.images = {"new:1": "sha256:" + "f" * 64, **engine.images}
        engine.images["b:renamed"] = engine.images.pop("b:1")
        engine.happened.put(None)
        await until(screen, lambda: "new:1" in screen.text)
        assert screen.line_with("b:renamed").startswith("* ")
        images = screen.app.screen.images
        assert images.entry.name == "c:1"
        assert "1 marked" in screen.lines[0]
        del engine.images["c:1"]
        engine.happened.put(None)
        await until(screen, lambda: "c:1" not in screen.text)
        assert images.entry.name == "b:renamed"
        assert "1 marked, 3 images" in screen.lines[0]


async def test_nothing_is_asked_while_nothing_happens_and_swarms_are_one(drive: Any) -> None:
    engine = Engine("a:1")
    async with drive(lambda: ImagesScreen(engine.list, "x", engine.follow)) as screen:
        await asyncio.sleep(0.2)
        assert engine.asked == 1
        for _ in range(100):
            engine.happened.put(None)
        await until(screen, lambda: engine.asked > 1)
        await asyncio.sleep(0.3)
        assert engine.asked <= 4


async def test_behind_another_screen_it_waits(drive: Any) -> None:
    engine = Engine("a:1")
    async with drive(lambda: ImagesScreen(engine.list, "x", engine.follow)) as screen:
        await screen.press("question_mark")
        engine.images["b:1"] = "sha256:" + "b" * 64
        engine.happened.put(None)
        await asyncio.sleep(0.2)
        assert engine.asked == 1
        await screen.press("escape")
        await until(screen, lambda: "b:1" in screen.text)


async def test_the_end_is_told_and_the_list_stays(drive: Any) -> None:
    engine = Engine("a:1")
    async with drive(lambda: ImagesScreen(engine.list, "x", engine.follow)) as screen:
        engine.happened.put(LaminaError("the engine is gone\x1b[2J"))
        await until(screen, lambda: "not followed" in screen.lines[0])
        assert "\x1b" not in screen.text
        assert "a:1" in screen.text
        await screen.press("r")
        assert engine.followed == 2
        assert "not followed" not in screen.text


async def test_the_end_of_what_was_followed_before_ends_nothing(drive: Any) -> None:
    old, new = Engine("a:1"), Engine("a:1")
    engines = [old, new]
    async with drive(lambda: ImagesScreen(new.list, "x", lambda _: engines.pop(0))) as screen:
        old.happened.put(LaminaError("gone away"))
        time.sleep(0.1)  # noqa: ASYNC251  # the screen must not hear of it yet
        screen.app.screen.action_reload()  # before the screen hears of it
        await screen.settle()
        assert not new.closed.is_set()
        assert "not followed" not in screen.text


async def test_a_source_that_tells_of_no_changes_is_listed_all_the_same(drive: Any) -> None:
    engine = Engine("a:1")

    def follow(_: threading.Event) -> Any:
        raise LaminaError("no events here")

    async with drive(lambda: ImagesScreen(engine.list, "x", follow)) as screen:
        await screen.settle()
        assert "a:1" in screen.text


async def test_nobody_waits_once_the_screen_is_closed() -> None:
    engine = Engine("a:1")
    app = LaminaApp(lambda: ImagesScreen(engine.list, "x", engine.follow))
    async with app.run_test(size=(80, 24)) as pilot:
        await Driven(app, pilot).settle()
        assert not engine.closed.is_set()
    assert engine.closed.is_set()
