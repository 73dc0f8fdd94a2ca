"""The document of ``lamina shared``: heads of images, and what they share."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.figures.image import LoadedImage
from lamina.figures.sharing import as_transferred
from lamina.model import KnownImage
from lamina.reports.image import SCHEMA
from lamina.reports.json_text import Json, plain_text
from lamina.reports.sharing import head, sharing_as_transferred, sharing_of, sharing_of_engines, sharing_of_known


def build(images: Sequence[LoadedImage]) -> Json:
    """The heads of some read images and what they share, as ``lamina shared TARGET... --json`` prints it."""
    return {
        "schema": SCHEMA,
        "images": [{**head(image.info), "size": image.size} for image in images],
        "sharing": sharing_of(images),
    }


def build_known(images: Sequence[KnownImage]) -> Json:
    """The same of an engine's images, from what the engine tells: no layer is read, so no pull cost is known."""
    return {
        "schema": SCHEMA,
        "images": [known_head(image) for image in images],
        "sharing": sharing_of_known(images),
    }


def build_unread(images: Sequence[KnownImage]) -> Json:
    """The same from manifests and configs alone: every ``size`` is of blobs, as they are transferred."""
    return {
        "schema": SCHEMA,
        "sizes": "transferred",
        "images": [{**known_head(image), "size": as_transferred(image).size} for image in images],
        "sharing": sharing_as_transferred(images),
    }


def build_engines(engines: Sequence[tuple[str, Sequence[KnownImage]]]) -> Json:
    """What the images of several engines have in common: (engine, its images) each.

    As :func:`build_known` of all of them; but what lies on a disk, and is freed there, is each engine's own. ``common``
    is the bytes of the layers that every engine has, each once.
    """
    return {
        "schema": SCHEMA,
        "images": [{**known_head(image), "engine": plain_text(name)} for name, images in engines for image in images],
        "sharing": sharing_of_engines(engines),
    }


def known_head(image: KnownImage) -> Json:
    """What a source tells of an image without reading it."""
    return {
        "target": plain_text(image.summary.target),
        "tags": [plain_text(tag) for tag in image.summary.tags],
        "id": plain_text(image.summary.id),
        "platform": None,
        "created": plain_text(image.summary.created),
        "size": image.size,
        "containers": image.containers,
    }
