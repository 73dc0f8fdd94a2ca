"""The small frozen types everything else speaks in.

Terms are those of the OCI image specification. Sizes are bytes, always ``int``;
a size nobody knows is ``None``, never 0.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from lamina.dataclass import dataclass
from lamina.errors import Cancelled, LaminaError
from lamina.names import same_reference

__all__ = [
    "Cancelled",
    "Cause",
    "Change",
    "ContainerInfo",
    "ImageInfo",
    "ImageSummary",
    "Kind",
    "KnownImage",
    "LaminaError",
    "LayerInfo",
    "Progress",
]


class Kind(enum.IntEnum):
    """What a tar member is; 0 to 6 are the digits of the ustar type flag."""

    FILE = 0
    HARDLINK = 1
    SYMLINK = 2
    CHAR = 3
    BLOCK = 4
    DIR = 5
    FIFO = 6
    WHITEOUT = 7
    OPAQUE = 8


class Change(enum.IntEnum):
    """What became of a path between two states of the file system."""

    UNCHANGED = 0
    ADDED = 1
    MODIFIED = 2
    METADATA = 3
    REMOVED = 4

    @property
    def mark(self) -> str:
        """One ASCII cell: never colour alone tells a change."""
        return " +Mm-"[self]


class Cause(enum.IntEnum):
    """Why bytes that a layer ships are reached by no name in the final file system."""

    OVERWRITTEN = 0
    METADATA = 1
    IDENTICAL = 2
    REMOVED = 3
    OPAQUE = 4
    REPLACED = 5

    @property
    def word(self) -> str:
        """The word the JSON report uses."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What an image's manifest and config say of one layer, before a byte of it is read."""

    index: int
    diff_id: str
    """Digest of the uncompressed tar, ``sha256:<hex>``."""
    chain_id: str
    digest: str | None = None
    """Digest of the blob as stored or transferred; None where the source has none."""
    blob_size: int | None = None
    """Bytes of the blob as stored or transferred."""
    instruction: str = ""
    """The history row's ``created_by``, whole and raw: untrusted text."""
    created: str | None = None
    """RFC 3339, as the history row has it."""
    writable: bool = False
    """A container's read/write layer: it has no digests, ``diff_id`` only tells it from others."""


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """One container: an image that is run, with a read/write layer on top."""

    id: str
    name: str
    """Untrusted, as all that an engine tells."""
    image: str
    """What it was made from, as it was asked for then."""
    state: str
    """The engine's word: ``running``, ``exited``, ``created``…"""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One image's head: everything its manifest and config tell."""

    target: str
    """How the image was asked for, or can be asked for again."""
    id: str
    """Digest of the config, ``sha256:<hex>``; an engine's own image Id where it has one."""
    layers: tuple[LayerInfo, ...]
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    """Repository digests, ``name@sha256:<hex>``."""
    platform: str = "unknown"
    created: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The image config as parsed JSON: untrusted."""
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Its manifest's (OCI image spec, annotations.md), where the source has one: untrusted."""
    container: ContainerInfo | None = None
    """The container whose image and read/write layer these are; None for an image."""

    @property
    def blob_size(self) -> int | None:
        """Bytes of all layers as they are stored or transferred; None where that of one is unknown."""
        sizes = [layer.blob_size for layer in self.layers]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """One row of a source's list of images, known without reading any layer."""

    target: str
    """What to hand to ``Source.read`` to open this image."""
    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...] = ()
    created: str | None = None
    size: int | None = None
    """Bytes as the source states them (an engine's own figure), None where it states none."""
    layers: int | None = None
    container: ContainerInfo | None = None
    """Of a container: ``size`` is then of its read/write layer alone."""

    def is_called(self, name: str) -> bool:
        """Whether a user's name means this image: its target, a tag however it is written, or a (short) ID."""
        return (
            name == self.target
            or any(same_reference(tag, name) for tag in self.tags)
            or (len(name) >= 4 and self.id.removeprefix("sha256:").startswith(name.removeprefix("sha256:")))
        )


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What a source tells of one image and its layers."""

    summary: ImageSummary
    layers: tuple[LayerInfo, ...]
    sizes: tuple[int | None, ...]
    """Bytes of each layer as the source states them; None where it doesn't tell, or not which layer a size is of."""
    containers: int = 0
    """How many containers, running or not, were made from it."""

    @property
    def dangling(self) -> bool:
        """Whether no tag leads to it."""
        return not self.summary.tags

    @property
    def size(self) -> int | None:
        """Bytes of all layers; the source's own sum where a layer's size is not known."""
        known = [size for size in self.sizes if size is not None]
        return sum(known) if len(known) == len(self.sizes) else self.summary.size


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading has come."""

    done: int
    """Bytes read from the source."""
    total: int | None
    """Bytes to read, None where nobody knows."""
    what: str
    """A short phrase: ``layer 3 of 11``, ``waiting for the engine``."""
