"""Reading a file of an image on the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive, Driven
from lamina.contents import content as contents
from lamina.contents.content import FileContent
from lamina.model import LaminaError
from lamina_tui.screens.viewer import Viewer
from lamina_tui.widgets.content_rows import ContentRows

SOURCE = b"# a tool\nimport os\n\n\ndef main():\n    return os.name" + b"  # long" * 20 + b"\n"
LOG = b"".join(b"line %d\n" % n for n in range(1, 600_001))
HOSTILE = b"esc\x1b[31m\x07 [bold]x[/] \xff\ttab\n"
BINARY = b"\x7fELF\0" + bytes(range(256)) * 20 + b"\0a text within\0"


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    layers = [
        layer(file("srv/tool.py", b"# older\n"), file("srv/log", LOG), file("srv/bin", BINARY)),
        layer(file("srv/tool.py", SOURCE), file("srv/hostile", HOSTILE), file("srv/empty", b"")),
    ]
    path = tmp_path / "shop.tar"
    path.write_bytes(pack(old_docker(Image(layers, tags=("shop:1",)))))
    return [str(path)]


def way_to(name: str) -> tuple[str, ...]:
    """From the image's opening to the card of a file of all layers."""
    return ("G", "v", "1", "slash", *name.replace(".", ","), "enter", "enter")


async def read(screen: Driven, name: str) -> Viewer:
    """Open a file of the final file system from its card."""
    keys = ["full_stop" if key == "," else key for key in way_to(name)]
    await screen.press("end", *keys, "v")
    viewer = screen.app.screen
    assert isinstance(viewer, Viewer), screen.text
    return viewer


async def test_a_text_with_numbers_colours_and_its_layer(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        viewer = await read(screen, "tool.py")
        assert screen.lines[0].startswith(" /srv/tool.py  layer 1 of ")
        assert screen.lines[0].endswith(" B")
        assert [line[:12] for line in screen.lines[1:6]] == ["1  # a tool", "2  import os", "3", "4", "5  def main("]
        assert "text: lines 1 to 6 of 6" in screen.text
        styles = {text: style for row in range(2) for text, style in viewer.rows.row(row, 80)}
        assert (styles["# a tool"], styles["import"]) == ("dim", "accent")
        await screen.press("escape")
        assert screen.image.tab == "files"


async def test_an_older_version_from_the_card(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        keys = ["full_stop" if key == "," else key for key in way_to("tool.py")]
        await screen.press("end", *keys, "down", "v")
        assert "1  # older" in screen.text
        assert "layer 0 of " in screen.lines[0]


async def test_what_has_no_content_is_said_in_the_card(drive: Drive, tmp_path: Path) -> None:
    path = tmp_path / "gone.tar"
    layers = [layer(file("etc/gone", b"1"), file("etc/x", b"2")), layer(file("etc/.wh.gone", b""))]
    path.write_bytes(pack(old_docker(Image(layers))))
    async with drive([str(path)], size=(100, 24)) as screen:
        await screen.press("end", "1", "E", "G", "enter", "v")
        assert "there is nothing to read in this layer" in screen.text


async def test_long_lines_move_and_are_broken(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        await read(screen, "tool.py")
        assert len(screen.lines[6]) <= 80
        await screen.press("right", "right")
        assert "from column 17" in screen.text
        assert screen.lines[6].startswith("6  me  # long")
        await screen.press("w")
        assert [line[:3] for line in screen.lines[6:9]] == ["6  ", "   ", "   "]
        assert "# long" in screen.lines[8]


async def test_a_long_text_opens_at_once_and_is_searched_to_its_end(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        viewer = await read(screen, "log")
        assert "1  line 1" in screen.text
        assert "of 600,000" in screen.text
        await screen.press("G")
        assert "600000  line 600000" in screen.text
        # when a text is sought behind the end it goes on from the beginning
        await screen.press("slash", *"line", "space", *"123456", "enter")
        assert "123456  line 123456" in screen.text
        assert "found: line 123456" in screen.text
        await screen.press("slash", *["backspace"] * 11, *"nowhere", "enter")
        assert "nothing in the file has nowhere" in screen.text
        await screen.press("w")
        assert "are not broken" in screen.text
        assert len(viewer.rows._held) < 5000


async def test_n_goes_on_and_back_around_the_end(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        viewer = await read(screen, "log")
        await screen.press("slash", *"599", "enter")
        found = [viewer._found_at]
        for key in ("n", "N", "N"):
            await screen.press(key)
            found.append(viewer._found_at)
        assert found[0] == found[2] == LOG.index(b"599")
        assert found[1] == LOG.index(b"599", LOG.index(b"599") + 1)
        assert found[3] == LOG.rindex(b"599")


async def test_a_binary_as_numbers_and_its_texts(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        await read(screen, "bin")
        assert screen.lines[1].startswith("00000000  7f 45 4c 46 00 00 01 02  03 04")
        assert screen.lines[1].endswith(".ELF............")
        await screen.press("v")
        assert "a text within" in screen.text
        await screen.press("v")
        assert "text: lines 1 to" in screen.text
        assert "\x7f" not in screen.text
    async with drive(shop, size=(40, 14)) as screen:
        await read(screen, "bin")
        assert screen.lines[1].split()[:4] == ["00000000", "7f", "45", "4c"]


async def test_nothing_in_a_file_reaches_the_terminal_or_runs(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        await read(screen, "hostile")
        assert r"1  esc\x1b[31m\x07 [bold]x[/] \xff" in screen.text
        assert screen.lines[1].endswith("tab")


async def test_an_empty_file_says_so(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        await read(screen, "empty")
        assert screen.lines[-2].strip() == "empty"


async def test_a_file_that_can_not_be_read_any_more_says_why(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        await screen.press("end")
        Path(shop[0]).write_bytes(b"another")  # noqa: ASYNC240
        await read(screen, "tool.py")
        assert "changed while it was read: open it again" in " ".join(screen.text.split())
        await screen.press("v", "w", "slash", "n", "escape")
        assert screen.image.tab == "files"


async def test_waiting_is_shown_and_can_be_left(drive: Drive, shop: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive(shop) as screen:
        await screen.press("end")
        go, closed = threading.Event(), threading.Event()

        class Slow(FileContent):
            """A layer that is unpacked for long."""

            def read(self, start: int, size: int) -> bytes:
                if not go.wait(20):
                    raise LaminaError("nobody went on")
                return super().read(start, size)

            def close(self) -> None:
                super().close()
                closed.set()

        monkeypatch.setattr(contents, "FileContent", Slow)
        keys = ["full_stop" if key == "," else key for key in way_to("tool.py")]
        await screen.press(*keys)
        screen.send("v")
        for _ in range(20):
            await screen.pilot.pause(0.01)
        assert "opening …" in screen.text
        screen.send("escape")
        for _ in range(5):
            await screen.pilot.pause(0.01)
        assert screen.image.tab == "files"
        go.set()
        assert closed.wait(5), "the file stays open"


async def test_a_key_asks_for_rows_once(drive: Drive, shop: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive(shop) as screen:
        asked: list[int] = []
        real: Callable[..., None] = Viewer._fetch

        def counted(self: Viewer, first: int, count: int) -> None:
            asked.append(first)
            real(self, first, count)

        monkeypatch.setattr(Viewer, "_fetch", counted)
        viewer = await read(screen, "log")
        asked.clear()
        await screen.press(*["j"] * 15)
        assert len(asked) <= 1
        assert isinstance(viewer.rows, ContentRows)
