"""One table makes the keys, the footer, the help and the palette: each key of it does what it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.screen import Screen

from builders import sample_image
from driving import Drive, Driven
from lamina.workspace import Workspace
from lamina_tui import keymap
from lamina_tui.app import LaminaApp
from lamina_tui.keymap import COMMANDS, Command, Scope
from lamina_tui.screens.dialogs import help_lines
from lamina_tui.screens.images import engine_images
from lamina_tui.screens.registry.pull import PullScreen
from lamina_tui.screens.registry.search import SearchScreen
from lamina_tui.screens.registry.tags import TagsScreen
from lying_engine import LyingEngine
from lying_registry import LyingRegistry, status

# What to press, from an opened sample image, to stand where a scope's commands work.
WAY: dict[Scope, tuple[str, ...]] = {
    Scope.APP: (),
    Scope.LIST: ("tab",),
    Scope.IMAGE: (),
    Scope.LAYERS: (),
    Scope.OVERVIEW: ("0",),
    Scope.FILES: ("tab",),
    Scope.WASTE: ("2",),
    Scope.ADVICE: ("3",),
    Scope.DUPLICATES: ("4",),
    Scope.TEXT: ("5",),
    Scope.KINDS: ("tab", "f"),
    Scope.CARD: ("tab", "b", "enter"),
    Scope.PROMPT: ("slash", "a"),
}
# The same from the list of the sample images.
FROM_LIST: dict[Scope, tuple[str, ...]] = {
    Scope.HOME: (),
    Scope.TREE: ("t",),
    Scope.SET: ("A", "c"),
    Scope.MATRIX: ("A", "c"),
    Scope.MEMBERS: ("A", "c", "2"),
    Scope.SHARED: ("A", "c", "3"),
    Scope.MISSES: ("A", "c", "4"),
    Scope.DIFF: ("space", "D"),
}
# The screens of registries, on what lies as a test wants it.
REGISTRY: dict[Scope, Callable[[Workspace, str], Screen[None]]] = {
    Scope.REGISTRY: lambda workspace, _: SearchScreen(workspace, "app"),
    Scope.FOUND: lambda workspace, _: SearchScreen(workspace, "app"),
    Scope.VERSIONS: TagsScreen,
    Scope.TAGS: TagsScreen,
    Scope.PULLING: PullScreen,
    Scope.PULL: PullScreen,
    Scope.CONTEXTS: lambda workspace, _: engine_images(workspace),
}
ENDS = {"quit", "interrupt", "suspend_process"}


@pytest.mark.parametrize("scope", WAY, ids=lambda scope: scope.name)
async def test_each_key_runs_its_command(
    drive: Drive, shop: Any, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(shop) as screen:
        await screen.press(*WAY[scope])
        await every_key_runs_its_command(screen, scope, monkeypatch)


@pytest.mark.parametrize("scope", FROM_LIST, ids=lambda scope: scope.name)
async def test_each_key_of_the_lists_runs_its_command(
    drive: Drive, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(["demo"]) as screen:
        await screen.press(*FROM_LIST[scope])
        await every_key_runs_its_command(screen, scope, monkeypatch)


@asynccontextmanager
async def registry_screen(scope: Scope, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Driven]:
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    with LyingEngine() as engine, LyingRegistry(sample_image("app:1")) as registry:
        engine.answers["/images/search"] = [{"name": f"{registry.host}/app", "star_count": 1}]
        registry.instead["tags/list"] = [status(200, b'{"tags": ["1"]}')]
        workspace = Workspace(host=engine.host)
        app = LaminaApp(lambda: REGISTRY[scope](workspace, f"{registry.host}/app:1"), workspace)
        async with app.run_test(size=(80, 24)) as pilot:
            screen = Driven(app, pilot)
            await screen.settle()
            if scope is Scope.CONTEXTS:
                await screen.press("x")
            yield screen


@pytest.mark.parametrize("scope", REGISTRY, ids=lambda scope: scope.name)
async def test_each_key_of_the_registry_screens_runs_its_command(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with registry_screen(scope, tmp_path, monkeypatch) as screen:
        await every_key_runs_its_command(screen, scope, monkeypatch)


@pytest.mark.parametrize("command", keymap.of(*REGISTRY), ids=lambda command: f"{command.scope.name}-{command.action}")
async def test_each_command_of_the_registry_screens_leaves_the_app_alive(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with registry_screen(command.scope, tmp_path, monkeypatch) as screen:
        await screen.press(command.keys[0], command.keys[0])
        assert screen.app.crash is None
        assert screen.app.is_running


def test_every_scope_is_reached_by_these_tests() -> None:
    assert {*WAY, *FROM_LIST, *REGISTRY} == set(Scope)


async def every_key_runs_its_command(screen: Driven, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    async def note(self: App[int], action: str, default_namespace: Any = None, *rest: Any) -> bool:
        if action == "screen.copy_text":  # Textual's own for ctrl+c, which does nothing without a selection
            return False
        name = re.split(r"[.(]", action.removeprefix("app.").removeprefix("screen."))[0]
        target = screen.app.screen if action.startswith("screen.") else default_namespace
        assert hasattr(target, f"action_{name}"), f"{target} can't {name}"
        ran.append(action)
        return True

    if scope is Scope.PROMPT:
        # The prompt's line takes these keys itself.
        for command in keymap.of(scope):
            for key in command.keys:
                await screen.press("slash", "a", key)
                assert screen.focus != "_Field", key
        return
    monkeypatch.setattr(App, "run_action", note)
    for command in keymap.of(scope):
        for key in command.keys:
            ran.clear()
            await screen.press(key)
            assert ran == [command.action], f"{key} ran {ran}"


@pytest.mark.parametrize(
    "command",
    [command for command in COMMANDS if command.scope in WAY and command.action not in ENDS],
    ids=lambda command: f"{command.scope.name}-{command.action}",
)
async def test_each_command_leaves_the_app_alive(drive: Drive, shop: Any, command: Command) -> None:
    async with drive(shop) as screen:
        await screen.press(*WAY[command.scope])
        await screen.press(command.keys[0], command.keys[0])
        assert screen.app.crash is None
        assert screen.app.is_running
        assert screen.lines


@pytest.mark.parametrize("command", keymap.of(*FROM_LIST), ids=lambda command: f"{command.scope.name}-{command.action}")
async def test_each_command_of_the_lists_leaves_the_app_alive(drive: Drive, command: Command) -> None:
    async with drive(["demo"]) as screen:
        await screen.press(*FROM_LIST[command.scope], command.keys[0])
        assert screen.app.crash is None
        assert screen.app.is_running


def test_no_key_stands_twice_where_both_would_work() -> None:
    near = {
        Scope.LAYERS: (Scope.LIST, Scope.IMAGE, Scope.APP),
        Scope.FILES: (Scope.LIST, Scope.IMAGE, Scope.APP),
        Scope.WASTE: (Scope.LIST, Scope.IMAGE, Scope.APP),
        Scope.ADVICE: (Scope.LIST, Scope.IMAGE, Scope.APP),
        Scope.DUPLICATES: (Scope.LIST, Scope.IMAGE, Scope.APP),
        Scope.CARD: (Scope.LIST,),
        Scope.TEXT: (Scope.LIST, Scope.IMAGE, Scope.APP),
        Scope.HOME: (Scope.LIST, Scope.APP),
        Scope.TREE: (Scope.LIST, Scope.APP),
        Scope.MATRIX: (Scope.LIST, Scope.SET, Scope.APP),
        Scope.MEMBERS: (Scope.LIST, Scope.SET, Scope.APP),
        Scope.SHARED: (Scope.LIST, Scope.SET, Scope.APP),
        Scope.MISSES: (Scope.LIST, Scope.SET, Scope.APP),
        Scope.DIFF: (Scope.FILES, Scope.LIST, Scope.APP),
        Scope.FOUND: (Scope.LIST, Scope.REGISTRY, Scope.APP),
        Scope.TAGS: (Scope.LIST, Scope.VERSIONS, Scope.APP),
        Scope.PULL: (Scope.LIST, Scope.PULLING, Scope.APP),
    }
    for scope, others in near.items():
        keys = [key for command in keymap.of(scope, *others) for key in command.keys]
        assert sorted(keys) == sorted(set(keys)), scope


def test_help_has_every_key_and_sign() -> None:
    text = "\n".join(f"{line.label} {line.text}" for line in help_lines())
    for command in COMMANDS:
        assert command.help in text
        for key in command.keys:
            assert keymap.key_text(key) in text
    for sign in ("+ added", "M modified", "m metadata only", "- removed"):
        assert sign in text


def test_help_begins_with_what_is_near() -> None:
    assert help_lines([Scope.WASTE])[0].text == Scope.WASTE.value


async def test_help_opens_scrolls_and_closes(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("question_mark")
        assert "lamina: keys and signs" in screen.text
        first = screen.text
        await screen.press("pagedown")
        assert screen.text != first
        await screen.press("j", "k", "G", "g")
        assert screen.text == first
        await screen.press("escape")
        assert "small:1" in screen.text


async def test_footer_follows_the_focus(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        assert "enter files" in screen.lines[-1]
        await screen.press("tab")
        assert "space fold" in screen.lines[-1]
        await screen.press("2")
        assert "b by" in screen.lines[-1]
        await screen.press("slash")
        assert "enter keep  esc drop" in screen.lines[-1]


async def test_the_palette_runs_a_command(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("tab", "ctrl+p")
        for letter in "sort by name":
            await screen.press("space" if letter == " " else letter)
        await screen.settle()
        await screen.press("enter", "enter")
        assert screen.image.files.sort_key == "name"


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("ctrl+c", 130)])
async def test_ways_to_end(drive: Drive, small: list[str], key: str, code: int) -> None:
    async with drive(small) as screen:
        await screen.press(key)
    assert screen.app.return_value == code
