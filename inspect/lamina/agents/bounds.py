"""Answers made small enough for whoever has to read every byte of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lamina import limits
from lamina.reports.json_text import Json

_MORE = "…"


def page(rows: Sequence[Any], start: int, *, of: int | None = None) -> Json:
    """Some rows of many, as many as an answer holds.

    Args:
        rows: all of them, or with ``of`` those from ``start`` on.
        start: the first that is wanted.
        of: how many there are in all.

    Returns:
        ``{"rows": [...], "start": n, "total": n, "next": n | null}``: ``next`` is where to go on.
    """
    start = max(start, 0)
    there = rows[start : start + limits.ANSWER_ROWS] if of is None else rows[: limits.ANSWER_ROWS]
    told: list[Any] = []
    left = limits.ANSWER // 2
    for row in map(short, there):
        left -= len(json.dumps(row))
        if left < 0 and told:
            break
        told.append(row)
    total, end = len(rows) if of is None else of, start + len(told)
    return {"rows": told, "start": start, "total": total, "next": end if end < total else None}


def short(value: Any) -> Any:
    """The same with every long text cut, its end marked with an ellipsis; long rows are lists by now."""
    if isinstance(value, str):
        return value if len(value) <= limits.ANSWER_TEXT else value[: limits.ANSWER_TEXT] + _MORE
    if isinstance(value, dict):
        return {short(key): short(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [short(each) for each in value]
    return value


def bounded(answer: Json) -> Json:
    """An answer with its longest lists halved until it is no longer than it may be.

    ``cut`` tells of each of them how many it had; a page of such rows is to be asked for by itself.
    """
    answer = short(answer)
    cut: dict[str, int] = {}
    while len(json.dumps(answer)) > limits.ANSWER:
        name, rows = max(_lists(answer), key=lambda each: len(json.dumps(each[1])), default=("", []))
        if not rows:
            break
        cut.setdefault(name, len(rows))
        del rows[len(rows) // 2 :]
        answer["cut"] = cut
    return answer


def _lists(value: Any, name: str = "") -> list[tuple[str, list[Any]]]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in _lists(each, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list):
        return [(name, value), *(found for at, each in enumerate(value) for found in _lists(each, f"{name}[{at}]"))]
    return []
