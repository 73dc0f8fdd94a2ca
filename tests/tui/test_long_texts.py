"""Configs and instructions of megabytes: what is shown of them is bounded, and says what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive
from lamina.model import ImageInfo
from lamina_tui import texts
from lamina_tui.app import COPIED
from lamina_tui.screens.config_lines import config_lines
from lamina_tui.widgets.text_lines import LINE, SHOWN, TextLine, TextLines

TWICE = 2 * SHOWN
"""Room for what is always said, beside what is bounded."""


@pytest.fixture
def wrapped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters are handed to be wrapped, call by call."""
    amounts: list[int] = []
    wrap = texts.wrap

    def counted(text: str, width: int) -> list[str]:
        amounts.append(len(text))
        return wrap(text, width)

    monkeypatch.setattr(texts, "wrap", counted)
    return amounts


def target(folder: Path, **extra: Any) -> list[str]:
    """An archive of one image, with these keys in its config."""
    path = folder / "long.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"a"))], extra=extra))))
    return [str(path)]


def told(lines: list[TextLine]) -> int:
    return sum(len(line.text) + LINE for line in lines)


@pytest.mark.parametrize(
    "text", ["x" * 12_000_000, "word " * 2_000_000, "\\\n" * 3_000_000], ids=["x", "words", "lines"]
)
async def test_a_long_instruction_costs_no_more_than_is_shown(
    text: str, drive: Drive, tmp_path: Path, wrapped: list[int]
) -> None:
    # Given an instruction of megabytes
    async with drive(target(tmp_path, history=[{"created_by": text}])) as screen:
        for step in ("i", "narrower"):
            # When it is opened, or the terminal gets another width
            wrapped.clear()
            if step == "i":
                await screen.press("i")
            else:
                await screen.pilot.resize_terminal(60, 24)
                await screen.settle()
            # Then only what can be shown is wrapped, for the box's two widths
            assert 0 < sum(wrapped) + len(wrapped) * LINE < 3 * TWICE
        await screen.press("end")
        assert "characters more, not shown" in screen.text
        assert "diff_id" in screen.text
        # And a copy is bounded, and says so
        await screen.press("y")
        assert len(screen.clipboard) <= 2 * COPIED
        assert f"copied the first {COPIED:,} of {len(text):,} characters" in screen.text


async def test_a_long_config_costs_no_more_than_is_shown(drive: Drive, tmp_path: Path, wrapped: list[int]) -> None:
    # Given 300,000 variables
    config = {"Env": [f"NAME{index}=value" for index in range(300_000)], "Labels": {"last": "of all"}}
    async with drive(target(tmp_path, config=config)) as screen:
        # When the tab is opened, and the terminal gets another width
        wrapped.clear()
        await screen.press("6")
        await screen.pilot.resize_terminal(100, 30)
        await screen.settle()
        # Then only what can be shown is wrapped, and what comes after it is shown too
        assert sum(wrapped) + len(wrapped) * LINE < 2 * TWICE
        await screen.press("end", "pageup")
        assert "NAME0=value" not in screen.text
        await screen.press("end")
        assert "more, not shown" in screen.text
        assert "last=of all" in screen.text


async def test_a_line_that_is_cut_is_copied_from_the_whole(drive: Drive, tmp_path: Path) -> None:
    async with drive(target(tmp_path, config={"User": "u" * 1_000_000})) as screen:
        await screen.press("6", "end", "up", "y")
        assert screen.clipboard == "u" * COPIED
        assert f"copied the first {COPIED:,} of 1,000,000 characters" in screen.text


@pytest.mark.parametrize(
    "config",
    [
        {"Env": ["x" * 50_000_000]},
        {"Labels": {str(index): "y" for index in range(500_000)}},
        {"Labels": {"n" * 1_000_000: "y" * 1_000_000, "z": "1"}},
        {f"Unknown{index}": index for index in range(500_000)},
        {"Cmd": ["x"] * 1_000_000},
        {"Healthcheck": {"Test": [[["x"]] * 1_000_000]}},
        {"Env": ["\x1b\U0010ffff" * 1_000_000]},
    ],
    ids=["text", "map", "names", "keys", "command", "nested", "escapes"],
)
def test_whatever_a_config_holds_its_lines_are_bounded(config: dict[str, Any]) -> None:
    info = ImageInfo("image:1", "sha256:0", (), config={"config": config})
    lines = config_lines(info)
    assert told(lines) < TWICE
    assert any("more, not shown" in line.text for line in lines)


def test_a_value_as_deep_as_the_stack_is_shown_to_some_depth() -> None:
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    info = ImageInfo("image:1", "sha256:0", (), config={"config": {"Cmd": deep}})
    assert config_lines(info)[-1].text == "[" * 16 + '"…"' + "]" * 16


def test_what_follows_a_long_text_is_shown_too() -> None:
    lines = TextLines()
    for name in "abc":
        lines.add(name * 10_000_000, name)
    lines.add("the last", "d")
    shown = [line.label for line in lines.lines if line.label]
    assert shown == ["a", "b", "c", "d"]
    assert lines.lines[-1].text == "the last"


def test_a_full_collection_says_once_that_there_is_more() -> None:
    lines = TextLines()
    for _ in range(SHOWN):
        lines.add("a line")
    assert lines.full
    assert [line.text for line in lines.lines].count("… more, not shown") == 1
    assert told(lines.lines) < TWICE


def test_a_short_text_is_shown_whole() -> None:
    lines = TextLines()
    lines.add_text("RUN one\n\n  two\x1b")
    assert [line.text for line in lines.lines] == ["RUN one", "", "  two\\x1b"]
    assert not any(line.whole for line in lines.lines)


async def test_a_platform_of_megabytes_is_cut_before_it_is_measured(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0
    cell_len = texts.cell_len

    def measured(text: str) -> int:
        nonlocal longest
        longest = max(longest, len(text))
        return cell_len(text)

    monkeypatch.setattr(texts, "cell_len", measured)
    async with drive(target(tmp_path, os="o" * 5_000_000)) as screen:
        await screen.press("down")
        assert "ooo" in screen.lines[0]
    assert longest < 10_000
