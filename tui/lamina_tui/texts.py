"""Numbers, times and names as the screen shows them; amounts of bytes are :mod:`lamina.amounts`' business."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size
from textual._context import active_app

from lamina import amounts
from lamina.amounts import SIZE_WIDTH, percent, plural
from lamina.figures.sharing import PullCost
from lamina.model import Kind

__all__ = [
    "SIZE_WIDTH",
    "age",
    "binary_units",
    "cell_len",
    "cost",
    "count",
    "first_fitting",
    "fit",
    "fit_end",
    "mode_text",
    "moment",
    "parse_time",
    "percent",
    "plural",
    "size",
    "size_bytes",
    "wrap",
]


_LATEST = 253402300799
"""The last second that a date can tell."""


def binary_units() -> bool:
    """Whether 1 Ki is 1,024 bytes here: as the app has it that draws now. Without one, 1 K is 1,000."""
    return bool(getattr(active_app.get(None), "binary_units", False))


def size(count: int) -> str:
    """Bytes in at most :data:`SIZE_WIDTH` cells, in the units that are in use: ``74.8 M``, ``71.3Mi``."""
    return amounts.size(count, binary=binary_units())


def size_bytes(count: int) -> str:
    """Bytes with their unit, for running text: ``187 MB``, ``178 MiB``."""
    return amounts.size_bytes(count, binary=binary_units())


def count(number: int) -> str:
    """A whole number with its thousands parted: ``480,123``."""
    return f"{number:,}"


def age(created: str | None, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was: ``3 weeks``; empty where it can't be told.

    Args:
        created: as configs and engines write it, with any number of digits below the second.
        now: aware; None asks the clock.
    """
    moment = parse_time(created)
    if moment is None:
        return ""
    import humanize  # 15 ms of import that no other screen needs

    delta = (now or datetime.now(UTC)) - moment
    if delta.total_seconds() < 0 or moment.year < 1990:
        # Reproducible builds write the epoch: an age of 56 years would say nothing.
        return ""
    return humanize.naturaldelta(delta)


def moment(nanoseconds: int, *, relative: bool = False) -> str:
    """A time since the epoch: ``2024-05-01 12:33``, in UTC; relative, how long ago, empty where that says nothing."""
    seconds = min(max(0, nanoseconds // 10**9), _LATEST)
    told = datetime.fromtimestamp(seconds, UTC)
    return age(told.isoformat()) if relative else f"{told:%Y-%m-%d %H:%M}"


def cost(amount: PullCost) -> str:
    """Bytes to pull, and what they are bytes of: ``12.3 MB compressed``."""
    if not amount.bytes:
        return size_bytes(0)
    return f"{size_bytes(amount.bytes)} {'compressed' if amount.compressed else 'uncompressed'}"


def parse_time(created: str | None) -> datetime | None:
    """An RFC 3339 time, or None for anything else."""
    if not isinstance(created, str):
        return None
    try:
        moment = datetime.fromisoformat(created[:64])
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def fit(text: str, width: int, more: str = "…") -> str:
    """Text cut or padded to exactly ``width`` cells."""
    if width <= 0:
        return ""
    if text.isascii():
        if len(text) <= width:
            return text.ljust(width)
        return (text[: width - len(more)] + more)[:width]
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    return set_cell_size(text, max(0, width - len(more))) + more[:width]


def fit_end(text: str, width: int, more: str = "…") -> str:
    """Text cut at its start, so that the end of a long path stays; not padded."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    tail = text[-width:]
    while tail and cell_len(tail) > width - len(more):
        tail = tail[1:]
    return more + tail


def first_fitting(forms: Sequence[str], width: int) -> str:
    """Of several ways to say something, the longest first, the first that fits ``width`` cells; else the last."""
    return next((form for form in forms if cell_len(form) <= width), forms[-1])


def from_where_they_part(a: str, b: str, width: int, more: str = "…") -> tuple[str, str]:
    """Two texts that are alike at first, each cut at its start so that where they part is seen in ``width`` cells."""
    if max(cell_len(a), cell_len(b)) <= width or a == b:
        return a, b
    parts = next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))
    start = max(0, parts - width // 2)
    word = a.rfind(" ", 0, start + 1) + 1  # words are read, not their halves
    if parts - word > width * 3 // 4:  # of a long one there would be no room left for where they part
        word = a.find(" ", start, parts) + 1
    start = word or start
    if cell_len(a[:parts]) < width * 3 // 4 or not start:
        return a, b
    return more + a[start:], more + b[start:]


_PIECE = 4
"""Cells of a broken word that are worth a place of their own: fewer neither begin it on a line nor end it on one."""


def wrap(text: str, width: int) -> list[str]:
    """Text broken into lines of at most ``width`` cells, between words where a word fits.

    Args:
        text: one paragraph, printable.
        width: cells; less than 1 counts as 1, which terminals of two columns leave beside a margin.
    """
    width = max(1, width)
    lines: list[str] = []
    line = ""
    used = 0
    for word in text.split(" "):
        length = cell_len(word)
        if line and used + 1 + length <= width:
            line += " " + word
            used += 1 + length
            continue
        room = width
        if line and length > width and width - used - 1 >= _PIECE:
            line += " "  # it has to be broken anyway: it begins where it stands
            room -= used + 1
        elif line or used:
            lines.append(line)
            line = ""
        if length > width:
            pieces = _chopped(word, room, width)
            *whole, word = line + pieces[0], *pieces[1:]  # noqa: PLW2901 - the rest of the word goes on
            lines += whole
            length = cell_len(word)
        line, used = word, length
    lines.append(line)
    return lines


def _chopped(word: str, first: int, width: int) -> list[str]:
    """A word in pieces of at most ``width`` cells, the first of ``first``; it may be megabytes long."""
    pieces: list[str] = []
    if word.isascii():
        pieces = [word[:first], *(word[start : start + width] for start in range(first, len(word), width))]
    else:
        start = used = 0
        room = first
        for index, char in enumerate(word):
            length = cell_len(char)
            if used + length > room and index > start:
                pieces.append(word[start:index])
                start, used, room = index, 0, width
            used += length
        pieces.append(word[start:])
    # A digest that is a digit too long does not leave that digit alone on a line.
    lacks = _PIECE - len(pieces[-1])
    if lacks > 0 and len(pieces) > 1 and len(pieces[-2]) > 2 * _PIECE:
        pieces[-2:] = [pieces[-2][:-lacks], pieces[-2][-lacks:] + pieces[-1]]
    return pieces


def duration(seconds: float) -> str:
    """A time to wait, in one unit or two: ``8 s``, ``2 min 5 s``, ``1 h 20 min``."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def mode_text(kind: Kind, mode: int) -> str:
    """A mode as ``ls -l`` writes it: ``-rwxr-xr-x``.

    Args:
        kind: gives the first letter.
        mode: permission bits; the setuid, setgid and sticky bits show in the x places.
    """
    letters = ["?-hlcbdp"[kind + 1] if kind <= Kind.FIFO else "?"]
    for shift, special, sign in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = mode >> shift
        letters.append("r" if bits & 4 else "-")
        letters.append("w" if bits & 2 else "-")
        if mode & special:
            letters.append(sign if bits & 1 else sign.upper())
        else:
            letters.append("x" if bits & 1 else "-")
    return "".join(letters)
