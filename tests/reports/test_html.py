"""The HTML report: whole, loading nothing, with the JSON report's figures and nothing of an image as markup."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lamina.amounts import size_bytes
from lamina.figures.base import Base
from lamina.figures.image import LoadedImage
from lamina.reports import image as report
from lamina.reports.html import to_html
from lamina.reports.treemap import Box, Tile, squarified, treemap_svg
from stacks import stack
from tars import file, whiteout

HOSTILE = "<script>alert(1)</script>&amp;\"'><img src=x onerror=y>\x1b\u202e"
_VOID = {"meta", "br", "rect"}


class Reader(HTMLParser):
    """Notes what there is, and holds that every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def image() -> LoadedImage:
    name = HOSTILE.replace("/", "_")
    return stack(
        [file(f"{name}/{name}", b"x" * 9000), file("usr/a", b"y" * 5000), file("usr/b", b"y" * 5000)],
        [whiteout(name)],
        [file(name, b"z" * 2000)],
        instructions=[f"RUN {HOSTILE}" + " long" * 60, HOSTILE, "COPY x /"],
    )


def test_it_loads_and_runs_nothing(image: LoadedImage) -> None:
    reader = read(to_html(report.build([image, image]), [image, image]))

    assert not reader.tags & {"script", "img", "link", "iframe", "object", "a", "form", "image", "use"}
    names = {name for name, _ in reader.attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "href", "xlink:href"}
    assert ("http-equiv", "Content-Security-Policy") in reader.attributes
    assert ("content", "width=device-width, initial-scale=1") in reader.attributes


def test_names_are_text_and_made_visible(image: LoadedImage) -> None:
    text = to_html(report.build([image]), [image])

    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>alert(1)<_script>&amp;\"'><img src=x onerror=y>\\x1b\\u202e" in read(text).text


def test_its_figures_are_the_reports(image: LoadedImage) -> None:
    built = report.build([image, image])
    text = read(to_html(built, [image, image])).text

    for value in (image.size, image.visible, image.wasted, built["sharing"]["on_disk"]):
        assert size_bytes(value) in text
    for advice in built["images"][0]["advice"]:
        assert advice["text"] in text
    assert text.count("removed") >= 1
    assert "Duplicates: 5.0 KB" in text
    assert "2 images" in text


def test_it_tells_what_an_image_is_built_on(image: LoadedImage) -> None:
    on_base = replace(image, base=Base(1, "flag", name="<base>"))

    assert "built on <base> (1 layer, 19.0 KB" in read(to_html(report.build([on_base]), [on_base])).text


def test_an_image_without_bytes_has_a_report() -> None:
    empty = stack([file("a", b"")])

    text = read(to_html(report.build([empty]), [empty])).text

    assert "Final file system" not in text
    assert "0 Bshipped" in text


def test_a_treemap_fills_its_box_in_proportion() -> None:
    weights = [600, 300, 200, 100, 100, 50, 1, 1]
    boxes = squarified(weights, Box(0, 0, 300, 200))

    for weight, box in zip(weights, boxes, strict=True):
        assert box.width * box.height == pytest.approx(60_000 * weight / sum(weights))
        assert box.left >= -1e-6
        assert box.left + box.width <= 300 + 1e-6
        assert box.top + box.height <= 200 + 1e-6
    overlapping = [
        (a, b)
        for number, a in enumerate(boxes)
        for b in boxes[:number]
        if min(a.left + a.width, b.left + b.width) - max(a.left, b.left) > 1e-6
        and min(a.top + a.height, b.top + b.height) - max(a.top, b.top) > 1e-6
    ]
    assert overlapping == []
    assert max(max(box.width / box.height, box.height / box.width) for box in boxes[:6]) < 4
    assert squarified([], Box(0, 0, 3, 2)) == []


def test_labels_stand_where_they_fit_and_tell_a_paths_end() -> None:
    tiles = [Tile("/usr/lib/" + "x" * 99 + "end", "1 MB", 9, 0), Tile("/a", "1 B", 1, 1)]
    svg = treemap_svg([tiles], 300, 100, letter=10, name="n", of="o")

    assert svg.count("<title>") == 2
    assert "xend</text>" in svg
    assert ">1 MB</text>" in svg
    assert ">/a</text>" not in svg
