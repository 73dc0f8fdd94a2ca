"""The image screen: what it shows, and what its keys do."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, link, old_docker, pack
from driving import Drive, Driven
from lamina.advice.advise import advise
from lamina.model import Change, LaminaError
from lamina_tui import texts
from lamina_tui.widgets.layer_list import LayerList

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_screen_fits(drive: Drive, small: list[str], size: tuple[int, int]) -> None:
    async with drive(small, size) as screen:
        assert all(len(line) == size[0] for line in screen.cells)
        assert len(screen.lines) == size[1]
        title = screen.lines[0]
        assert "small:1 · linux/amd64" in title
        # Shipped: 75,400 + 1,734 + 42; hidden later: motd's 100, old's 5,000, same's 300.
        assert "77.2 KB" in title
        assert "wasted 5.4 KB (7.0 %)" in title
        assert "efficiency 93.0 %" in title
        assert re.search(r"1 Files +2 Waste +3 Advice +4 Packages +5( Duplicates)? +6", screen.text)
        assert screen.lines[-1].startswith(" ? help  q quit  enter files")


async def test_a_narrow_title_keeps_what_is_wasted_and_leaves_the_platform(drive: Drive) -> None:
    # given a title that has no room for all
    async with drive(["demo"], (40, 12)) as screen:
        await screen.press("enter")
        # then name, size and wasted bytes stand in it whole; of percent and platform no piece is there
        assert screen.lines[0].split() == ["shop-web:1.5", "8.0", "MB", "wasted", "1.9", "MB"]


async def test_what_is_said_in_a_narrow_terminal_is_said_whole(drive: Drive, small: list[str]) -> None:
    async with drive(small, (40, 12)) as screen:
        await screen.press("tab", "m")
        said = " ".join(" ".join(screen.lines[-3:-1]).split())
        assert said == "there is no room for mode, owner and time: a wider terminal has it"


async def test_links_in_a_list_of_files_say_where_they_lead(drive: Drive, small: list[str]) -> None:
    for size in ((80, 24), (40, 12)):
        async with drive(small, size) as screen:
            await screen.press("down", "down", "tab", "b")
            assert "sh → bin/big" in screen.line_with(" sh ")


async def test_layers_show_size_waste_and_instruction(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        rows = [line for line in screen.lines[2:] if "step " in line and "layer" not in line]
        assert [row.split()[:1] + row.split()[-2:] for row in rows] == [
            [str(index), "step", str(index)] for index in range(4)
        ]
        assert "75.4 K" in rows[0]
        assert "5.4 K" in rows[0].split("75.4 K")[1]
        assert "1.7 K" in rows[1]


async def test_the_tree_follows_the_layer(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        assert "▸ bin/" in screen.text
        await screen.press("down", "down", "down")
        assert "▸ deep/" in screen.text
        assert "bin/" not in screen.text
        assert " layer 3  step 3" in screen.text


async def test_change_marks_sizes_and_details(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "tab", "E")
        assert "m      300" in screen.line_with(" same ")
        assert "mode 644→755" in screen.line_with(" same ")
        assert "M      200" in screen.line_with(" motd ")
        assert "+    1.2 K" in screen.line_with(" new ")
        assert "~" in screen.line_with("bin/ ")
        await screen.press("right_square_bracket")
        removed = screen.line_with(" old ")
        assert removed.split()[1:4] == ["-", "5.0", "K"]  # in the column of what is removed
        assert "removed▾" in screen.text  # a layer that only removes is sorted by that
        assert "→ bin/big" in screen.line_with("sh →")


async def test_the_three_views(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "v")
        assert "up to layer 1" in screen.text
        await screen.press("tab", "E")
        assert "big" in screen.text  # what the layer did not touch is there too
        await screen.press("v")
        assert "from 0 to 1" in screen.text
        assert "big" not in screen.text
        await screen.press("v")
        assert screen.lines[-15].endswith(" layer 1") or "   layer 1" in screen.text


async def test_a_range_can_start_anywhere(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "r")
        assert "the range starts after layer 1: now choose its other end" in screen.text
        assert "▸  1" in screen.text
        await screen.press("down", "down")
        assert "from 1 to 3" in screen.text
        await screen.press("tab", "E")
        assert "leaf.txt" in screen.text
        assert "new " not in screen.text
        await screen.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert "from 0 to 1" in screen.text  # a range goes upwards, wherever its mark stands
        await screen.press("right_square_bracket", "r")
        assert "no range" in screen.text
        assert screen.image.viewpoint.mode == "layer"


async def test_the_row_under_the_cursor_is_told_whole(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("tab", "E", "down")
        assert "-rw-r--r-- 0:0 70,000 B bin/big (added)" in screen.text


async def test_fold_keys(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "down", "down", "tab")
        assert "▸ deep/er/est/" in screen.text  # each holds nothing but the next
        await screen.press("l", "l")  # unfold, step in
        assert "leaf.txt" in screen.text
        await screen.press("h", "h", "c")  # out, fold, a row for each
        await screen.press("l", "l")
        assert "▾ deep/" in screen.text
        assert "▸ er/" in screen.text
        await screen.press("enter")
        assert "▸ est/" in screen.text
        await screen.press("space")
        assert "est/" not in screen.text
        await screen.press("h", "h")  # out, fold
        assert "▸ deep/" in screen.text
        await screen.press("E")
        assert "leaf.txt" in screen.text
        await screen.press("C")
        assert "▸ deep/" in screen.text


async def test_folds_and_cursor_survive_another_layer(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("tab", "space", "down", "down")
        before = screen.image.files.describe()
        await screen.press("v", "v", "v")
        assert screen.image.files.describe() == before


async def test_sorting(drive: Drive, small: list[str]) -> None:
    def order(text: str) -> list[str]:
        return sorted(("big", "old", "same"), key=lambda name: text.index(f" {name} "))

    async with drive(small) as screen:
        await screen.press("tab", "E")
        assert "size▾" in screen.text
        assert order(screen.text) == ["big", "old", "same"]
        await screen.press("s")
        assert "size▴" in screen.text
        assert order(screen.text) == ["same", "old", "big"]
        await screen.press("S")
        assert "name ▾" in screen.text
        assert order(screen.text) == ["big", "old", "same"]
        await screen.press("S")
        assert order(screen.text) == ["same", "old", "big"]
        await screen.press("greater_than_sign", "greater_than_sign")
        assert "removed▾" in screen.text
        await screen.press("less_than_sign")
        assert "size▾" in screen.text


async def test_filter_as_you_type_and_matches(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("tab", "slash", "o")
        assert screen.focus == "_Field"
        assert "2 matches for o" in screen.text  # old, motd
        await screen.press("l")
        assert "1 match for ol" in screen.text
        assert "motd" not in screen.text
        await screen.press("backspace", "enter")
        assert screen.focus == "files"
        first = screen.image.files.describe()
        await screen.press("n")
        second = screen.image.files.describe()
        assert {first.split()[4], second.split()[4]} == {"bin/old", "etc/motd"}
        await screen.press("n")
        assert screen.image.files.describe() == first
        await screen.press("N")
        assert screen.image.files.describe() == second
        await screen.press("escape")
        assert "match" not in screen.text
        assert screen.image.files.describe() == second  # found things stay in sight
        assert "bin/" in screen.text


async def test_escape_drops_what_was_typed(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        before = screen.text.splitlines()[7:]
        await screen.press("slash", "z", "z")
        assert "none for zz" in screen.text
        assert "nothing here" in screen.text
        await screen.press("escape")
        assert "matches" not in screen.text
        assert screen.focus == "files"
        assert before[3:9] == screen.text.splitlines()[7:][3:9]


async def test_keys_sent_in_one_go_reach_the_filter(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        screen.send("tab", "slash", "o", "l", "enter", "n", "y")
        await screen.settle()
        assert "1 match for ol" in screen.text
        assert screen.clipboard == "bin/old"


async def test_kinds_shown(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "tab", "v", "E", "f")
        assert "[x] + added" in screen.text
        await screen.press("c", "escape")
        assert "hidden (f)" in screen.text
        assert "big" not in screen.text
        assert " new " in screen.text
        await screen.press("f", "space", "escape")  # the first kind: added
        assert " new " not in screen.text
        assert " motd " in screen.text
        await screen.press("f", "a", "f")
        assert "hidden" not in screen.text
        assert "big" in screen.text


async def test_whole_instruction_on_demand(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "i")
        assert "layer 1" in screen.text
        assert "sha256:" in screen.text
        await screen.press("y")
        assert screen.clipboard == "step 1"
        await screen.press("escape")
        assert screen.image.layer_list.cursor == 1


async def test_zoom_hides_the_layers(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("z")
        assert "Layers" not in screen.text
        assert screen.focus == "files"
        await screen.press("tab")
        assert screen.focus == "files"
        await screen.press("z", "tab")
        assert screen.focus == "layers"


async def test_copying(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("y")
        assert screen.clipboard.startswith("sha256:")
        await screen.press("tab", "E", "down", "y")
        assert screen.clipboard == "bin/big"
        assert "copied bin/big" in screen.text
        await screen.press("down")
        assert "copied" not in screen.text


async def test_config_tab(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("6")
        assert "small:1" in screen.line_with(" tag ")
        assert "linux/amd64" in screen.line_with(" platform ")
        assert '["true"]' in screen.line_with(" Cmd ")
        await screen.press("y")
        assert screen.clipboard == "small:1"


async def test_advice_is_told_whole_and_leads_to_its_files(drive: Drive, shop: Any) -> None:
    async with drive(shop) as screen:
        await screen.press("3")
        assert "saves" in screen.line_with("what to do")
        advice = screen.image.advice
        told = " ".join(screen.text.split())
        assert "layer 5 RUN chmod -R o-rwx" in told
        assert "Layer 5 copies 59 files of layer 3 only to change mode" in told
        assert f"saves {texts.size_bytes(advice.total)}" in screen.text
        await screen.press("enter")
        assert screen.image.tab == "waste"
        assert "59 files, 1.3 MB shipped by layer 3" in " ".join(screen.text.split())
        await screen.press("escape")
        assert screen.image.tab == "advice"
        await screen.press("slash", *"apt", "enter")
        assert advice.row_count() >= 2
        await screen.press("enter")  # a cache: its folder in the layer that ships it
        assert screen.image.tab == "files"
        assert screen.image.viewpoint.title == "layer 1"
        assert screen.image.layer_list.cursor == 1
        # Exactly its files, under their folders.
        assert (screen.image.files.copied_text() or b"").startswith(b"var/lib/apt/lists/")
        assert "of package-cache" in screen.text
        await screen.press("escape", "escape")
        assert advice.row_count() > 4


async def test_following_all_advice_counts_no_byte_twice(drive: Drive, shop: Any) -> None:
    async with drive(shop) as screen:
        image, advice = screen.image.image, screen.image.advice
        assert image is not None
        of_waste = sum(each.saves for each in advise(image) if each.cause is not None)
        assert of_waste <= image.wasted
        assert advice.total - of_waste <= image.visible


async def test_the_verdict_stands_above_all(drive: Drive, shop: Any, tmp_path: Path) -> None:
    async with drive(shop, size=(100, 24)) as screen:
        assert screen.lines[1].startswith(" 1.3 MB (16.3 %) could go: RUN chmod -R o-rwx")
        assert screen.lines[1].endswith("3 tells how")
    async with drive(shop, size=(100, 30)) as screen:
        bar = screen.lines[1]
        image = screen.image.image
        assert image is not None
        assert abs(bar.count("▒") / 98 - image.wasted / image.size) < 0.05
        assert bar.count("│") == sum(layer.size / image.size * 98 >= 2 for layer in image.layers)
        assert "could go" in screen.lines[2]
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"1"))]))))
    async with drive([str(path)]) as screen:
        assert "every byte that it ships is reachable" in screen.lines[1]


async def test_who_ships_and_who_hides_are_marked(drive: Drive, shop: Any) -> None:
    def marks(screen: Driven) -> dict[str, str]:
        return {line[0]: line.split()[1] for line in screen.lines[2:9] if line and line[0] in "◂│╰"}

    async with drive(shop, size=(100, 24)) as screen:
        assert not marks(screen)
        await screen.press("2")
        assert marks(screen) == {"◂": "3", "│": "4", "╰": "5"}
        await screen.press("3", "G")
        assert marks(screen)["╰"] == "6"
        await screen.press("1")
        assert not marks(screen)


async def test_the_largest_files_as_a_list(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(100, 30)) as screen:
        await screen.press("tab", "v", "b")
        files = screen.image.files
        assert files.tree_rows is not None
        paths = [files.tree_rows.view.union.paths.path(int(path)) for path in files.tree_rows.rows]
        sizes = [int(files.tree_rows.view.size[path]) for path in files.tree_rows.rows]
        assert sizes == sorted(sizes, reverse=True)
        assert b"bin/big" in paths
        assert b"bin" not in paths
        assert "files as a list" in screen.text
        assert "of all" in screen.text
        await screen.press("down", "b")
        groups = files.tree_rows.groups
        assert f"(no extension)   {groups.counts[0]} files" in screen.text
        assert "files by extension" in screen.text
        await screen.press("l", "l")
        assert files.copied_text() in paths
        await screen.press("h")
        assert files.copied_text() is None
        assert "B size" in screen.text
        await screen.press("h", "b")
        assert "0:0   " in screen.text
        assert "files by owner" in screen.text
        await screen.press("b")
        assert not files.tree_rows.flat


async def test_the_tree_finds_the_file_that_the_list_stood_on(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(100, 30)) as screen:
        await screen.press("tab", "b", "down", "b", "b")
        files = screen.image.files
        await screen.press("enter", "down")
        wanted = files.copied_text()
        await screen.press("b")
        assert wanted is not None
        assert files.copied_text() == wanted


async def test_mode_owner_and_time(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(120, 30)) as screen:
        await screen.press("tab", "v", "E")
        assert "mode" not in screen.line_with("size▾")
        assert re.search(r" big .* 0 +\d", screen.line_with(" big "))  # of layer 0
        await screen.press("m")
        assert re.search(r"mode +owner +time ", screen.line_with("size▾"))
        assert re.search(r"-rw-r--r-- 0:0 +\d{4}-\d\d-\d\d \d\d:\d\d ", screen.line_with(" big "))
        await screen.press("m")
        assert re.search(r"mode +owner +age ", screen.line_with("size▾"))
        await screen.press("m")
        assert "mode" not in screen.line_with("size▾")


async def test_a_narrow_screen_has_the_day_of_the_time_and_says_what_has_no_room(
    drive: Drive, small: list[str]
) -> None:
    async with drive(small, size=(80, 24)) as screen:
        await screen.press("tab", "E", "m")
        assert re.search(r" mode +owner +time +", screen.line_with("size▾"))
        assert re.search(r"-rw-r--r-- 0:0 +\d{4}-\d\d-\d\d ", screen.line_with(" big "))
        await screen.press("m")
        assert re.search(r" mode +owner +age +", screen.line_with("size▾"))
    async with drive(small, size=(40, 20)) as screen:
        await screen.press("tab", "m")
        assert "no room for mode" in screen.text


async def test_a_click_on_a_title_sorts_files(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(100, 30)) as screen:
        await screen.press("tab")
        files = screen.image.files
        line = "".join(text for text, _ in files.header(files.text_width))
        for title, column in (("removed", "removed"), ("name", "name"), ("size", "size")):
            await screen.pilot.click(files, offset=(line.index(title), 0))
            await screen.settle()
            assert files.column == column


async def test_paging_keeps_the_cursor_in_view(drive: Drive, shop: object) -> None:
    async with drive(shop) as screen:
        await screen.press("tab", "v", "E")
        files = screen.image.files
        for key in (
            "pagedown",
            "ctrl+d",
            "down",
            "G",
            "up",
            "pageup",
            "ctrl+u",
            "g",
            "ctrl+f",
            "ctrl+b",
            "end",
            "home",
        ):
            await screen.press(key)
            top = files.scroll_offset.y
            assert top <= files.cursor < top + files.page_rows, key
        await screen.press("end")
        assert files.cursor == files.row_count() - 1
        await screen.press("home")
        assert files.cursor == 0
        for _ in range(30):
            await screen.press("down")
        await screen.settle()
        assert files.cursor == 30
        assert files.scroll_offset.y <= 30 < files.scroll_offset.y + files.page_rows


async def test_a_hundred_layers(drive: Drive, tmp_path: Path) -> None:
    image = Image([layer(file(f"f{index}", b"x" * index)) for index in range(127)], tags=("many:1",))
    path = tmp_path / "many.tar"
    path.write_bytes(pack(old_docker(image)))
    async with drive([str(path)]) as screen:
        await screen.press("G")
        assert screen.image.query_one(LayerList).cursor == 126
        assert "f126" in screen.text
        assert " layer 126  step 126" in screen.text


async def test_a_click_moves_and_chooses(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.pilot.click("#layers", offset=(5, 2))
        await screen.settle()
        assert screen.image.viewpoint.layer == 1
        await screen.pilot.click("#tabs", offset=(24, 0))
        await screen.settle()
        assert screen.image.tab == "waste"
        await screen.pilot.click("#tabs", offset=(14, 0))
        await screen.pilot.click("#files", offset=(5, 2))
        await screen.settle()
        assert screen.image.files.cursor == 1


async def test_resizing_changes_the_layout_and_loses_nothing(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("down", "tab", "E", "down")
        told = screen.image.files.describe()
        for size in ((120, 40), (200, 60), (80, 24), (60, 15), (30, 8), (80, 24)):
            await screen.pilot.resize_terminal(*size)
            await screen.settle()
            assert all(len(line) == size[0] for line in screen.cells)
        assert screen.image.files.describe() == told
        assert screen.image.viewpoint.layer == 1


async def test_paths_of_any_depth_and_length_keep_their_columns(drive: Drive, tmp_path: Path) -> None:
    deep = "d/" * 900 + "leaf"
    path = tmp_path / "deep.tar"
    path.write_bytes(pack(old_docker(Image([layer(file(deep, b"1" * 77), file("n" * 3000, b"2" * 99))]))))
    for size in ((80, 24), (120, 40), (40, 12)):
        async with drive([str(path)], size=size) as screen:
            await screen.press("tab", "E", "G")
            assert re.search(
                "…/?d/d/d/", screen.text
            )  # directories that hold but one stand in one row, its end in view
            await screen.press("c", "G")
            assert all(len(line) == size[0] for line in screen.cells)
            shown = screen.line_with("leaf ")
            assert "900…" in shown  # the level, where its indent would need 1,800 cells
            assert " 77" in shown
            await screen.press("y")
            assert screen.clipboard == deep
            await screen.press("g", "slash", "n", "n", "n", "enter")
            assert "nnnn…" in screen.text
            assert " 99" in screen.text


async def test_a_click_in_a_scrolled_list_takes_the_row_under_the_mouse(drive: Drive, tmp_path: Path) -> None:
    image = Image([layer(file(f"f{index}", b"x")) for index in range(60)], tags=("many:1",))
    path = tmp_path / "many.tar"
    path.write_bytes(pack(old_docker(image)))
    async with drive([str(path)]) as screen:
        await screen.press("G")
        layers = screen.image.query_one(LayerList)
        top = layers.scroll_offset.y
        assert top > 20
        await screen.pilot.click("#layers", offset=(5, layers.header_lines + 2))
        await screen.settle()
        assert layers.cursor == top + 2
        assert f" layer {top + 2}  step {top + 2}" in screen.text


async def test_a_row_that_is_no_longer_shown_leaves_the_cursor_on_its_folder(drive: Drive, tmp_path: Path) -> None:
    base = layer(file("a/kept", b"1"), file("d/gone", b"2"), file("d/kept", b"3"))
    image = Image([base, layer(file("a/.wh.kept"), file("a/new", b"5"), file("d/.wh.gone"), file("d/new", b"4"))])
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(image)))
    async with drive([str(path)]) as screen:
        await screen.press("G", "tab", "E", "G")
        files = screen.image.files
        assert "gone" in screen.lines[-3] + screen.lines[-2], screen.text
        files.set_kinds(frozenset({Change.ADDED, Change.MODIFIED}))
        await screen.settle()
        tree = files.tree_rows
        assert tree is not None
        assert files.path_id is not None
        assert tree.view.union.paths.path(files.path_id) == b"d"
        assert files.cursor > 0


async def test_a_layer_that_only_removes_shows_what_it_hides(drive: Drive, small: list[str]) -> None:
    async with drive(small, size=(100, 30)) as screen:
        row = next(line for line in screen.lines if line.lstrip().startswith("2 "))
        assert row.split()[:4] == ["2", "0", "0", "5.0"]
        assert "hides" in screen.lines[3]


async def test_bars_of_layers_are_exact_and_little_waste_has_no_length(drive: Drive, tmp_path: Path) -> None:
    """63 bytes of waste are no tenth of a bar, and all of a layer's waste is all of its bar."""
    layers = [
        layer(file("large", bytes(100_000)), file("tiny", b"x" * 63)),
        layer(file("half", bytes(50_000)), file("tiny", b"y" * 64)),
        layer(file("half", bytes(50_001)), file("all", bytes(49_999))),
        layer(file("small", bytes(400))),
    ]
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image(layers))))
    async with drive([str(path)], size=(100, 30)) as screen:
        bars = [line[28:40] for line in screen.cells[4:8]]
    assert bars == ["██████████∙ ", "▒▒▒▒▒       ", "██████████  ", "            "]


async def test_escape_leads_back_to_the_waste_that_led_here(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("2", "down")
        row = screen.image.waste.cursor
        await screen.press("enter")
        assert screen.image.tab == "files"
        await screen.press("escape")
        assert (screen.image.tab, screen.image.waste.cursor) == ("waste", row)
        await screen.press("enter", "3", "escape")  # another tab was opened meanwhile: esc leaves the image
        assert "1 image" in screen.lines[0]


async def test_letters_filter_in_every_tab_and_run_nothing(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        for tab, text in (("3", "zz"), ("6", "amd64")):
            await screen.press(tab, "slash", *text)
            assert screen.focus == "_Field"
            await screen.press("enter")
        assert "linux/amd64" in screen.text
        assert "diff_id" not in screen.text
        await screen.press("escape")
        assert "diff_id" in screen.text or "created" in screen.text
        await screen.press("3")
        assert "nothing here has “zz”" in screen.text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 129, 130, 140, 170, 200])
async def test_no_width_cuts_a_tab_or_loses_an_instruction(drive: Drive, shop: Any, width: int) -> None:
    async with drive(shop, size=(width, 24)) as screen:
        await screen.press("2", "b", "b")
        line = next(line for line in screen.lines if "2 Waste" in line).rpartition("│")[2]
        # A tab has its whole name or only its digit; the open one its name. What the pane shows is told where it fits.
        labels = re.findall(r"(?<!\S)([0-6])( [A-Z]\w+)?(?!\S)", line)
        assert [digit for digit, _ in labels] == list("0123456"), line
        names = {" Overview", " Files", " Waste", " Advice", " Packages", " Duplicates", " Config", ""}
        assert {name for _, name in labels} <= names
        assert ("1.9 MB in 102 files by layer" in line) == (width >= 60), line
        assert "RUN" in screen.lines[4] or "COPY" in screen.lines[4]


async def test_an_image_is_found_as_it_was_left(drive: Drive) -> None:
    async with drive(["demo"], size=(100, 30)) as screen:
        await screen.press(
            "down", "enter", "1", "tab", "down", "down", "v", "tab", "E", "down", "down", "2", "b", "down", "1"
        )
        title, rows = screen.image.viewpoint.title, screen.image.files.row_count()
        folder = screen.image.files.copied_text()
        await screen.press("escape", "down", "enter", "escape", "up", "enter")
        assert (screen.image.viewpoint.title, screen.image.files.row_count()) == (title, rows)
        assert rows > 60  # all is unfolded
        assert screen.image.files.copied_text() == folder
        assert screen.image.waste.grouping == "directory"
        assert screen.image.waste.cursor == 1


async def test_a_files_card_tells_every_layer_that_touched_it(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(100, 30)) as screen:
        await screen.press("2", "enter", "enter")  # the largest waste, its file, its card
        text = " ".join(screen.text.split())
        assert "what became of this path" in text
        assert "/usr/local/lib/python3.11/site-packages/numpy.libs/libopenblas64_p-r0-0cf96a72.3.23" in text
        assert "is in the final file system as layer 5 has it, 468 KB" in text
        assert "lower layers ship 468 KB under this name that later ones hide" in text
        rows = [line.split() for line in screen.lines if "468 K" in line and "RUN" in line]
        assert [row[1:4] for row in rows] == [["5", "m", "metadata"], ["3", "+", "added"]]
        await screen.press("y")
        assert screen.clipboard.startswith("/usr/local/lib/python3.11/")
        await screen.press("enter")
        assert screen.image.viewpoint.title == "layer 5"
        assert (screen.image.files.copied_text() or b"").endswith(b".so")


async def test_the_card_of_a_removed_file(drive: Drive, small: list[str]) -> None:
    async with drive(small) as screen:
        await screen.press("G", "k", "tab", "slash", *"old", "enter", "enter")
        assert "is not in the final file system: layer 2 removes it" in screen.text
        await screen.press("escape")
        assert "what became" not in screen.text


async def test_the_card_leads_to_where_a_link_ends_and_to_the_files_other_names(drive: Drive, tmp_path: Path) -> None:
    first = layer(file("usr/bin/tool-1.2", b"t" * 999), link("tool", "usr/bin/tool"), link("broken", "nowhere"))
    image = Image([first, layer(link("usr/bin/tool", "tool-1.2"), link("usr/bin/also", "usr/bin/tool-1.2", hard=True))])
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(image)))
    async with drive([str(path)], size=(100, 30)) as screen:
        await screen.press("tab", "slash", *"tool", "enter", "S", "g", "enter")
        assert "leads to    /usr/bin/tool-1.2" in screen.text
        await screen.press("G", "enter")
        assert screen.image.files.copied_text() == b"usr/bin/tool-1.2"
        assert screen.image.viewpoint.title == "up to layer 1"
        await screen.press("enter")
        assert "same file   /usr/bin/also" in screen.text
        await screen.press("escape", "slash", *"broken", "enter", "enter", "G", "enter")
        assert "/nowhere (nothing is there)" in screen.text
        assert "what became of this path" in screen.text


async def test_the_same_content_at_several_places(drive: Drive, tmp_path: Path) -> None:
    big, small = bytes(range(256)) * 80, b"x" * 5000
    layers = [
        layer(file("usr/lib/a.so", big), file("opt/copy.so", big), file("one", small)),
        layer(file("srv/two", small), file("srv/three", small), file("alone", b"y" * 6000)),
    ]
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image(layers))))
    async with drive([str(path)], size=(100, 30)) as screen:
        await screen.press("5")
        duplicates = screen.image.duplicates
        assert duplicates.found is not None
        assert sum(each.bytes for each in duplicates.found) == len(big) + 2 * len(small)
        assert "30.5 KB in copies of 2 files" in screen.text
        assert "2 times 20,480 B of the same content" in screen.text
        await screen.press("enter", "down", "down", "enter")
        assert screen.image.tab == "files"
        assert screen.image.files.copied_text() == b"usr/lib/a.so"
        await screen.press("escape")
        assert screen.image.tab == "duplicates"
        await screen.press("slash", *"three", "enter")
        assert "3 times 5,000 B" in screen.text
        assert "a.so" not in "\n".join(screen.lines[9:-3])


async def test_no_duplicates_and_some_that_cant_be_looked_for(
    drive: Drive, small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(small) as screen:
        await screen.press("5")
        assert "have the same content" in screen.text

    def fail(*_: object) -> None:
        raise LaminaError("it is gone\x1b[2J")

    monkeypatch.setattr("lamina_tui.screens.image.find_duplicates", fail)
    async with drive(small) as screen:
        await screen.press("5")
        assert "could not be looked for: it is gone\\x1b[2J" in screen.text


async def test_the_border_between_the_panes_can_be_moved(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(160, 40)) as screen:
        left = screen.app.screen.query_one("#left")
        width = left.outer_size.width
        await screen.press("plus")
        assert left.outer_size.width > width
        await screen.press(*["minus"] * 20)
        assert left.outer_size.width == 16
        await screen.pilot.mouse_down("#left", offset=(15, 5))
        await screen.pilot.hover(offset=(79, 10))
        await screen.pilot.mouse_up(offset=(79, 10))
        await screen.settle()
        assert left.outer_size.width == 80
        await screen.pilot.resize_terminal(100, 40)
        await screen.settle()
        assert left.outer_size.width == 100
        height = left.outer_size.height
        await screen.press("minus")
        assert left.outer_size.height < height
        assert "1 Files" in screen.text


async def test_the_mouse_moves_the_tabs_that_are_the_border_to_the_layers_above(drive: Drive, shop: Any) -> None:
    async with drive(shop, size=(100, 40)) as screen:
        tabs = screen.app.screen.query_one("#tabs")
        for row in (20, 9):
            # when the tabs are drawn to another row, from a place where a click would open one
            here = tabs.region.y
            await screen.pilot.mouse_down(offset=(18, here))
            await screen.pilot.hover(offset=(18, row))
            await screen.pilot.mouse_up(offset=(18, row))
            await screen.settle()
            # then there they are, and it was no click
            assert tabs.region.y == row
            assert screen.image.tab == "files"
        await screen.pilot.click(offset=(25, 9))
        await screen.settle()
        assert screen.image.tab == "waste"


@pytest.mark.parametrize("ending", ["txt", "json", "ncdu"])
async def test_what_is_shown_is_written(drive: Drive, small: list[str], tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    async with drive(small) as screen:
        await screen.press("tab", "e")
        assert "small-1-layer-0.txt" in screen.text
        assert "enter write  esc cancel" in screen.lines[-1]
        await screen.press("ctrl+u")
        screen.send(*str(path), "enter")
        await screen.settle()
        # where it is longer than a line, the path goes on in the next
        assert f"writtento{path}" in "".join(screen.text.split())
        told = path.read_text()
        assert {"txt": "layer 0\n", "json": '{"schema": "lamina.files/1"', "ncdu": '[1,2,{"progname":"lamina"'}[
            ending
        ] in told
        # What is there is kept.
        await screen.press("e", "ctrl+u")
        screen.send(*str(path), "enter")
        await screen.settle()
        assert "it is there already" in screen.text
        assert path.read_text() == told
    assert sorted(os.listdir(tmp_path)) == [path.name, "small.tar"]


async def test_a_file_that_can_not_be_written_is_one_line(drive: Drive, small: list[str], tmp_path: Path) -> None:
    async with drive(small, size=(120, 30)) as screen:
        await screen.press("tab", "e", "ctrl+u")
        screen.send(*str(tmp_path / "no" / "out.txt"), "enter")
        await screen.settle()
        assert "No such file or directory" in screen.text
