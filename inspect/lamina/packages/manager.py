"""What every package manager's records are read by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.packages.path_lookup import PathLookup
from lamina.stack.paths import PathTable


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows of the path table whose files are records."""

    rows: Sequence[int]
    most: int
    """Bytes that such a file may have; a larger one is not read."""
    head: bool = False
    """Whether its first :attr:`most` bytes will do, however large it is."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as one layer has it."""

    row: int
    """Of the path table."""
    data: bytes


@dataclass(slots=True)
class Found:
    """A package, and which paths it claims."""

    name: str
    version: str
    path: bytes | None = None
    """See :class:`lamina.packages.model.Package`."""
    claims: list[bytes] = field(default_factory=list)
    """Paths, ``usr/lib/x``; what is not there does no harm."""
    rows: NDArray[np.int32] | None = None
    """Paths that are known by their rows."""


Tell = Callable[[int, str], None]
"""Gets the row of a record that can't be read, and why, in words that hold no text from the image."""


class Manager(ABC):
    """Reads what one package manager has written down.

    Args:
        lookup: where paths stand in the image.
        tell: is told what can't be read.
    """

    name: ClassVar[str]
    """One of :data:`lamina.packages.model.MANAGERS`."""
    homes: ClassVar[Sequence[bytes]] = ()
    """The folders that it keeps its own files in; none where each package has its records in itself."""

    def __init__(self, lookup: PathLookup, tell: Tell) -> None:
        self._lookup = lookup
        self._paths = lookup.paths
        self.tell = tell

    @abstractmethod
    def wanted(self) -> Iterable[Wanted]:
        """Which files are its records, in whatever layer."""

    @abstractmethod
    def found(self, records: Sequence[Record]) -> Iterator[Found]:
        """The packages that records tell of: those of one file system, or those that one layer takes away.

        Args:
            records: by row; files that could not be read are not among them.
        """


def folders_called(paths: PathTable, places: Sequence[bytes]) -> list[int]:
    """The rows of some well-known paths, where any layer has them."""
    return [row for place in places if (row := paths.find(place)) is not None]


def text(data: bytes) -> str:
    """A name or version as text; what is not UTF-8 can be written back."""
    return data.strip().decode("utf-8", "surrogateescape")


def fields(data: bytes, names: Sequence[bytes], most: int = 1 << 16) -> dict[bytes, str]:
    """The first values of some header fields, as in a Python ``METADATA``: lines ``Name: value`` up to an empty one.

    Args:
        data: the document.
        names: lower case.
        most: bytes that are looked at.
    """
    found: dict[bytes, str] = {}
    for line in data[:most].split(b"\n"):
        if not line.strip():
            break
        name, colon, value = line.partition(b":")
        if colon and (key := name.lower()) in names:
            found.setdefault(key, text(value))
    return found
