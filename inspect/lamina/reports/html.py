"""The report as one HTML file: the figures are the JSON report's, the map of the final file system is drawn beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from lamina.amounts import percent, plural, size, size_bytes
from lamina.figures.folders import FolderShare, folder_shares
from lamina.figures.image import LoadedImage
from lamina.names import display_name, image_name, short_instruction
from lamina.reports.advice_rows import told, weight
from lamina.reports.html_packages import packages_section
from lamina.reports.html_page import COLOURS, page, table
from lamina.reports.json_text import Json
from lamina.reports.tables import path_of
from lamina.reports.text import built_on, container_lines
from lamina.reports.treemap import Tile, drawings

_TILES = 90
_TOP_WASTE = 50
_TOP_DUPLICATES = 15
_TOP_ADVICE = 20
_TOP_PAIRS = 50
_LONGEST = 4000  # characters of an instruction


def to_html(report: Json, images: Sequence[LoadedImage]) -> str:
    """The report as a whole document.

    Args:
        report: of ``lamina.report/1``.
        images: the same, in the same order.
    """
    names = [_name(image) for image in report["images"]]
    parts = [_image(*both) for both in zip(report["images"], images, strict=True)]
    if "sharing" in report:
        parts.insert(0, _sharing(report["sharing"], names))
    return page(f"lamina: {', '.join(names[:3])}{'…' if len(names) > 3 else ''}", "".join(parts))


def _name(image: Json) -> str:
    return display_name(image_name(image["tags"], image["target"]))


def _image(image: Json, loaded: LoadedImage) -> str:
    total = image["size"]
    share = percent(image["wasted"] / total) if total else "0 %"
    figures = [
        (size_bytes(total), "shipped"),
        (size_bytes(image["visible"]), "visible"),
        (size_bytes(image["wasted"]), f"wasted ({share})"),
        (percent(image["efficiency"]), "efficiency"),
        (str(len(image["layers"])), "layers"),
        (f"{image['files']:,}", "files"),
    ]
    lines = "".join(f"<p>{escape(line)}</p>" for line in [*container_lines(image), *built_on(image)])
    cells = "".join(f"<div><b>{escape(value)}</b>{escape(what)}</div>" for value, what in figures)
    tags = ", ".join(display_name(tag) for tag in image["tags"][1:])
    also = f" · also {escape(tags)}" if tags else ""
    return (
        f'<section class="image"><h1>{escape(_name(image))}</h1>'
        f'<p class="soft">{escape(display_name(image["platform"]))} · {escape(display_name(image["id"]))}{also}</p>'
        f'<div class="figures">{cells}</div>\n{lines}'
        + _advice(image)
        + _layers(image)
        + _map(loaded)
        + packages_section(image)
        + _waste(image)
        + _duplicates(image)
        + "</section>\n"
    )


def _advice(image: Json) -> str:
    rows = image["advice"][:_TOP_ADVICE]
    if not rows:
        return ""
    items = [
        f"<li><b>{escape(weight(row))}</b> {escape(told(row))}{' (the base’s)' if row['in_base'] else ''}</li>"
        for row in rows
    ]
    return f"<h2>Advice</h2><ul>{''.join(items)}</ul>\n"


def _layers(image: Json) -> str:
    """One bar of the image cut by layer, and the layers below each other."""
    layers, total = image["layers"], image["size"]
    largest = max((layer["size"] for layer in layers), default=0) or 1
    bar = "".join(
        f'<span class="c{layer["index"] % COLOURS}" style="flex:{layer["size"]} 0 0" '
        f'title="layer {layer["index"]}: {size_bytes(layer["size"])}, {size_bytes(layer["wasted"])} wasted">'
        f"{_wasted_part(layer)}</span>"
        for layer in layers
        if layer["size"]
    )
    rows = []
    for layer in layers:
        meter = f'<div class="meter" style="width:{100 * layer["size"] / largest:.2f}%">{_wasted_part(layer)}</div>'
        whole = display_name(layer["instruction"][:_LONGEST])
        short = short_instruction(layer["instruction"])
        text = escape(short)
        if len(short) > 160:
            text = f"<details><summary>{escape(short[:150])}…</summary>{escape(whole)}</details>"
        rows.append(
            [
                str(layer["index"]),
                size(layer["size"]),
                size(layer["wasted"]) if layer["wasted"] else "",
                size(layer["hides"]) if layer["hides"] else "",
                f"{layer['files']:,}",
                text + (meter if layer["size"] else ""),
            ]
        )
    header = ["#", "size", "wasted", "hides", "files", "instruction"]
    drawn = f'<div class="bar" role="img" aria-label="The image cut by layer">{bar}</div>' if total else ""
    note = '<p class="soft">The part in <span class="waste">red</span> is wasted: no file leads to it.</p>'
    return f"<h2>Layers</h2>{drawn}{note}{table(header, rows, text=5, wide={3, 4})}"


def _wasted_part(layer: Json) -> str:
    return f'<i style="width:{100 * layer["wasted"] / layer["size"]:.2f}%"></i>' if layer["wasted"] else ""


def _map(image: LoadedImage) -> str:
    shares = folder_shares(image, _TILES)
    if not shares:
        return ""
    weights: Counter[bytes] = Counter()
    for share in shares:
        weights[share.top] += share.bytes
    tops = [top for top, _ in weights.most_common()]
    tiles = [_tile(share, tops) for share in shares]
    return f"<h2>Final file system</h2>{drawings([tiles], 'Final file system by folder')}\n"


def _tile(share: FolderShare, tops: list[bytes]) -> Tile:
    path = "/" + display_name(share.path)
    if share.folder:
        path = path.rstrip("/") + "/"
    # The folders that have most have a colour each; the others share the last.
    colour = min(tops.index(share.top), COLOURS - 1)
    return Tile(path + ("…" if share.rest else ""), size_bytes(share.bytes), share.bytes, colour)


def _waste(image: Json) -> str:
    rows = [row for row in image["waste"][:_TOP_WASTE] if row["bytes"]]
    if not rows:
        return ""
    cells = [
        [size(row["bytes"]), row["cause"], str(row["layer"]), str(row["hidden_by"]), escape(path_of(row))]
        for row in rows
    ]
    left = len(image["waste"]) - len(rows)
    more = f'<p class="soft">and {plural(left, "more file")}</p>' if left else ""
    header = ["bytes", "cause", "layer", "hidden by", "path"]
    return f"<h2>Waste: {size_bytes(image['wasted'])}</h2>{table(header, cells, text=4, wide={2, 3})}{more}"


def _duplicates(image: Json) -> str:
    rows = image["duplicates"][:_TOP_DUPLICATES]
    if not rows:
        return ""
    total = sum(row["bytes"] for row in image["duplicates"])
    cells = [
        [size(row["bytes"]), str(row["copies"]), "<br>".join(escape(path_of(path)) for path in row["paths"][:3])]
        for row in rows
    ]
    left = len(image["duplicates"]) - len(rows)
    more = f'<p class="soft">and {plural(left, "more content")}</p>' if left else ""
    return f"<h2>Duplicates: {size_bytes(total)}</h2>{table(['bytes', 'copies', 'paths'], cells, text=2)}{more}"


def _sharing(sharing: Json, names: list[str]) -> str:
    rows = [
        [
            size(row["size"]),
            size(row["unique"]),
            size(row["shared"]),
            str(row["shared_with"]),
            escape(names[row["image"]]),
        ]
        for row in sorted(sharing["images"], key=lambda row: -row["size"])
    ]
    pairs = [pair for pair in sharing["pairs"] if pair["shared"]][:_TOP_PAIRS]
    cells = [
        [
            size(pair["shared"]),
            size(pair["pull_b_given_a"]),
            size(pair["pull_a_given_b"]),
            f"{escape(names[pair['a']])} (A)<br>{escape(names[pair['b']])} (B)",
        ]
        for pair in sorted(pairs, key=lambda pair: -pair["shared"])
    ]
    header = ["shared", "pull of B with A", "of A with B", "pair"]
    return (
        f"<section><h1>{plural(len(names), 'image')}</h1><p>{size_bytes(sharing['sum'])} in all, "
        f"{size_bytes(sharing['on_disk'])} on disk, where what they share is held once.</p>"
        + table(["size", "unique", "shared", "with", "image"], rows, text=4, wide={3})
        + (f"<h2>Pairs</h2>{table(header, cells, text=3, wide={2})}" if cells else "")
        + "</section>\n"
    )
