"""An image's config and advice as lines of text. Everything in a config is untrusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lamina.figures.advice import advise
from lamina.figures.image import LoadedImage
from lamina.model import ImageInfo
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.widgets.text_pane import TextLine

_ORDER = (
    "User",
    "WorkingDir",
    "Entrypoint",
    "Cmd",
    "Env",
    "ExposedPorts",
    "Volumes",
    "StopSignal",
    "Shell",
    "Healthcheck",
    "OnBuild",
    "Labels",
)


def config_lines(info: ImageInfo) -> list[TextLine]:
    """What the image's head says, the runtime settings first."""
    lines = [TextLine(display_name(tag), "tag" if not index else "") for index, tag in enumerate(info.tags)]
    lines += [TextLine(display_name(digest), "" if index else "digest") for index, digest in enumerate(info.digests)]
    lines.append(TextLine(display_name(info.id), "id"))
    lines.append(TextLine(display_name(info.platform), "platform"))
    if info.created:
        age = texts.age(info.created)
        lines.append(TextLine(display_name(info.created) + (f" ({age} ago)" if age else ""), "created"))
    author = info.config.get("author")
    if isinstance(author, str) and author:
        lines.append(TextLine(display_name(author), "author"))
    settings = info.config.get("config")
    if isinstance(settings, Mapping):
        lines.append(TextLine(""))
        known = [key for key in _ORDER if key in settings]
        for key in [*known, *sorted(str(key) for key in settings if key not in _ORDER)]:
            lines += _setting(key, settings.get(key))
    return lines


def _setting(key: str, value: Any) -> list[TextLine]:
    """One setting; lists and maps take a line an item."""
    if value in (None, "", [], {}, False):
        return []
    label = display_name(key)[:24]
    if key in {"Entrypoint", "Cmd", "Shell"} and isinstance(value, list):
        return [TextLine(display_name(json.dumps(value, ensure_ascii=False)), label)]
    if isinstance(value, Mapping):
        items = [
            f"{name}={item}" if not isinstance(item, Mapping) or item else str(name) for name, item in value.items()
        ]
    elif isinstance(value, list):
        items = [str(item) for item in value]
    else:
        items = [str(value)]
    return [TextLine(display_name(item), "" if index else label) for index, item in enumerate(items)]


def advice_lines(image: LoadedImage) -> list[TextLine]:
    """What could be done better, the largest saving first."""
    found = advise(image)
    if not found:
        return [TextLine("nothing to advise: no layer hides much of another, and no cache was left behind")]
    lines: list[TextLine] = []
    for advice in found:
        lines += [TextLine(display_name(advice.text), texts.size_bytes(advice.bytes)), TextLine("")]
    return lines[:-1]
