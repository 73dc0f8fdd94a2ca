"""What a piece of advice says."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.model import Cause
from lamina.stack.paths import PathTable


class Severity(enum.IntEnum):
    """How much an advice matters; see :func:`by_bytes`."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """The word that reports and options use."""
        return self.name.lower()


_LEVELS = (
    (Severity.HIGH, 10, 500_000_000),
    (Severity.MEDIUM, 3, 100_000_000),
    (Severity.LOW, 1, 10_000_000),
)
"""Severity, from how many percent of an image on, or from how many bytes on however large it is."""


def by_bytes(saves: int, size: int) -> Severity:
    """How much some bytes matter: ``high`` from 10 % of the image or 500 MB on, ``medium`` from 3 % or 100 MB on,
    ``low`` from 1 % or 10 MB on, else ``info``.

    Args:
        saves: bytes.
        size: of the image, bytes.
    """  # noqa: D205 - the levels are the summary
    for severity, percent, absolute in _LEVELS:
        if saves and (saves * 100 >= size * percent or saves >= absolute):
            return severity
    return Severity.INFO


def floor(size: int) -> int:
    """Bytes that are the least to speak of: a thousandth of an image, and 4 KiB.

    Args:
        size: of the image, bytes.
    """
    return max(4096, size // 1000)


@dataclass(frozen=True, slots=True, eq=False)
class AdvisedPaths(Sequence[bytes]):
    """The paths that an advice is about, largest first; each is made when it is asked for. Without a leading slash."""

    rows: NDArray[np.int32]
    """Rows of :attr:`table`."""
    table: PathTable = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]  # no slices: see :meth:`first`
        return self.table.path(int(self.rows[index]))

    def first(self, count: int) -> list[bytes]:
        """Some of them, from the first on."""
        return self.table.texts(self.rows[:count])


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing worth doing, or worth knowing."""

    rule: str
    """The name of the rule that found it: a word to script against."""
    severity: Severity
    saves: int
    """Bytes that following it saves, exactly; no byte is in two of them."""
    layers: tuple[int, ...]
    """Those that ship what it is about."""
    changes: int | None
    """The layer whose instruction is to be changed; None where that is several layers', or none's."""
    hidden_by: int | None
    """Of waste: the layer that took the last name away; may be the one that ships it."""
    paths: AdvisedPaths = field(compare=False)
    text: str
    """What is the matter, for people; holds no text from the image."""
    do: str
    """What to write instead, for people. It may quote an instruction, made safe to show."""
    cause: Cause | None = None
    """Of waste: why."""
    in_base: bool = False
    """Whether only who builds the image's base can follow it."""

    @property
    def layer(self) -> int | None:
        """The layer that ships what it is about; None where that are several, or none."""
        return self.layers[0] if len(self.layers) == 1 else None
