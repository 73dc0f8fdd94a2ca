"""Which of an image's layers came with the image that it was built from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lamina.dataclass import dataclass
from lamina.model import ImageInfo, LaminaError
from lamina.names import display_name, same_reference

if TYPE_CHECKING:
    from lamina.model import LayerInfo

_RUNS = re.compile(r"(?:.*#\(nop\)\s+)?(?:CMD|ENTRYPOINT)\b", re.DOTALL)
"""How the classic builder and BuildKit write, in a history, what an image runs."""

_LOOKED_AT = 4096  # characters of a row

_NAME, _DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
"""OCI image spec, annotations.md: the image that this one is based on. Builders write them as labels too."""


@dataclass(frozen=True, slots=True)
class BaseUpdate:
    """What its registry has by now under a base's name."""

    moved_on: bool
    """Whether that is another image."""
    layers: int
    """How many of its layers the image that was built on the base has not."""
    bytes: int | None
    """Of those as they are transferred; None where the registry doesn't tell."""
    created: str | None
    """When it was built, RFC 3339."""


@dataclass(frozen=True, slots=True)
class Base:
    """What an image stands on."""

    layers: int
    """How many of its layers, from the lowest, are the base's; at least one, and not all."""
    by: str
    """What tells of it, the surest first: ``flag`` (the user), ``annotation`` (the image names it, and it is at hand
    with just these layers), ``image`` (an image at hand has just these layers), ``history``."""
    name: str | None = None
    """What it is called, where that is known: untrusted."""
    update: BaseUpdate | None = None
    """Where its registry was asked."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image at hand that others may be built on."""

    names: tuple[str, ...]
    """What it is called; the first is shown."""
    digests: tuple[str, ...]
    """Its manifest's, ``name@sha256:<hex>`` or bare."""
    diff_ids: tuple[str, ...]


def candidate(target: str, tags: Sequence[str], digests: Sequence[str], layers: Iterable[LayerInfo]) -> Candidate:
    """An image as something that others may be built on.

    Args:
        target: how it is asked for.
        tags: its names.
        digests: its repository digests.
        layers: all of them.
    """
    diff_ids = tuple(layer.diff_id for layer in layers if not layer.writable)
    return Candidate(tuple(tags) or (target,), tuple(digests), diff_ids)


def base_of(info: ImageInfo, candidates: Iterable[Candidate] = ()) -> Base | None:
    """An image's base: by its own annotation, by the images at hand, by its history; None where none of them tells.

    Args:
        info: the image's head, with its config.
        candidates: images at hand; the image itself among them does no harm.
    """
    own = tuple(layer.diff_id for layer in info.layers if not layer.writable)
    below = [
        each for each in candidates if 0 < len(each.diff_ids) < len(own) and own[: len(each.diff_ids)] == each.diff_ids
    ]
    told, digest = _told(info)
    for each in below:
        if (told is not None and any(same_reference(name, told) for name in each.names)) or (
            digest is not None and any(known.rpartition("@")[2] == digest for known in each.digests)
        ):
            return Base(len(each.diff_ids), "annotation", told or each.names[0])
    if below:
        # The nearest: a base that has a base is the one that was built on.
        nearest = max(below, key=lambda each: len(each.diff_ids))
        return Base(len(nearest.diff_ids), "image", nearest.names[0])
    found = _by_history(info)
    return None if found is None else Base(found, "history", told)


def base_of_layers(info: ImageInfo, layers: int) -> Base:
    """A base of as many layers as the user says.

    Raises:
        LaminaError: the image has not that many, or no others.
    """
    count = sum(not layer.writable for layer in info.layers)
    if not 0 < layers < count:
        raise LaminaError(
            f"--base {layers}: {display_name(info.target)} has {count} layer{'s' if count != 1 else ''}, "
            "of which a base has at least one and not all"
        )
    return Base(layers, "flag", _told(info)[0])


def base_of_image(info: ImageInfo, name: str, named: Sequence[Candidate]) -> Base:
    """The base that the user names.

    Args:
        info: the image's head.
        name: what the user calls the base.
        named: the images of that name: one, or those of an archive.

    Raises:
        LaminaError: the image is built on none of them.
    """
    own = tuple(layer.diff_id for layer in info.layers if not layer.writable)
    shared = [_shared(own, each.diff_ids) for each in named]
    fits = [count for count, each in zip(shared, named, strict=True) if 0 < count == len(each.diff_ids) < len(own)]
    if not fits:
        best = max(range(len(named)), key=lambda at: shared[at])
        raise LaminaError(
            f"{display_name(info.target)} is not built on {display_name(name)}: "
            f"it has the lowest {shared[best]} of the {len(named[best].diff_ids)} layers of that"
        )
    return Base(max(fits), "flag", name)


def update_of(info: ImageInfo, base: Base, now: Sequence[LayerInfo], created: str | None) -> BaseUpdate:
    """What has become of a base.

    Args:
        info: the image that was built on it.
        base: which of its layers are the base's.
        now: the layers that the base's name leads to by now.
        created: when that was built.
    """
    then = [layer.diff_id for layer in info.layers[: base.layers]]
    new = [layer for layer in now if layer.diff_id not in then]
    sizes = [layer.blob_size for layer in new]
    known = [size for size in sizes if size is not None]
    return BaseUpdate(
        moved_on=[layer.diff_id for layer in now] != then,
        layers=len(new),
        bytes=sum(known) if len(known) == len(sizes) else None,
        created=created,
    )


def _shared(own: Sequence[str], other: Sequence[str]) -> int:
    """How many layers two stacks have in common, from the lowest."""
    return next((at for at, (a, b) in enumerate(zip(own, other, strict=False)) if a != b), min(len(own), len(other)))


def _told(info: ImageInfo) -> tuple[str | None, str | None]:
    """Name and digest of the base as the image itself tells them."""
    config = info.config.get("config")
    labels = config.get("Labels") if isinstance(config, Mapping) else None

    def told(key: str) -> str | None:
        for words in (info.annotations, labels):
            value = words.get(key) if isinstance(words, Mapping) else None
            if isinstance(value, str) and value:
                return value
        return None

    return told(_NAME), told(_DIGEST)


def _by_history(info: ImageInfo) -> int | None:
    """How many layers are a base's by the history.

    What an image runs is said last when it is built: where layers come after a CMD or an ENTRYPOINT, what was there
    before was an image of its own. A build that says it early is taken for one on a base.
    """
    history = info.config.get("history")
    count = sum(not layer.writable for layer in info.layers)
    layers = found = 0
    said = 0  # layers below the CMD or ENTRYPOINT that came last
    for row in history if isinstance(history, list) else ():
        if not isinstance(row, Mapping):
            return None
        made = row.get("created_by")
        if row.get("empty_layer") is not True:
            layers, found = layers + 1, said
        elif isinstance(made, str) and _RUNS.match(made[:_LOOKED_AT]):
            said = layers
    return found if 0 < found < count == layers else None
