"""Bodies of HTTP answers: read in pieces, bounded, and as they came.

Engines and registries are strangers: an answer may be endless, or unpack into a thousand times its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lamina import limits
from lamina.model import LaminaError
from lamina.sources.json_checks import parse_json, quoted, too_large

if TYPE_CHECKING:
    from requests import Response

_PIECE = 1 << 16
_ERROR = 1 << 16
"""Bytes of an error's body: what is above them is no message."""

IDENTITY = {"Accept-Encoding": "identity"}
"""The header that asks for no compression: sizes are then what they claim, and nothing can be a bomb."""


def document_of(response: Response, what: str, limit: int | None = None) -> bytes:
    """The whole body of an answer that was asked for as a stream.

    Args:
        response: of a request with ``stream=True`` and :data:`IDENTITY`.
        what: names the document in errors.
        limit: bytes; None: :data:`lamina.limits.DOCUMENT`.

    Raises:
        LaminaError: it has more bytes than documents may have, fewer than it promised, or is compressed.
        requests.RequestException, urllib3.exceptions.HTTPError, OSError: the connection broke.
    """
    most = limits.DOCUMENT if limit is None else limit
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise LaminaError(f"{what}: the answer is compressed, which nobody asked for")
    claimed = response.headers.get("Content-Length", "")
    if claimed.isdecimal() and len(claimed) < 20 and int(claimed) > most:
        raise too_large(what, int(claimed))
    read: Callable[[int], bytes] = response.raw.read
    pieces: list[bytes] = []
    size = 0
    while piece := read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise too_large(what, size)
    return b"".join(pieces)


def json_of(response: Response, what: str) -> Any:
    """The JSON value that is the body; see :func:`document_of`."""
    return parse_json(document_of(response, what), what)


def message_of(response: Response) -> str:
    """What the body of a refusal says, shown safely; the HTTP status where it says nothing.

    Engines write ``{"message": …}``, registries ``{"errors": [{"code": …, "message": …}]}``.
    """
    from urllib3.exceptions import HTTPError

    try:
        said = _message(json.loads(document_of(response, "", _ERROR)))
    except (LaminaError, HTTPError, OSError, ValueError, RecursionError, AttributeError):
        said = ""
    return quoted(" ".join(said.split())) or f"HTTP status {response.status_code}"


def _message(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    row = errors[0] if isinstance(errors, list) and errors else body
    if not isinstance(row, dict):
        return ""
    texts = [row.get(key) for key in ("message", "cause", "code")]
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")
