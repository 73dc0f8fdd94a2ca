"""The list of images: before the answer, with it, and without an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina.model import Cancelled, ImageSummary, KnownImage, LaminaError, LayerInfo, Progress
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import Entry, ImagesScreen


class Listing:
    """A source whose list comes when the test lets it."""

    label = "engine at test"
    remark = ""
    knows_sizes = False

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
    listing = Listing(summary("web:1", 5_000_000))
    app = LaminaApp(lambda: ImagesScreen(listing, "container engine"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = Driven(app, pilot)
        assert "asking container engine" in screen.text
        assert "? help" in screen.lines[-1]
        listing.go.set()
        await screen.settle()
        assert "web:1" in screen.text
        assert "5.0 M" in screen.text
        assert "1 image" in screen.lines[0]


async def test_columns_sort_and_filter(drive: Drive) -> None:
    listing = Listing(
        summary("b:1", 300, "2024-03-01T00:00:00.123456789Z"),
        summary("a:1", 100, "2024-01-01T00:00:00Z"),
        summary("c:1", 200, "bad"),
    )
    listing.go.set()

    def order(text: str) -> str:
        return "".join(sorted("abc", key=lambda letter: text.index(f" {letter}:1")))

    async with drive(lambda: ImagesScreen(listing, "x")) as screen:
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
    listing = Listing(summary("web:1", 5))
    listing.error = LaminaError("no container engine found")
    listing.go.set()
    async with drive(lambda: ImagesScreen(listing, "container engine")) as screen:
        assert "no container engine found" in screen.text
        for word in ("ask again", "built-in sample images", "open an archive"):
            assert word in screen.text
        await screen.press("enter", "s", "y", "down")  # nothing there to open or sort: and nothing breaks
        listing.error = None
        await screen.press("r")
        assert listing.asked == 2
        assert "web:1" in screen.text
        assert "no container engine" not in screen.text


async def test_samples_can_be_opened_from_a_failed_list_and_left_again(drive: Drive) -> None:
    listing = Listing()
    listing.error = LaminaError("no container engine found")
    listing.go.set()
    async with drive(lambda: ImagesScreen(listing, "container engine")) as screen:
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


async def test_figures_fill_in_and_every_column_sorts(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        for word in ("size", "frees", "shared", "with", "layers", "used", "age"):
            assert word in screen.lines[1]
        row = screen.line_with("shop-worker:2.0").split()
        assert row[:8] == ["shop-worker:2.0", "5.3", "M", "2.9", "M", "2.4", "M", "3"]
        assert "on disk" in screen.lines[-2]
        assert "saved by sharing" in screen.lines[-2]
        assert "reclaimable" in screen.lines[-2]

        def first() -> str:
            return screen.lines[2].split()[0]

        await screen.press("u")
        assert "frees▾" in screen.lines[1]
        assert first() == "shop-worker:2.0"
        await screen.press("u")
        assert "frees▴" in screen.lines[1]
        assert first() == "debian-base:12"
        for word in ("shared", "with", "layers", "used", "age", "image", "size"):
            await screen.press("greater_than_sign")
            assert f"{word}▾" in screen.lines[1]
        await screen.press("less_than_sign")
        assert "image▾" in screen.lines[1]


async def test_marks_survive_filter_and_sort(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("space", "slash", *"worker", "enter", "space", "escape", "s", "s", "S")
        assert "2 marked" in screen.lines[0]
        assert screen.line_with("* shop-web:1.5")
        assert screen.line_with("* shop-worker:2.0")
        await screen.press("r")
        assert "2 marked" in screen.lines[0]
        await screen.press("A")
        assert "4 marked" in screen.lines[0]
        await screen.press("A")
        assert "marked" not in screen.lines[0]


async def test_what_needs_two_images_says_so(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("c")
        assert "mark two images" in screen.lines[0]
        await screen.press("space", "up", "D")
        assert "one is marked" in screen.lines[0]
        await screen.press("A", "D")
        assert "4 images are marked" in screen.lines[0]


async def test_what_the_title_has_no_room_for_is_told_below(drive: Drive) -> None:
    async with drive(["demo"], (40, 12)) as screen:
        below = screen.lines[-3:-1]
        await screen.press("y")
        assert "copied" in screen.lines[0]
        # what is longer than the line is told in the last ones, until the cursor moves
        await screen.press("A", "D")
        told = "4 images are marked: a comparison takes two"
        assert " ".join(line.strip() for line in screen.lines[-3:-1]) == told
        await screen.press("down", "up")
        assert screen.lines[-3:-1] == below


async def test_the_cursor_is_told_in_words(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        assert "removing it frees 2.1 MB" in screen.lines[-3]
        assert "5.8 MB shared with 3 images" in screen.lines[-3]
        await screen.press("G")
        assert "removing it frees 0 B" in screen.lines[-3]


class Telling(Listing):
    """The same, and it tells of its images' layers, as an engine does."""

    knows_sizes = True

    def __init__(self, *known: KnownImage) -> None:
        super().__init__(*(image.summary for image in known))
        self.known = known
        self.tell = threading.Event()

    def known_images(self, cancel: threading.Event, progress: Callable[[Progress], None]) -> list[KnownImage]:
        progress(Progress(0, None, "image 1 of 2"))
        while not self.tell.wait(0.01):
            if cancel.is_set():
                raise Cancelled
        if self.error:
            raise self.error
        return list(self.known)


def known(name: str, *sizes: int | None, containers: int = 0, tagged: bool = True) -> KnownImage:
    row = ImageSummary(name, f"sha256:{name.encode().hex():0>64}", (name,) if tagged else (), size=1_000)
    layers = tuple(LayerInfo(n, f"sha256:{n}", f"sha256:{name if n else ''}{n}") for n in range(len(sizes)))
    return KnownImage(row, layers, sizes, containers)


async def test_the_plain_list_comes_first_and_works_while_layers_are_asked_for() -> None:
    listing = Telling(known("a:1", 5_000, 300, containers=2), known("b:1", 5_000, 70, tagged=False))
    listing.go.set()
    app = LaminaApp(lambda: ImagesScreen(listing, "x"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = Driven(app, pilot)
        while "image 1 of 2" not in screen.text:
            await pilot.pause()
        assert "a:1" in screen.text
        assert "1.0 K" in screen.text  # the engine's own figure
        screen.send("t")
        await pilot.pause()
        assert "layer tree" not in screen.text  # it comes when the layers are known
        listing.tell.set()
        await screen.settle()
        await screen.settle()  # the tree's screen is opened by what has just ended
        assert "layer tree" in screen.lines[0]
        await screen.press("escape")
        assert "2 images, 1 dangling" in screen.lines[0]
        assert "removing it frees 300 B once 2 containers of it are gone" in screen.text
        assert "5.3 K" in screen.line_with("a:1 ")
        assert "reclaimable 70 B" in screen.text


async def test_layers_that_stay_unknown_leave_the_list(drive: Drive) -> None:
    listing = Telling(known("a:1", 5_000, None))
    listing.go.set()
    listing.tell.set()
    async with drive(lambda: ImagesScreen(listing, "x")) as screen:
        assert "does not tell which layer has which size" in screen.text
        listing.error = LaminaError("gone away")
        await screen.press("u", "less_than_sign", "t")
        assert "layer tree" in screen.lines[0]
        await screen.press("escape")
    broken = Telling(known("a:1", 5_000))
    broken.go.set()

    async with drive(lambda: ImagesScreen(lambda c, t: _told_once(broken, c, t), "x")) as screen:
        assert "the layers stay unknown: gone away" in screen.lines[0]
        assert "a:1" in screen.text


def _told_once(listing: Telling, cancel: threading.Event, tell: Callable[[Progress], None]) -> list[Entry]:
    entries = listing(cancel, tell)
    listing.error = LaminaError("gone away")
    listing.tell.set()
    return entries


async def test_the_layers_of_an_archive_are_read_when_asked_for(drive: Drive, tmp_path: Path) -> None:
    base = layer(file("base", b"b" * 5000))
    images = [Image([base, layer(file(name, b"1" * 70))], tags=(f"{name}:1",)) for name in ("one", "two")]
    path = tmp_path / "both.tar"
    path.write_bytes(pack(old_docker(*images)))
    async with drive([str(path)]) as screen:
        await screen.press("escape")
        assert "frees" in screen.lines[1]
        assert "saved" not in screen.text
        await screen.press("t")
        assert "layer tree" in screen.lines[0]
        assert "2 images" in screen.lines[0]
        await screen.press("escape")
        assert "saved by sharing 5.0 KB" in screen.text


async def test_copying_a_name(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("y")
        assert screen.clipboard == "shop-web:1.5"
        assert "copied shop-web:1.5" in screen.lines[0]


async def test_images_by_repository(drive: Drive) -> None:
    listing = Listing(
        summary("shop/web:2", 200),
        summary("debian:12", 100),
        summary("docker.io/shop/web:1", 300),
        summary("web:1", 50),
    )
    listing.go.set()
    async with drive(lambda: ImagesScreen(listing, "x"), size=(100, 24)) as screen:
        await screen.press("down", "b")

        def names() -> list[str]:
            return [line.split()[0 if line.startswith("    ") else 1] for line in screen.lines[2:9] if line]

        assert names() == ["shop/web", "shop/web:2", "docker.io/shop/web:1", "debian", "debian:12", "web", "web:1"]
        images = screen.app.screen.images  # type: ignore[attr-defined]
        assert images.entry.name == "debian:12"  # the cursor stays on its image
        await screen.press("g", "enter")
        assert images.group.name == "shop/web"
        assert "shop/web · 2 images" in screen.text
        assert "shop/web:2" not in screen.text
        await screen.press("space", "y", "D")  # nothing to mark, to copy, to compare
        assert not images.marked
        await screen.press("enter", "s")
        assert names()[:3] == ["shop/web", "docker.io/shop/web:1", "shop/web:2"]
        await screen.press("b")
        assert screen.lines[2].split()[0] == "docker.io/shop/web:1"


@pytest.mark.parametrize("width", [40, 56, 60, 80, 97, 98, 120, 200])
async def test_names_are_there_at_every_width(drive: Drive, width: int) -> None:
    listing = Listing(summary("shop/web:2", 200), summary("debian:12", 100))
    listing.go.set()
    async with drive(lambda: ImagesScreen(listing, "x"), size=(width, 24)) as screen:
        for name, size in (("shop/web:2", "200"), ("debian:12", "100")):
            assert size in screen.line_with(name)
        assert len(screen.lines[2]) <= width


class Quiet:
    """Changes of a source to which nothing happens."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __iter__(self) -> Iterator[None]:
        self.over.wait(20)
        return iter(())

    def close(self) -> None:
        self.over.set()


async def test_what_could_go_is_told_first_and_can_be_marked(drive: Drive) -> None:
    images = [
        known("web:2", 100, 300),
        known("web:1", 100, 5_000),
        known("gone", 100, 70_000, tagged=False),
        known("used", 100, 900_000, tagged=False, containers=1),
    ]
    listing = Telling(*images)
    listing.go.set()
    listing.tell.set()
    async with drive(lambda: ImagesScreen(listing, "x", lambda _: Quiet()), size=(100, 24)) as screen:
        assert "70.0 KB could go: 1 image that no tag leads to, no container of it" in screen.lines[1]
        await screen.press("m")
        assert "1 marked" in screen.lines[0]
        assert "5.0 KB could go: 1 image of web older than its newest" in screen.lines[1]
        await screen.press("m")
        assert "2 marked" in screen.lines[0]
        assert "could go" not in screen.text
        await screen.press("m")
        assert "no more is known that could go" in screen.lines[0]
        await screen.press("A", "A")
        assert "70.0 KB could go" in screen.lines[1]
    async with drive(lambda: ImagesScreen(listing, "x"), size=(100, 24)) as screen:
        assert "could go" not in screen.text  # what is no engine has nothing that could be removed


async def test_a_click_on_a_title_sorts_by_it(drive: Drive) -> None:
    listing = Listing(summary("b:1", 200), summary("a:1", 900))
    listing.go.set()
    async with drive(lambda: ImagesScreen(listing, "x"), size=(100, 24)) as screen:
        for title, first in (("image", "a:1"), ("size", "a:1"), ("size", "b:1")):
            await screen.pilot.click("#images", offset=(screen.lines[1].index(title) + 1, 0))
            await screen.settle()
            assert screen.lines[2].split()[0] == first
        await screen.pilot.click("#images", offset=(60, 0))  # between two titles


async def test_the_way_back_from_an_archive_leads_to_a_list_that_knows_its_image(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "web.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"x" * 5000)), layer(file("b", b"y" * 300))], ("web:1",)))))
    async with drive([str(path)], size=(100, 20)) as screen:
        await screen.press("escape")
        assert screen.line_with(" web:1").split()[2:5] == ["5.3", "K", "5.3"]


async def test_a_narrow_status_says_whole_figures_and_leaves_out_others(drive: Drive) -> None:
    async with drive(["demo"], (40, 12)) as screen:
        assert [line.strip() for line in screen.lines[-3:-1]] == [
            "removing it frees 2.1 MB",
            "all 23.6 MB   on disk 13.0 MB",
        ]
