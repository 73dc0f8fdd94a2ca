"""Names that fit a glob, looked for among all names of an image at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamina.stack.paths import PathTable

_SOME = rb"[^\0]*"
# One character of UTF-8, or a byte that is none. Atomic: a character that was taken is never taken apart.
_ONE = rb"(?>[\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff])"
_MOST_IN_SET = 10_000


class Globs:
    """Some globs, of which any has to fit: ``*``, ``?``, ``[a-z]``, ``[!a-z]``; a backslash takes the next as it is.

    Args:
        texts: the globs.
        fold: whether ASCII letters may be of either case.

    Raises:
        ValueError: a set of one of them has too many characters.
    """

    def __init__(self, texts: tuple[str, ...], *, fold: bool = False) -> None:
        any_of = b"|".join(map(_expression, texts))
        self._pattern = re.compile(rb"\0(?:" + any_of + rb")(?=\0)", re.IGNORECASE if fold else 0)

    def names(self, paths: PathTable) -> NDArray[np.bool_]:
        """By path: whether its last component fits."""
        return self._among(paths.names, paths.name_start[:-1])

    def whole(self, texts: list[bytes]) -> NDArray[np.bool_]:
        """For each of some paths: whether it fits from its beginning to its end."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
        starts = np.cumsum(lengths) - lengths
        return self._among(b"\0".join([*texts, b""]), starts)

    def _among(self, joined: bytes, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of texts that each end with a NUL: which fit."""
        found = np.zeros(len(starts), dtype=bool)
        # A hit begins with the NUL before its text, which one before them all makes up for.
        hits = np.fromiter((hit.start() for hit in self._pattern.finditer(b"\0" + joined)), dtype=np.int64)
        found[np.searchsorted(starts, hits)] = True
        return found


def fitting(paths: PathTable, globs: Sequence[str]) -> NDArray[np.bool_]:
    """By path: whether one of the globs fits, the whole path where the glob has a slash in it, else the name."""
    whole = tuple(glob.strip("/") for glob in globs if "/" in glob)
    names = tuple(glob for glob in globs if "/" not in glob)
    found = np.zeros(paths.count, dtype=bool)
    if names:
        found |= Globs(names).names(paths)
    if whole:
        found |= Globs(whole).whole(paths.texts(np.arange(paths.count, dtype=np.int32)))
    return found


def _expression(glob: str) -> bytes:
    """What matches the texts that a glob fits, whole."""
    parts = _between_stars(glob)
    # Text of UTF-8 can't be found in the middle of a character: only where one is left open, all are counted.
    some = rb"(?:" + _ONE + rb")*" if any(_ONE in part or b"(?!" in part for part in parts) else _SOME
    first, *others = parts
    if not others:
        return first
    *middle, last = others
    # What stands between two stars is taken where it comes first, and for good: no name can make it try every way.
    lazy = some + rb"?"
    return first + b"".join(rb"(?>" + lazy + part + rb")" for part in middle if part) + some + last


def _between_stars(glob: str) -> list[bytes]:
    parts = [b""]
    at = 0
    while at < len(glob):
        char = glob[at]
        at += 1
        if char == "*":
            parts.append(b"")
        elif char == "?":
            parts[-1] += _ONE
        elif char == "[" and (end := _end_of_set(glob, at)):
            parts[-1] += _set(glob[at:end])
            at = end + 1
        else:
            if char == "\\" and at < len(glob):
                char = glob[at]
                at += 1
            parts[-1] += re.escape(_bytes(char))
    return parts


def _end_of_set(glob: str, start: int) -> int:
    """Where the bracket is closed that was opened before ``start``; 0 where it is not: then it means itself."""
    first = start + 1 if glob[start : start + 1] in ("!", "^") else start
    return max(glob.find("]", first + 1), 0)


def _set(text: str) -> bytes:
    negated = text[0] in "!^"
    chars = text[1:] if negated else text
    found: list[bytes] = []
    at = 0
    while at < len(chars):
        last = chars[at]
        if chars[at + 1 : at + 2] == "-" and at + 2 < len(chars):
            last = chars[at + 2]
        if ord(last) - ord(chars[at]) > _MOST_IN_SET:
            raise ValueError(text)
        found += [re.escape(_bytes(chr(code))) for code in range(ord(chars[at]), ord(last) + 1)]
        at += 3 if chars[at + 1 : at + 2] == "-" and at + 2 < len(chars) else 1
    one_of = rb"(?:" + (b"|".join(found) or rb"[^\x00-\xff]") + rb")"
    return rb"(?!" + one_of + rb")" + _ONE if negated else one_of


def _bytes(text: str) -> bytes:
    """A text's bytes; a surrogate that stands for no byte has those that it would have, so that it finds nothing."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
