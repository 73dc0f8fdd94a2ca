"""What a list of images tells of the one under the cursor, before any layer is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain

from lamina.model import KnownImage
from lamina.names import short_instruction
from lamina_tui import texts
from lamina_tui.widgets.text_lines import TextLine, TextLines


def about_image(image: KnownImage, others: Iterable[KnownImage]) -> list[TextLine]:
    """An image of a list: its layers, with how many of the list's images have each.

    Args:
        image: it.
        others: all images of the list, itself among them.
    """
    lines = TextLines()
    name = ", ".join(image.summary.tags) or image.summary.id
    lines.heading(name)
    held = Counter(chain.from_iterable({layer.diff_id for layer in other.layers} for other in others))
    for layer, size in zip(image.layers, image.sizes, strict=True):
        label = "?" if size is None else texts.size(size)
        having = held[layer.diff_id]
        remark = f"  (in {texts.plural(having, 'image')})" if having > 1 else ""
        lines.add(short_instruction(layer.instruction) + remark, f"{layer.index:>2} {label:>7}")
    return lines.lines
