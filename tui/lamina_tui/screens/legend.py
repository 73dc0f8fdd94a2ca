"""What every sign on the screen stands for, and what every column's word means: the last part of the help."""

from __future__ import annotations

from lamina.model import Change
from lamina_tui import texts
from lamina_tui.glyphs import LOOSE, Glyphs
from lamina_tui.widgets.image_list import MARK
from lamina_tui.widgets.row_list import STYLE_OF_CHANGE
from lamina_tui.widgets.text_lines import TextLine

_COLUMNS = (
    ("Layers", "size", "bytes of the regular files the layer carries; a hard link adds 0"),
    ("Layers", "wasted", "of these, what later layers hide"),
    ("Layers", "hides", "bytes of lower layers that this layer hides"),
    ("Layers", "added, changed, removed", "files, links and devices that the layer adds, changes, removes"),
    ("Files", "size", "bytes that the view shows alive at or below a name; of a layer alone, what it ships there"),
    ("Files", "removed", "bytes that the shown change takes away at or below a name"),
    ("Files", "of parent, of all, share", "the part of its folder that a row makes up; in a list, of all files"),
    ("Files", "#", "the layer that ships it, where several are shown"),
    (
        "Found",
        "what",
        "whether it is there in the end, who removes or overwrites it; of a folder, which bytes are wasted",
    ),
    ("Two images", "before, after, change", "bytes in the first image, in the second, and their difference"),
    ("Waste", "bytes", "shipped in some layer, reached by no name in the final file system"),
    ("Waste", "layers", "who ships it, and who hides it"),
    ("Advice", "saves", "bytes that following it saves; no byte is in two of them"),
    ("Packages", "size", "bytes of the package's files in the final file system"),
    ("Packages", "wasted", "bytes of wasted files at its paths, also of one that was removed again"),
    ("Packages", "layer", "the one that brought most of it"),
    ("Duplicates", "copies cost", "size times all copies but one"),
    ("Images", "frees", "what removing it frees: bytes of layers that no other image stands on"),
    ("Images", "shared, with", "bytes of layers that others have too, and how many these are"),
    ("Images", "used", "containers, running or not, that were made from it"),
    ("Images", "on disk", "every stack of layers once, as an engine keeps them"),
    ("Images", "reclaimable", "what removing all images without containers frees"),
    ("Layer tree", "size, total", "bytes of the layers of a row; and of all that stands on them, each layer once"),
    ("A set", "unique, frees", "bytes of layers that no other image of the set has; of stacks that none stands on"),
    ("A set", "pull", "what pulling it fetches where the others are"),
    ("Versions", "update", "what transfers where the version before it is there"),
    ("Pull", "fetched", "bytes that come from the registry; the rest is here already"),
)


def legend(glyphs: Glyphs) -> list[TextLine]:
    """Signs, columns, and units.

    Args:
        glyphs: of this terminal.
    """
    guilt = glyphs.guilt
    lines = [
        TextLine("Signs", style="strong", heading=True),
        TextLine("added", "+", STYLE_OF_CHANGE[Change.ADDED]),
        TextLine("modified: other content", "M", STYLE_OF_CHANGE[Change.MODIFIED]),
        TextLine("metadata only: mode, owner, time or attributes", "m", STYLE_OF_CHANGE[Change.METADATA]),
        TextLine("removed", "-", STYLE_OF_CHANGE[Change.REMOVED]),
        TextLine("a folder with a change somewhere below it", "~"),
        TextLine("a folder or group that is open, closed", f"{glyphs.opened} {glyphs.closed}"),
        TextLine(
            "a bar of its own column, to an eighth of a cell; its wasted part", f"{glyphs.bars[-1]} {glyphs.wasted}"
        ),
        TextLine("some of it is wasted, too little to be drawn", glyphs.wasted_mark),
        TextLine(
            "the layer that ships the bytes under the cursor, down to the one that hides them",
            f"{guilt[0]} {guilt[-1]}",
        ),
        TextLine("from the layer that ships it to the one that hides it", glyphs.arrow),
        TextLine("the layer that a range starts after; a version of a file that is marked", glyphs.mark),
        TextLine("an image that is marked; the engine that is looked at", MARK),
        TextLine("the column that rows are sorted by; the same the other way round", f"{glyphs.down} {glyphs.up}"),
        TextLine("found, though its name only has the letters of the text, in their order", LOOSE),
        TextLine("text was cut here", glyphs.more),
        TextLine(""),
        TextLine("Columns", style="strong", heading=True),
    ]
    lines += [TextLine(f"{where}: {meaning}", word) for where, word, meaning in _COLUMNS]
    lines += [
        TextLine("what is visible in the end, of what is shipped", "efficiency"),
        TextLine("units are binary: 1 Ki is 1,024 bytes, 1 Mi is 1,048,576", "Ki Mi Gi")
        if texts.binary_units()
        else TextLine("units are decimal: 1 K is 1,000 bytes, 1 M is 1,000,000", "K M G"),
    ]
    return lines
