"""An image's config and advice as lines of text. Everything in a config is untrusted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sized
from itertools import islice, takewhile
from typing import Any

from lamina.model import ImageInfo, LayerInfo
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.widgets.text_lines import LINE, SHOWN, TextLine, TextLines

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
_DEPTH = 16
"""Of the values in a config that are shown: healthchecks have two levels."""


def config_lines(info: ImageInfo) -> list[TextLine]:
    """What the image's head says, the runtime settings first."""
    lines = TextLines()
    lines.add_items(info.tags, len(info.tags), "tag")
    lines.add_items(info.digests, len(info.digests), "digest")
    lines.add(info.id, "id")
    lines.add(info.platform, "platform")
    if info.created:
        age = texts.age(info.created)
        lines.add(info.created + (f" ({age} ago)" if age else ""), "created")
    author = info.config.get("author")
    if isinstance(author, str) and author:
        lines.add(author, "author")
    settings = info.config.get("config")
    if isinstance(settings, Mapping):
        lines.blank()
        known = [key for key in _ORDER if key in settings]
        others = islice((key for key in settings if key not in _ORDER), SHOWN // LINE)
        for key in [*known, *sorted(others)]:
            if lines.full:
                lines.more()
                break
            _add_setting(lines, key, settings.get(key))
    return lines.lines


def _add_setting(lines: TextLines, key: str, value: Any) -> None:
    """One setting; lists and maps take a line an item."""
    if value in (None, "", [], {}, False):
        return
    label = display_name(key[:24])[:24]
    if key in {"Entrypoint", "Cmd", "Shell"} and isinstance(value, list):
        lines.add(text_of(value), label)
    elif isinstance(value, Mapping):
        items = (
            f"{name}={text_of(item)}" if not isinstance(item, Mapping) or item else str(name)
            for name, item in value.items()
        )
        lines.add_items(items, len(value), label)
    elif isinstance(value, list):
        lines.add_items(map(text_of, value), len(value), label)
    else:
        lines.add(text_of(value), label)


def text_of(value: Any) -> str:
    """A value of a config as text: what is no string as JSON, of which no more is made than can be shown."""
    if isinstance(value, str):
        return value
    return json.dumps(_Pruning().pruned(value), ensure_ascii=False)


class _Pruning:
    """Copies as much of a JSON value as can be shown: it may have a million members, or be as deep as the stack."""

    def __init__(self) -> None:
        self._left = SHOWN

    def pruned(self, value: Any, depth: int = 0) -> Any:
        """The value, with an ellipsis in place of what is too much."""
        self._left -= LINE
        if isinstance(value, str):
            head = value[: max(0, self._left)]
            self._left -= len(head)
            return head if len(head) == len(value) else f"{head}…"
        if not isinstance(value, list | Mapping):
            return value
        if depth == _DEPTH:
            return "…"
        if isinstance(value, list):
            items = [self.pruned(item, depth + 1) for item in takewhile(self._goes_on, value)]
            return items if len(items) == len(value) else [*items, _more(value, items)]
        members = {
            self.pruned(str(name)): self.pruned(item, depth + 1)
            for name, item in takewhile(self._goes_on, value.items())
        }
        return members if len(members) == len(value) else {**members, "…": _more(value, members)}

    def _goes_on(self, _: object) -> bool:
        return self._left > 0


def _more(value: Sized, shown: Sized) -> str:
    return f"… {texts.count(len(value) - len(shown))} more, not shown"


def layer_lines(layer: LayerInfo) -> list[TextLine]:
    """A layer's whole instruction, its digests and date."""
    lines = TextLines()
    lines.add_text(layer.instruction or "(no instruction)")
    lines.blank()
    lines.add(layer.diff_id, "diff_id")
    if layer.digest:
        lines.add(layer.digest, "digest")
    if layer.created:
        lines.add(layer.created, "created")
    return lines.lines
