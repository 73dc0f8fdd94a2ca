"""Names that strangers chose: shown visibly and harmlessly on every pane, in every dialog and every message."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from builders import Image, layer, old_docker, pack
from driving import CHARACTERS, Drive, Driven
from lamina.model import LaminaError
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import ImagesScreen

NAMES = {
    b"esc\x1b[31mred": r"esc\x1b[31mred",
    b"csi\xc2\x9b31m": r"csi\x9b31m",
    "bidi\u202egnp.exe".encode(): r"bidi\u202egnp.exe",
    b"new\nline": r"new\nline",
    b"tab\there": r"tab\there",
    b"markup[/]": "markup[/]",
    b"[bold red]styled[/bold red]": "[bold red]styled[/bold red]",
    b"[@click=app.quit]click[/]": "[@click=app.quit]click[/]",
    b"raw\xff\xfe": r"raw\xff\xfe",
    "zero\u200bwidth".encode(): r"zero\u200bwidth",
    "nbsp\xa0here".encode(): r"nbsp\xa0here",
    "宽字符".encode(): "宽字符",
    "é́combining".encode(): "é́combining",
    "emoji👩‍👩‍👧".encode(): "emoji👩\\u200d👩\\u200d👧",
    b"bell\x07nul": r"bell\x07nul",
}
EVIL = "RUN \x1b]0;owned\x07 [/] [@click=app.quit]x[/] \u202e \x9b31m\nsecond line\tend"


def raw_tar(names: list[bytes], content: bytes = b"x" * 10) -> bytes:
    """A tar whose names are these very bytes; tarfile writes surrogates back as they came."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
            info.size = len(content) + number
            tar.addfile(info, io.BytesIO(content + b"y" * number))
        info = tarfile.TarInfo("evil-link")
        info.type, info.linkname = tarfile.SYMTYPE, "to\x1b[2Jsomewhere[/]"
        tar.addfile(info)
    return out.getvalue()


@pytest.fixture
def hostile(tmp_path: Path) -> list[str]:
    """An image in which everything that can be chosen is hostile; its second layer makes all of it waste."""
    names = list(NAMES)
    extra = {
        "os": "li\x1b[31mnux",
        "author": EVIL,
        "config": {
            "Env": [EVIL, "PATH=/bin\u202e"],
            "Labels": {"l\x1babel[/]": EVIL, "[@click=app.quit]": "v"},
            "Cmd": ["sh", "-c", EVIL],
            "User": EVIL,
            "\x1bkey[/]": EVIL,
            "Volumes": ["no", {"map": 1}],
        },
        "history": [{"created_by": EVIL, "created": EVIL}, {"created_by": "/bin/sh -c " + EVIL}, {}],
    }
    image = Image(
        [raw_tar(names), raw_tar(names, b"z" * 10), layer()],
        tags=("evil\x1b[31m[/]:\u202e1",),
        extra=extra,
    )
    path = tmp_path / "hostile.tar"
    path.write_bytes(pack(old_docker(image)))
    return [str(path)]


def harmless(screen: Driven, width: int) -> None:
    """No line holds what a terminal could obey, and every line is as wide as the terminal."""
    from rich.cells import cell_len

    for line in screen.cells:
        assert line.isprintable(), ascii(line)
        assert cell_len(line) == width, ascii(line)


@pytest.mark.parametrize(("size", "options"), [((80, 24), {}), ((120, 40), {}), ((80, 24), {"ascii_only": True})])
async def test_every_pane_is_harmless(
    drive: Drive, hostile: list[str], size: tuple[int, int], options: dict[str, bool]
) -> None:
    steps = (
        "down up v v v r r i escape tab E G g s S slash m a enter n y escape f c escape f a escape question_mark "
        "escape "
        "2 down down y b space down b enter slash m a r escape b enter 3 down 4 down down down y G y "
        "1 escape down y"
    )
    async with drive(hostile, size=size, **options) as screen:
        harmless(screen, size[0])
        for key in steps.split():
            await screen.press(key)
            harmless(screen, size[0])
            if options:
                assert screen.text.isascii()
        assert screen.app.is_running


@pytest.fixture
def hostile_pair(hostile: list[str], tmp_path: Path) -> list[str]:
    """The image, and one on its first layer that went another way."""
    names = list(NAMES)
    extra = {"os": "li\x1b[31mnux", "history": [{"created_by": EVIL}, {"created_by": EVIL}]}
    image = Image([raw_tar(names), raw_tar(names[1:], b"q" * 5000)], tags=("evil\x1b[31m[/]:\u202e2",), extra=extra)
    third = Image([raw_tar(names[1:], b"q" * 5000), layer()], tags=("third\u202e[/]:3",), extra=extra)
    paths = []
    for name, packed in (("two", image), ("three", third)):
        path = tmp_path / f"{name}.tar"
        path.write_bytes(pack(old_docker(packed)))
        paths.append(str(path))
    return [*hostile, *paths]


@pytest.mark.parametrize(("size", "options"), [((80, 24), {}), ((120, 40), {}), ((80, 24), {"ascii_only": True})])
async def test_sets_trees_and_comparisons_are_harmless(
    drive: Drive, hostile_pair: list[str], size: tuple[int, int], options: dict[str, bool]
) -> None:
    steps = (
        "right left p down down enter "  # a pair compared
        "E G g y i escape slash m enter escape w escape "
        "2 space down down y 3 s enter escape y 4 down up enter escape "
        "escape space u greater_than_sign D escape "  # the list of the set, its marks, and their comparison
        "t down enter escape C E G y slash e enter escape"
    )
    async with drive(hostile_pair, size=size, **options) as screen:
        harmless(screen, size[0])
        for key in steps.split():
            await screen.press(key)
            await screen.settle()
            harmless(screen, size[0])
            if options:
                assert screen.text.isascii()
        assert "layer tree" in screen.lines[0]


async def test_names_are_shown_visibly(drive: Drive, hostile: list[str]) -> None:
    async with drive(hostile, size=(200, 50)) as screen:
        await screen.press("tab", "E")
        shown = [line.partition("│")[2] for line in screen.lines]
        for name in NAMES.values():
            for part in name.split("/"):
                assert any(part in line for line in shown), name
        assert r"evil-link → to\x1b[2Jsomewhere[/]" in screen.text
        assert r"evil\x1b[31m[/]:\u202e1 · li\x1b[31mnux/amd64" in screen.lines[0]


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=[ascii(name) for name in NAMES])
async def test_copying_gives_the_visible_form(drive: Drive, hostile: list[str], name: bytes, shown: str) -> None:
    async with drive(hostile) as screen:
        await screen.press("tab", "E")
        files = screen.image.files
        union = screen.image.image.union
        assert files.go_to(union.paths.find(name))
        await screen.press("y")
        assert screen.clipboard == shown


async def test_a_screenshot_of_hostile_names_does_not_fail(drive: Drive, hostile: list[str], tmp_path: Path) -> None:
    async with drive(hostile) as screen:
        await screen.press("tab", "E")
        (tmp_path / "shot.svg").write_text(screen.app.export_screenshot(), encoding="utf-8")


async def test_pasting_hostile_text_into_the_filter(drive: Drive, hostile: list[str]) -> None:
    from textual import events

    async with drive(hostile) as screen:
        for opening in ("slash",), ("escape", "2", "slash"):
            await screen.press(*opening)
            screen.app.post_message(events.Paste("\x1b[31m[/]\udcff\u202e\x00"))
            await screen.settle()
            harmless(screen, 80)
        await screen.press("enter")
        harmless(screen, 80)


async def test_hostile_text_in_errors(drive: Drive) -> None:
    def fail(*_: object) -> list[object]:
        raise LaminaError(f"can't read {EVIL}\udcff")

    app = LaminaApp(lambda: ImagesScreen(fail, EVIL))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        harmless(screen, 80)
        assert r"\x1b]0;owned\x07 [/] [@click=app.quit]x[/]" in screen.text
        names = {character: key for key, character in CHARACTERS.items()}
        await screen.press("o", *(names.get(letter, letter) for letter in "/no[/]"), "enter")
        harmless(screen, 80)
        assert "no such file: /no[/]" in screen.text


def test_hostile_names_in_the_text_report(hostile: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    from lamina_tui.cli import main

    assert main(["report", *hostile]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert all(line.isprintable() for line in out.splitlines())
    assert r"\x1b" in out


@pytest.mark.parametrize("words", [("shared",), ("diff",), ("shared", "--markdown"), ("diff", "--markdown")])
def test_hostile_names_in_what_images_share(
    hostile_pair: list[str], words: tuple[str, ...], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    from lamina_tui.cli import main

    assert main([*words, *hostile_pair[:2]]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert all(line.isprintable() for line in out.splitlines())
    assert "x1b" in out
