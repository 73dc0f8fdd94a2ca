"""A treemap as inline SVG: rectangles as near to squares as they go, by size.

The layout is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from lamina.dataclass import dataclass

_CHARACTER = 0.62  # of a letter's width to its height
_GAP = 1.0


@dataclass(frozen=True, slots=True)
class Tile:
    """One part."""

    label: str
    """Safe to show."""
    note: str
    """Its size, for people."""
    weight: int
    colour: int
    """Which of the classes ``c0``, ``c1``… it has."""
    path: bool = True
    """Whether the label is a path; else a name."""


@dataclass(frozen=True, slots=True)
class Box:
    """A place in a drawing."""

    left: float
    top: float
    width: float
    height: float


def squarified(weights: Sequence[int], box: Box) -> list[Box]:
    """A box for each weight, in their order: together they fill the given one.

    Args:
        weights: above 0, the largest first.
        box: to be filled.
    """
    boxes: list[Box] = []
    total = sum(weights)
    at = 0
    while at < len(weights):
        short = min(box.width, box.height)
        scale = box.width * box.height / total if total else 0.0
        end, row = at + 1, weights[at]
        while end < len(weights) and _worst(weights, at, end + 1, row + weights[end], short, scale) <= _worst(
            weights, at, end, row, short, scale
        ):
            row += weights[end]
            end += 1
        depth = row * scale / short if short else 0.0
        along = 0.0
        for weight in weights[at:end]:
            length = short * weight / row
            if box.width >= box.height:
                boxes.append(Box(box.left, box.top + along, depth, length))
            else:
                boxes.append(Box(box.left + along, box.top, length, depth))
            along += length
        if box.width >= box.height:
            box = Box(box.left + depth, box.top, max(box.width - depth, 0.0), box.height)
        else:
            box = Box(box.left, box.top + depth, box.width, max(box.height - depth, 0.0))
        total -= row
        at = end
    return boxes


def _worst(weights: Sequence[int], start: int, end: int, row: int, short: float, scale: float) -> float:
    """The most stretched of a row's boxes: its longer side to its shorter."""
    side = row * scale
    if not side or not short:
        return float("inf")
    largest, least = weights[start] * scale, weights[end - 1] * scale
    return max(short * short * largest / (side * side), side * side / (short * short * least))


def drawings(groups: Sequence[Sequence[Tile]], of: str) -> str:
    """A drawing for a screen and for paper, and one for a phone: the page shows the one that fits.

    Args:
        groups: as of :func:`treemap_svg`.
        of: what is drawn, for who can't see it; safe to show.
    """
    return treemap_svg(groups, 1200, 620, letter=14, name="broad", of=of) + treemap_svg(
        groups, 370, 560, letter=12, name="tall", of=of
    )


def treemap_svg(groups: Sequence[Sequence[Tile]], width: int, height: int, *, letter: int, name: str, of: str) -> str:
    """The drawing. A tile's area is its part of all weights; the tiles of a group stand together.

    Args:
        groups: tiles, the largest first.
        width: of the drawing, in its own units.
        height: likewise.
        letter: height of a letter.
        name: the drawing's class.
        of: what is drawn.
    """
    shown = [[tile for tile in group if tile.weight > 0] for group in groups]
    shown = sorted((group for group in shown if group), key=_weight, reverse=True)
    parts = [f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(of)}">']
    places = squarified([_weight(group) for group in shown], Box(0, 0, width, height))
    for group, place in zip(shown, places, strict=True):
        for tile, box in zip(group, squarified([tile.weight for tile in group], place), strict=True):
            parts.append(_drawn(tile, box, letter))
    if len(shown) > 1:
        # Drawn over the tiles, so that the edge takes no area from one group more than from another.
        parts += [f'<rect class="edge" {_place(box, box.width, box.height)}/>' for box in places]
    parts.append("</svg>")
    return "".join(parts)


def _weight(group: Sequence[Tile]) -> int:
    return sum(tile.weight for tile in group)


def _place(box: Box, width: float, height: float) -> str:
    return f'x="{box.left:.1f}" y="{box.top:.1f}" width="{width:.1f}" height="{height:.1f}"'


def _drawn(tile: Tile, box: Box, letter: int) -> str:
    wide, high = max(box.width - _GAP, 0.1), max(box.height - _GAP, 0.1)
    parts = [f'<g><title>{escape(tile.label)}  {escape(tile.note)}</title><rect class="c{tile.colour}" ']
    parts.append(f"{_place(box, wide, high)}/>")
    room = int((wide - letter) / (letter * _CHARACTER))
    lines = [text for text in (tile.label, tile.note) if len(text) <= room] if room >= 4 else []
    if tile.label not in lines and room >= 8:
        # Of a path its end tells most, of a name its beginning.
        short = "…" + tile.label[-(room - 1) :] if tile.path else tile.label[: room - 1] + "…"
        lines.insert(0, short)
    for number, text in enumerate(lines):
        if (number + 1) * letter * 1.3 + letter * 0.4 <= high:
            down = box.top + (number + 1) * letter * 1.3
            parts.append(
                f'<text x="{box.left + letter / 2:.1f}" y="{down:.1f}" font-size="{letter}">{escape(text)}</text>'
            )
    return "".join(parts) + "</g>"
