"""Advice as the reports' JSON has it, and in a line."""

from __future__ import annotations

from lamina.advice.model import Advice
from lamina.amounts import size_bytes
from lamina.model import ImageInfo
from lamina.names import display_name
from lamina.reports.json_text import Json, path_fields, plain_text

_FIRST = 3
"""Paths of an advice."""


def advice_fields(advice: Advice, info: ImageInfo, line: int | None = None) -> Json:
    """One advice.

    Args:
        advice: it.
        info: the image's head.
        line: of the Dockerfile, where one is known.
    """
    return {
        "rule": advice.rule,
        "severity": advice.severity.word,
        "saves": advice.saves,
        "layers": list(advice.layers),
        "hidden_by": advice.hidden_by,
        "cause": None if advice.cause is None else advice.cause.word,
        "changes": advice.changes,
        "instruction": None if advice.changes is None else plain_text(info.layers[advice.changes].instruction),
        "paths": {
            "count": len(advice.paths),
            "first": [path_fields(path)["path"] for path in advice.paths.first(_FIRST)],
        },
        "text": advice.text,
        "do": plain_text(advice.do),
        "line": line,
        "in_base": advice.in_base,
    }


def told(row: Json) -> str:
    """What an advice of the JSON says, in a line; safe to show."""
    return display_name(f"{row['text']} {row['do']}")


def weight(row: Json) -> str:
    """What following an advice of the JSON saves, and how severe it is: ``12.4 MB, high``; safe to show."""
    return f"{size_bytes(row['saves'])}, {row['severity']}" if row["saves"] else str(row["severity"])
