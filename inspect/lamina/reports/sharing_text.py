"""The ``sharing`` of a report for people: text and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.amounts import plural, size, size_bytes
from lamina.names import display_name, image_name, short_instruction
from lamina.reports.json_text import Json
from lamina.reports.tables import cut, md, table

_TOP_LAYERS = 12
_TOP_NAMES = 6
_MOST_PAIRS = 6
"""Images above which the text leaves the pairs out: their number grows with the square."""


# The JSON


def sharing_text(report: Json) -> str:
    """What the images of a report share, as plain text."""
    names = _names(report)
    lines = [_totals(report)]
    lines += table(
        ("size", "unique", "shared", "frees", "with", "layers", "image"),
        ((*_cells(row), names[row["image"]]) for row in _ordered(report)),
        left={6},
    )
    lines += _text_layers(report, names)
    pairs = report["sharing"]["pairs"]
    if pairs and len(names) <= _MOST_PAIRS:
        lines.append("")
        rows = [
            (_size(pair["shared"]), _size(pair["pull_b_given_a"]), _size(pair["pull_a_given_b"]), _pair(pair, names))
            for pair in pairs
        ]
        if all(pair["compressed"] is None for pair in pairs):
            lines += table(("shared", "pair"), ((row[0], row[3]) for row in rows), left={1})
        else:
            lines += table(("shared", "pull →", "pull ←", "pair"), rows, left={3})
    return "\n".join(lines) + "\n"


def _text_layers(report: Json, names: Sequence[str]) -> list[str]:
    layers = report["sharing"]["layers"]
    if not layers:
        return []
    lines = ["", f"{plural(len(layers), 'layer')} in two or more images:"]
    for layer in layers[:_TOP_LAYERS]:
        having = ", ".join(names[image] for image in layer["images"][:_TOP_NAMES])
        more = len(layer["images"]) - _TOP_NAMES
        having += f" and {more} more" if more > 0 else ""
        instruction = cut(short_instruction(layer["instruction"]), 60)
        lines += [f"  {size(layer['size']):>6}  {instruction}", f"          {len(layer['images'])} × {having}"]
    if len(layers) > _TOP_LAYERS:
        lines.append(f"  and {plural(len(layers) - _TOP_LAYERS, 'more layer')} (all of them: --json)")
    return lines


def sharing_markdown(report: Json) -> str:
    """The same as GitHub-flavoured Markdown."""
    names = _names(report)
    totals = "\n".join(f"**{md(line)}**  " for line in _totals(report).splitlines())
    lines = [totals, "", "| image | size | unique | shared | frees | with | layers |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    lines += [f"| {md(names[row['image']])} | {' | '.join(_cells(row))} |" for row in _ordered(report)]
    pairs = report["sharing"]["pairs"]
    if pairs and len(names) <= _MOST_PAIRS:
        lines += ["", "| pair | shared | pull → | pull ← |", "|---|--:|--:|--:|"]
        lines += [
            f"| {md(_pair(pair, names))} | {_size(pair['shared'])} | {_size(pair['pull_b_given_a'])} "
            f"| {_size(pair['pull_a_given_b'])} |"
            for pair in pairs
        ]
    return "\n".join(lines) + "\n"


def _totals(report: Json) -> str:
    sharing = report["sharing"]
    if "engines" in sharing:
        parts = [
            f"{plural(row['images'], 'image')} on {_engine(row)}: {size_bytes(row['on_disk'])} on disk"
            for row in sharing["engines"]
        ]
        return "\n".join([*parts, f"on all of them: {size_bytes(sharing['common'])} of layers"])
    saved = sharing["sum"] - sharing["on_disk"]
    text = (
        f"{plural(len(report['images']), 'image')}: {size_bytes(sharing['sum'])} in all, "
        f"{size_bytes(sharing['on_disk'])} on disk, {size_bytes(saved)} saved by sharing"
    )
    if report.get("sizes") == "transferred":
        text = text.replace(" on disk, ", " each layer once, ") + "; sizes as transferred, no layer was read"
    if sharing["reclaimable"] is not None:
        text += f", {size_bytes(sharing['reclaimable'])} reclaimable"
        dangling = sum(not image["tags"] for image in report["images"])
        text += f", {dangling} dangling" if dangling else ""
    return text


def _ordered(report: Json) -> list[Json]:
    """The images' figures, what removing frees most first."""
    rows: list[Json] = report["sharing"]["images"]
    return sorted(rows, key=lambda row: -(row["frees"] or 0))


def _cells(row: Json) -> tuple[str, ...]:
    numbers = (_size(row[key]) for key in ("size", "unique", "shared", "frees"))
    with_others = "?" if row["shared_with"] is None else str(row["shared_with"])
    return *numbers, with_others, str(row["layers"])


def _size(count: int | None) -> str:
    return "?" if count is None else size(count)


def _pair(pair: Json, names: Sequence[str]) -> str:
    uncompressed = "  (uncompressed)" if pair["compressed"] is False else ""
    return f"{names[pair['a']]} → {names[pair['b']]}{uncompressed}"


def _names(report: Json) -> list[str]:
    """The images' names, safe to show."""
    return [
        display_name(image_name(image["tags"], image["target"]))
        + (f" on {_engine(image)}" if "engine" in image else "")
        for image in report["images"]
    ]


def _engine(row: Json) -> str:
    return display_name(row["engine"].removeprefix("engine "))
