"""Makes the pictures in screenshots/ from the running app on the built-in samples.

    python tests/make_screenshots.py [FOLDER]

The pictures of the README, and every screen at 80x24 and 160x45 in folders of these names. Needs rsvg-convert
(Debian: librsvg2-bin), pngquant, and the font Fira Code (fonts-firacode).
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# What the terminal can show decides the theme: the pictures show the one for many colours, wherever they are made.
os.environ.update(COLORTERM="truecolor", TERM="xterm-256color")
os.environ.pop("NO_COLOR", None)

from rich.cells import cell_len
from textual.pilot import Pilot

from lamina_tui.app import LaminaApp
from lamina_tui.launch import first_screen
from opening import workspace

FOLDER = Path(__file__).resolve().parent.parent / "screenshots"
WIDTH = 1080  # pixels of 120 columns
LARGEST = 250_000  # bytes of one picture: the README loads them all

PICTURES: dict[str, tuple[tuple[int, int], str]] = {
    # name: (cells, keys pressed on the list of samples)
    "home": ((100, 16), "u space 2*down"),
    "tree": ((100, 18), "t 2*down"),
    "set": ((100, 16), "A c"),
    "misses": ((100, 16), "A c 4"),
    "diff": ((100, 28), "down space 2*up D down space 3*down"),
    "overview": ((110, 30), "enter tab"),
    "files": ((120, 34), "enter 5*right_square_bracket 1 v space 2*down space 3*down"),
    "waste": ((120, 34), "enter 2 b 2*down space 3*down"),
    "viewer": ((110, 20), "enter 1 4*right_square_bracket slash c h e c k o u t 2*enter v"),
    "narrow": ((80, 24), "enter 3*down v 1 space down l down"),
    "advice": ((100, 30), "enter 3"),
    "help": ((100, 34), "enter 1 question_mark"),
}

SIZES = ((80, 24), (160, 45))
SCREENS: dict[str, str] = {
    # name: keys pressed on the list of samples
    "images": "down space up",
    "layer-tree": "t 2*down",
    "set-pairs": "A c",
    "set-images": "A c 2 space",
    "set-layers": "A c 3",
    "set-near-misses": "A c 4",
    "diff": "down space 2*up D down space 3*down",
    "overview": "enter tab",
    "files": "enter 5*right_square_bracket 1 v E 3*down",
    "files-metadata": "enter 5*right_square_bracket 1 v E m",
    "files-by-extension": "enter 5*right_square_bracket 1 v 2*b l 2*down",
    "filter": "enter 1 slash p e r l enter",
    "search": "enter F p y enter 2*down",
    "card": "enter 2 2*enter",
    "viewer-text": "enter 1 4*right_square_bracket slash c h e c k o u t 2*enter v",
    "viewer-hex": "enter 1 slash b a s h 2*enter v",
    "viewer-strings": "enter 1 slash b a s h 2*enter 2*v",
    "versions": "enter 1 8*right_square_bracket slash s e t t i n g s 2*enter d",
    "kinds": "enter 1 f",
    "write": "enter 1 e",
    "waste": "enter 2 2*down",
    "waste-by-directory": "enter 2 b l down",
    "waste-by-layer": "enter 2 2*b l down",
    "advice": "enter 3 down",
    "packages": "enter 4 down",
    "duplicates": "enter 5",
    "config": "enter 6",
    "help": "enter 1 question_mark",
}

_TEXT = re.compile(r'<text ([^>]*?)x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>(.*?)</text>', re.DOTALL)


def place_every_cell(svg: str) -> str:
    """Make every character a text of its own, at its own place: librsvg knows no textLength, and collapses blanks."""

    def placed(found: re.Match[str]) -> str:
        before, x, y, length, after, content = found.groups()
        text = html.unescape(content)
        cells = cell_len(text) or 1
        parts, at = [], float(x)
        for char in text:
            if not char.isspace():
                parts.append(f'<text {before}x="{at:.1f}" y="{y}"{after}>{html.escape(char)}</text>')
            at += float(length) / cells * cell_len(char)
        return "".join(parts)

    return _TEXT.sub(placed, svg)


async def picture(size: tuple[int, int], keys: str) -> str:
    """The screen as SVG after some keys on the list of samples."""
    app = LaminaApp(first_screen(workspace(), ["demo"]))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for word in keys.split():
            times, star, key = word.partition("*")
            for _ in range(int(times) if star else 1):
                await pilot.press(key if star else word)
            await settled(pilot)
        return app.export_screenshot()


async def settled(pilot: Pilot[int]) -> None:
    """Wait until nothing is being read and everything is drawn."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def write_picture(folder: Path, name: str, size: tuple[int, int], svg: str) -> None:
    """Write a screen, of so many cells, as PNG."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / f"{name}.svg"
        source.write_text(place_every_cell(svg), encoding="utf-8")
        target = folder / f"{name}.png"
        width = WIDTH * size[0] // 120
        subprocess.run(["rsvg-convert", "-w", str(width), "-o", target, source], check=True)
        # A screen has few colours: a third of the bytes.
        subprocess.run(["pngquant", "--force", "--ext", ".png", "32", target], check=True)
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{target} has more than {LARGEST:,} bytes")
    print(f"{target.name}: {target.stat().st_size:,} bytes")


def main() -> None:
    """Make every picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(exist_ok=True)
    for name, (size, keys) in PICTURES.items():
        write_picture(folder, name, size, asyncio.run(picture(size, keys)))
    for size in SIZES:
        every = folder / "{}x{}".format(*size)
        every.mkdir(exist_ok=True)
        for name, keys in SCREENS.items():
            write_picture(every, name, size, asyncio.run(picture(size, keys)))


if __name__ == "__main__":
    main()
