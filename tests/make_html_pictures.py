"""Makes the picture of the HTML report in screenshots/ from a built-in sample.

    python tests/make_html_pictures.py [FOLDER]

In a FOLDER that is named there are also the whole page as a phone and as a screen show it, and as it is printed: to be
looked at. Needs chromium, pngquant, and the fonts of DejaVu (Debian: fonts-dejavu-core).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from lamina.figures.image import load
from lamina.reports import image as report
from lamina.reports.html import to_html
from make_screenshots import FOLDER, LARGEST
from opening import workspace

IMAGE = "shop-web:1.5"
WIDTHS = (1280, 390)  # pixels: of a screen, of a phone
HEIGHT = 1060  # pixels of the README's picture
GAP = 24

_FRAME = """<iframe src="page.html" style="border:0;flex:none;width:{width}px;height:20000px"></iframe>"""
_AROUND = """<!DOCTYPE html><meta charset="utf-8"><title></title>
<body style="margin:0;overflow:hidden;background:#8c959f;display:flex;gap:{gap}px">{frames}<script>
onload = () => {{
  const heights = [];
  for (const frame of document.querySelectorAll("iframe")) {{
    const page = frame.contentDocument;
    heights.push(page.body.getBoundingClientRect().height);
    const top = [...page.querySelectorAll("h2")].find(each => each.textContent === "{heading}");
    if (top) frame.style.marginTop = `${{16 - top.getBoundingClientRect().top}}px`;
  }}
  document.title = Math.ceil(Math.max(...heights));
}};
</script>"""


def chromium(folder: Path, *arguments: str) -> str:
    """What it prints; a page may look into the pages beside it."""
    # No sandbox: this runs as root where there is nothing but the page it has just made.
    always = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files")
    return subprocess.run(
        ["chromium", *always, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def picture(folder: Path, target: Path, widths: tuple[int, ...], height: int | None, heading: str = "") -> None:
    """The page in these widths side by side, whole or from a heading on.

    Args:
        folder: where ``page.html`` is.
        target: a PNG.
        widths: pixels.
        height: pixels; None for the whole page.
        heading: what the page is scrolled to; empty: nowhere.
    """
    frames = "".join(_FRAME.format(width=width) for width in widths)
    (folder / "around.html").write_text(_AROUND.format(gap=GAP, frames=frames, heading=heading), encoding="utf-8")
    if height is None:
        found = re.search(r"<title>(\d+)</title>", chromium(folder, "--dump-dom", "around.html"))
        assert found, "the page has no height"
        height = int(found[1])
    width = sum(widths) + GAP * (len(widths) - 1)
    chromium(folder, f"--window-size={width},{height}", f"--screenshot={target}", "around.html")
    subprocess.run(["pngquant", "--force", "--ext", ".png", "64", target], check=True)
    print(f"{target.name}: {target.stat().st_size:,} bytes")


def main() -> None:
    """Make the picture, and what else is to be looked at."""
    target = (Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER).resolve()
    target.mkdir(exist_ok=True)
    image = load(workspace().demo(), IMAGE, None, threading.Event())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "page.html").write_text(to_html(report.build([image]), [image]), encoding="utf-8")
        picture(folder, target / "html.png", WIDTHS, HEIGHT, "Packages")
        if len(sys.argv) > 1:
            for width in WIDTHS:
                picture(folder, target / f"html-{width}.png", (width,), None)
            chromium(folder, "--no-pdf-header-footer", f"--print-to-pdf={target / 'html.pdf'}", "page.html")
    if (target / "html.png").stat().st_size > LARGEST:
        raise SystemExit(f"html.png has more than {LARGEST:,} bytes")


if __name__ == "__main__":
    main()
