"""A layer's blob as it comes from a registry; where the connection breaks it goes on where it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lamina.model import Cancelled, LaminaError
from lamina.sources.registry.client import RegistryClient

if TYPE_CHECKING:
    from requests import Response

_CHUNK = 256 << 10
_BREAKS = 3


class LayerStream:
    """The bytes of one blob.

    Args:
        client: the repository.
        digest: names the blob.
        size: bytes that it must have.
        where: names the layer in errors.
        cancel: ends the reading.
    """

    def __init__(self, client: RegistryClient, digest: str, size: int, where: str, cancel: threading.Event) -> None:
        self._client = client
        self._digest = digest
        self._size = size
        self._where = where
        self._cancel = cancel
        self._response: Response | None = None

    def chunks(self) -> Iterator[bytes]:
        """The bytes, some hundred KiB at a time.

        Raises:
            LaminaError: it is not there, breaks off again and again, or has other bytes than it should.
            Cancelled: ``cancel`` was set.
        """
        done, breaks = 0, 0
        while done < self._size or not done:
            try:
                for chunk in self._some(done):
                    done += len(chunk)
                    if done > self._size:
                        raise LaminaError(f"{self._where} has more than the {self._size} bytes that its manifest says")
                    yield chunk
                if done >= self._size:
                    return
                fault = f"{self._where} breaks off after {done} of {self._size} bytes"
            except _Broken as error:
                fault = str(error)
            if self._cancel.is_set():
                raise Cancelled
            breaks += 1
            if breaks > _BREAKS:
                raise LaminaError(fault)

    def _some(self, start: int) -> Iterator[bytes]:
        """What comes from one answer, from a byte on."""
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        response = self._client.get(f"blobs/{self._digest}", self._cancel, start=start, missing=self._where)
        self._response = response
        try:
            left = start if response.status_code == 200 else 0  # it sends all again, whatever was asked for
            if response.status_code == 206 and not _begins_at(response, start):
                raise LaminaError(f"{self._client} answers with another part of {self._where} than it was asked for")
            while chunk := response.raw.read(_CHUNK):
                if self._cancel.is_set():
                    raise Cancelled
                dropped, left = min(left, len(chunk)), max(0, left - len(chunk))
                if chunk := chunk[dropped:]:
                    yield chunk
        except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            raise _Broken(self._client.fault(error)) from None
        finally:
            self._response = None
            response.close()

    def interrupt(self) -> None:
        """Make a blocked read return."""
        response = self._response
        if response is None:
            return
        try:
            response.raw.shutdown()
        except (AttributeError, ValueError, RuntimeError, OSError):
            pass  # an older urllib3, or it is over already


class _Broken(LaminaError):
    """The connection broke."""


def _begins_at(response: Response, start: int) -> bool:
    return str(response.headers.get("Content-Range", "")).lower().startswith(f"bytes {start}-")


def read_range(
    client: RegistryClient, digest: str, start: int, size: int, where: str, cancel: threading.Event
) -> bytes:
    """Some bytes of a blob; nothing is fetched from a registry that would send all of it.

    Raises:
        LaminaError: the registry does not serve them.
        Cancelled: ``cancel`` was set.
    """
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    response = client.get(f"blobs/{digest}", cancel, start=start, end=start + size, missing=where)
    try:
        if response.status_code != 206 or not _begins_at(response, start):
            raise LaminaError(f"{client} does not serve a part of {where}")
        data = b""
        while len(data) <= size and (chunk := response.raw.read(min(_CHUNK, size + 1 - len(data)))):
            if cancel.is_set():
                raise Cancelled
            data += chunk
    except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
        raise LaminaError(client.fault(error)) from None
    finally:
        response.close()
    if len(data) != size:
        raise LaminaError(f"{client} answers with another part of {where} than it was asked for")
    return data
