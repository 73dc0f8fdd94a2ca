"""What is known of an image's packages."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from lamina.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MANAGERS = ("dpkg", "apk", "rpm", "python", "npm", "gem", "go")
"""Whose records are read; of what two of them claim, the first is taken for the owner."""


@dataclass(frozen=True, slots=True)
class LayerBytes:
    """A package's part of one layer. Bytes."""

    layer: int
    bytes: int
    """Visible ones that this layer ships."""
    wasted: int
    """Wasted ones that this layer ships."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package; its bytes are those of its files as the layers have them, never what a database states."""

    manager: str
    """One of :data:`MANAGERS`."""
    name: str
    """As its manager writes it: untrusted."""
    version: str
    """Likewise; empty where no record tells."""
    path: bytes | None
    """The folder, or the one file, that it is; None where its manager keeps a list of files anywhere."""
    size: int
    """Of its files (inodes) in the final file system."""
    wasted: int
    """Of wasted files at its paths."""
    files: int
    """Its files in the final file system, each inode once."""
    layers: tuple[LayerBytes, ...]
    """Those that ship any of its bytes, the lowest first."""
    installed: bool = True
    """Whether the final file system has its record; else only a lower layer has."""
    within: str | None = None
    """The package that owns its files, ``dpkg:python3-six``, where another manager has installed all of it."""

    @property
    def layer(self) -> int | None:
        """The layer that brought most of it; None where it has no bytes."""
        return max(self.layers, key=lambda part: (part.bytes, part.wasted, -part.layer)).layer if self.layers else None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read: what it would have told is missing, all else stands."""

    manager: str
    path: bytes
    reason: str
    """For people; holds no text from the image."""


@dataclass(frozen=True, slots=True)
class Database:
    """What a manager keeps of its own: an instruction that installs anything writes all of some of it again."""

    manager: str
    size: int
    """Of its files in the final file system: part of what no package owns."""
    wasted: int
    """Of earlier versions of these files."""


@dataclass(frozen=True, slots=True)
class PackageTable:
    """All packages of an image. The sum of their sizes and of :attr:`unowned` is what is visible."""

    packages: tuple[Package, ...]
    """Most bytes first, then most wasted, then by manager and name."""
    unowned: int
    """Bytes of the final file system that no package owns."""
    unowned_by_folder: tuple[tuple[bytes, int], ...]
    """The same by top folder, most bytes first; empty for the root itself."""
    claimed_twice: int
    """Bytes of files that more than one package claims; they are counted once."""
    databases: tuple[Database, ...]
    unreadable: tuple[Unreadable, ...]
    owner: NDArray[np.int32] = field(repr=False)
    """Per row of the image's path table: the place in :attr:`packages` of who owns what stands there, or stood there
    last; -1 for nobody."""
