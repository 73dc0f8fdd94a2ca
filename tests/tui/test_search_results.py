"""Searching everywhere: what a filter leaves out is told; results over all layers and images lead there and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builders import Image, directory, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina.figures.find_paths import Found, PathFinder
from lamina_tui.screens.image import ImageScreen
from lamina_tui.screens.search_results import SearchResults

NAMES = ["[red]evil-key", "csi-key\x1b[31m", "bidi-key\u202etxt", "[@click=app.quit]key"]


def archive(path: Path, tag: str, *layers: bytes) -> str:
    path.write_bytes(pack(old_docker(Image(list(layers), tags=(tag,)))))
    return str(path)


@pytest.fixture
def five(tmp_path: Path) -> list[str]:
    """Five layers: a key that is removed, a text that is written twice, names with a word in common."""
    return [
        archive(
            tmp_path / "five.tar",
            "five:1",
            layer(directory("etc"), file("etc/motd", b"m" * 100), file("lib/secret/id.pem", b"k" * 1700)),
            layer(file("etc/motd", b"n" * 200), file("opt/motd.d/motd-news", b"x" * 40)),
            layer(file("srv/tail", b"t")),
            layer(file("lib/.wh.secret")),
            layer(file("end", b"e")),
        )
    ]


@pytest.fixture
def two(tmp_path: Path, five: list[str]) -> list[str]:
    """The same beside an image that has a file of that name at another place."""
    other = layer(file("home/app/other.pem", b"p" * 900))
    return [*five, archive(tmp_path / "b.tar", "other:2", layer(file("base", b"b")), other)]


def keys(text: str) -> list[str]:
    names = {".": "full_stop", "-": "minus", "/": "slash"}
    return [names.get(letter, letter) for letter in text]


def results(screen: Driven) -> SearchResults:
    assert isinstance(screen.app.screen, SearchResults)
    return screen.app.screen


# What the filter leaves out


async def test_a_filter_that_finds_nothing_says_where_there_is_something(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        # given a layer without the file, when its name is typed
        await screen.press("down", "slash", *keys("pem"))
        # then the line above tells the layer that has it and the one that removes it, whole at 80 columns
        assert "none for pem   1 in layer 0 (removed in 3): F   layer 1" in screen.text
        await screen.press("escape")
        assert "removed in 3" not in screen.text


async def test_a_filter_that_finds_something_tells_of_what_is_elsewhere(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("slash", *keys("motd"))
        assert "1 match for motd   3 in layer 1: F" in screen.text
        # another layer has others beside it
        await screen.press("enter", "right_square_bracket")
        assert "3 matches for motd   1 in layer 0: F   layer 1" in screen.text
        await screen.press("right_square_bracket")
        assert "none for motd   4 in 2 other layers: F" in screen.text


async def test_a_filter_that_shows_all_there_is_says_nothing_more(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("slash", *keys("id.pem"))
        assert "1 match for id.pem   layer 0" in screen.text


async def test_the_remark_is_short_where_there_is_no_room(drive: Drive, five: list[str]) -> None:
    async with drive(five, size=(40, 20)) as screen:
        await screen.press("down", "slash", *keys("pem"))
        assert "1 more: F" in screen.text


# From the filter to the results, to a file, and all the way back


@pytest.mark.parametrize("way", [["enter"], ["enter", "escape", "enter"], ["enter", "escape", "F", "enter"]], ids=str)
async def test_enter_where_nothing_is_left_lists_all_layers(drive: Drive, five: list[str], way: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("down", "tab", "slash", *keys("pem"), *way)
        row = screen.line_with("lib/secret/id.pem  ").split()
        assert row == ["lib/secret/id.pem", "0", "1.7", "K", "removed", "in", "3"]
        assert "find  pem" in screen.lines[0]
        assert "1.7 KB in layer 0, removed in 3" in screen.text


async def test_enter_goes_to_the_file_in_its_layer_and_escape_back_all_the_way(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        # given layer 1 with a filter, all up to here
        await screen.press("down", "v", "tab", "slash", *keys("motd"), "enter")
        before = screen.text
        await screen.press("F", "enter")
        listed = screen.text
        rows = [line.split()[0] for line in screen.lines[2:6]]
        assert rows == ["etc/motd", "etc/motd", "opt/motd.d/", "opt/motd.d/motd-news"]
        # when the second is chosen, the version that was overwritten
        await screen.press("down", "enter")
        assert screen.image.viewpoint.title == "layer 0"
        assert "100 B etc/motd (added)" in screen.text
        assert screen.image.files.filter == ""
        # then esc leads to the same row of the results
        await screen.press("escape")
        assert results(screen).found.cursor == 1
        assert screen.lines[:6] == listed.splitlines()[:6]
        # and from there to what was open, with its filter
        await screen.press("escape")
        assert screen.image.viewpoint.title == "up to layer 1"
        assert screen.text == before
        await screen.press("escape")
        assert screen.image.files.filter == ""


async def test_what_is_typed_after_the_key_is_a_text_though_a_filter_is_kept(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("down", "tab", "slash", *keys("mot"), "enter")
        # when somebody goes on typing where all layers are searched, letters that are commands, too
        await screen.press("F", *keys("dq"))
        # then they stand in the line, behind the filter's text
        assert results(screen).search.text == "motdq"
        assert screen.focus == "_Field"
        # and what is dropped leads back to what was found for the filter
        await screen.press("escape")
        assert results(screen).search.text == "mot"


async def test_results_that_no_row_was_chosen_of_leave_all_as_it_was(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("2")
        before = screen.text
        await screen.press("F", *keys("motd"), "enter", "escape")
        assert screen.text == before


async def test_the_way_back_ends_where_the_keyboard_and_the_kinds_were(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        # given a filter of the waste, and files of which only what changed is shown
        await screen.press("tab", "f", "c", "escape", "2", "slash", *keys("pem"), "enter")
        kinds = screen.image.files.kinds
        before = screen.text
        await screen.press("F", "enter", "enter")
        assert screen.image.tab == "files"
        await screen.press("escape", "escape")
        assert screen.text == before
        assert screen.image.files.kinds == kinds
        # and once more from the layers
        await screen.press("tab")
        assert screen.focus == "layers"
        await screen.press("F", "enter", "enter", "escape", "escape")
        assert screen.focus == "layers"


async def test_a_search_from_a_result_leads_back_to_the_one_before(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("F", *keys("pem"), "enter", "enter")
        assert "id.pem" in screen.text
        await screen.press("F", *keys("tail"), "enter", "enter")
        assert screen.image.viewpoint.layer == 2
        told = []
        for _ in range(3):
            await screen.press("escape")
            told.append(screen.lines[0].split()[:2])
        assert told == [["find", "tail"], ["five:1", "·"], ["find", "pem"]]
        await screen.press("escape")
        assert screen.image.viewpoint.layer == 0
        assert isinstance(screen.app.screen, ImageScreen)


async def test_a_tab_that_is_opened_ends_the_way_back(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("F", *keys("pem"), "enter", "enter", "2", "F", *keys("tail"), "enter", "enter", "escape")
        assert "find  tail" in screen.lines[0]
        await screen.press("escape")
        assert screen.image.tab == "waste"
        assert screen.image._steps == []


async def test_the_way_that_led_to_the_search_goes_on_after_it(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("2", "enter")
        assert screen.image.tab == "files"
        await screen.press("F", *keys("tail"), "enter", "enter", "escape", "escape", "escape")
        assert screen.image.tab == "waste"


async def test_a_folder_is_shown_in_the_tree_where_files_stand_as_a_list(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("tab", "b")
        assert screen.image.files.tree_rows is not None
        assert screen.image.files.tree_rows.grouping == "list"
        await screen.press("F", *keys("secret"), "enter", "enter")
        assert "1,700 B lib/secret" in screen.text
        await screen.press("escape", "escape")
        assert screen.image.files.tree_rows.grouping == "list"


async def test_before_an_image_is_read_it_says_so(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        screen.image.image = None
        screen.image._finder = None
        await screen.press("F")
        assert "all layers can be searched when they are read" in screen.text


# The results


async def test_without_a_text_it_asks_for_one_and_results_follow_the_typing(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:
        await screen.press("F")
        assert "type what to look for" in screen.text or screen.focus == "_Field"
        await screen.press("escape")  # nothing was typed: nothing stays open
        assert isinstance(screen.app.screen, ImageScreen)
        await screen.press("F", *keys("mot"))
        assert "4 found in 2 layers, by relevance" in screen.lines[0]
        await screen.press(*keys("d-"))
        assert "1 found in 1 layer, by relevance" in screen.lines[0]
        await screen.press("enter", "slash", *keys("xyz"))
        assert "nothing in any layer has motd-xyz" in screen.text
        await screen.press("escape")  # what was there before is there again
        assert "find  motd-" in screen.lines[0]
        assert "1 found" in screen.lines[0]


async def test_few_exact_matches_bring_names_with_the_letters_and_a_key_takes_them_away(
    drive: Drive, five: list[str]
) -> None:
    async with drive(five) as screen:
        await screen.press("F", *keys("mnews"), "enter")
        assert "?opt/motd.d/motd-news" in screen.text
        assert "only the letters match" in screen.text
        assert "all by letters alone (?)" in screen.lines[0]
        await screen.press("f")
        assert "nothing in any layer has mnews" in screen.text
        await screen.press("f")
        assert "?opt/motd.d/motd-news" in screen.text


async def test_a_folder_whose_bytes_are_gone_is_not_said_to_be_alive(drive: Drive, tmp_path: Path) -> None:
    # given a folder of which all goes, one of which something goes, one that stays as it is
    first = [file("var/all/a", b"a" * 1700), file("var/some/a", b"a" * 300), file("var/some/b", b"b" * 100)]
    path = archive(
        tmp_path / "gone.tar",
        "gone:1",
        layer(*first, file("var/none/a", b"a")),
        layer(file("var/all/.wh.a"), file("var/some/.wh.b")),
    )
    async with drive([path]) as screen:
        await screen.press("F", *keys("var/"), "enter")
        # then figure and word are about the same bytes, in the row and in words
        ends = {line.split()[0]: " ".join(line.split()[2:]) for line in screen.lines[2:] if line.startswith(" var/")}
        assert ends["var/all/"] == "1.7 K all wasted"
        assert ends["var/some/"] == "400 100 wasted"
        assert ends["var/none/"] == "1 alive"
        assert "a folder with 1.7 KB in layer 0, all of it wasted" in screen.text
        await screen.press("down")
        assert "a folder with 400 B in layer 0, 100 B of it wasted" in screen.text
    # and where there is no room for words there is the sign of waste
    async with drive([path], (40, 12)) as screen:
        await screen.press("F", *keys("var/"), "enter")
        assert screen.line_with("var/all/ ").split()[-1] == "▒"
        assert screen.line_with("var/none/ ").split()[-1] == "1"


async def test_a_narrow_title_says_that_only_letters_match(drive: Drive, five: list[str]) -> None:
    async with drive(five, (40, 12)) as screen:
        await screen.press("F", *keys("mnews"), "enter")
        assert screen.lines[0].endswith("1 found (?)")


async def test_sorting_by_key_and_by_mouse_and_copying(drive: Drive, five: list[str]) -> None:
    async with drive(five) as screen:

        def sizes() -> list[str]:
            return [line[50:].split()[1] for line in screen.lines[2:6]]

        await screen.press("F", *keys("motd"), "enter")
        assert sizes() == ["200", "100", "40", "40"]
        await screen.press("down", "s")
        assert "by size" in screen.lines[0]
        assert results(screen).found.cursor == 1  # the row stays under the cursor
        await screen.press("s", "y")
        assert "path▾" in screen.lines[1]
        assert sizes() == ["100", "200", "40", "40"]
        assert screen.clipboard == "etc/motd"
        assert "copied etc/motd" in screen.text
        header = screen.lines[1]
        await screen.pilot.click("#found", offset=(header.index("size"), 0))
        await screen.pilot.click("#found", offset=(header.index("size"), 0))
        await screen.settle()
        assert sizes() == ["40", "40", "100", "200"]
        await screen.press("slash", "backspace")  # another text keeps the order
        assert sizes() == ["40", "40", "100", "200"]
        await screen.press("enter", "s", "s")
        assert "by relevance" in screen.lines[0]


async def test_results_arrive_while_it_searches_and_escape_stops(
    drive: Drive, five: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a search that finds something and then goes on for ever
    def slow(self: PathFinder, text: str, cancel: threading.Event, most: int) -> Iterator[Found]:
        yield self.exact("tail")
        cancel.wait(60)

    async def until(told: Callable[[], bool]) -> None:
        for _ in range(500):
            await screen.pilot.pause(0.01)
            if told():
                return
        raise AssertionError(screen.text)

    whole = PathFinder.fuzzy
    monkeypatch.setattr(PathFinder, "fuzzy", slow)
    async with drive(five) as screen:
        # when it runs, then what was found is there to be seen
        await screen.press("F")
        screen.send("p", "e", "m", "enter")
        await until(lambda: "srv/tail" in screen.text)
        assert "lib/secret/id.pem" in screen.text
        assert "searching …" in screen.lines[0]
        # and esc stops, and leaves it
        screen.send("escape")
        await until(lambda: "stopped" in screen.text)
        assert "2 found" in screen.lines[0]
        await screen.settle()
        # what is chosen then is under the cursor again when another search has found it
        monkeypatch.setattr(PathFinder, "fuzzy", whole)
        await screen.press("down", "enter")
        assert "lib/secret/id.pem (added)" in screen.text
        results_of = screen.image._steps[-1].search
        results_of.text = "e"
        await screen.press("escape")
        assert results(screen).found.copied_text() == b"lib/secret/id.pem"
        assert results(screen).found.cursor > 0


@pytest.mark.parametrize("width", [40, 80, 120, 160])
async def test_no_width_loses_a_name_or_a_figure(drive: Drive, two: list[str], width: int) -> None:
    async with drive(two, size=(width, 24)) as screen:
        await screen.press("F", *keys("pem"), "enter")
        assert all(len(line) == width for line in screen.cells)
        first, second = screen.lines[2:4]
        assert "pem" in first
        assert "1.7 K" in first
        assert ("removed in 3" if width > 40 else "- 3") in first
        assert "five" in first
        assert "900" in second
        assert screen.lines[1].split() == ["path", "layer", "size", "what", "image"]


# A set of images


@pytest.mark.parametrize("key", ["F", "slash"])
async def test_a_set_is_searched_whole_and_a_result_opens_its_image_there(
    drive: Drive, two: list[str], key: str
) -> None:
    async with drive(two) as screen:
        await screen.press(key, *keys("pem"), "enter")
        assert "2 found in 2 layers in 2 images" in screen.lines[0]
        assert screen.line_with("other.pem").split()[-2:] == ["alive", "other:2"]
        assert screen.line_with("id.pem  ").split()[-4:] == ["removed", "in", "3", "five:1"]
        await screen.press("down", "enter")
        assert "other:2" in screen.lines[0]
        assert screen.image.viewpoint.title == "layer 1"
        assert "900 B home/app/other.pem (added)" in screen.text
        await screen.press("escape")
        assert results(screen).found.cursor == 1
        await screen.press("escape")
        assert "sharing" in screen.lines[0]


async def test_a_set_of_which_nothing_is_read_says_so(drive: Drive, two: list[str]) -> None:
    async with drive(two) as screen:
        screen.app.screen.loaded.clear()  # type: ignore[attr-defined]
        await screen.press("F")
        assert "no image is read yet" in screen.text


# Names that strangers chose


async def test_hostile_names_are_shown_and_run_nothing(drive: Drive, tmp_path: Path, five: list[str]) -> None:
    path = archive(tmp_path / "evil.tar", "evil:1", layer(*(file(name, b"x") for name in NAMES)), layer(file("a", b"")))
    async with drive([path]) as screen:
        await screen.press("down", "slash", *keys("key"), "enter")
        for shown in ("[red]evil-key", r"csi-key\x1b[31m", r"bidi-key\u202etxt", "[@click=app.quit]key"):
            assert shown in screen.text
        assert "\x1b" not in screen.text
        for _ in NAMES:
            await screen.press("y", "down")
        assert screen.app.is_running
        # typed, too
        await screen.press("slash", *["backspace"] * 3, "left_square_bracket", *keys("red"), "right_square_bracket")
        assert "find  [red]" in screen.lines[0]
        assert "1 found" in screen.lines[0]
    # the name of the image in a set
    evil = archive(tmp_path / "name.tar", "x\x1b[31m[/]:1", layer(file("key", b"1")))
    async with drive([evil, *five]) as screen:
        await screen.press("F", *keys("key"), "enter")
        assert screen.line_with("  alive  ").endswith(r"x\x1b[31m[/]:1")
        assert r"in layer 0 of x\x1b[31m[/]:1" in screen.text


async def test_ascii_terminals_get_ascii(drive: Drive, five: list[str]) -> None:
    async with drive(five, ascii_only=True) as screen:
        await screen.press("F", *keys("motd"), "enter", "s")
        assert screen.text.isascii()


async def test_conditions_are_words_of_the_text(drive: Drive, five: list[str]) -> None:
    async with drive(five, size=(100, 24)) as screen:
        # when a size is asked for, files of any layer are listed, the largest first
        await screen.press("F", *"size", "colon", "plus", *"1k", "enter")
        assert "lib/secret/id.pem" in screen.text
        assert "motd " not in screen.text
        # what is not typed to its end is told
        await screen.press("slash", *["backspace"] * 8, *"motd", "space", *"mode", "colon", *"x", "enter")
        assert "not understood, and left out: mode:x" in screen.text
        assert "etc/motd" in screen.text
        # and a content
        await screen.press("slash", *["backspace"] * 11, *"contains", "colon", *"zzz", "enter")
        assert "nothing in any layer has contains:zzz" in screen.text
