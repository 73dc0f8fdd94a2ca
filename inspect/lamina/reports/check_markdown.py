"""What ``lamina check`` says as a comment on a pull request: GitHub-flavoured Markdown, made from the JSON alone."""

from __future__ import annotations

from lamina.amounts import plural, size, size_bytes
from lamina.names import display_name, image_name, short_instruction
from lamina.reports.advice_rows import told, weight
from lamina.reports.check import allowed, exact, found, outcome, step, title, why
from lamina.reports.diff_packages import signed, summary, versions
from lamina.reports.json_text import Json
from lamina.reports.tables import cut, md, path_of

_TOP_LAYERS = 20
_TOP_ADVICE = 10
_TOP_PACKAGES = 5


def to_markdown(report: Json) -> str:
    """The verdicts, one heading an image."""
    return "\n".join("\n".join(_image(image)) + "\n" for image in report["images"])


def _image(image: Json) -> list[str]:
    lines = [f"### {'✅' if image['passed'] else '❌'} {md(title(image))}: {outcome(image)}", ""]
    lines += ["| | limit | allowed | found |", "|---|---|--:|--:|"]
    for limit in image["limits"]:
        mark = "ok" if limit["passed"] else "**broken**"
        lines.append(f"| {mark} | {limit['name']} | {md(allowed(limit))} | {found(limit)} |")
    return [*lines, "", *_figures(image), "", *_paths(image), *_packages(image), *_layers(image), *_advice(image)]


def _figures(image: Json) -> list[str]:
    """Size, waste and layers, against the baseline where there is one."""
    now = {"size": image["size"], "wasted": image["wasted"]}
    baseline = image["baseline"]
    if baseline is None:
        return [f"{exact(now['size'])}, of which {exact(now['wasted'])} wasted, in {len(image['layers'])} layers."]
    name = md(display_name(image_name(baseline["tags"], baseline["target"])))
    lines = [f"| | {name} | now | |", "|---|--:|--:|--:|"]
    lines += [
        f"| {key} | {exact(baseline[key])} | {exact(now[key])} | {step(now[key] - baseline[key])} |" for key in now
    ]
    count = len(image["layers"])
    more = f"{count - baseline['layers']:+d}" if count != baseline["layers"] else "unchanged"
    return [*lines, f"| layers | {baseline['layers']} | {count} | {more} |"]


def _paths(image: Json) -> list[str]:
    """What gives the most of each broken limit."""
    broken = [limit for limit in image["limits"] if not limit["passed"] and limit["paths"]]
    if not broken:
        return []
    lines = ["<details open><summary>Paths that give the most</summary>", ""]
    for limit in broken:
        lines += [f"- {limit['name']} {md(allowed(limit))}"]
        lines += [f"  - {size_bytes(path['bytes'])} {md(path_of(path))} {md(why(path))}" for path in limit["paths"]]
    return [*lines, "", "</details>", ""]


def _packages(image: Json) -> list[str]:
    """What became of the baseline's packages, those first that weigh most more or less."""
    baseline = image["baseline"]
    if baseline is None or not (baseline["packages"] or baseline["packages_left_out"]):
        return []
    rows = baseline["packages"]
    lines = [f"<details><summary>Packages: {summary(rows)}</summary>", "", "| | was | now | | package | versions |"]
    lines.append("|---|--:|--:|--:|---|---|")
    lines += [
        f"| {row['change']} | {size(row['before_bytes'])} | {size(row['bytes'])} | {md(signed(row))} "
        f"| {md(cut(display_name(row['name']), 40))} ({row['manager']}) | {md(versions(row))} |"
        for row in rows[:_TOP_PACKAGES]
    ]
    left = len(rows) - _TOP_PACKAGES
    if left > 0:
        lines += ["", f"and {plural(left, 'more package')}"]
    if baseline["packages_left_out"]:
        lines += [
            "",
            f"Left out, as not all of their records can be read: {md(', '.join(baseline['packages_left_out']))}",
        ]
    return [*lines, "", "</details>", ""]


def _layers(image: Json) -> list[str]:
    """The largest layers, those that the baseline has not marked."""
    rows = sorted(image["layers"], key=lambda layer: -layer["size"])[:_TOP_LAYERS]
    lines = ["<details><summary>Layers</summary>", "", "| # | size | wasted | | instruction |", "|--:|--:|--:|---|---|"]
    for layer in sorted(rows, key=lambda layer: layer["index"]):
        new = "new" if layer["in_baseline"] is False else ""
        line = "" if layer["line"] is None else f" (line {layer['line']})"
        instruction = md(cut(short_instruction(layer["instruction"]), 80) + line)
        lines.append(f"| {layer['index']} | {size(layer['size'])} | {size(layer['wasted'])} | {new} | {instruction} |")
    left = len(image["layers"]) - len(rows)
    if left:
        lines += ["", f"and {plural(left, 'smaller layer')}"]
    gone = image["baseline"]["gone"] if image["baseline"] else None
    if gone and gone["count"]:
        lines += ["", f"{plural(gone['count'], 'layer')} of the baseline with {size_bytes(gone['bytes'])} gone"]
    return [*lines, "", "</details>", ""]


def _advice(image: Json) -> list[str]:
    if not image["advice"]:
        return []
    lines = [f"<details><summary>Advice ({len(image['advice'])})</summary>", ""]
    for row in image["advice"][:_TOP_ADVICE]:
        base = " (the base's)" if row["in_base"] else ""
        lines.append(f"- {weight(row)} ({row['rule']}): {md(told(row))}{base}")
    return [*lines, "", "</details>"]
