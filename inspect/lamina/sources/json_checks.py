"""Untrusted JSON documents: parsed, bounded, and checked value by value.

Whatever is not as it should be ends in a :class:`LaminaError` of one line that names the document.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from lamina import limits
from lamina.model import LaminaError
from lamina.names import display_name

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def sha256(data: bytes) -> str:
    """The digest of ``data`` as documents write it: ``sha256:<hex>``."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(text: object) -> bool:
    """Whether ``text`` is a whole ``sha256:<hex>`` digest, and so safe as part of a path."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def short(digest: str) -> str:
    """The first twelve hex digits of a digest, as engines show them."""
    return digest.partition(":")[2][:12] or digest[:12]


def quoted(name: str) -> str:
    """An untrusted name for an error line: visible, on one line, and of bounded length."""
    shown = display_name(name)
    return shown if len(shown) <= 200 else shown[:197] + "..."


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object.

    Args:
        data: the document's bytes.
        what: names the document in errors, with its place: ``manifest.json of /srv/web.tar``.

    Raises:
        LaminaError: too large, not JSON, or not an object.
    """
    value = parse_json(data, what)
    if not isinstance(value, dict):
        raise LaminaError(f"{what}: a JSON object was expected, not {kind_of(value)}")
    return value


def parse_json(data: bytes, what: str) -> Any:
    """Any JSON value; see :func:`parse_object`."""
    if len(data) > limits.DOCUMENT:
        raise too_large(what, len(data))
    # Before it is parsed: a bracket is one byte here and a hundred as an object.
    if data.count(b",") + data.count(b"[") + data.count(b"{") > limits.VALUES:
        raise LaminaError(f"{what}: more than {limits.VALUES} values are too many for an image document")
    try:
        return json.loads(data)
    except RecursionError:
        raise LaminaError(f"{what}: nested too deeply to be an image document") from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, an integer of too many digits
        raise LaminaError(f"{what}: not JSON ({quoted(str(error))})") from None


def too_large(what: str, size: int) -> LaminaError:
    """The error for a document above :data:`limits.DOCUMENT`; ``size`` in bytes."""
    return LaminaError(f"{what}: {size} bytes are too many for an image document (limit {limits.DOCUMENT >> 20} MiB)")


def kind_of(value: object) -> str:
    """What a JSON value is, in words for an error."""
    if value is None:
        return "null"
    return {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}.get(type(value), "a number")


def string_of(value: Any, what: str, key: str) -> str:
    """A string, or "" for null and for what is not there."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LaminaError(f"{what}: {key} must be a string, not {kind_of(value)}")
    return value


def list_of(value: Any, what: str, key: str) -> list[Any]:
    """A list; null counts as an empty one, because Go writes empty lists so."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise LaminaError(f"{what}: {key} must be a list, not {kind_of(value)}")
    return value


def object_of(value: Any, what: str, key: str) -> dict[str, Any]:
    """An object; null counts as an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LaminaError(f"{what}: {key} must be an object, not {kind_of(value)}")
    return value


def strings_of(value: Any, what: str, key: str) -> tuple[str, ...]:
    """A list of strings; null counts as an empty one."""
    items = list_of(value, what, key)
    for item in items:
        if not isinstance(item, str):
            raise LaminaError(f"{what}: {key} must hold strings, not {kind_of(item)}")
    return tuple(items)
