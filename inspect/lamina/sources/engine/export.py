"""An engine's export of one image as raw bytes; nothing of it touches the disk on our side."""

from __future__ import annotations

from typing import Any

from lamina.model import LaminaError
from lamina.sources.byte_streams import CHUNK
from lamina.sources.engine.client import EngineClient
from lamina.sources.engine.faults import connection_error
from lamina.sources.json_checks import quoted


class ExportStream:
    """The body of ``GET /images/{name}/get``, a :class:`~lamina.sources.byte_streams.ByteStream`.

    Args:
        client: the connection.
        image: the image's ID: a name could move to another image meanwhile.
        name: what the user calls it.
    """

    def __init__(self, client: EngineClient, image: str, name: str) -> None:
        self._client = client
        self._image = image
        self._name = name
        self._response: Any = None
        self._left = False

    def read(self) -> bytes:
        """See :class:`~lamina.sources.byte_streams.ByteStream`."""
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            if self._response is None:
                self._response = self._ask()
            data: bytes = self._response.raw.read(CHUNK)
        except (HTTPError, RequestException, OSError, ValueError, AttributeError) as error:
            # AttributeError: http.client's, when another thread closes the response under it.
            if self._left:
                return b""
            if self._response is None:
                raise connection_error(error, self._client.address) from None
            raise LaminaError(
                f"the engine at {self._client.address} broke off while it sent {quoted(self._name)}: "
                "the image is incomplete"
            ) from None
        return data

    def _ask(self) -> Any:
        # docker-py's own get_image gives up after its timeout, and hides the response, which a cancel must reach.
        # Engine 20.10 writes the whole image to its own disk before it sends the first byte: minutes are normal.
        response = self._client.export(self._image, self._name)
        if self._left:
            response.close()
        return response

    def close(self) -> None:
        """See :class:`~lamina.sources.byte_streams.ByteStream`."""
        if self._response is not None:
            self._response.close()

    def interrupt(self) -> None:
        """See :class:`~lamina.sources.byte_streams.ByteStream`."""
        self._left = True
        response = self._response
        if response is None:
            return  # still waiting for the headers: the read ends when they come
        try:
            response.raw.shutdown()
        except (AttributeError, ValueError, RuntimeError, OSError):
            pass  # an older urllib3, or it is over already
