"""Two versions of a file on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive
from lamina_tui.launch import first_screen
from opening import workspace

OLD = b"".join(b"line %d\n" % n for n in range(1, 41))
NEW = OLD.replace(b"line 7\n", b"line seven\x1b[31m\n").replace(b"line 30\n", b"")


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    """An image with two versions of a text and of a binary, and a second image with others."""
    layers = [
        layer(file("etc/conf", OLD), file("bin/app", b"\0" * 900 + b"1")),
        layer(file("etc/conf", NEW, mode=0o600), file("bin/app", b"\0" * 900 + b"22")),
    ]
    paths = []
    for name, found in (("a", layers[:1]), ("b", layers)):
        paths.append(tmp_path / f"{name}.tar")
        paths[-1].write_bytes(pack(old_docker(Image(found, tags=(f"{name}:1",)))))
    return [str(path) for path in paths]


def card_of(name: str) -> tuple[str, ...]:
    """From the opening of the second image to the card of a file of its last layer."""
    return ("end", "1", "slash", *name, "enter", "enter")


async def test_what_a_layer_changed_from_the_card(drive: Drive, shop: list[str]) -> None:
    async with drive(shop[1:]) as screen:
        await screen.press(*card_of("conf"), "d")
        assert screen.lines[0].split() == ["/etc/conf", "layer", "0", "→", "layer", "1"]
        assert "mode: 644 (rw-r--r--) → 600 (rw-------)" in screen.text
        assert " 7  - line 7" in screen.text
        assert r" 7  + line seven\x1b[31m" in screen.text
        assert "@@ -4,7 +4,7 @@" in screen.text
        assert "2 places differ: 2 lines out, 1 in" in screen.text
        # side by side, what takes each other's place stands in one row
        await screen.press("v")
        row = screen.line_with("- line 7")
        assert row.index("│") == 39
        assert r"+ line seven\x1b[31m" in row
        await screen.press("escape")
        assert screen.image.tab == "files"


async def test_wide_screens_have_both_side_by_side_at_once(drive: Drive, shop: list[str]) -> None:
    async with drive(shop[1:], size=(130, 30)) as screen:
        await screen.press(*card_of("conf"), "d")
        assert "│" in screen.line_with("- line 7")


async def test_binaries_by_size_and_first_difference(drive: Drive, shop: list[str]) -> None:
    async with drive(shop[1:]) as screen:
        await screen.press(*card_of("app"), "d")
        assert "901 bytes → 902 bytes, the first difference at byte 900" in screen.text
        assert "no lines to compare" in screen.text


async def test_the_first_version_has_none_before_it(drive: Drive, shop: list[str]) -> None:
    async with drive(shop[1:]) as screen:
        await screen.press(*card_of("conf"), "down", "d")
        assert "there is no version before this one" in screen.text


async def test_any_two_versions_by_a_mark(drive: Drive, tmp_path: Path) -> None:
    texts = (b"first\n", b"second\n", None, b"fourth\n")
    layers = [layer(file("conf", text) if text else file(".wh.conf")) for text in texts]
    target = tmp_path / "c.tar"
    target.write_bytes(pack(old_docker(Image(layers, tags=("c:1",)))))

    async with drive([str(target)]) as screen:
        await screen.press(*card_of("conf"), "d")
        assert "one of the two is a removal: space marks another version" in screen.text

        await screen.press("space", "down", "down", "down", "d")

        assert screen.lines[0].split() == ["/conf", "layer", "0", "→", "layer", "3"]
        assert "- first" in screen.text
        assert "+ fourth" in screen.text


async def test_a_modified_file_of_two_images(drive: Drive, shop: list[str]) -> None:
    async with drive(first_screen(workspace(), shop, diff=True), size=(100, 30)) as screen:
        await screen.press("slash", *"conf", "enter", "enter")
        assert screen.lines[0].split() == ["/etc/conf", "a:1", "→", "b:1"]
        assert r"+ line seven\x1b[31m" in screen.text
        await screen.press("escape")
        assert "a:1 → b:1" in screen.lines[0]


async def test_a_version_that_can_not_be_read_any_more(drive: Drive, shop: list[str]) -> None:
    async with drive(shop[1:]) as screen:
        await screen.press(*card_of("conf"))
        Path(shop[1]).write_bytes(b"another")  # noqa: ASYNC240
        await screen.press("d")
        assert "changed while it was read: open it again" in " ".join(screen.text.split())


async def test_ascii_terminals_get_ascii(drive: Drive, shop: list[str]) -> None:
    async with drive(shop[1:], size=(130, 30), ascii_only=True) as screen:
        await screen.press(*card_of("conf"), "d")
        assert screen.text.isascii()
        assert " | " in screen.line_with("- line 7")


@pytest.mark.parametrize("size", [(80, 24), (40, 12)], ids=str)
async def test_the_last_of_many_layers_is_seen_in_a_card_of_any_height(
    drive: Drive, tmp_path: Path, size: tuple[int, int]
) -> None:
    # given a file that more layers touch than the card has rows, below a name of several lines
    name = f"etc/{'a-long-name-' * 6}conf"
    path = tmp_path / "many.tar"
    layers = [layer(file(name, b"x" * (number + 1))) for number in range(25)]
    path.write_bytes(pack(old_docker(Image(layers, tags=("many:1",)))))
    async with drive([str(path)], size) as screen:
        # when the cursor goes to the first of them
        await screen.press(*card_of("conf"), "G")
        # then that row is within the box
        assert [line for line in screen.lines if "0 + added" in line]
        assert "enter layer" in screen.text
