"""What the images of a set share, in full: the figures of ``lamina shared``, as objects, JSON, text and Markdown.

Two kinds of sharing are kept apart. *Transferred once*: the same layer (diff_id), wherever it stands; what a registry
or a pull skips. *Stored once*: the same stack (chain_id); what an engine's disk holds once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lamina.amounts import plural, size, size_bytes
from lamina.figures.overview import Overview, overview
from lamina.figures.sharing import Pair, PullCost, SetMember, Sharing, member_of, pull_cost, share
from lamina.model import ImageInfo, ImageSummary, KnownImage, LayerInfo
from lamina.names import display_name, short_instruction
from lamina.reports.image import SCHEMA
from lamina.reports.json_text import Json, plain_text
from lamina.reports.text import cut, md, table

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage

_TOP_LAYERS = 12
_TOP_NAMES = 6
_MOST_PAIRS = 6
"""Images above which the text leaves the pairs out: their number grows with the square."""


@dataclass(frozen=True, slots=True)
class HeldLayer:
    """One distinct layer of a set, and who has it."""

    layer: LayerInfo
    """As the first image that has it tells of it."""
    size: int
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The figures of some loaded images, by their places."""

    images: tuple[LoadedImage, ...]
    sharing: Sharing
    frees: tuple[int, ...]
    """What removing each image frees of an engine's disk: bytes of the stacks that only it has."""
    adds: tuple[PullCost, ...]
    """What pulling each image fetches where all the others are there."""
    layers: tuple[HeldLayer, ...]
    """Every distinct layer: those that most images have first, then most bytes."""
    own: tuple[tuple[HeldLayer, ...], ...]
    """Of each image the layers that no other has, lowest first."""

    _pairs: Mapping[tuple[int, int], Pair] = field(repr=False)

    def pair(self, a: int, b: int) -> Pair:
        """Two different images of the set, in either order."""
        return self._pairs[min(a, b), max(a, b)]

    def shared(self, a: int, b: int) -> int:
        """Bytes of the layers that two images have in common."""
        return self.pair(a, b).shared


def image_set(images: Sequence[LoadedImage]) -> ImageSet:
    """Compute what a set of completely read images shares."""
    members = [member_of(image) for image in images]
    known = [
        KnownImage(_summary(image.info), image.info.layers, member.sizes)
        for image, member in zip(images, members, strict=True)
    ]
    holders: dict[str, list[int]] = {}
    first: dict[str, tuple[LayerInfo, int]] = {}
    for number, member in enumerate(members):
        for layer, layer_size in zip(member.layers, member.sizes, strict=True):
            having = holders.setdefault(layer.diff_id, [])
            if not having or having[-1] != number:
                having.append(number)
            first.setdefault(layer.diff_id, (layer, layer_size))
    held = [HeldLayer(*first[diff_id], tuple(having)) for diff_id, having in holders.items()]
    sharing = share(members)
    return ImageSet(
        images=tuple(images),
        sharing=sharing,
        frees=tuple(standing.unique if standing else 0 for standing in overview(known).standings),
        adds=tuple(
            pull_cost(member, _joined([*members[:number], *members[number + 1 :]]))
            for number, member in enumerate(members)
        ),
        layers=tuple(sorted(held, key=lambda layer: (-len(layer.images), -layer.size))),
        own=tuple(tuple(layer for layer in held if layer.images == (number,)) for number in range(len(members))),
        _pairs={(pair.a, pair.b): pair for pair in sharing.pairs},
    )


def _joined(members: Sequence[SetMember]) -> SetMember:
    """All layers of some images as if one image had them."""
    return SetMember(
        layers=tuple(layer for member in members for layer in member.layers),
        sizes=tuple(layer_size for member in members for layer_size in member.sizes),
        tar_sizes=tuple(tar_size for member in members for tar_size in member.tar_sizes),
    )


def _summary(info: ImageInfo) -> ImageSummary:
    return ImageSummary(info.target, info.id, info.tags, info.digests, info.created, layers=len(info.layers))


# The JSON


def build(images: Sequence[LoadedImage]) -> Json:
    """The heads of some read images and what they share, as ``lamina shared TARGET... --json`` prints it."""
    members = [member_of(image) for image in images]
    found = overview(
        [
            KnownImage(_summary(image.info), member.layers, member.sizes)
            for image, member in zip(images, members, strict=True)
        ]
    )
    return {
        "schema": SCHEMA,
        "images": [{**head(image.info), "size": image.size} for image in images],
        "sharing": _sharing(members, found, pulls=True),
    }


def build_known(images: Sequence[KnownImage]) -> Json:
    """The same of an engine's images, from what the engine tells: no layer is read, so no pull cost is known."""
    found = overview(images)
    members = [
        SetMember(image.layers, sizes := tuple(layer_size or 0 for layer_size in image.sizes), sizes)
        for image in images
    ]
    report: Json = {
        "schema": SCHEMA,
        "images": [
            {
                "target": plain_text(image.summary.target),
                "tags": [plain_text(tag) for tag in image.summary.tags],
                "id": plain_text(image.summary.id),
                "platform": None,
                "created": plain_text(image.summary.created),
                "size": image.size,
                "containers": image.containers,
            }
            for image in images
        ],
        "sharing": _sharing(members, found, pulls=False),
    }
    report["sharing"]["reclaimable"] = found.reclaimable
    return report


def head(info: ImageInfo) -> Json:
    """What tells an image from others."""
    return {
        "target": plain_text(info.target),
        "tags": [plain_text(tag) for tag in info.tags],
        "id": plain_text(info.id),
        "platform": plain_text(info.platform),
        "created": plain_text(info.created),
    }


def _sharing(members: Sequence[SetMember], found: Overview, *, pulls: bool) -> Json:
    """The ``sharing`` object. Where the size of one of its layers is unknown, an image's figures are null."""
    sharing = share(members)
    known = [standing is not None for standing in found.standings]
    instructions = {layer.diff_id: layer.instruction for image in found.images for layer in image.layers}
    return {
        "sum": found.sum,
        "on_disk": found.on_disk,
        "images": [
            {
                "image": number,
                "size": image.size,
                "unique": sharing.unique[number] if known[number] else None,
                "shared": sharing.shared[number] if known[number] else None,
                "frees": None if standing is None else standing.unique,
                "shared_with": None if standing is None else standing.shared_with,
                "layers": len(image.layers),
            }
            for number, (image, standing) in enumerate(zip(found.images, found.standings, strict=True))
        ],
        "layers": [
            {
                "diff_id": layer.diff_id,
                "size": layer.size,
                "images": list(layer.images),
                "instruction": plain_text(instructions[layer.diff_id]),
            }
            for layer in sharing.layers
        ],
        "pairs": [
            {
                "a": pair.a,
                "b": pair.b,
                "shared": pair.shared if known[pair.a] and known[pair.b] else None,
                "pull_b_given_a": pair.b_given_a.bytes if pulls else None,
                "pull_a_given_b": pair.a_given_b.bytes if pulls else None,
                "compressed": pair.b_given_a.compressed and pair.a_given_b.compressed if pulls else None,
            }
            for pair in sharing.pairs
        ],
    }


# For people


def to_text(report: Json) -> str:
    """The report as plain text."""
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


def to_markdown(report: Json) -> str:
    """The report as GitHub-flavoured Markdown."""
    names = _names(report)
    lines = [f"**{_totals(report)}**", "", "| image | size | unique | shared | frees | with | layers |"]
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
    saved = sharing["sum"] - sharing["on_disk"]
    text = (
        f"{plural(len(report['images']), 'image')}: {size_bytes(sharing['sum'])} in all, "
        f"{size_bytes(sharing['on_disk'])} on disk, {size_bytes(saved)} saved by sharing"
    )
    if "reclaimable" in sharing:
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
        display_name(image["tags"][0] if image["tags"] else image["target"].removeprefix("sha256:")[:12])
        for image in report["images"]
    ]
