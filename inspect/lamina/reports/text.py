"""The report for people: plain text for a terminal or a log, Markdown for a pull request.

Both are made from the JSON report alone, so that the three can't disagree. Every text that comes from an image goes
through :func:`display_name`.
"""

from __future__ import annotations

from collections import Counter

from lamina.amounts import percent, plural, size, size_bytes
from lamina.names import display_name, image_name, short_instruction
from lamina.reports.advice_rows import told, weight
from lamina.reports.json_text import Json
from lamina.reports.packages import package_lines, package_rows, weighty
from lamina.reports.sharing_text import sharing_markdown, sharing_text
from lamina.reports.tables import cut, md, path_of, table

_TOP_WASTE = 12
_TOP_WRITTEN = 12
_TOP_DUPLICATES = 5
_TOP_ADVICE = 5
_TOP_PACKAGES = 8


def to_text(report: Json) -> str:
    """The report as plain text, lines of about 100 cells at most but for long names."""
    parts = [_text_image(image) for image in report["images"]]
    if "sharing" in report:
        parts.append("Sharing among " + sharing_text(report))
    return "\n".join(parts)


def to_markdown(report: Json) -> str:
    """The report as GitHub-flavoured Markdown."""
    parts = [_markdown_image(image) for image in report["images"]]
    if "sharing" in report:
        parts.append("## Sharing\n\n" + sharing_markdown(report))
    return "\n".join(parts)


def _title(image: Json) -> str:
    names = ", ".join(display_name(tag) for tag in image["tags"]) or display_name(image_name((), image["target"]))
    return f"{names} · {display_name(image['platform'])}"


def container_lines(image: Json) -> list[str]:
    """What a container is, and what it did; nothing for an image."""
    if "container" not in image:
        return []
    container, top = image["container"], image["layers"][-1]
    line = (
        f"{display_name(container['state'])}, of {display_name(image_name((), container['image']))}; "
        f"since it was made it has written {size_bytes(top['size'])} in {plural(top['files'], 'file')} "
        f"and hides {size_bytes(top['hides'])} of the image"
    )
    return [line]


def _written(image: Json) -> list[str]:
    rows = image["container"]["written"][:_TOP_WRITTEN] if "container" in image else []
    if not rows:
        return []
    lines = ["", "Written by the container:"]
    lines += table(
        ("bytes", "before", "", "path"),
        ((size(row["bytes"]), size(row["before"]), row["change"], path_of(row)) for row in rows),
        left={2, 3},
    )
    more = sum(image["layers"][-1][kind]["count"] for kind in ("added", "modified", "metadata", "removed")) - len(rows)
    if more:
        lines.append(f"  and {plural(more, 'more name')} (--json has the largest thousand)")
    return lines


def _summary(image: Json) -> str:
    wasted = image["wasted"]
    share = percent(wasted / image["size"]) if image["size"] else "0 %"
    return (
        f"{size_bytes(image['size'])} in {plural(len(image['layers']), 'layer')}, "
        f"{size_bytes(image['visible'])} visible in {plural(image['files'], 'file')}, "
        f"{size_bytes(wasted)} wasted ({share}), efficiency {percent(image['efficiency'])}"
    )


_BY = {
    "flag": "as was said",
    "annotation": "as the image says",
    "image": "an image at hand",
    "history": "a guess by the history",
}


def built_on(image: Json) -> list[str]:
    """What an image is built on, and what is its own; nothing where that is not known."""
    base = image["base"]
    if base is None:
        return []
    own = base["own"]
    name = "a base" if base["name"] is None else display_name(base["name"])
    line = (
        f"built on {name} ({plural(base['layers'], 'layer')}, {size_bytes(base['size'])}; {_BY[base['by']]}), "
        f"own {size_bytes(own['size'])} in {plural(own['layers'], 'layer')}, {size_bytes(own['wasted'])} avoidable"
    )
    return [line, *_moved_on(base)]


def _moved_on(base: Json) -> list[str]:
    """What the registry said of the base, where it was asked."""
    if "update" not in base:
        return []
    update, name = base["update"], display_name(base["name"])
    if not update["moved_on"]:
        return [f"{name} is still this base"]
    built = f" of {display_name(update['created'][:10])}" if update["created"] else ""
    size_ = "" if update["bytes"] is None else f", {size_bytes(update['bytes'])} to transfer"
    return [f"{name} has moved on: an image{built} with {plural(update['layers'], 'new layer')}{size_}"]


def _of_own(image: Json) -> str:
    return " of its own layers" if "own_only" in image else ""


def _dive(image: Json) -> str:
    dive = image["dive"]
    ratio = dive["user_wasted_ratio"]
    user = "none" if ratio is None else percent(ratio) if ratio <= 1 else f"{ratio * 100:.1f} %"
    return (
        f"by dive's definition: efficiency {percent(dive['efficiency'])}, wasted {size_bytes(dive['wasted'])}, "
        f"user wasted {user}"
    )


def _causes(image: Json) -> str:
    by_cause: Counter[str] = Counter()
    for row in image["waste"]:
        by_cause[row["cause"]] += row["bytes"]
    return ", ".join(f"{cause} {size_bytes(count)}" for cause, count in by_cause.most_common() if count)


def _text_image(image: Json) -> str:
    lines = [
        _title(image),
        *(f"  {line}" for line in [*container_lines(image), _summary(image), *built_on(image), _dive(image)]),
        "",
    ]
    lines += table(
        ("#", "size", "wasted", "hides", "files", "added", "modified", "metadata", "removed", "instruction"),
        (
            (
                str(layer["index"]),
                size(layer["size"]),
                size(layer["wasted"]),
                size(layer["hides"]),
                f"{layer['files']:,}",
                f"{layer['added']['count']:,}",
                f"{layer['modified']['count']:,}",
                f"{layer['metadata']['count']:,}",
                f"{layer['removed']['count']:,}",
                cut(short_instruction(layer["instruction"]), 60),
            )
            for layer in image["layers"]
        ),
        left={9},
    )
    lines += _written(image)
    shown = [row for row in image["waste"] if row["bytes"]][:_TOP_WASTE]
    if shown:
        lines += ["", f"Waste{_of_own(image)}: {_causes(image)}"]
        lines += table(
            ("bytes", "cause", "layer", "hidden by", "path"),
            (
                (size(row["bytes"]), row["cause"], str(row["layer"]), str(row["hidden_by"]), path_of(row))
                for row in shown
            ),
            left={1, 4},
        )
        rest = image["waste"][len(shown) :]
        if any(row["bytes"] for row in rest):
            left = sum(row["bytes"] for row in rest)
            lines.append(f"  and {plural(len(rest), 'more file')} with {size_bytes(left)} (all of them: --json)")
    lines += _packages(image)
    if image["duplicates"]:
        total = sum(row["bytes"] for row in image["duplicates"])
        lines += ["", f"Duplicates: {size_bytes(total)} in copies of the same content"]
        for row in image["duplicates"][:_TOP_DUPLICATES]:
            lines.append(f"  {size(row['bytes']):>7}  {row['copies']} × {path_of(row['paths'][0])}")
        rest = image["duplicates"][_TOP_DUPLICATES:]
        if rest:
            lines.append(f"  and {plural(len(rest), 'more content')} (all of them: --json)")
    if image["advice"]:
        lines += ["", "Advice:"]
        for row in image["advice"][:_TOP_ADVICE]:
            saves = size(row["saves"]) if row["saves"] else ""
            lines.append(f"  {saves:>7}  {row['severity']:<6}  {told(row)}{_base(image, row)}")
    return "\n".join(lines) + "\n"


def _packages(image: Json) -> list[str]:
    """The largest packages; nothing where there are none, or none are known."""
    rows = weighty(image) if image["packages"] else []
    if not rows:
        return []
    lines = ["", f"Packages: {package_lines(image)[0]}", *package_rows(image, rows[:_TOP_PACKAGES])]
    if rows[_TOP_PACKAGES:]:
        lines.append(f"  and {len(rows) - _TOP_PACKAGES:,} more (all of them: lamina packages)")
    return lines


def _base(image: Json, advice: Json) -> str:
    """Behind advice that is not for who builds this image."""
    return f" (the base, layers 0 to {image['base']['layers'] - 1})" if advice["in_base"] else ""


def _name(image: Json) -> str:
    return display_name(image_name(image["tags"], image["target"]))


def _markdown_image(image: Json) -> str:
    lines = [f"### {md(_title(image))}", "", *(f"{md(line)}  " for line in container_lines(image))]
    lines += [f"{_summary(image)}  ", *(f"{md(line)}  " for line in built_on(image)), _dive(image), ""]
    lines += ["| # | size | wasted | hides | files | instruction |", "|--:|--:|--:|--:|--:|---|"]
    for layer in image["layers"]:
        instruction = md(cut(short_instruction(layer["instruction"]), 80))
        lines.append(
            f"| {layer['index']} | {size(layer['size'])} | {size(layer['wasted'])} | {size(layer['hides'])} "
            f"| {layer['files']:,} | {instruction} |"
        )
    shown = [row for row in image["waste"] if row["bytes"]][:_TOP_WASTE]
    if shown:
        lines += ["", f"**Waste{_of_own(image)}:** {_causes(image)}", ""]
        lines += ["| bytes | cause | layer | hidden by | path |", "|--:|---|--:|--:|---|"]
        lines += [
            f"| {size(row['bytes'])} | {row['cause']} | {row['layer']} | {row['hidden_by']} | {md(path_of(row))} |"
            for row in shown
        ]
    if image["advice"]:
        lines += ["", "**Advice:**", ""]
        lines += [f"- {weight(row)}: {md(told(row) + _base(image, row))}" for row in image["advice"][:_TOP_ADVICE]]
    return "\n".join(lines) + "\n"
