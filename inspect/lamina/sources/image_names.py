"""What to call each image of a store: by its tag, else by its file or folder."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """What a table of contents tells of one image, before any of its documents is read."""

    tags: tuple[str, ...]
    digest: str
    """Of its config or manifest, ``sha256:<hex>``; "" where the table names none."""
    platform: str = ""


def image_names(images: Sequence[Known], store: str) -> list[str]:
    """A name for each image, no two alike: what to ask for it by, and what people read.

    Its tag; without one the store's own name. Where several have it, also the platform if that tells them apart, else
    the first digits of the digest.

    Args:
        images: of one store.
        store: the name of its file or folder.
    """
    first = [image.tags[0] if image.tags else "" for image in images]
    alike: dict[str, list[str]] = {}
    for image, name in zip(images, first, strict=True):
        alike.setdefault(name, []).append(image.platform)
    by_platform = {name: "" not in found and len(set(found)) == len(found) for name, found in alike.items()}
    taken: set[str] = set()
    names: list[str] = []
    for place, (image, tag) in enumerate(zip(images, first, strict=True)):
        name = tag or store
        if len(alike[tag]) > 1 or (not tag and len(images) > 1):
            name = f"{name} ({image.platform if by_platform[tag] else _short(image, place)})"
        names.append(name if name not in taken else f"{name} ({place})")
        taken.add(names[-1])
    return names


def _short(image: Known, place: int) -> str:
    return image.digest.rpartition(":")[2][:12] or f"image {place}"
