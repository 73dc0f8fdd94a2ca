"""JSON as lamina writes it: ASCII only, lossless, and in pieces where it is long."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Protocol, overload, runtime_checkable

Json = dict[str, Any]


@runtime_checkable
class LongArray(Protocol):
    """An array of a document that is too long to be held as text, or even as objects."""

    def json_pieces(self) -> Iterator[str]:
        """Its JSON text, brackets and all."""


def json_pieces(document: Json) -> Iterator[str]:
    """A document as JSON text, piece by piece: what is not ASCII, and every control character, is escaped."""
    arrays: list[LongArray] = []
    mark = os.urandom(16).hex()  # nothing that an untrusted image could have put there

    def later(value: object) -> str:
        assert isinstance(value, LongArray)
        arrays.append(value)
        return mark

    # One line: with an indent the encoder is ten times slower, and jq makes it pretty.
    between = json.dumps(document, default=later).split(f'"{mark}"')
    for text, array in zip_longest(between, arrays):
        yield text
        if array is not None:
            yield from array.json_pieces()
    yield "\n"


def to_json(document: Json) -> str:
    """A document as JSON text; see :func:`json_pieces`."""
    return "".join(json_pieces(document))


@overload
def plain_text(text: str) -> str: ...
@overload
def plain_text(text: None) -> None: ...
def plain_text(text: str | None) -> str | None:
    """A text that every JSON reader takes: U+FFFD in place of lone surrogates, which untrusted JSON may hold."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def path_fields(path: bytes) -> Json:
    """A path for JSON: ``path``, and ``path_base64`` where it is not UTF-8."""
    try:
        return {"path": path.decode("utf-8")}
    except UnicodeDecodeError:
        return {
            "path": path.decode("utf-8", "replace"),
            "path_base64": base64.b64encode(path).decode("ascii"),
        }
