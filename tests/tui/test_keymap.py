"""One table makes the keys, the footer, the help and the palette: each key of it does what it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.keys import _character_to_key
from textual.screen import Screen

from builders import sample_image
from driving import Drive, Driven
from lamina.workspace import Workspace
from lamina_tui import keymap
from lamina_tui.app import LaminaApp
from lamina_tui.command import Command, Scope
from lamina_tui.dive_keys import DIVE
from lamina_tui.key_names import key_text, keys_named
from lamina_tui.key_remaps import remapped
from lamina_tui.keymap import COMMANDS, Keymap
from lamina_tui.screens.dialogs import help_lines
from lamina_tui.screens.images import engine_images
from lamina_tui.screens.registry.pull import PullScreen
from lamina_tui.screens.registry.search import SearchScreen
from lamina_tui.screens.registry.tags import TagsScreen
from lamina_tui.settings import Settings
from lamina_tui.widgets.row_list import RowList
from lamina_tui.widgets.share_matrix import ShareMatrix
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
    Scope.PACKAGES: ("4",),
    Scope.DUPLICATES: ("5",),
    Scope.TEXT: ("6",),
    Scope.KINDS: ("tab", "f"),
    Scope.CARD: ("tab", "b", "enter"),
    Scope.RESULTS: ("F", "e", "enter"),
    Scope.VIEWER: ("tab", "b", "enter", "v"),
    Scope.CONTENT: ("tab", "b", "enter", "v"),
    Scope.COMPARED: ("1", *["right_square_bracket"] * 8, "slash", *"settings", "enter", "enter", "d"),
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


def with_keys(*scopes: Scope) -> list[Command]:
    return [command for command in keymap.of(*scopes) if command.keys]


@pytest.mark.parametrize("command", with_keys(*REGISTRY), ids=lambda command: f"{command.scope.name}-{command.action}")
async def test_each_command_of_the_registry_screens_leaves_the_app_alive(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with registry_screen(command.scope, tmp_path, monkeypatch) as screen:
        await screen.press(command.keys[0], command.keys[0])
        assert screen.app.crash is None
        assert screen.app.is_running


def test_every_scope_is_reached_by_these_tests() -> None:
    assert {*WAY, *FROM_LIST, *REGISTRY} == set(Scope)


async def every_key_runs_its_command(
    screen: Driven, scope: Scope, monkeypatch: pytest.MonkeyPatch, keys: Keymap | None = None
) -> None:
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
    for command in (keys or Keymap()).of(scope):
        for key in command.keys:
            ran.clear()
            await screen.press(key)
            assert ran == [command.action], f"{key} ran {ran}"


@pytest.mark.parametrize(
    "command",
    [command for command in with_keys(*WAY) if command.action not in ENDS],
    ids=lambda command: f"{command.scope.name}-{command.action}",
)
async def test_each_command_leaves_the_app_alive(drive: Drive, shop: Any, command: Command) -> None:
    async with drive(shop) as screen:
        await screen.press(*WAY[command.scope])
        await screen.press(command.keys[0], command.keys[0])
        assert screen.app.crash is None
        assert screen.app.is_running
        assert screen.lines


@pytest.mark.parametrize("command", with_keys(*FROM_LIST), ids=lambda command: f"{command.scope.name}-{command.action}")
async def test_each_command_of_the_lists_leaves_the_app_alive(drive: Drive, command: Command) -> None:
    async with drive(["demo"]) as screen:
        await screen.press(*FROM_LIST[command.scope], command.keys[0])
        assert screen.app.crash is None
        assert screen.app.is_running


@pytest.mark.parametrize("keys", [Keymap(), remapped("dive")[0]], ids=["own", "dive"])
def test_no_key_stands_twice_where_both_would_work(keys: Keymap) -> None:
    assert {scope for chain in keymap.CHAINS for scope in chain} == set(Scope)
    for chain in keymap.CHAINS:
        found = [key for command in keys.of(*chain) for key in command.keys]
        assert sorted(found) == sorted(set(found)), chain


def test_names_tell_the_commands_of_a_scope_apart() -> None:
    names = [(command.scope, command.name) for command in COMMANDS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z_]+", name) for _, name in names)


def test_help_has_every_key_and_sign() -> None:
    text = "\n".join(f"{line.label} {line.text}" for line in help_lines())
    for command in COMMANDS:
        assert (command.help in text) == bool(command.keys)
        for key in command.keys:
            assert key_text(key) in text
    for sign in ("+ added", "M modified", "m metadata only", "- removed"):
        assert sign in text


def test_help_begins_with_what_is_near() -> None:
    assert help_lines([Scope.WASTE])[0].text == Scope.WASTE.value


async def test_help_opens_scrolls_and_closes(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("question_mark")
        assert "lamina: keys, signs and columns" in screen.text
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
        assert "b group" in screen.lines[-1]
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


# Other keys


def settings(asked: object) -> Settings:
    keys, faults = remapped(asked)
    assert faults == []
    return Settings(keys=keys)


@pytest.mark.parametrize("scope", [Scope.LAYERS, Scope.FILES, Scope.IMAGE, Scope.LIST, Scope.APP], ids=str)
async def test_each_key_of_dive_runs_its_command(
    drive: Drive, shop: Any, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(shop, settings=settings("dive")) as screen:
        await screen.press(*WAY[scope])
        await every_key_runs_its_command(screen, scope, monkeypatch, screen.app.keymap)


def test_dives_keys_are_of_commands_that_there_are() -> None:
    known = {(command.scope, command.name) for command in COMMANDS}
    assert {(scope, name) for scope, name, _ in DIVE} <= known
    assert {key for _, _, keys in DIVE for key in keys} >= {"ctrl+a", "ctrl+r", "ctrl+m", "ctrl+u", "ctrl+l", "ctrl+f"}


async def test_a_dive_users_first_minute(drive: Drive, small: list[str]) -> None:
    async with drive(small, settings=settings("dive")) as screen:
        assert screen.image.tab == "files"
        assert "motd" in screen.text  # unfolded at first
        assert "^l this layer  ^a up to here" in screen.lines[-1]
        await screen.press("down", "ctrl+a")
        assert "up to layer 1" in screen.text
        await screen.press("ctrl+l")
        assert "up to layer 1" not in screen.text
        await screen.press("tab")
        assert "^a added  ^r removed  M modified  ^u unchanged  ^f find" in screen.lines[-1]
        names = ("motd", "same", "new")  # modified, metadata only, added
        assert [name in screen.text for name in names] == [True, True, True]
        await screen.press("ctrl+a")
        assert [name in screen.text for name in names] == [True, True, False]
        await screen.press("ctrl+m")
        assert [name in screen.text for name in names] == [False, False, False]
        await screen.press("M", "ctrl+a")
        assert [name in screen.text for name in names] == [True, True, True]
        await screen.press("ctrl+o")
        assert "name ▾" in screen.text
        await screen.press("ctrl+b")
        assert "drwxr-xr-x" in screen.text
        await screen.press("ctrl+b", "ctrl+b", "ctrl+@")
        assert [name in screen.text for name in names] == [False, False, True]
        await screen.press("ctrl+space")
        assert [name in screen.text for name in names] == [True, True, True]
        await screen.press("ctrl+f", "n", "e", "w", "enter")
        assert [name in screen.text for name in names] == [False, False, True]
        await screen.press("question_mark")
        assert "PgDn ^f" not in screen.text
        await screen.press("escape", "ctrl+c")
    assert screen.app.return_value == 130


async def test_other_keys_reach_footer_help_palette_and_commands(drive: Drive, small: list[str]) -> None:
    async with drive(small, settings=settings({"find": "ctrl+f", "sort_by_name": "f4"})) as screen:
        await screen.press("tab")
        assert "^f find" in screen.lines[-1]
        assert "s sort" in screen.lines[-1]  # "s/S" would not be true
        await screen.press("ctrl+f", "m", "o", "t", "d", "enter")
        assert "1 match for motd" in screen.text
        await screen.press("slash", "S", "f4")
        assert screen.image.files.sort_key == "name"
        assert screen.focus == "files"
        lines = [f"{line.label} {line.text}" for line in help_lines([Scope.IMAGE, Scope.LIST], screen.app.keymap)]
        assert "^f show only names that have … (a/b looks at the folder too)" in lines
        assert "PgDn one page down" in lines
        found = [command.help for command in screen.app.get_system_commands(screen.app.screen)]
        assert "^f" in found


async def test_a_command_without_a_key_has_none_and_the_palette_has_it(drive: Drive, small: list[str]) -> None:
    async with drive(small, settings=settings({"quit": []})) as screen:
        await screen.press("q")
        assert screen.app.is_running
        assert " q quit" not in screen.lines[-1]
        assert "quit" in [command.title for command in screen.app.get_system_commands(screen.app.screen)]
        await screen.press("ctrl+c")
    assert screen.app.return_value == 130


@pytest.mark.parametrize(
    ("asked", "moved", "fault"),
    [
        ({"find": "f3"}, {"IMAGE.find": "f3"}, ""),
        ({"quit": "Q"}, {"APP.quit": "Q"}, ""),
        ({"find": "ctrl+f"}, {"IMAGE.find": "ctrl+f", "LIST.page(1)": "pagedown"}, ""),
        ({"instruction": "r", "range_start": "i"}, {"IMAGE.instruction": "r", "IMAGE.range_start": "i"}, ""),
        ({"interrupt": "f9"}, {"APP.interrupt": "ctrl+c,f9"}, ""),
        ({"preset": "dive", "find": "f3"}, {"IMAGE.find": "f3", "FILES.toggle_kind('added')": "ctrl+a"}, ""),
        ({"instruction": "r"}, {}, "instruction: r can't be its key: it is the key of range_start"),
        ({"quit": "f1"}, {}, "quit: F1 can't be its key: it is the key of help"),
        ({"find": "q"}, {}, "find: q can't be its key: it is the key of quit"),
        ({"find": "f3", "zoom": "f3"}, {"IMAGE.find": "f3"}, "zoom: F3 can't be its key: find asks for it too"),
        ({"find": "ctrl+c"}, {}, "find: ctrl+c always stops at once"),
        ({"find": "ctrl+q"}, {}, "find: ctrl+q always quits"),
    ],
)
def test_who_gets_a_key(asked: dict[str, object], moved: dict[str, str], fault: str) -> None:
    keys, faults = remapped(asked)
    assert moved.items() <= keys.moved().items()
    if not moved:
        assert keys == Keymap()
    assert len(faults) == bool(fault)
    assert "".join(faults).lower().startswith(fault.lower())


@pytest.mark.parametrize("text", ["ctrl+c", "ctrl+q"])
async def test_what_always_ends_does_so_whatever_is_mapped(drive: Drive, small: list[str], text: str) -> None:
    async with drive(small, settings=settings({"quit": "f10", "interrupt": "f9"})) as screen:
        await screen.press("slash", text)
    assert screen.app.return_value == (130 if text == "ctrl+c" else 0)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("f", ("f",)),
        ("F", ("F",)),
        ("/", ("slash",)),
        ("slash", ("slash",)),
        ("PgUp", ("pageup",)),
        ("Esc", ("escape",)),
        ("Ctrl+F", ("ctrl+f",)),
        ("shift+ctrl+f5", ("ctrl+shift+f5",)),
        ("+", ("plus",)),
        ("ctrl++", ("ctrl+plus",)),
        ("ctrl+space", ("ctrl+space", "ctrl+@")),
        ("f25", ()),
        ("crtl+f", ()),
        ("ctrl+", ()),
        ("ctrl+ctrl+f", ()),
        ("é", ()),
        ("", ()),
        ("f,g", ()),
    ],
)
def test_keys_as_people_write_them(text: str, keys: tuple[str, ...]) -> None:
    assert keys_named(text) == keys


def test_signs_are_called_as_textual_calls_them() -> None:
    for sign in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~":
        assert keys_named(sign) == (_character_to_key(sign),)
        assert key_text(_character_to_key(sign)) == sign


# Words of headers that mean what they say: what a row is, and what leads over to it.
PLAIN = re.findall(
    r"\w+",
    "Layers id image images name path instruction layer age times of all parent waste why what is most worth doing "
    "with it would be to do the largest files and on them description MB",
)


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("t",),
        ("A", "c"),
        ("A", "c", "2"),
        ("A", "c", "3"),
        ("A", "c", "F", "e", "enter"),
        ("space", "down", "D"),
        ("enter",),
    ],
    ids=" ".join,
)
async def test_the_help_says_what_every_column_means(drive: Drive, keys: tuple[str, ...]) -> None:
    async with drive(["demo"], size=(200, 50)) as screen:
        await screen.press(*keys)
        told = re.findall(r"\w+", " ".join(f"{line.label} {line.text}" for line in help_lines()))
        for rows in screen.app.screen.query(RowList):
            if isinstance(rows, ShareMatrix):  # its columns are images
                continue
            line = "".join(text for text, _ in rows.header(rows.text_width))
            for word in re.findall(r"[A-Za-z]+", line):
                assert word in PLAIN or word in told, (word, line)


async def test_a_click_in_the_footer_presses_the_key(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(100, 30)) as screen:
        await screen.press("tab")
        footer = screen.lines[-1]
        for word, shown, closing in (
            ("help", "╭─ lamina", "q"),
            ("find", "enter keep", "escape"),
            ("largest", "as a list", "b"),
        ):
            assert shown not in screen.text
            await screen.pilot.click("#keys", offset=(footer.index(f" {word}") + 1, 0))
            await screen.settle()
            assert shown in screen.text
            await screen.press(closing)
        # Behind the last key there is nothing to press.
        before = screen.text
        await screen.pilot.click("#keys", offset=(99, 0))
        await screen.settle()
        assert screen.text == before


async def test_what_hides_all_files_is_told_with_the_key_that_is_in_effect(drive: Drive, small: list[str]) -> None:
    # given a layer whose files are all of a kind that is not shown, with another key for the choice of kinds
    async with drive(small, settings=settings({"kinds": "f6"})) as screen:
        await screen.press("tab", "f6", "space", "escape")
        # then it is no empty layer, and neither text names a key that does something else
        assert "nothing of the kinds that are shown" in screen.text
        assert "f6 chooses others" in screen.text
        assert "hidden (f6)" in screen.text
