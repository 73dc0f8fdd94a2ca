"""A set of images: the matrix, each image, each layer, near misses; reading, stopping, failing."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina.model import Cancelled
from lamina_tui.app import LaminaApp
from lamina_tui.image_entries import Entry, listed
from lamina_tui.launch import first_screen
from lamina_tui.screens.image_set import SetScreen
from opening import resolve, workspace

BASE = layer(file("etc/base", b"b" * 50_000))
SAME = [file("lib/common", b"c" * 9_000), file("lib/more", b"m" * 8_000)]


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """Two images on one base, and one that shares nothing but holds a copy of the second's files."""
    images = [
        Image([BASE, layer(file("a", b"1" * 300))], tags=("a:1",)),
        Image([BASE, layer(*SAME, file("b", b"2" * 70))], tags=("b:1",)),
        Image([layer(*SAME, file("c", b"3" * 4000))], tags=("c:1",)),
    ]
    paths = []
    for image in images:
        path = tmp_path / f"{image.tags[0][0]}.tar"
        path.write_bytes(pack(old_docker(image)))
        paths.append(str(path))
    return paths


async def test_the_matrix_tells_bytes_and_percent(drive: Drive, three: list[str]) -> None:
    async with drive(three) as screen:
        assert "3 images" in screen.lines[0]
        assert "saved by sharing 50.0 KB" in screen.lines[0]
        assert "[50.0 K 99%]" in screen.lines[4]
        assert screen.lines[6].split()[2:4] == ["0", "0"]
        assert "a:1 and b:1 share 50.0 KB, 99% of the smaller" in screen.text
        await screen.press("p")
        assert "[50.0 K]" in screen.lines[4]
        assert "99%" not in screen.lines[4]
        await screen.press("left")
        assert "a:1 has 50.3 KB: 300 B unique, 50.0 KB shared" in screen.text
        await screen.press("down", "enter")
        assert "b:1 → a:1" in screen.lines[0]
        await screen.press("escape", "right", "enter")
        assert "efficiency" in screen.lines[0]


async def test_a_layer_that_stands_on_others_is_shared_and_stored_twice(drive: Drive, tmp_path: Path) -> None:
    # given two images that have a layer in common, each on a base of its own
    common, images = layer(file("lib/app", b"a" * 9_000)), []
    for name in ("a", "b"):
        image = Image([layer(file("base", name.encode() * 400)), BASE, common], tags=(f"{name}:1",))
        images.append(tmp_path / f"{name}.tar")
        images[-1].write_bytes(pack(old_docker(image)))
    async with drive([str(path) for path in images]) as screen:
        # then the title counts what an engine saves, and the pair says why that is less than what they share
        assert "saved by sharing 0 B" in screen.lines[0]
        told = " ".join(screen.text.split())
        assert "share 59.0 KB, 99% of the smaller; 59.0 KB of it on other layers, so stored twice" in told
        # and of each image, why its removal frees more than what is unique to it
        await screen.press("2")
        told = " ".join(screen.text.split())
        assert "removing a:1 frees 59.4 KB, 59.0 KB of it shared, but stored twice" in told


async def test_the_matrix_scrolls_both_ways(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "many.tar"
    images = [Image([layer(file(f"f{n}", b"x" * n))], tags=(f"image-{n:02}:1",)) for n in range(30)]
    path.write_bytes(pack(old_docker(*images)))
    source, _ = resolve(str(path))
    entries = [Entry(source, summary) for summary in source.list()]
    async with drive(lambda: SetScreen(listed(entries), "many")) as screen:
        assert "30 …" not in screen.lines[3]
        assert screen.lines[3].endswith(">")
        await screen.press(*["right"] * 28, "G")
        assert "30 …" in screen.lines[3]
        assert "<" in screen.lines[3]
        assert "30 image-29" in screen.text
        assert "[" in screen.line_with("30 image-29")
        await screen.press(*["h"] * 29, "g")
        assert "<" not in screen.lines[3]


async def test_each_image(drive: Drive, three: list[str]) -> None:
    async with drive(three) as screen:
        await screen.press("2")
        row = screen.line_with(" b:1    ").split()
        assert row[1:] == ["b:1", "67.1", "K", "17.1", "K", "50.0", "K", "17.1", "K", *row[-3:-1], "2"]
        await screen.press("down", "space")
        assert "layer 1   17.1 K  step 1" in screen.text
        assert "removing b:1 frees 17.1 KB" in screen.text
        assert "uncompressed and stores 17.1 KB" in screen.text
        await screen.press("right")
        assert "only b:1 has layer 1" in screen.text
        await screen.press("y")
        assert screen.clipboard.startswith("sha256:")
        await screen.press("left")
        assert "layer 1   17.1 K" not in screen.text
        await screen.press("y", "enter")
        assert screen.clipboard == "b:1"
        assert "b:1" in screen.lines[0]


async def test_layers_by_how_many_have_them(drive: Drive, three: list[str]) -> None:
    async with drive(three) as screen:
        await screen.press("3")
        assert "1 of 4 layers shared" in screen.text
        assert screen.lines[4].split()[:3] == ["2", "of", "3"]
        assert "50.0 KB in 2 images: a:1, b:1" in screen.text
        await screen.press("s")
        assert "size▾" in screen.lines[3]
        await screen.press("s", "enter")
        assert "diff_id" in screen.text
        await screen.press("escape", "S")
        assert "images▾" in screen.lines[3]


async def test_where_there_is_little_room_an_instruction_goes_before_a_bar(drive: Drive, three: list[str]) -> None:
    async with drive(three, size=(40, 12)) as screen:
        await screen.press("3")
        assert "50.0 K  step 0" in screen.text
    async with drive(three) as screen:
        await screen.press("3")
        at = screen.lines[3].index("instruction")
        assert screen.lines[4][at:].startswith("step 0")


async def test_near_misses(drive: Drive, three: list[str]) -> None:
    async with drive(three) as screen:
        # It is looked for by itself, and told above all tabs.
        assert "17.0 KB could be shared by b:1 (layer 1) and c:1 (layer 0)" in screen.lines[1]
        await screen.press("4")
        row = next(line for line in screen.lines if "17.0 K " in line)
        assert row.split()[2] == "2"
        words = " ".join(line.strip() for line in screen.lines[-4:-1])
        assert "step 1 in b:1 layer 1 and step 0 in c:1 layer 0 hold 17.0 KB of the same files" in words
        assert "common base" in words
        await screen.press("enter")
        assert "17.0 K  /lib" in screen.text
        await screen.press("escape", "tab")
        assert "shared with" in screen.text
        await screen.press("shift+tab")
        assert "1 pair" in screen.lines[2]


async def test_of_a_near_miss_is_said_where_its_instructions_part(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("A", "c", "4")
        words = " ".join(line.strip() for line in screen.lines[-4:-1])
        assert "libssl3 in shop-web:1.5 layer 1" in words
        assert "libssl3 ffmpeg in shop-worker:2.0 layer 1" in words


async def test_a_near_miss_tells_the_packages_of_its_files(drive: Drive) -> None:
    async with drive(["demo"], size=(100, 40)) as screen:
        await screen.press("A", "c", "4", "enter")
        assert re.search(r"601 K +python3.11", screen.text)
        assert re.search(r"528 K +libssl3", screen.text)


async def test_no_near_misses(drive: Drive, three: list[str]) -> None:
    async with drive(three[:2]) as screen:
        await screen.press("4", "enter")
        assert "no near misses" in screen.text


async def test_escape_lists_the_images_and_marks_lead_back(drive: Drive, three: list[str]) -> None:
    async with drive(three) as screen:
        await screen.press("escape")
        assert "3 targets" in screen.lines[0]
        assert "c:1" in screen.text
        await screen.press("space", "space", "c")
        assert "sharing" in screen.lines[0]
        assert "2 images" in screen.lines[0]
        await screen.press("escape")
        assert "2 marked" in screen.lines[0]


async def test_one_that_cannot_be_read_leaves_the_others(drive: Drive, tmp_path: Path, three: list[str]) -> None:
    spoilt = tmp_path / "c.tar"
    whole = spoilt.read_bytes()
    spoilt.write_bytes(whole[:2000])
    first = first_screen(workspace(), three)
    async with drive(first) as screen:
        assert "can't be read" in screen.text or "R     read again" in screen.text
        spoilt.write_bytes(whole)
        await screen.press("R")
        assert "c:1" in screen.text


async def test_nothing_readable_ends_with_3(drive: Drive, tmp_path: Path) -> None:
    paths = []
    for name in "ab":
        path = tmp_path / f"{name}.tar"
        path.write_bytes(layer(file("no-image", b"x")))
        paths.append(str(path))
    async with drive(paths) as screen:
        assert "R     read again" in screen.text
        await screen.press("1", "4", "enter", "q")
    assert screen.app.return_value == 3


class Waiting:
    """A source that reads its second image only when the test lets it."""

    label = "archive waiting.tar"

    def __init__(self, path: str) -> None:
        self.inner, _ = resolve(path)
        self.go = threading.Event()

    def list(self, *rest: Any) -> Any:
        return self.inner.list(*rest)

    def read(self, target: str | None, observer: Any, cancel: threading.Event, **options: Any) -> Any:
        while target != self.list()[0].target and not self.go.wait(0.01):
            if cancel.is_set():
                raise Cancelled
        return self.inner.read(target, observer, cancel, **options)


async def test_what_is_loaded_is_shown_and_the_rest_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "both.tar"
    images = [Image([BASE, layer(file(n, b"1"))], tags=(f"{n}:1",)) for n in ("one", "two")]
    path.write_bytes(pack(old_docker(*images)))
    source: Any = Waiting(str(path))
    entries = [Entry(source, summary) for summary in source.list()]
    app = LaminaApp(lambda: SetScreen(listed(entries), "both"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = Driven(app, pilot)
        while "1 read" not in screen.text:
            await pilot.pause()
        assert "one:1" in screen.text
        assert "2 of 2: two:1" in screen.text
        assert "esc cancels" in screen.text
        screen.send("escape")
        await screen.settle()
        assert "stopped: 1 of 2 images read, R reads the rest" in screen.text
        source.go.set()
        await screen.press("R")
        assert "one:1 and two:1 share 50.0 KB" in screen.text
