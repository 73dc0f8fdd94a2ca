"""The way to the first engine that answers.

docker-py is imported inside the functions: it takes a fifth of a second, and archives need none of it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lamina.model import LaminaError
from lamina.sources.blocking import answer
from lamina.sources.engine.address import TIMEOUT, WITHOUT, Address, addresses
from lamina.sources.engine.client import OLDEST, EngineClient
from lamina.sources.engine.faults import connection_error
from lamina.sources.json_checks import quoted
from lamina.sources.progress import Ticker

T = TypeVar("T")


class NoEngine(LaminaError):
    """None was named, and none listens where they usually do."""


class Connection:
    """One engine, connected to when it is first asked something.

    Args:
        host: where it listens; None: by the docker CLI's rules (see :mod:`lamina.sources.engine.address`).
    """

    def __init__(self, host: str | None = None) -> None:
        self._host = host
        self._client: EngineClient | None = None

    def __str__(self) -> str:
        if self._client is None:
            return f"engine {self._host}" if self._host else "engine"
        return f"engine {self._client.address.url}"

    @property
    def client(self) -> EngineClient:
        """The client; blocks until the engine answers.

        Raises:
            LaminaError: none does.
        """
        if self._client is None:
            self._client = connect(self._host)
        return self._client

    def ask(self, question: Callable[[EngineClient], T], cancel: threading.Event | None, ticker: Ticker) -> T:
        """The answer to a question, which can be left.

        Raises:
            LaminaError: the engine doesn't answer, or refuses.
            Cancelled: ``cancel`` was set.
        """
        return answer(lambda: question(self.client), cancel, ticker.tick)


def connect(host: str | None = None) -> EngineClient:
    """A client of the first engine that answers.

    Args:
        host: see :func:`lamina.sources.engine.address.addresses`.

    Raises:
        LaminaError: none answers; the text lists where was looked.
    """
    places = addresses(host)
    refused: LaminaError | None = None
    for address in places:
        path = address.socket
        # A usual socket that isn't there is no engine; one that was named is an error of its own.
        if path is not None and not address.origin and not _exists(path):
            continue
        try:
            return _client(address)
        except LaminaError as error:
            if address.origin:
                raise
            refused = refused or error
    if refused is not None:
        raise refused
    looked = ", ".join(str(address).removeprefix("unix://") for address in places)
    raise NoEngine(f"no container engine found at {looked}: start one, or set DOCKER_HOST or --host; {WITHOUT}")


def _exists(path: str) -> bool:
    try:
        Path(path).stat()
    except (OSError, ValueError):  # not there, or in another user's folder
        return False
    return True


def _knock(path: str) -> None:
    """Connects to a socket and leaves: the system's own error says more than docker-py's, which also leaks a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        knocking.settimeout(TIMEOUT)
        knocking.connect(path)


def _client(address: Address) -> EngineClient:
    from docker import APIClient
    from docker.errors import DockerException, InvalidConfigFile
    from requests.exceptions import RequestException

    try:
        if address.socket is not None:
            _knock(address.socket)
        ssh = address.url.startswith("ssh://")
        session = APIClient(
            # docker-py would load a further package for ssh.
            base_url="tcp://engine:1" if ssh else address.url,
            tls=address.tls if address.tls is not None and not ssh else False,
            timeout=int(TIMEOUT),
            # With none docker-py asks for it, and reads whatever comes; the client negotiates it.
            version="{}.{}".format(*OLDEST),
        )
        if ssh:
            from lamina.sources.engine.ssh import use_ssh

            use_ssh(session, address.url, TIMEOUT)
    except InvalidConfigFile as error:
        raise _config_error(error) from None
    except LaminaError:
        raise
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise connection_error(error, address) from None
    except Exception as error:  # noqa: BLE001  # docker-py lets through whatever a broken config.json raises
        raise _config_error(error) from None
    return EngineClient(session, address)


def _config_error(error: Exception) -> LaminaError:
    return LaminaError(f"the docker CLI's config.json can't be used: {quoted(str(error))}")
