"""What ``lamina check`` says as SARIF 2.1.0 (OASIS), for code scanning: broken limits and advice, each in a place."""

from __future__ import annotations

from urllib.parse import quote

from lamina.advice.catalogue import summary_of
from lamina.amounts import size_bytes
from lamina.gate.limits import FORMS
from lamina.reports.advice_rows import told, weight
from lamina.reports.check import allowed, found, title, why
from lamina.reports.json_text import Json
from lamina.reports.tables import path_of

_LEVELS = {"high": "warning", "medium": "warning", "low": "note", "info": "note"}
"""SARIF's, by severity: advice breaks nothing."""
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def to_sarif(report: Json, version: str) -> Json:
    """The verdicts as one SARIF log.

    Args:
        report: of ``lamina.check/1``.
        version: lamina's own.
    """
    results = [result for image in report["images"] for result in _results(image)]
    rules = list(dict.fromkeys(result["ruleId"] for result in results))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "lamina", "version": version, "rules": [_rule(rule) for rule in rules]},
                },
                "columnKind": "unicodeCodePoints",
                "results": [{**result, "ruleIndex": rules.index(result["ruleId"])} for result in results],
            }
        ],
    }


def _rule(rule: str) -> Json:
    kind, _, name = rule.partition("/")
    if kind == "advice":
        return {"id": rule, "shortDescription": {"text": _text(summary_of(name))}}
    form = FORMS.get(name)
    text = f"{name}: {form.help.replace('%%', '%')}" if form else f"dive's {name}"
    return {"id": rule, "shortDescription": {"text": _text(text)}}


def _results(image: Json) -> list[Json]:
    results = []
    for limit in image["limits"]:
        if limit["passed"]:
            continue
        paths = "".join(f"\n{size_bytes(path['bytes'])} {path_of(path)} {why(path)}" for path in limit["paths"])
        text = f"{title(image)}: {limit['name']} allows {allowed(limit)}, found {found(limit)}"
        results.append(_result(image, f"limit/{limit['name']}", "error", text + paths, limit["line"]))
    for advice in image["advice"]:
        text = f"{title(image)}: {weight(advice)}: {told(advice)}"
        results.append(_result(image, f"advice/{advice['rule']}", _LEVELS[advice["severity"]], text, advice["line"]))
    return results


def _result(image: Json, rule: str, level: str, text: str, line: int | None) -> Json:
    # What is shown in the source needs a line: where none is known the first stands for the whole.
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": _text(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(image["file"] or image["target"], safe="/", errors="replace")},
                    "region": {"startLine": line or 1},
                }
            }
        ],
    }


def _text(text: str) -> str:
    """Text in which nothing is a link or a placeholder (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    for char in "\\[]":
        text = text.replace(char, f"\\{char}")
    return text.replace("{", "{{").replace("}", "}}")
