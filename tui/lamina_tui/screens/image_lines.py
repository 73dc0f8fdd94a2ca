"""What the image screen's one-line parts say. Pure functions; all they return is safe to show."""

from __future__ import annotations

from lamina.advice.model import Advice
from lamina.figures.image import LoadedImage
from lamina.figures.own import own_figures
from lamina.model import ImageInfo, Progress
from lamina.names import display_name, image_name, short_id, short_instruction
from lamina_tui import texts
from lamina_tui.glyphs import Glyphs
from lamina_tui.widgets.line_bar import Line, Part


def title(label: str, info: ImageInfo | None, image: LoadedImage | None, glyphs: Glyphs) -> Line:
    """Name and platform on the left, the figures on the right.

    Args:
        label: how the user calls the image; untrusted.
        info: the image's head, once it is known.
        image: its figures, once they are.
        glyphs: of this terminal.
    """
    name = info.tags[0] if info is not None and info.tags else label
    if info is not None and info.container is not None:
        name = f"{info.target} ({info.container.state}, of {image_name((), info.container.image)})"
    left: list[Part] = [(f" {glyphs.text(display_name(name))}", "strong")]
    if info is not None:
        left.append((f" {glyphs.dot} {glyphs.text(display_name(info.platform))}", "plain"))
    if image is None:
        return left, []
    right: list[Part] = []
    if not image.complete:
        read = sum(layer.read for layer in image.layers)
        right.append((f"only {read} of {texts.plural(len(image.layers), 'layer')} read   ", "bad"))
        if not read:
            return left, right
    style = "bad" if image.wasted else "plain"
    right += [(f"{texts.size_bytes(image.size)}   ", "strong"), (f"wasted {texts.size_bytes(image.wasted)}", style)]
    if image.size:  # a part of its own: it goes before the bytes do
        right.append((f" ({texts.percent(image.wasted / image.size)})", style))
    if image.complete:
        right.append((f"   efficiency {texts.percent(image.efficiency)} ", "plain"))
    return left, right


def instruction(info: ImageInfo, layer: int, lines: int, width: int, glyphs: Glyphs) -> list[Line]:
    """A layer's instruction, in as many lines as there is room for.

    Args:
        info: the image's head.
        layer: index of the layer.
        lines: how many there may be, at least 1; what is left over is cut.
        width: cells of a line.
        glyphs: of this terminal.
    """
    head = f" layer {layer}  "
    text = glyphs.text(short_instruction(info.layers[layer].instruction)) or "(no instruction)"
    pieces = texts.wrap(text, max(8, width - len(head)))
    if len(pieces) > lines:
        pieces[lines - 1 :] = [" ".join(pieces[lines - 1 :])]
    heads = [head, *[" " * len(head)] * (len(pieces) - 1)]
    return [([(start, "key"), (piece, "plain")], []) for start, piece in zip(heads, pieces, strict=True)]


def story(described: str, width: int, glyphs: Glyphs) -> list[Line]:
    """A waste row's path in one line, its sentence wrapped below.

    Args:
        described: path, newline, sentence; or a sentence alone.
        width: cells of a line.
        glyphs: of this terminal.
    """
    path, newline, sentence = described.partition("\n")
    if not newline:
        path, sentence = "", described
    lines: list[Line] = [([(f" {texts.fit_end(path, width, glyphs.more)}", "strong")], [])] if path else []
    return lines + [([(f" {piece}", "plain")], []) for piece in texts.wrap(sentence, width)]


def advice(instruction: str, text: str, width: int, glyphs: Glyphs) -> list[Line]:
    """An advice row's instruction in one line, what to do wrapped below. Both are safe to show."""
    lines: list[Line] = [([(f" {texts.fit(instruction, width, glyphs.more).rstrip()}", "strong")], [])]
    return lines + [([(f" {piece}", "plain")], []) for piece in texts.wrap(text, width)]


def verdict(image: LoadedImage, best: tuple[Advice, str] | None, glyphs: Glyphs) -> Line:
    """What is most worth doing, in one line.

    Args:
        image: its figures.
        best: the advice that saves most, and the instruction it is about; untrusted.
        glyphs: of this terminal.
    """
    if best is None:
        what = "every byte that it ships is reachable" if not image.wasted else "nothing is worth changing"
        return [(f" {what}", "good")], []
    advised, instruction = best
    share = texts.percent(advised.saves / (image.size or 1))
    saved = f" {texts.size_bytes(advised.saves)} ({share}) could go" if advised.saves else f" {advised.rule}"
    shown = f": {instruction}" if instruction else ""
    return [(saved, "bad"), (glyphs.text(display_name(f"{shown}  {glyphs.dot} {advised.text}")), "plain")], [
        (" 3 tells how ", "key")
    ]


def facts(image: LoadedImage, glyphs: Glyphs) -> Line:
    """What an image's head says of it, and what it is built on, in one line."""
    info = image.info
    words = [short_id(info.id)]
    if age := texts.age(info.created):
        words.append(f"built {age} ago")
    own = own_figures(image)
    if image.base is not None and own is not None:
        named = "" if image.base.name is None else f"{glyphs.text(display_name(image.base.name))}, "
        words.append(
            f"on {named or 'a base of '}{texts.plural(image.base.layers, 'layer')}, "
            f"{texts.size_bytes(own.base_size)}; {texts.size_bytes(own.size)} of its own"
        )
    if info.blob_size is not None:
        words.append(f"{texts.size_bytes(info.blob_size)} as stored or transferred")
    words += [glyphs.text(display_name(tag)) for tag in info.tags[1:]]
    return [(f" {f'  {glyphs.dot} '.join(words)}", "dim")], []


def layer_bar(image: LoadedImage, width: int, glyphs: Glyphs) -> Line:
    """The whole image as one bar, cut by layer; the wasted part of each in its own sign."""
    parts: list[Part] = [(" ", "plain")]
    total, ends = image.size or 1, [0]
    for layer in image.layers:
        ends.append(ends[-1] + layer.size)
    for layer, start, end in zip(image.layers, ends, ends[1:], strict=False):
        cells = round(end / total * width) - round(start / total * width)
        lost = round(cells * layer.wasted / layer.size) if layer.size else 0
        cut = 1 if cells > 1 and end < image.size else 0
        kept = max(0, cells - lost - cut)
        parts += [(glyphs.bars[-1] * kept, "fill"), (glyphs.wasted * (cells - kept - cut), "bad")]
        parts.append((glyphs.vertical * cut, "plain"))
    return parts, []


def progress(made: Progress, rate: float | None, glyphs: Glyphs) -> Line:
    """How far a reading is: a bar where the end is known, bytes, rate, and how to stop it.

    Args:
        made: what the reading thread tells.
        rate: bytes per second, None while there is too little to tell.
        glyphs: of this terminal.
    """
    words = [glyphs.text(display_name(made.what))]
    if made.done:
        words.append(texts.size_bytes(made.done))
        if made.total:
            words[-1] += f" of {texts.size_bytes(made.total)}"
        if rate is not None:
            words.append(f"{texts.size_bytes(int(rate))}/s")
        if rate and made.total and made.total > made.done:
            words.append(f"{texts.duration((made.total - made.done) / rate)} left")
    parts: list[Part] = [(f" {'   '.join(words)}", "plain")]
    if made.total:
        parts.insert(0, (" " + glyphs.bar(made.done / made.total, 16), "fill"))
    return parts, [(" esc cancels ", "key")]
