"""Which paths of an image have a text in their names: one rule for the tree's filter and for a search everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.stack.paths import PathTable


class NameSearch:
    """Looks through all names of a path table at once, ASCII letters of either case."""

    def __init__(self, paths: PathTable) -> None:
        self.paths = paths
        self._lower: NDArray[np.uint8] | None = None

    @property
    def lower(self) -> NDArray[np.uint8]:
        """All names in lower case, each between two NULs: that of row ``p`` starts at ``name_start[p] + 1``."""
        if self._lower is None:
            self._lower = np.frombuffer(b"\0" + self.paths.names.lower(), dtype=np.uint8)
        return self._lower

    def search(self, text: str) -> NDArray[np.bool_]:
        """By path id: whether the path is a match.

        Args:
            text: a substring of the name; ``a/b`` wants a name beginning with ``b`` right below one ending in ``a``.
        """
        *parents, last = text.split("/")
        found = self._containing(last, at_start=bool(parents)) if last else np.ones(self.paths.count, dtype=bool)
        above = self.paths.parent
        for distance, part in enumerate(reversed(parents)):
            if part:
                outermost = distance == len(parents) - 1
                found &= self._containing(part, at_start=not outermost, at_end=True)[above]
            above = self.paths.parent[above]
        return found

    def _containing(self, text: str, *, at_start: bool = False, at_end: bool = False) -> NDArray[np.bool_]:
        """Names that hold a text, optionally as their beginning or end."""
        pattern = pattern_of(text)
        pattern = (b"\0" if at_start else b"") + pattern + (b"\0" if at_end else b"")
        names = self.lower
        hits = np.zeros(len(names), dtype=bool)
        length = len(pattern)
        if not 0 < length <= len(names):
            return np.zeros(self.paths.count, dtype=bool)
        here = hits[: len(names) - length + 1]
        here[:] = names[: len(here)] == pattern[0]
        for offset in range(1, length):
            here &= names[offset : offset + len(here)] == pattern[offset]
        # A hit that begins with the NUL before a name belongs to that name: count it from there.
        starts = self.paths.name_start[:-1] if at_start else self.paths.name_start[:-1] + 1
        positions = np.flatnonzero(hits)
        owners = np.searchsorted(starts, positions, side="right") - 1
        found = np.zeros(self.paths.count, dtype=bool)
        found[owners] = True
        return found


def pattern_of(text: str) -> bytes:
    """The bytes of a name that was shown or typed, in lower case; of surrogates only those that stand for a byte
    have one.
    """  # noqa: D205
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = text.encode("utf-8", "surrogatepass")
    return encoded.lower().replace(b"\0", b"")
