"""The versions of an image, and what each step from one to the next transfers."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dataclass import dataclass
from lamina.figures.sharing import SetMember, pull_cost
from lamina.model import ImageInfo


@dataclass(frozen=True, slots=True)
class TagStep:
    """One version."""

    tag: str
    """Untrusted."""
    info: ImageInfo
    size: int
    """Bytes that pulling it transfers where nothing of it is there."""
    update: int | None
    """The same where the version before it is there; None for the first."""
    before: str | None
    """The tag of that version."""


def tag_steps(images: Sequence[tuple[str, ImageInfo]]) -> list[TagStep]:
    """The steps of some versions.

    Args:
        images: (tag, image), the oldest first.
    """
    steps: list[TagStep] = []
    for tag, info in images:
        last = steps[-1] if steps else None
        update = None if last is None else pull_cost(_member(info), _member(last.info)).bytes
        size = pull_cost(_member(info), SetMember((), (), ())).bytes
        steps.append(TagStep(tag, info, size, update, None if last is None else last.tag))
    return steps


def _member(info: ImageInfo) -> SetMember:
    sizes = tuple(layer.blob_size or 0 for layer in info.layers)
    return SetMember(info.layers, sizes, sizes)
