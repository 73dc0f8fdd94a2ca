"""What a rule finds, and what a rule is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lamina.advice.examined import Examined
from lamina.advice.model import Severity
from lamina.dataclass import dataclass
from lamina.model import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What becomes an advice once its rule's name is added; see :class:`lamina.advice.model.Advice`."""

    text: str
    do: str
    rows: NDArray[np.int32]
    """Of the path table, largest first."""
    layers: tuple[int, ...]
    saves: int = 0
    changes: int | None = None
    hidden_by: int | None = None
    cause: Cause | None = None
    severity: Severity | None = None
    """None: by the bytes."""


class Rule(ABC):
    """Looks for one kind of thing.

    A subclass's docstring is its documentation: the first line stands in tables, all of it in ``.github/RULES.md``.
    """

    name: ClassVar[str]
    """A word to script against."""
    most: ClassVar[Severity] = Severity.HIGH
    """No advice of it is more severe than this, however many bytes it is about."""

    def wanted(self, image: Examined) -> NDArray[np.int32]:
        """The files whose first bytes it wants to see: inodes, the most telling first."""
        del image
        return np.zeros(0, dtype=np.int32)

    @abstractmethod
    def find(self, image: Examined) -> Iterator[Finding]:
        """What there is of it; bytes that are told are claimed."""
