"""Sizes, shares and plurals as text for people, in reports and on the screen alike."""

from __future__ import annotations

_UNITS = "KMGTPE"

SIZE_WIDTH = 6
"""Cells that hold any text of :func:`size`."""


def size(count: int, *, binary: bool = False) -> str:
    """Bytes in at most six cells: ``512``, ``4.1 K``, ``74.8 M``, ``187 M``; in binary units ``4.0Ki``, ``1023Ki``.

    Args:
        count: bytes.
        binary: 1 Ki is 1,024 bytes; else 1 K is 1,000.
    """
    step, sign = (1024, "i") if binary else (1000, "")
    if count < step:
        return str(count)
    value = float(count)
    for unit in _UNITS:
        value /= step
        if value < 99.95:
            return f"{value:.1f}{unit}{sign}" if binary else f"{value:.1f} {unit}"
        # 999.5 would round to "1000": it belongs to the next unit.
        if value < step - 0.5:
            break
    return f"{value:.0f}{unit}{sign}" if binary else f"{value:.0f} {unit}"


def size_bytes(count: int, *, binary: bool = False) -> str:
    """Bytes with their unit, for running text: ``512 B``, ``187 MB``; in binary units ``178 MiB``.

    Args:
        count: bytes.
        binary: 1 KiB is 1,024 bytes; else 1 KB is 1,000.
    """
    short = size(count, binary=binary)
    if short.isdecimal():
        return f"{short} B"
    return f"{short[:-2]} {short[-2:]}B" if binary else f"{short}B"


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
