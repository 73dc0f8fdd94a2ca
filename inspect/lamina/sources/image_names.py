"""What to call each image of a store: by its tag, else by its file or folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """What a table of contents tells of one image, before any of its documents is read."""

    tags: tuple[str, ...]
    digest: str
    """Of its config or manifest, ``sha256:<hex>``; "" where the table names none."""
    platform: str = ""


def image_names(images: Sequence[Known], store: str) -> list[str]:
    """A name for each image, no two alike: what to ask for it by, and what people read.

    A tag that no other image has. Without one the store's own name, and where several have none also the platform, if
    that tells them apart, or else the first digits of the digest.

    Args:
        images: of one store.
        store: the name of its file or folder.
    """
    first = [image.tags[0] if image.tags else "" for image in images]
    times = Counter(first)
    taken: set[str] = set()
    unnamed = [image for image, name in zip(images, first, strict=True) if not name]
    platforms = [image.platform for image in unnamed]
    by_platform = "" not in platforms and len(set(platforms)) == len(platforms)
    names: list[str] = []
    for place, (image, tag) in enumerate(zip(images, first, strict=True)):
        if tag:
            name = tag if times[tag] == 1 else f"{tag} ({_short(image, place)})"
        elif len(images) == 1:
            name = store
        else:
            name = f"{store} ({image.platform if by_platform else _short(image, place)})"
        names.append(name if name not in taken else f"{name} ({place})")
        taken.add(names[-1])
    return names


def _short(image: Known, place: int) -> str:
    return image.digest.rpartition(":")[2][:12] or f"image {place}"
