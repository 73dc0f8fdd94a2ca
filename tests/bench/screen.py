"""The screen under measurement: the real app on a pseudo-terminal, key by key."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from inputs import Image
from processes import Command, seconds, watched
from terminal import Reaction, Terminal
from works import LIMITS, Row, lamina

_COMPLETE = b"efficiency"  # a word that the title has once all figures are there

_LAYERS = b"instruction"  # the title of the layers' last column
_LIMIT_LAYERS = 1.4  # of the floor
_LIMIT_FIGURES = 2.0
_LIMIT_SWITCH = 30  # ms of processor time
_LIMIT_KEY = 10
_LIMIT_SENT = 600  # bytes

Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Part:
    """Some keys of one sort."""

    title: str
    keys: str
    before: str = ""
    """Keys that are not measured."""


def screen_rows(image: Image, wide: Image, *, repeat: int, judged: bool, tell: Tell) -> list[Row]:
    """The memory of the whole app, and what its keys cost.

    Args:
        image: whose memory is of interest.
        wide: the one for the keys, where only the number of paths matters; may be the same.
        repeat: how many times each key is pressed, in a measure of its own for each kind of key.
        judged: whether ``wide`` has so many paths that the limits hold for it.
        tell: hears what is being done.
    """
    tell(f"screen: memory with {image.name}")
    with Terminal(lamina(image.archive)) as terminal:
        with watched(terminal.pid) as memory:
            terminal.wait_for(_COMPLETE)
            _press(terminal, "1vE")  # every row unfolded
        limit = LIMITS.get(image.name, {}).get("screen MB")
        rows = [Row("memory with the screen up", memory.pss / 1e6, "MB", limit, memory=memory)]
        if wide is image:
            _press(terminal, "Cvv")
            return rows + _key_rows(terminal, len(wide.layers), repeat, judged, tell)
    with Terminal(lamina(wide.archive)) as terminal:
        terminal.wait_for(_COMPLETE)
        return rows + _key_rows(terminal, len(wide.layers), repeat, judged, tell)


def opening_rows(image: Image, *, runs: int, judged: bool, tell: Tell) -> list[Row]:
    """From the command to the layers and to all figures, of an image never opened before, beside the bare libraries."""
    floors, layers, figures = [], [], []
    bare = Command([sys.executable, "-c", "import textual.app, numpy"], {})
    for run in range(runs):
        tell(f"opening {image.name}: run {run + 1} of {runs}")
        floors.append(seconds(bare))
        folder = tempfile.TemporaryDirectory(prefix="lamina-bench-")
        with folder as cache, Terminal(lamina(image.archive, LAMINA_CACHE=cache)) as terminal:
            layers.append(terminal.seen(_LAYERS))
            figures.append(terminal.seen(_COMPLETE))
    name, floor = "python + textual + numpy", statistics.median(floors)
    return [
        Row(f"opening: {what}", statistics.median(took), "s", limit, name, floor, image.members)
        for what, took, limit in (
            ("the layers", layers, _LIMIT_LAYERS if judged else None),
            ("all figures", figures, _LIMIT_FIGURES if judged else None),
        )
    ]


def _key_rows(terminal: Terminal, layers: int, repeat: int, judged: bool, tell: Tell) -> list[Row]:
    sweep = min(layers - 1, 3 * repeat)
    parts = (
        _Part("another layer", "]" * sweep, before="1"),
        _Part("another view", "vvv" * repeat),
        _Part("sort, everything unfolded", "Ss" * repeat, before="vE"),
        _Part("fold the topmost folder", "  " * repeat, before="g"),
        _Part("another view, everything unfolded", "vvv" * repeat),
        _Part("another layer, everything unfolded", "[" * sweep),
    )
    rows = []
    for part in parts:
        cpu = statistics.median(reaction.cpu for reaction in _measured(terminal, part, tell))
        rows.append(Row(f"screen: {part.title}", cpu * 1000, "ms", _LIMIT_SWITCH if judged else None))
    # Means: that the cursor leaves the page now and then is part of what a key costs.
    reactions = _measured(
        terminal, _Part("the cursor a row down", "j" * (20 * repeat if judged else 8), before="g"), tell
    )
    cpu, sent = (statistics.mean(column) for column in zip(*((r.cpu, r.sent) for r in reactions), strict=True))
    rows.append(Row("screen: the cursor a row down", cpu * 1000, "ms", _LIMIT_KEY if judged else None))
    rows.append(Row("screen: the same, sent to the terminal", sent, "B", _LIMIT_SENT if judged else None))
    return rows


def _measured(terminal: Terminal, part: _Part, tell: Tell) -> list[Reaction]:
    tell(f"screen: {part.title}")
    _press(terminal, part.before)
    return _press(terminal, part.keys)


def _press(terminal: Terminal, keys: str) -> list[Reaction]:
    return [terminal.key(key) for key in keys]
