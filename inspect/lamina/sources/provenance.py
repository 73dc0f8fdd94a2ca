"""BuildKit's provenance of an image: the Dockerfile, and where in it each layer was made.

It is an in-toto statement of SLSA, version 0.2 or 1 (BuildKit's documentation, attestations/slsa-provenance.md). Only
one that was made with ``mode=max`` has the Dockerfile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from lamina import limits
from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.sources.json_checks import kind_of, list_of, object_of, parse_object, string_of

STATEMENT = "application/vnd.in-toto+json"
PREDICATE = "https://slsa.dev/provenance/"
"""What the type of such a predicate begins with; its version follows."""

_BUILDKIT = "https://mobyproject.org/buildkit@v1#metadata"
"""Where version 0.2 keeps what version 1 keeps as ``buildkit_metadata``."""

Stack = tuple[str, ...]
"""Digests of blobs, the lowest layer's first."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of how an image was made."""

    file: str
    """The Dockerfile's name as the build had it, mostly without its folder: untrusted."""
    text: str
    """The Dockerfile: untrusted."""
    lines: Mapping[Stack, tuple[int, ...]]
    """By the layers that a step of the build came to: where the step is written, each line from 1."""


def parse_provenance(data: bytes, what: str) -> Provenance | None:
    """A statement; None where it doesn't have the Dockerfile.

    Args:
        data: the document.
        what: names it in errors.

    Raises:
        LaminaError: it is not of the right shape.
    """
    predicate = object_of(parse_object(data, what).get("predicate"), what, "predicate")
    metadata = object_of(object_of(predicate.get("runDetails"), what, "runDetails").get("metadata"), what, "metadata")
    notes = metadata.get("buildkit_metadata")
    if notes is None:
        notes = object_of(predicate.get("metadata"), what, "metadata").get(_BUILDKIT)
    notes = object_of(notes, what, "BuildKit's metadata")
    source = object_of(notes.get("source"), what, "source")
    infos = list_of(source.get("infos"), what, "source.infos")
    if not infos:
        return None
    info = object_of(infos[0], what, "source.infos[0]")
    if string_of(info.get("language"), what, "language") not in ("Dockerfile", ""):
        return None
    steps = object_of(source.get("locations"), what, "source.locations")
    lines = {step: tuple(_lines(object_of(told, what, step), what)) for step, told in steps.items()}
    found: dict[Stack, tuple[int, ...]] = {}
    layers = object_of(notes.get("layers"), what, "layers")
    # Of steps that come to the same layers the first has made them: step2 before step10.
    for output, stacks in sorted(layers.items(), key=lambda each: (len(each[0]), each[0])):
        step = output.rpartition(":")[0]
        for stack in list_of(stacks, what, f"layers of {output}"):
            digests = _digests(stack, what)
            if lines.get(step) and len(digests) <= limits.LAYERS:
                found.setdefault(digests, lines[step])
    return Provenance(string_of(info.get("filename"), what, "filename"), _text(info.get("data"), what), found)


def _lines(told: Mapping[str, Any], what: str) -> Iterator[int]:
    """Where a step begins; a step that several stages have is written in several places."""
    for location in list_of(told.get("locations"), what, "locations"):
        place = object_of(location, what, "a location")
        if place.get("sourceIndex", 0) != 0:  # another file than the first
            continue
        starts = [
            object_of(object_of(each, what, "a range").get("start"), what, "start").get("line")
            for each in list_of(place.get("ranges"), what, "ranges")
        ]
        numbers = [line for line in starts if isinstance(line, int) and not isinstance(line, bool)]
        if numbers:
            yield min(numbers)


def _digests(stack: object, what: str) -> Stack:
    return tuple(
        string_of(object_of(each, what, "a layer").get("digest"), what, "digest")
        for each in list_of(stack, what, "a stack of layers")
    )


def _text(data: object, what: str) -> str:
    if not isinstance(data, str):
        raise LaminaError(f"{what}: data must be a string, not {kind_of(data)}")
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        raise LaminaError(f"{what}: data is not base64") from None
