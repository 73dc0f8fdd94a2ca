"""The screen under measurement: the real app on a pseudo-terminal, key by key."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inputs import Image
from processes import watched
from terminal import Reaction, Terminal
from works import LIMITS, Row, lamina

_COMPLETE = b"efficiency"  # a word that the title has once all figures are there

_LIMIT_SWITCH = 30  # ms of processor time
_LIMIT_KEY = 10
_LIMIT_SENT = 600  # bytes

Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Part:
    """Some keys of one sort."""

    title: str
    keys: Sequence[str]
    before: str = ""
    """Keys that are not measured."""


def screen_rows(image: Image, *, walk: int, judged: bool, tell: Tell) -> list[Row]:
    """Processor time and bytes of keys.

    Args:
        image: what is shown; its number of paths is what matters.
        walk: how many rows the cursor walks down.
        judged: whether the image has so many paths that the limits hold for it.
        tell: hears what is being done.
    """
    up = len(image.layers) - 1
    parts = (
        _Part("another layer", "]" * up, before="1"),
        _Part("another view", "v" * 6),
        _Part("sort, everything unfolded", "Ss" * 3, before="vE"),
        _Part("fold the topmost folder", " " * 6, before="g"),
        _Part("another view, everything unfolded", "v" * 6, before="j"),
        _Part("another layer, everything unfolded", "[" * up),
    )
    rows = []
    with Terminal(lamina(image.archive)) as terminal:
        terminal.wait_for(_COMPLETE)

        def press(part: _Part) -> list[Reaction]:
            tell(f"screen: {part.title}")
            for key in part.before:
                terminal.key(key)
            return [terminal.key(key) for key in part.keys]

        for part in parts:
            cpu = statistics.median(reaction.cpu for reaction in press(part))
            rows.append(Row(f"screen: {part.title}", cpu * 1000, "ms", _LIMIT_SWITCH if judged else None))
        # Means: that the cursor leaves the page now and then is part of what a key costs.
        reactions = press(_Part("the cursor a row down", "j" * walk, before="g"))
        cpu, sent = (statistics.mean(column) for column in zip(*((r.cpu, r.sent) for r in reactions), strict=True))
        rows.append(Row("screen: the cursor a row down", cpu * 1000, "ms", _LIMIT_KEY if judged else None))
        rows.append(Row("the same, bytes sent", sent, "B", _LIMIT_SENT if judged else None))
    return rows


def screen_memory(image: Image, tell: Tell) -> Row:
    """What the app holds from its start until all figures are shown and every row has been unfolded."""
    tell("screen: memory")
    with Terminal(lamina(image.archive)) as terminal, watched(terminal.pid) as memory:
        terminal.wait_for(_COMPLETE)
        for key in "1vE":
            terminal.key(key)
    limit = LIMITS.get(image.name, {}).get("screen MB")
    return Row("memory with the screen up", memory.pss / 1e6, "MB", limit, memory=memory)
