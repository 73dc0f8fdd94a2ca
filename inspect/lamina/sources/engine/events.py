"""When an engine's images or containers change: its own events, so that nothing is asked while nothing happens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lamina.sources.engine.client import EngineClient
from lamina.sources.engine.faults import connection_error

if TYPE_CHECKING:
    from requests import Response

_CHUNK = 64 << 10
_LINE = 1 << 20
"""Bytes of one event; of a longer one only that something happened is known."""
_WITHOUT_CHANGE = (
    "exec_",
    "health_status",
    "attach",
    "detach",
    "top",
    "resize",
    "archive-path",
    "export",
    "save",
    "push",
)
"""What happens to images and containers, and changes nothing of what is listed of them."""


class Changes:
    """The changes of one engine from now on; iterate over it, on a thread of its own.

    Args:
        client: the engine.

    Raises:
        LaminaError: the engine can't be asked, or tells of no events.
    """

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._response: Response = client.events()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[None]:
        """Once for each event, or several that came together; waits for the next. Ends when :meth:`close` is called.

        Raises:
            LaminaError: the engine ended, or the way to it did.
        """
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        rest = b""
        try:
            while not self._closed.is_set():
                chunk: bytes = self._response.raw.read1(_CHUNK)
                if not chunk:
                    break
                *lines, rest = (rest + chunk).split(b"\n")
                whole = not rest or _is_whole(rest)
                if whole:
                    lines.append(rest)
                if any(map(_is_change, lines)):
                    yield
                if whole:
                    rest = b""
                elif len(rest) > _LINE:
                    rest = b""
                    yield
        except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            if not self._closed.is_set():
                raise connection_error(error, self._client.address) from None
        finally:
            self._response.close()
        if not self._closed.is_set():
            raise connection_error(ConnectionResetError(0, "its events ended"), self._client.address)

    def close(self) -> None:
        """End the waiting."""
        self._closed.set()
        try:
            self._response.raw.shutdown()
        except (AttributeError, ValueError, RuntimeError, OSError):
            return  # an older urllib3, or it is over already


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_change(line: bytes) -> bool:
    if not line.strip():
        return False
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return True  # whatever it is, something happened
    action = event.get("Action") or event.get("status") if isinstance(event, dict) else None
    return not isinstance(action, str) or not action.startswith(_WITHOUT_CHANGE)
