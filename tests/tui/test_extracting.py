"""Taking files out of an image from its screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import Image, file, layer, old_docker, pack
from driving import Drive


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    layers = [
        layer(file("srv/app/a", b"old"), file("srv/app/b", b"b" * 5000)),
        layer(file("srv/app/a", b"newer"), file("srv/app/.wh.b", b"")),
    ]
    path = tmp_path / "shop.tar"
    path.write_bytes(pack(old_docker(Image(layers, tags=("shop:1",)))))
    return [str(path)]


def typed(path: Path) -> list[str]:
    """Keys that put a path in the place of the dot that stands in the line."""
    names = {"/": "slash", ".": "full_stop", "-": "minus", "_": "underscore"}
    return ["backspace", *(names.get(letter, letter) for letter in str(path))]


async def test_a_file_goes_where_it_is_asked_for_as_the_view_has_it(
    drive: Drive, shop: list[str], tmp_path: Path
) -> None:
    async with drive(shop, size=(120, 30)) as screen:
        # given the file in the layer that ships its older version
        await screen.press("1", "E", "slash", "a", "enter", "G")
        await screen.press("x", *typed(tmp_path / "taken"), "enter")
        assert (tmp_path / "taken").read_bytes() == b"old"
        assert "1 file or folder, 3 B written to" in screen.text
        # and what is there is not written over
        await screen.press("x", *typed(tmp_path / "taken"), "enter")
        assert "would be replaced" in screen.text
        # when all up to the last layer is shown, it is the newer one, and the folder has nothing else
        await screen.press("escape", "right_square_bracket", "v", "g", "x", *typed(tmp_path / "srv"), "enter")
        assert [path.name for path in (tmp_path / "srv").rglob("*")] == ["a"]
        assert (tmp_path / "srv" / "a").read_bytes() == b"newer"


async def test_elsewhere_it_says_where_files_are(drive: Drive, shop: list[str]) -> None:
    async with drive(shop) as screen:
        await screen.press("0", "x")
        assert "x takes a file or folder out" in screen.text
