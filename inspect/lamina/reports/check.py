"""What ``lamina check`` says: schema ``lamina.check/1``, and text made from that alone."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.amounts import plural, size, size_bytes
from lamina.dataclass import dataclass
from lamina.gate.baseline import Baseline
from lamina.gate.dockerfile import Stage
from lamina.gate.layer_lines import LayerLine, layer_lines
from lamina.gate.limits import SEVERITIES
from lamina.gate.provenance_lines import provenance_lines
from lamina.gate.verdict import HeldPath, LimitResult, Verdict
from lamina.names import display_name, image_name
from lamina.reports.advice_rows import advice_fields, told, weight
from lamina.reports.diff_packages import change_fields
from lamina.reports.json_text import Json, path_fields, plain_text
from lamina.reports.sharing import head
from lamina.reports.tables import path_of, table
from lamina.sources.provenance import Provenance

SCHEMA = "lamina.check/1"
_LONGEST_PATH = 500  # characters
_TOLD = 5
"""Advice that is told where it breaks a limit."""

_COUNTED = {"forbid": "path", "forbid-package": "package", "severity": "finding"}
"""What is counted of what is forbidden."""


@dataclass(frozen=True, slots=True)
class BuildFile:
    """The Dockerfile that images were built with."""

    path: str
    """As the user wrote it."""
    stages: tuple[Stage, ...]


def build(
    verdicts: Sequence[Verdict], file: BuildFile | None = None, provenance: Sequence[Provenance | None] = ()
) -> Json:
    """The verdicts as one JSON object.

    Args:
        verdicts: one an image.
        file: what leads layers to lines.
        provenance: of each image; what does so where there is no file.
    """
    found = provenance if file is None and provenance else [None] * len(verdicts)
    return {
        "schema": SCHEMA,
        "passed": all(verdict.passed for verdict in verdicts),
        "images": [_image(verdict, file, each) for verdict, each in zip(verdicts, found, strict=True)],
    }


def _image(verdict: Verdict, file: BuildFile | None, provenance: Provenance | None) -> Json:
    image = verdict.image
    lines = _lines(verdict, file, provenance)
    by = None if file is None else "option"
    path = None if file is None else file.path
    if provenance is not None and any(lines):
        by, path = "provenance", _within(provenance.file)
    return {
        **head(image.info),
        "passed": verdict.passed,
        "size": image.size,
        "wasted": image.wasted,
        "ignored": verdict.ignored,
        "file": plain_text(path),
        "file_by": by,
        "limits": [_limit(result, lines) for result in verdict.results],
        "baseline": None if verdict.baseline is None else _baseline(verdict, verdict.baseline),
        "layers": [
            {
                "index": layer.index,
                "instruction": plain_text(layer.instruction),
                "size": figures.size,
                "wasted": figures.wasted,
                "in_baseline": None if verdict.baseline is None else layer.diff_id in verdict.baseline.diff_ids,
                "line": None if line is None else line.line,
                "line_exact": None if line is None else line.exact,
            }
            for layer, figures, line in zip(image.info.layers, image.layers, lines, strict=True)
        ],
        "advice": [advice_fields(advice, image.info, _line_of(lines, advice.changes)) for advice in verdict.advice],
    }


def _baseline(verdict: Verdict, baseline: Baseline) -> Json:
    here = {layer.diff_id for layer in verdict.image.info.layers}
    growth = verdict.packages
    gone = [layer_size for diff_id, layer_size in baseline.layers if diff_id not in here]
    return {
        "target": plain_text(baseline.target),
        "tags": [plain_text(tag) for tag in baseline.tags],
        "size": baseline.size,
        "wasted": baseline.wasted,
        "layers": len(baseline.layers),
        "gone": {"count": len(gone), "bytes": sum(gone)},
        "packages": None if growth is None else [change_fields(change) for change in growth.changes],
        "packages_left_out": None if growth is None else list(growth.left_out),
    }


def _within(path: str) -> str:
    """A path that an image tells of a file, which must not lead out of where the user's files are."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[:_LONGEST_PATH] or "Dockerfile"


def _lines(verdict: Verdict, file: BuildFile | None, provenance: Provenance | None) -> list[LayerLine | None]:
    """The line of each layer, where the file tells, or what was noted of the build."""
    info, base = verdict.image.info, verdict.image.base
    # A history's shape is only a guess of where the base ends, and the file knows better.
    first = base.layers if base is not None and base.by != "history" else 0
    if provenance is not None:
        return provenance_lines(provenance, info.layers, first)
    if file is None:
        return [None] * len(info.layers)
    return layer_lines([layer.instruction for layer in info.layers], file.stages, first)


def _line_of(lines: Sequence[LayerLine | None], *layers: int | None) -> int | None:
    """The line of the first of some layers that has one."""
    found = [line for layer in layers if layer is not None and (line := lines[layer]) is not None]
    return found[0].line if found else None


def _limit(result: LimitResult, lines: Sequence[LayerLine | None]) -> Json:
    # Of waste the instruction to change is the one that hides; else the one that ships.
    layers = [layer for held in result.paths for layer in (held.hidden_by, held.layer)]
    return {
        "name": result.name,
        "unit": result.unit,
        "limit": plain_text(result.limit) if isinstance(result.limit, str) else result.limit,
        "value": result.value,
        "passed": result.passed,
        "layer": result.layer,
        "line": _line_of(lines, result.layer, *layers),
        "paths": [_path(held) for held in result.paths],
    }


def _path(held: HeldPath) -> Json:
    return {**path_fields(held.path), "bytes": held.bytes, "layer": held.layer, "hidden_by": held.hidden_by}


def to_text(report: Json) -> str:
    """The verdicts as plain text."""
    return "\n".join("\n".join(text_lines(image)) + "\n" for image in report["images"])


def title(image: Json) -> str:
    """What an image is called, with its platform; safe to show."""
    return f"{display_name(image_name(image['tags'], image['target']))} · {display_name(image['platform'])}"


def outcome(image: Json) -> str:
    """``2 of 4 limits broken``."""
    broken = sum(not limit["passed"] for limit in image["limits"])
    limits = plural(len(image["limits"]), "limit")
    return f"{broken} of {limits} broken" if broken else f"keeps to {limits}"


def text_lines(image: Json) -> list[str]:
    """One image's verdict."""
    lines = [f"{title(image)}: {outcome(image)}"]
    rows = table(
        ("", "limit", "allowed", "found"),
        (
            ("ok" if limit["passed"] else "FAIL", limit["name"], allowed(limit), found(limit))
            for limit in image["limits"]
        ),
        left={0, 1, 2, 3},
    )
    lines.append(rows[0])
    for row, limit in zip(rows[1:], image["limits"], strict=True):
        lines.append(row)
        if not limit["passed"] and limit["name"] == "severity":
            lines += [f"        {weight(row)}  {row['rule']}: {told(row)}" for row in _of_severity(image, limit)]
        elif not limit["passed"]:
            lines += [f"        {size(path['bytes']):>7}  {path_of(path)}  {why(path)}" for path in limit["paths"]]
    if image["baseline"]:
        lines.append(f"  {growth(image)}")
    if image["ignored"]:
        lines.append(f"  {size_bytes(image['ignored'])} wasted at ignored paths count for no limit")
    return lines


def _of_severity(image: Json, limit: Json) -> list[Json]:
    """The first advice that breaks a limit on severity: what is for the base's builder alone comes last."""
    wanted = SEVERITIES[: SEVERITIES.index(limit["limit"]) + 1]
    return [row for row in image["advice"] if row["severity"] in wanted][: min(_TOLD, limit["value"])]


def growth(image: Json) -> str:
    """Size and waste beside the baseline's, in a line; safe to show."""
    baseline = image["baseline"]
    name = display_name(image_name(baseline["tags"], baseline["target"]))
    return (
        f"against {name}: size {step(image['size'] - baseline['size'])}, "
        f"wasted {step(image['wasted'] - baseline['wasted'])}"
    )


def step(count: int) -> str:
    """A difference: ``+1.2 MB``, ``-512 B``, ``unchanged``."""
    return f"{'-' if count < 0 else '+'}{size_bytes(abs(count))}" if count else "unchanged"


def amount(limit: Json, value: float) -> str:
    """A value in its limit's unit."""
    if limit["unit"] == "bytes":
        return exact(int(value))
    return share(value) if limit["unit"] == "ratio" else f"{value:,}"


def exact(count: int) -> str:
    """Bytes for people, and to the byte: ``20.0 MB (20,000,000 B)``; may be below 0."""
    if abs(count) < 1000:
        return f"{count} B"
    return f"{'-' if count < 0 else ''}{size_bytes(abs(count))} ({count:,} B)"


def share(value: float) -> str:
    """A share of any size, to a hundredth of a percent; only a real 1 says ``100 %``, only a real 0 ``0 %``."""
    if value == 0:
        return "0 %"
    if 0 < value < 1:
        value = min(max(value, 0.0001), 0.9999)
    return f"{value * 100:,.2f}".rstrip("0").rstrip(".") + " %"


def allowed(limit: Json) -> str:
    """What a limit allows; safe to show."""
    if limit["name"] == "severity":
        return f"below {limit['limit']}"
    if isinstance(limit["limit"], str):
        return display_name(limit["limit"])
    return amount(limit, limit["limit"])


def found(limit: Json) -> str:
    """What there is."""
    if limit["name"] in _COUNTED:
        return plural(limit["value"], _COUNTED[limit["name"]])
    layer = "" if limit["layer"] is None else f" in layer {limit['layer']}"
    return amount(limit, limit["value"]) + layer


def why(path: Json) -> str:
    """Which layers a path's bytes hang on."""
    hidden = path["hidden_by"]
    return f"(layer {path['layer']}" + (f", hidden by layer {hidden})" if hidden is not None else ")")
