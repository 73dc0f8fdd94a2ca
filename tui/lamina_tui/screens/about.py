"""What a wide terminal tells beside the lists: all there is to say of the row under the cursor."""

from __future__ import annotations

from lamina.advice.model import Advice
from lamina.figures.image import LoadedImage, Tally
from lamina.figures.path_history import path_history
from lamina.model import Change, ImageInfo, Kind
from lamina.names import decode
from lamina.packages.model import Package
from lamina_tui import texts
from lamina_tui.screens.config_lines import layer_lines
from lamina_tui.screens.file_card import places_of
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE
from lamina_tui.widgets.text_lines import TextLine, TextLines

_PLACES = 12
"""Other names of a file that are listed."""
_VERSIONS = 40
"""Layers of a path that are."""


def about_layer(info: ImageInfo, image: LoadedImage | None, layer: int) -> list[TextLine]:
    """A layer: its instruction, what it ships, changes and hides, its digests."""
    lines = TextLines()
    lines.heading(f"Layer {layer}")
    if image is not None and image.layers[layer].read:
        figures = image.layers[layer]
        names = texts.plural(figures.files, "file")
        lines.add(f"{texts.count(figures.size)} B in {names}", "ships")
        if figures.wasted:
            lines.add(f"{texts.count(figures.wasted)} B, hidden by later layers", "wasted", "waste")
        if figures.hides:
            lines.add(f"{texts.count(figures.hides)} B of lower layers", "hides", "removed")
        kinds = (("added", figures.added), ("modified", figures.modified), ("metadata", figures.metadata))
        for word, tally in kinds:
            if tally.count:
                lines.add(_tally(tally), word, word)
        if figures.removed.count:
            lines.add(_tally(figures.removed), "removed", "removed")
        if figures.tar_size:
            lines.add(f"{texts.count(figures.tar_size)} B", "as a tar")
    lines.blank()
    return [*lines.lines, *layer_lines(info.layers[layer])]


def _tally(tally: Tally) -> str:
    return f"{texts.plural(tally.count, 'file')}, {texts.count(tally.bytes)} B"


def about_path(info: ImageInfo, image: LoadedImage, path: int) -> list[TextLine]:
    """A path: every layer that touched it, the newest first, and where it leads to."""
    union, lines = image.union, TextLines()
    versions = path_history(union, path)
    lines.heading("/" + decode(union.paths.path(path)))
    if not versions:
        return lines.lines
    lines.blank()
    for version in versions[: -1 - _VERSIONS : -1]:
        words = version.word
        if version.change is not Change.REMOVED:
            if version.kind is not Kind.DIR:
                words += f", {texts.count(version.size)} B"
            words += f", {texts.mode_text(version.kind, version.mode)} {version.uid}:{version.gid}"
            words += f", {texts.moment(version.mtime)}"
        lines.add(words, f"layer {version.layer}", STYLE_OF_CHANGE[version.change])
        lines.add(info.layers[version.layer].instruction or "(no instruction)", "", "dim")
    places = places_of(union, path, versions)
    if places:
        lines.blank()
    for place in places[:_PLACES]:
        remark = f" ({place.remark})" if place.remark else ""
        lines.add("/" + decode(place.path) + remark, place.word)
    if len(places) > _PLACES:
        lines.add(f"and {texts.count(len(places) - _PLACES)} more")
    return lines.lines


def about_guilt(info: ImageInfo, ships: int, hides: int) -> list[TextLine]:
    """The layer that ships some bytes and the one that hides them, with their whole instructions."""
    lines = TextLines()
    for word, layer in (("shipped by", ships), ("hidden by", hides)):
        lines.heading(f"{word.capitalize()} layer {layer}")
        lines.add(info.layers[layer].instruction or "(no instruction)")
        lines.blank()
    return lines.lines


def about_advice(info: ImageInfo, advice: Advice) -> list[TextLine]:
    """What to do, what it saves, and the instructions that it is about."""
    lines = TextLines()
    lines.heading(f"Saves {texts.count(advice.saves)} B" if advice.saves else "To know")
    lines.add(f"{advice.rule}, {advice.severity.word}", "rule")
    lines.blank()
    lines.add(advice.text)
    lines.add(advice.do)
    lines.blank()
    for path in advice.paths.first(_PLACES):
        lines.add("/" + decode(path), "", "dim")
    if len(advice.paths) > _PLACES:
        lines.add(f"and {texts.count(len(advice.paths) - _PLACES)} more", "", "dim")
    lines.blank()
    if advice.layer is not None and advice.hidden_by is not None and advice.hidden_by != advice.layer:
        return [*lines.lines, *about_guilt(info, advice.layer, advice.hidden_by)]
    layer = advice.changes
    if layer is not None:
        lines.heading(f"Layer {layer}")
        lines.add(info.layers[layer].instruction or "(no instruction)")
    return lines.lines


def about_package(info: ImageInfo, package: Package) -> list[TextLine]:
    """A package: what it weighs and wastes, and the layers that ship it, with their whole instructions."""
    lines = TextLines()
    lines.heading(package.name)
    lines.add(f"{package.version} {package.manager}".strip(), "version")
    if package.path is not None:
        lines.add("/" + decode(package.path), "in")
    lines.add(f"{texts.count(package.size)} B in {texts.plural(package.files, 'file')}", "ships")
    if package.wasted:
        lines.add(f"{texts.count(package.wasted)} B at its paths", "wasted", "waste")
    if not package.installed:
        lines.add("a later layer removes it", "removed", "removed")
    for part in package.layers:
        wasted = f", {texts.count(part.wasted)} B of them wasted" if part.wasted else ""
        lines.blank()
        lines.heading(f"Layer {part.layer} ships {texts.count(part.bytes + part.wasted)} B{wasted}")
        lines.add(info.layers[part.layer].instruction or "(no instruction)")
    return lines.lines
