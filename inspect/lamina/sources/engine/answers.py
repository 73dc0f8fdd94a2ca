"""What an engine answers about its images, in lamina's own types."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from lamina.model import ImageInfo, ImageSummary, LaminaError, LayerInfo
from lamina.sources.json_checks import is_digest, quoted
from lamina.sources.manifest import chain_ids, platform_name

_SETTINGS = re.compile(
    r"(?:/bin/sh -c )?(?:#\(nop\)\s*)?"
    r"(?:CMD|ENTRYPOINT|ENV|LABEL|EXPOSE|USER|ARG|VOLUME|MAINTAINER|HEALTHCHECK|STOPSIGNAL|SHELL|ONBUILD)\b"
)


def names_of(values: Any) -> tuple[str, ...]:
    """Tags or digests without the engine's word for having none."""
    return tuple(name for name in values or () if isinstance(name, str) and "<none>" not in name)


def summary_of(row: dict[str, Any]) -> ImageSummary:
    """One row of an engine's list of images."""
    tags, id_ = names_of(row.get("RepoTags")), str(row.get("Id", ""))
    created, size = row.get("Created"), row.get("Size")
    return ImageSummary(
        target=tags[0] if tags else id_,
        id=id_,
        tags=tags,
        digests=names_of(row.get("RepoDigests")),
        created=_time(created) if isinstance(created, int) else None,
        size=size if isinstance(size, int) and size >= 0 else None,
    )


def _time(seconds: int) -> str | None:
    try:
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def info_of(target: str, inspected: dict[str, Any], history: Sequence[dict[str, Any]]) -> ImageInfo:
    """What the engine says of an image, before anything of it is read."""
    diff_ids = (inspected.get("RootFS") or {}).get("Layers") or []
    if not all(is_digest(diff_id) for diff_id in diff_ids):
        raise LaminaError(f"the engine tells no digests of the layers of {quoted(target)}")
    chain = chain_ids(diff_ids)
    steps = line_up(history, len(diff_ids))
    keys = ("Os", "Architecture", "Variant")
    return ImageInfo(
        target=target,
        id=str(inspected.get("Id", "")),
        layers=tuple(
            LayerInfo(
                index=index,
                diff_id=diff_id,
                chain_id=chain[index],
                instruction=step.instruction,
                created=step.created,
            )
            for index, (diff_id, step) in enumerate(zip(diff_ids, steps, strict=True))
        ),
        tags=names_of(inspected.get("RepoTags")),
        digests=names_of(inspected.get("RepoDigests")),
        platform=platform_name({key.lower(): inspected.get(key) for key in keys}, "the engine's answer"),
        created=inspected.get("Created") or None,
        config={"config": inspected.get("Config") or {}},
    )


class Step(NamedTuple):
    """What an engine's history says of one layer."""

    instruction: str
    created: str | None
    size: int | None
    """Bytes of the layer's files; None where the history can't be lined up with the layers."""


def line_up(history: Sequence[dict[str, Any]], count: int) -> list[Step]:
    """The row of each layer, from the history that an engine's API gives.

    Unlike the config's, these rows (newest first) don't tell which of them made a layer. Rows with a size did; of the
    others those that only change settings go first, then all without a size. Where that doesn't come out even,
    nothing is said: a wrong instruction beside a layer is worse than none.
    """
    rows = [(str(r.get("CreatedBy") or ""), r.get("Created"), r.get("Size")) for r in reversed(history)]
    settings = [not size and _SETTINGS.match(by) is not None for by, _, size in rows]
    sizeless = [not size for _, _, size in rows]
    for drop in ([False] * len(rows), settings, sizeless):
        if len(rows) - sum(drop) == count:
            kept = [row for row, dropped in zip(rows, drop, strict=True) if not dropped]
            return [
                Step(by, _time(when) if isinstance(when, int) else None, size if isinstance(size, int) else None)
                for by, when, size in kept
            ]
    return [Step("", None, None)] * count
