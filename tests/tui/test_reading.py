"""Reading in the background: what shows when, stopping, failing, and that the app stays alive through it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from builders import Image, Watcher, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina.model import Cancelled, LaminaError, Progress
from lamina.sources.base import ReadImage
from lamina_tui.app import LaminaApp
from lamina_tui.reading_messages import Rate
from lamina_tui.screens.image import ImageScreen
from opening import resolve

IMAGE = Image(
    [layer(file("a", b"1" * 1000)), layer(file("a", b"2" * 2000)), layer(file("c", b"3" * 3000))], tags=("slow:1",)
)


class Slow:
    """A real archive's source that goes on, step by step, only when the test lets it."""

    label = "archive slow.tar"

    def __init__(self, path: str) -> None:
        self.inner, _ = resolve(path)
        read = self.inner.read(None, Watcher(), threading.Event())
        self.info, self.layers, self.content = read.info, list(read.layers), read.content
        self.steps = threading.Semaphore(0)
        self.reached = ""
        self.error: Exception | None = None
        self.cancelled = threading.Event()

    def list(self, *rest: Any) -> Any:
        return self.inner.list(*rest)

    def wait(self, name: str, cancel: threading.Event) -> bool:
        self.reached = name
        while not self.steps.acquire(timeout=0.01):
            if cancel.is_set():
                self.cancelled.set()
                return False
        return True

    def read(self, target: str | None, observer: Any, cancel: threading.Event, *, verify: bool = False) -> ReadImage:
        observer.progress(Progress(0, None, "waiting for the engine"))
        if not self.wait("begin", cancel):
            raise Cancelled
        if self.error is not None:
            raise self.error
        observer.head(self.info)
        done: dict[int, Any] = {}
        for index in (2, 0, 1):  # as they come in streams: in any order
            observer.progress(Progress(1000 * (index + 1), 6000, f"layer {index} of 3"))
            if not self.wait(f"layer {index}", cancel):
                break
            done[index] = self.layers[index]
            observer.layer(index, done[index].facts)
        return ReadImage(self.info, [done.get(index) for index in range(3)], self.content)


@pytest.fixture
def slow(tmp_path: Any) -> Slow:
    path = tmp_path / "slow.tar"
    path.write_bytes(pack(old_docker(IMAGE)))
    return Slow(str(path))


class Reading:
    """The app on a slow source."""

    def __init__(self, slow: Slow) -> None:
        self.slow = slow
        source: Any = slow
        self.app = LaminaApp(lambda: ImageScreen(lambda: (source, None), "slow.tar"))

    async def until(self, screen: Driven, condition: Callable[[], bool]) -> None:
        """Turn the app's loop until something holds."""
        for _ in range(2000):
            await screen.pilot.pause(0.001)
            if condition():
                return
        raise AssertionError(f"never came:\n{screen.text}")


async def test_layers_show_with_the_head_and_fill_in_as_they_come(slow: Slow) -> None:
    reading = Reading(slow)
    async with reading.app.run_test(size=(80, 24)) as pilot:
        screen = Driven(reading.app, pilot)
        await reading.until(screen, lambda: "waiting for the engine" in screen.text)
        assert "esc cancels" in screen.text
        slow.steps.release()
        await reading.until(screen, lambda: slow.reached == "layer 2" and "step 2" in screen.text)
        rows = [line for line in screen.lines if "step " in line]
        assert len([row for row in rows if "…" in row]) == 3  # all three are there, none has a size
        assert "3.0 KB of 6.0 KB" in screen.text
        slow.steps.release()
        await reading.until(screen, lambda: "3.0 K " in screen.text)
        assert len([row for row in screen.lines if "step " in row and "…" in row]) == 2
        # Meanwhile the screen answers: the config is known, other layers can be chosen.
        screen.send("down", "6")
        await reading.until(screen, lambda: "linux/amd64" in screen.text and screen.image.tab == "config")
        slow.steps.release(2)
        await screen.settle()
        assert "6.0 KB   wasted 1.0 KB" in screen.text
        await screen.press("1")
        assert "esc cancels" not in screen.text


async def test_escape_stops_the_reading_and_keeps_what_was_read(slow: Slow) -> None:
    reading = Reading(slow)
    async with reading.app.run_test(size=(80, 24)) as pilot:
        screen = Driven(reading.app, pilot)
        slow.steps.release(2)
        await reading.until(screen, lambda: slow.reached == "layer 0")
        screen.send("escape")
        await reading.until(screen, lambda: "only 1 of 3 layers read" in screen.lines[0])
        assert "stopped: R reads again" in screen.text
        assert len([line for line in screen.lines if "unread" in line]) == 2
        await screen.press("G", "1")
        assert "c " in screen.text
        assert "3.0 K" in screen.text
        await screen.press("g")
        slow.steps.release(10)
        await screen.press("R")
        await reading.until(screen, lambda: "efficiency" in screen.lines[0])
        assert "unread" not in screen.text


async def test_stopping_before_the_head(slow: Slow) -> None:
    reading = Reading(slow)
    async with reading.app.run_test(size=(80, 24)) as pilot:
        screen = Driven(reading.app, pilot)
        await reading.until(screen, lambda: slow.reached == "begin")
        screen.send("escape")
        await reading.until(screen, lambda: "stopped before anything of the image was known" in screen.text)
        slow.steps.release(10)
        await screen.press("R")
        await reading.until(screen, lambda: "slow:1" in screen.lines[0])


async def test_leaving_stops_the_reading(slow: Slow) -> None:
    reading = Reading(slow)
    async with reading.app.run_test(size=(80, 24)) as pilot:
        screen = Driven(reading.app, pilot)
        await reading.until(screen, lambda: slow.reached == "begin")
        screen.send("q")
        await pilot.pause()
    assert slow.cancelled.wait(5)
    assert reading.app.return_value == 0


@pytest.mark.parametrize(
    "error", [LaminaError("the engine went away"), ValueError("an odd\x1b[31m fault"), MemoryError()]
)
async def test_errors_leave_the_app_alive(slow: Slow, error: Exception) -> None:
    slow.error = error
    slow.steps.release(10)
    reading = Reading(slow)
    async with reading.app.run_test(size=(80, 24)) as pilot:
        screen = Driven(reading.app, pilot)
        await screen.settle()
        words = (
            "the engine went away"
            if isinstance(error, LaminaError)
            else f"a fault of lamina's own ({type(error).__name__}"
        )
        assert words in screen.text
        assert screen.lines[-1] == " ? help  q quit"
        for key in ("down", "tab", "1", "2", "3", "4", "5", "6", "v", "r", "i", "z", "z", "slash", "escape", "enter"):
            if key != "escape":
                await screen.press(key)
        slow.error = None
        await screen.press("escape") if screen.focus == "_Field" else None
        await screen.press("R")
        assert "slow:1" in screen.lines[0]


async def test_a_failed_image_ends_with_three(drive: Drive, tmp_path: Any) -> None:
    path = tmp_path / "cut.tar"
    path.write_bytes(pack(old_docker(IMAGE))[:6000])
    async with drive([str(path)]) as screen:
        # The path is as long as the folder of this run: it may be wrapped anywhere.
        assert "cut.tar" in "".join(line.strip() for line in screen.lines[1:])
        assert "R     read again" in screen.text
        await screen.press("q")
    assert screen.app.return_value == 3


def test_the_rate_is_of_the_last_seconds() -> None:
    now = 0.0
    rate = Rate(lambda: now)
    assert rate.add(0) is None
    now = 1.0
    assert rate.add(100) == 100
    now = 2.0
    assert rate.add(300) == 150
    now = 10.0
    assert rate.add(400) is None  # a long silence tells nothing of now
    now = 11.0
    assert rate.add(500) == 100
