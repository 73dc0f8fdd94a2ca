"""Files of a container's read/write layer through the engine's API: an archive of each."""

from __future__ import annotations

import tarfile
import threading
from typing import IO, TYPE_CHECKING

from lamina.layers.layer_reader import FileRef, whole
from lamina.model import Cancelled, LaminaError
from lamina.names import display_name
from lamina.sources.blocking import answer
from lamina.sources.engine.client import EngineClient, NotThere
from lamina.sources.engine.faults import connection_error

if TYPE_CHECKING:
    from requests import Response


class ArchivedLayer:
    """A :class:`~lamina.layers.layer_reader.LayerReader`.

    Args:
        client: the engine.
        container: its whole ID.
        where: names it in errors.
        cancel: ends the waiting.
    """

    random = False

    def __init__(self, client: EngineClient, container: str, where: str, cancel: threading.Event) -> None:
        self._client = client
        self._container = container
        self._where = where
        self._cancel = cancel
        self._path: bytes | None = None
        self._response: Response | None = None
        self._content: IO[bytes] | None = None
        self._at = 0

    def read(self, file: FileRef, start: int, size: int) -> bytes:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        def take() -> bytes:
            assert self._content is not None
            while self._at < start:
                passed = self._content.read(min(1 << 20, start - self._at))
                if not passed:
                    break
                self._at += len(passed)
            data = self._content.read(size)
            self._at += len(data)
            return data

        try:
            if self._path != file.path or start < self._at:
                self._begin(file)
            data = answer(take, self._cancel, lambda: None)
        except NotThere:
            raise LaminaError(f"{self._named(file)} is gone meanwhile") from None
        except tarfile.TarError:
            raise LaminaError(f"{self._named(file)}: the engine's answer breaks off") from None
        except (HTTPError, RequestException, OSError, ValueError, AttributeError) as error:
            raise connection_error(error, self._client.address) from None
        if len(data) < min(size, file.size - start):
            raise LaminaError(f"{self._named(file)} has changed: open the container again")
        return data

    def _begin(self, file: FileRef) -> None:
        self.close()
        response = answer(lambda: self._client.archive(self._container, b"/" + file.path), self._cancel, lambda: None)
        self._response = response

        def first() -> tarfile.ExFileObject | IO[bytes] | None:
            archive = tarfile.open(mode="r|", fileobj=response.raw)  # noqa: SIM115  # closed with the response
            member = archive.next()
            if member is None or not member.isfile() or member.size != file.size:
                return None
            return archive.extractfile(member)

        content = answer(first, self._cancel, lambda: None)
        if content is None:
            raise LaminaError(f"{self._named(file)} has changed: open the container again")
        if self._cancel.is_set():
            raise Cancelled
        self._content, self._path, self._at = content, file.path, 0

    def _named(self, file: FileRef) -> str:
        return f"{display_name(file.path.decode('utf-8', 'surrogateescape'))} of {self._where}"

    def stored(self, file: FileRef) -> list[tuple[int, int]]:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        return whole(file)

    def close(self) -> None:
        """See :class:`~lamina.layers.layer_reader.LayerReader`."""
        if self._response is not None:
            self._response.close()
        self._response = self._content = self._path = None
