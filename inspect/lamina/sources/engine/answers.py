"""What an engine answers about its images, in lamina's own types."""

from __future__ import annotations

import datetime as dt
import enum
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from lamina import limits
from lamina.model import ContainerInfo, ImageInfo, ImageSummary, LaminaError
from lamina.sources.json_checks import is_digest, list_of, object_of, quoted, string_of, strings_of
from lamina.sources.manifest import Config, image_info, platform_name

_SETTINGS = re.compile(
    r"(?:/bin/sh -c )?(?:#\(nop\)\s*)?"
    r"(?:CMD|ENTRYPOINT|ENV|LABEL|EXPOSE|USER|ARG|VOLUME|MAINTAINER|HEALTHCHECK|STOPSIGNAL|SHELL|ONBUILD)\b"
)


_MOST = 1 << 62
"""Of any number: sums of some stay in what a database and a column can hold."""


def count_of(value: Any) -> int | None:
    """Bytes or seconds; None for whatever is no such number."""
    return value if type(value) is int and 0 <= value < _MOST else None


def id_of(row: Mapping[str, Any], what: str) -> str:
    """The ID of an image or a container.

    Raises:
        LaminaError: there is none.
    """
    found = string_of(row.get("Id"), what, "Id")
    if not found:
        raise LaminaError(f"{what}: no Id")
    return found


def names_of(values: Any, what: str, key: str) -> tuple[str, ...]:
    """Tags or digests without the engine's word for having none."""
    return tuple(name for name in strings_of(values, what, key) if "<none>" not in name)


def summary_of(row: Mapping[str, Any]) -> ImageSummary:
    """One row of an engine's list of images.

    Raises:
        LaminaError: it is no such row.
    """
    what = "the engine's list of images"
    tags, id_ = names_of(row.get("RepoTags"), what, "RepoTags"), id_of(row, what)
    return ImageSummary(
        target=tags[0] if tags else id_,
        id=id_,
        tags=tags,
        digests=names_of(row.get("RepoDigests"), what, "RepoDigests"),
        created=_time(row.get("Created")),
        size=count_of(row.get("Size")),
    )


def newest_first(summaries: Iterable[ImageSummary]) -> list[ImageSummary]:
    """As engines list images; those of one second, which engines give in any order, by name."""
    by_name = sorted(summaries, key=lambda summary: (summary.target, summary.id))
    return sorted(by_name, key=lambda summary: summary.created or "", reverse=True)


def _time(seconds: Any) -> str | None:
    if type(seconds) is not int:
        return None
    try:
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def info_of(target: str, inspected: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> ImageInfo:
    """What the engine says of an image, before anything of it is read.

    Raises:
        LaminaError: it says too little, or what no engine says.
    """
    what = f"what the engine says of {quoted(target)}"
    diff_ids = list_of(object_of(inspected.get("RootFS"), what, "RootFS").get("Layers"), what, "RootFS.Layers")
    if not all(is_digest(diff_id) for diff_id in diff_ids):
        raise LaminaError(f"the engine tells no digests of the layers of {quoted(target)}")
    keys = ("Os", "Architecture", "Variant")
    steps = line_up(history, len(diff_ids))
    config = Config(
        diff_ids=tuple(diff_ids),
        steps=tuple((step.instruction, step.created) for step in steps),
        platform=platform_name({key.lower(): inspected.get(key) for key in keys}, what),
        created=string_of(inspected.get("Created"), what, "Created") or None,
        raw={"config": object_of(inspected.get("Config"), what, "Config")},
    )
    return image_info(
        config,
        target=target,
        image_id=id_of(inspected, what),
        tags=names_of(inspected.get("RepoTags"), what, "RepoTags"),
        digests=names_of(inspected.get("RepoDigests"), what, "RepoDigests"),
    )


def storage_root(engine_info: Mapping[str, Any]) -> str | None:
    """Where an engine says that it keeps what it has; None where that is no folder's name."""
    root = engine_info.get("DockerRootDir")
    if not isinstance(root, str) or not root.startswith("/") or "\0" in root:
        return None
    try:
        os.fsencode(root)
    except UnicodeEncodeError:
        return None
    return root


class Changed(enum.IntEnum):
    """What became of a path in a container, by the numbers of the engine's API."""

    MODIFIED = 0
    ADDED = 1
    DELETED = 2


def changes_of(rows: Sequence[Mapping[str, Any]]) -> list[tuple[bytes, Changed]]:
    """An engine's list of a container's changes: (absolute path, what became of it).

    Raises:
        LaminaError: a row is none.
    """
    what = "the engine's list of changes"
    found = []
    for row in rows:
        path, kind = string_of(row.get("Path"), what, "Path"), row.get("Kind")
        try:
            raw = path.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half a pair, as JSON may have it
            raw = b""
        if not raw.startswith(b"/") or len(path) > limits.PATH or type(kind) is not int or kind not in (0, 1, 2):
            raise LaminaError(f"{what}: {quoted(path) or 'a row'} is no change of a path")
        found.append((raw, Changed(kind)))
    return found


def container_of(inspected: Mapping[str, Any], name: str) -> tuple[ContainerInfo, str]:
    """What an engine says of one container: (the container, the ID of its image).

    Raises:
        LaminaError: it says too little.
    """
    what = f"what the engine says of container {quoted(name)}"
    config = object_of(inspected.get("Config"), what, "Config")
    state = object_of(inspected.get("State"), what, "State")
    image_id = string_of(inspected.get("Image"), what, "Image")
    if not image_id:
        raise LaminaError(f"{what}: no image")
    info = ContainerInfo(
        id=id_of(inspected, what),
        name=string_of(inspected.get("Name"), what, "Name").removeprefix("/") or name,
        image=string_of(config.get("Image"), what, "Config.Image") or image_id,
        state=string_of(state.get("Status"), what, "State.Status") or "unknown",
    )
    return info, image_id


def container_summary_of(row: Mapping[str, Any]) -> ImageSummary:
    """One row of an engine's list of containers.

    Raises:
        LaminaError: it is no such row.
    """
    what = "the engine's list of containers"
    id_ = id_of(row, what)
    names = [name.removeprefix("/") for name in strings_of(row.get("Names"), what, "Names")]
    # A link of another container to it is among its names, with a slash.
    name = next((name for name in names if name and "/" not in name), id_[:12])
    return ImageSummary(
        target=f"container:{name}",
        id=id_,
        tags=(),
        created=_time(row.get("Created")),
        size=count_of(row.get("SizeRw")),
        container=ContainerInfo(
            id=id_,
            name=name,
            image=string_of(row.get("Image"), what, "Image"),
            state=string_of(row.get("State"), what, "State") or "unknown",
        ),
    )


class Step(NamedTuple):
    """What an engine's history says of one layer."""

    instruction: str
    created: str | None
    size: int | None
    """Bytes of the layer's files; None where the history can't be lined up with the layers."""


def line_up(history: Sequence[Mapping[str, Any]], count: int) -> list[Step]:
    """The row of each layer, from the history that an engine's API gives.

    Unlike the config's, these rows (newest first) don't tell which of them made a layer. Rows with a size did; of the
    others those that only change settings go first, then all without a size. Where that doesn't come out even,
    nothing is said: a wrong instruction beside a layer is worse than none.
    """
    what = "the engine's history"
    rows = [
        (string_of(row.get("CreatedBy"), what, "CreatedBy"), _time(row.get("Created")), count_of(row.get("Size")))
        for row in reversed(history)
    ]
    settings = [not size and _SETTINGS.match(by) is not None for by, _, size in rows]
    sizeless = [not size for _, _, size in rows]
    for drop in ([False] * len(rows), settings, sizeless):
        if len(rows) - sum(drop) == count:
            return [Step(*row) for row, dropped in zip(rows, drop, strict=True) if not dropped]
    return [Step("", None, None)] * count
