"""Terminals of two columns, keys before anything is drawn, an interrupt wherever the keyboard is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from textual.widgets import Input

from driving import Drive
from lamina_tui import texts
from lamina_tui.screens.palette import Palette

pytestmark = pytest.mark.timeout(60)

SCREENS = {
    "home": (),
    "tree": ("t",),
    "files": ("enter",),
    "waste": ("enter", "2"),
    "waste by layer": ("enter", "2", "b", "b"),
    "advice": ("enter", "3"),
    "packages": ("enter", "4"),
    "config": ("enter", "6"),
    "pairs": ("A", "c"),
    "images of a set": ("A", "c", "2"),
    "layers of a set": ("A", "c", "3"),
    "near misses": ("A", "c", "4"),
    "diff": ("space", "down", "D"),
    "help": ("f1",),
    "palette": ("ctrl+p",),
}


@pytest.mark.parametrize("width", [-2, -1, 0, 1])
def test_text_wraps_to_whatever_width_there_is(width: int) -> None:
    assert texts.wrap("ab c", width) == ["a", "b", "c"]
    assert len(texts.fit_end("abc", width)) <= max(width, 0)


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
async def test_every_screen_stands_a_terminal_of_a_few_cells(keys: tuple[str, ...], drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press(*keys)
        for size in ((3, 10), (2, 10), (1, 10), (1, 1), (2, 2), (80, 24)):
            await screen.pilot.resize_terminal(*size)
            await screen.settle()
            await screen.press("down", "pageup")
        assert screen.app.is_running


@pytest.mark.parametrize("key", ["pageup", "pagedown", "up", "down", "home", "end", "enter"])
async def test_the_palette_takes_keys_before_it_is_drawn(key: str, drive: Drive) -> None:
    async with drive(["demo"], (3, 3)) as small:
        small.send("ctrl+p", key, key)
        await small.settle()
        await small.press(key)
        assert small.app.crash is None
    async with drive(["demo"]) as screen:
        screen.send("ctrl+p", key, key)
        await screen.settle()
        assert screen.app.crash is None


async def test_the_palette_has_no_sign_that_a_terminal_may_lack(drive: Drive) -> None:
    for ascii_only in (False, True):
        async with drive(["demo"], ascii_only=ascii_only) as screen:
            before = screen.text
            await screen.press("ctrl+p")
            drawn = set(screen.text) - set(before)
            assert not any(sign in drawn for sign in "?🔎~…")
            assert "copy the image's name" in screen.text


async def test_the_palette_turns_its_pages(drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press("ctrl+p")
        assert isinstance(screen.app.screen, Palette)
        await screen.press("pagedown")
        assert isinstance(screen.app.screen, Palette)
        await screen.press("escape")
        assert not isinstance(screen.app.screen, Palette)


@pytest.mark.parametrize(
    "keys",
    [*SCREENS.values(), ("enter", "i"), ("enter", "tab", "f"), ("slash", "a"), ("enter", "tab", "slash"), ("o", "x")],
    ids=str,
)
async def test_an_interrupt_ends_it_wherever_the_keyboard_is(keys: tuple[str, ...], drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        await screen.press(*keys)
        screen.send("ctrl+c")
        await screen.pilot.pause()
        assert screen.app.return_value == 130


@pytest.mark.parametrize(("opens", "name"), [("f1", "HelpScreen"), ("i", "TextScreen"), ("f", "KindsScreen")])
async def test_a_click_beside_a_dialog_leaves_it_the_keyboard(opens: str, name: str, drive: Drive, shop: Any) -> None:
    async with drive(shop) as screen:
        await screen.press("tab", opens)
        assert type(screen.app.screen).__name__ == name
        await screen.pilot.click(offset=(0, 0))
        await screen.settle()
        assert screen.app.focused is not None
        await screen.press("escape")
        assert type(screen.app.screen).__name__ == "ImageScreen"


@pytest.mark.parametrize("opens", ["f1", "i", "f"])
async def test_q_closes_a_dialog_and_then_ends(opens: str, drive: Drive, shop: Any) -> None:
    async with drive(shop) as screen:
        await screen.press("tab", opens)
        await screen.press("q")
        assert type(screen.app.screen).__name__ == "ImageScreen"
        screen.send("q")
        await screen.pilot.pause()
        assert screen.app.return_value == 0


@pytest.mark.parametrize("keys", [("o", "a", "enter", "escape"), ("o", "a", "enter", "2", "b")])
async def test_keys_in_one_go_wait_for_the_screen_that_the_first_opens(keys: tuple[str, ...], drive: Drive) -> None:
    async with drive(["demo"]) as screen:
        screen.send(*keys)
        await screen.settle()
        assert screen.text


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 140, 170, 200])
@pytest.mark.parametrize("keys", [(), ("A", "c", "2"), ("t",), ("enter",), ("enter", "1")], ids=" ".join)
async def test_no_name_is_lost_at_any_width(drive: Drive, columns: int, keys: tuple[str, ...]) -> None:
    async with drive(["demo"], size=(columns, 20)) as screen:
        await screen.press(*keys)
        named = [line for line in screen.lines if "shop-web:1.5" in line]
        assert named
        assert re.search(r"\d M", named[0])  # and something is told of it
        assert all(texts.cell_len(line) == columns for line in screen.cells)


async def test_what_the_tab_line_says_goes_part_by_part(drive: Drive) -> None:
    for columns, said in ((100, ("149 files by extension", "up to layer 8")), (40, ("up to layer 8",))):
        async with drive(["demo"], size=(columns, 20)) as screen:
            await screen.press("enter", "G", "1", "v", "b", "b")
            line = next(line for line in screen.lines if "1 Files" in line)
            assert line.endswith("   ".join(said)), line
            assert "…" not in line


@pytest.mark.parametrize("keys", [("slash",), ("o",), ("enter", "1", "e"), ("enter", "F")], ids=" ".join)
async def test_a_prompt_that_waits_draws_nothing(drive: Drive, keys: tuple[str, ...]) -> None:
    async with drive(["demo"]) as screen:
        await screen.press(*keys)
        drawn = []
        field = screen.app.screen.query_one(Input)
        field.render_line, ask = lambda y: (drawn.append(y), ask(y))[1], field.render_line  # type: ignore[method-assign, func-returns-value]
        await screen.pilot.pause(1.2)
        assert drawn == []
        await screen.press("a")
        assert drawn
