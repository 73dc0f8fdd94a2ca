"""Sizes, shares and plurals as text for people, in reports and on the screen alike."""

from __future__ import annotations

_UNITS = "KMGTPE"

SIZE_WIDTH = 6
"""Cells that hold any text of :func:`size`."""


def size(count: int) -> str:
    """Bytes in at most six cells, in decimal units: ``512``, ``4.1 K``, ``74.8 M``, ``187 M``."""
    if count < 1000:
        return str(count)
    value = float(count)
    for unit in _UNITS:
        value /= 1000
        if value < 99.95:
            return f"{value:.1f} {unit}"
        # 999.5 would round to "1000": it belongs to the next unit.
        if value < 999.5:
            return f"{value:.0f} {unit}"
    return f"{value:.0f} {_UNITS[-1]}"


def size_bytes(count: int) -> str:
    """Bytes with their unit, for running text: ``512 B``, ``187 MB``."""
    short = size(count)
    return f"{short}B" if " " in short else f"{short} B"


def percent(share: float) -> str:
    """A share of 0 to 1 as ``6.6 %``; only a real 1 says ``100 %``, only a real 0 ``0 %``."""
    if share >= 1:
        return "100 %"
    if share <= 0:
        return "0 %"
    return f"{min(max(share * 100, 0.1), 99.9):.1f} %"


def plural(number: int, word: str) -> str:
    """``1 layer``, ``2 layers``, ``12,345 files``."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
