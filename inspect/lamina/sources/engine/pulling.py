"""A pull by the engine, followed layer by layer. The one thing that lamina ever changes on an engine."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lamina.dataclass import dataclass
from lamina.model import Cancelled, LaminaError
from lamina.sources.blocking import BlockingReader, answer
from lamina.sources.engine.answers import info_of
from lamina.sources.engine.client import EngineClient, Refused
from lamina.sources.engine.faults import connection_error
from lamina.sources.json_checks import quoted
from lamina.sources.registry.credentials import Credentials
from lamina.sources.registry.reference import Reference

if TYPE_CHECKING:
    from requests import Response

_CHUNK = 64 << 10
_LINE = 1 << 20
"""Bytes of one message."""
_LAYERS = 2048
"""Things that an engine tells of at a time."""


@dataclass(slots=True)
class PulledLayer:
    """How far one layer is, in the engine's words."""

    id: str
    """The first digits of its blob's digest."""
    status: str = ""
    """``Waiting``, ``Downloading``, ``Extracting``, ``Pull complete``, ``Already exists``…"""
    done: int = 0
    """Bytes of what is being done to it."""
    total: int | None = None


def pull(
    client: EngineClient,
    reference: Reference,
    platform: str,
    diff_ids: Sequence[str],
    credentials: Credentials | None,
    cancel: threading.Event,
    tell: Callable[[list[PulledLayer]], None],
) -> None:
    """Let the engine pull an image.

    Args:
        client: the engine.
        reference: the image.
        platform: which of it; "": the engine's own.
        diff_ids: of the layers that it must have then. Engines differ in how they say that a pull has ended.
        credentials: for its registry.
        cancel: when set, the engine is left; it gives up what nobody waits for.
        tell: notified of all layers, some times a second.

    Raises:
        LaminaError: the engine or the registry refuses, or breaks off.
        Cancelled: ``cancel`` was set.
    """
    headers = {} if credentials is None else {"X-Registry-Auth": _header(credentials, reference)}
    name = f"{reference.host}/{reference.repository}"
    response = answer(lambda: client.pull(name, reference.version, platform, headers), cancel)
    layers: dict[str, PulledLayer] = {}
    for message in _messages(response, client, cancel, lambda: tell(list(layers.values()))):
        fault = message.get("error")
        if fault:
            raise LaminaError(f"the engine can't pull {quoted(str(reference))}: {quoted(str(fault))}")
        status, which = message.get("status"), message.get("id")
        if not isinstance(status, str):
            continue
        if isinstance(which, str) and (which in layers or len(layers) < _LAYERS):
            _note(layers.setdefault(which, PulledLayer(which)), status, message.get("progressDetail"))
            tell(list(layers.values()))
    there = f"{name}@{reference.digest}" if reference.digest else f"{name}:{reference.tag}"
    try:
        got = answer(lambda: info_of(there, client.image(there), []), cancel)
    except Refused:
        got = None
    if got is None or [layer.diff_id for layer in got.layers] != list(diff_ids):
        raise LaminaError(f"the engine broke off while it pulled {quoted(str(reference))}")


def _note(layer: PulledLayer, status: str, detail: Any) -> None:
    current, total = (detail.get(key) for key in ("current", "total")) if isinstance(detail, dict) else (None, None)
    layer.status = status
    layer.done = current if type(current) is int and 0 <= current < 1 << 62 else 0
    layer.total = total if type(total) is int and 0 < total < 1 << 62 else None


def _header(credentials: Credentials, reference: Reference) -> str:
    """Who asks, as the engine's API wants it (RFC 4648, URL-safe)."""
    if credentials.token:
        told = {"identitytoken": credentials.token}
    else:
        told = {"username": credentials.user, "password": credentials.password}
    return base64.urlsafe_b64encode(json.dumps({**told, "serveraddress": reference.host}).encode()).decode("ascii")


def _messages(
    response: Response, client: EngineClient, cancel: threading.Event, idle: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """The engine's messages, an object each, however they are parted."""
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    def read() -> bytes:
        # What is there, not as many as fit: messages come when something happens.
        data: bytes = response.raw.read1(_CHUNK)
        return data

    def interrupt() -> None:
        try:
            response.raw.shutdown()
        except (AttributeError, ValueError, RuntimeError, OSError):
            pass  # an older urllib3, or it is over already

    reader = BlockingReader(read, response.close, interrupt)
    rest = b""
    try:
        for chunk in reader.chunks(cancel, idle):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE:
                raise LaminaError(f"the engine at {client.address} tells of the pull what can't be understood")
            yield from filter(None, map(_message, lines))
        if last := _message(rest):
            yield last
    except Cancelled:
        raise
    except (HTTPError, RequestException, OSError, ValueError, AttributeError) as error:
        raise connection_error(error, client.address) from None
    finally:
        reader.close()


def _message(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
