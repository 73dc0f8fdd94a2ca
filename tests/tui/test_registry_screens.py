"""Search, versions, pulls and other engines on the screen: whatever registries and engines answer."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import sample_image
from driving import Drive, Driven
from lamina.workspace import Workspace
from lamina_tui import texts
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import engine_images
from lamina_tui.screens.registry.pull import PullScreen
from lamina_tui.screens.registry.search import SearchScreen
from lamina_tui.screens.registry.tags import TagsScreen
from lying_engine import IMAGE, LyingEngine
from lying_registry import LyingRegistry, status

ROWS = [
    {"name": "postgres", "description": "a \x1b[31mdatabase\u202e [/]", "star_count": 12345, "is_official": True},
    {"name": "team/postgres", "description": None, "star_count": 3, "is_official": False},
]


@pytest.fixture
def engine() -> Iterator[LyingEngine]:
    with LyingEngine() as running:
        running.answers["/images/search"] = ROWS
        yield running


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LyingRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with LyingRegistry(sample_image("app:1")) as running:
        running.instead["tags/list"] = [status(200, b'{"tags": ["1", "0.9"]}')]
        yield running


async def test_what_was_found_is_shown_and_leads_on(drive: Drive, engine: LyingEngine) -> None:
    async with drive(lambda: SearchScreen(Workspace(host=engine.host), "postgres")) as screen:
        assert "2 names" in screen.lines[0]
        line = screen.line_with("12,345")
        assert "postgres" in line
        assert "official" in line
        assert "\x1b" not in screen.text
        assert "\u202e" not in screen.text
        assert "[/]" in line
        await screen.press("down")
        assert "no description" in screen.text
        engine.answers["/images/search"] = []
        await screen.press("slash", "x", "enter")
        assert "nothing found" in screen.text
        assert "postgresx" in screen.lines[0]


async def test_a_search_that_fails_says_why_and_can_be_left(drive: Drive, engine: LyingEngine) -> None:
    engine.answers["/images/search"] = {"message": "toomanyrequests: \x1b[2J"}
    async with drive(lambda: SearchScreen(Workspace(host=engine.host), "postgres")) as screen:
        assert "list" in screen.text
        assert "R     read again" in screen.text
        assert screen.app.screen.ends_with == 0
        engine.answers["/images/search"] = ROWS
        await screen.press("R")
        assert "team/postgres" in screen.text


async def test_versions_and_what_was_not_looked_at(drive: Drive, registry: LyingRegistry) -> None:
    async with drive(lambda: TagsScreen(Workspace(), f"{registry.host}/app:1")) as screen:
        # There is no manifest of 0.9: that is told, and the tags are listed all the same.
        assert "2 tags" in screen.lines[0]
        assert "0.9 can't be read: no 127.0.0.1" in screen.text
        await screen.press("down", "up")
        size = sum(len(registry.blobs[digest]) for digest in registry.layers)
        assert f"{texts.size_bytes(size)} as transferred" in screen.text
        await screen.press("down")
        assert "m looks at more" in screen.text
        await screen.press("up")
        await screen.press("slash", "x")
        assert "0 of 2 tags" in screen.lines[0]
        await screen.press("escape")
        assert "linux/amd64" in screen.text
        await screen.press("enter")  # opens the image without an engine
        assert "wasted" in screen.lines[0]


async def test_an_image_for_each_platform(drive: Drive, registry: LyingRegistry) -> None:
    async with drive(lambda: TagsScreen(Workspace(), f"{registry.host}/app:1")) as screen:
        await screen.press("down", "up", "a")
        assert "registry" in screen.lines[0]
        assert "1 image" in screen.lines[0]
        await screen.press("enter")
        assert "wasted" in screen.lines[0]
        await screen.press("escape", "escape")
        assert "tags" in screen.lines[0]


async def test_a_pull_is_told_then_made(drive: Drive, engine: LyingEngine, registry: LyingRegistry) -> None:
    # The engine has the two layers of its own image; the registry's is another.
    async with drive(lambda: PullScreen(Workspace(host=engine.host), f"{registry.host}/app:1")) as screen:
        assert "to fetch" in screen.text
        assert "enter lets" in screen.text
        go = threading.Event()
        head = [
            {"status": "Downloading", "id": registry.layers[0][7:19], "progressDetail": {"current": 5, "total": 99}}
        ]

        def create(handler: Any) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            handler.wfile.write("".join(json.dumps(line) + "\r\n" for line in head).encode())
            handler.wfile.flush()
            go.wait(20)

        engine.answers["/images/create"] = create
        screen.send("enter")
        for _ in range(200):
            await screen.pilot.pause(0.02)
            if "downloading 5 of 99" in screen.text:
                break
        assert "downloading 5 of 99" in screen.text
        assert "esc cancels" in screen.text
        await screen.press("escape")
        assert "stopped: the engine gives up" in screen.text
        go.set()

        engine.answers["/images/create"] = b'{"error": "no space left on device \\u001b[2J"}\r\n'
        await screen.press("enter")
        assert "no space left on device" in screen.text
        assert "\x1b" not in screen.text

        await screen.press("R")
        assert "enter lets" in screen.text


async def test_what_the_registry_has_not(drive: Drive, engine: LyingEngine, registry: LyingRegistry) -> None:
    async with drive(lambda: PullScreen(Workspace(host=engine.host), f"{registry.host}/app:2")) as screen:
        assert "not known here" in screen.text
        await screen.press("enter")  # nothing to pull
        assert "not known here" in screen.text


async def test_from_home_to_the_search_to_the_versions_of_an_image(
    engine: LyingEngine, registry: LyingRegistry
) -> None:
    engine.answers["/images/json"][0]["RepoTags"] = [f"{registry.host}/app:1"]
    registry.instead["tags/list"] = [status(200, b'{"tags": ["1"]}')]
    workspace = Workspace(host=engine.host)
    app = LaminaApp(lambda: engine_images(workspace), workspace)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        await screen.press("v")
        assert "tags" in screen.lines[0]
        assert f"{registry.host}/app" in screen.lines[0]
        await screen.press("p")
        assert "pull" in screen.lines[0]
        await screen.press("escape", "escape", "p", *"post", "enter")
        assert "search" in screen.lines[0]
        assert "team/postgres" in screen.text
        await screen.press("escape")
        assert "lamina" in screen.lines[0]


async def test_another_engine_is_chosen_by_its_context(
    engine: LyingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with LyingEngine(image=sample_image("elsewhere:9")) as other:
        other.answers["/images/json"][0]["RepoTags"] = ["elsewhere:9"]
        for name, host in (("far", other.host), ("broken\x1b[2J", None)):
            meta = tmp_path / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
            meta.mkdir(parents=True)
            endpoints = {"docker": {"Host": host}} if host else []
            (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoints}))
        workspace = Workspace(host=engine.host)
        app = LaminaApp(lambda: engine_images(workspace), workspace)
        async with app.run_test(size=(100, 30)) as pilot:
            screen = Driven(app, pilot)
            await screen.settle()
            assert IMAGE.tags[0] in screen.text
            await screen.press("x")
            assert "the usual sockets" in screen.text
            assert "\x1b" not in screen.text
            await screen.press("G", "enter")  # by name, "far" is the last
            if "docker contexts" in screen.text:  # the broken one can't be chosen
                await screen.press("up", "enter")
            assert "elsewhere:9" in screen.text
            assert IMAGE.tags[0] not in screen.text
            await screen.press("x")
            assert "* far" in screen.text


async def test_a_choice_made_twice_at_once_is_made_once(
    engine: LyingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for folder, name in ((hashlib.sha256(b"far").hexdigest(), "far"), ("b", "\\ud800")):
        meta = tmp_path / "contexts/meta" / folder
        meta.mkdir(parents=True)
        described = f'{{"Name": "{name}", "Endpoints": {{"docker": {{"Host": "{engine.host}"}}}}}}'
        (meta / "meta.json").write_text(described)
    workspace = Workspace(host=engine.host)
    app = LaminaApp(lambda: engine_images(workspace), workspace)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        await screen.press("x", "home", "down")
        assert "far" in screen.text
        screen.send("enter", "enter")
        await screen.settle()
        assert IMAGE.tags[0] in screen.text
