"""Where a container engine listens, by the docker CLI's rules, and a connection to it.

docker-py is imported inside the functions: it takes a fifth of a second, and archives need none of it.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.model import LaminaError
from lamina.sources.json_checks import quoted

if TYPE_CHECKING:
    from docker import APIClient

TIMEOUT = 30.0
"""Seconds that an engine may take for an answer (not for an export, which takes as long as it takes)."""

WITHOUT = "archives (`lamina FILE`) and `lamina demo` need no engine"


@dataclass(frozen=True, slots=True)
class Address:
    """One place where an engine may listen."""

    url: str
    origin: str
    """Who named it: ``--host``, ``DOCKER_HOST``, ``the context desktop-linux``, "" for a usual socket."""
    tls: Any = None

    @property
    def local(self) -> bool:
        """Whether it is a socket on this host; a tunnel may still lead elsewhere."""
        return self.url.startswith("unix://")

    def __str__(self) -> str:
        return f"{self.url} ({self.origin})" if self.origin else self.url


def addresses(host: str | None = None) -> list[Address]:
    """Where to look, in order. What the user named is the only place; the usual sockets are looked at in turn.

    Raises:
        LaminaError: the current context can't be read.
    """
    if host:
        return [Address(host if "://" in host else f"unix://{host}", "--host", _tls_of_environment())]
    named = os.environ.get("DOCKER_HOST")
    if named:
        return [Address(named, "DOCKER_HOST", _tls_of_environment())]
    context = _context()
    if context is not None:
        return [context]
    return [Address(f"unix://{path}", "") for path in _usual_sockets()]


def _usual_sockets() -> list[str]:
    home = os.environ.get("HOME", "")
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return [
        "/var/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{home}/.docker/run/docker.sock",
        f"{home}/.docker/desktop/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    ]


def _tls_of_environment() -> Any:
    """TLS as the docker CLI's variables want it, None without."""
    if not os.environ.get("DOCKER_TLS_VERIFY") and not os.environ.get("DOCKER_CERT_PATH"):
        return None
    from docker.errors import TLSParameterError
    from docker.utils import kwargs_from_env

    try:
        return kwargs_from_env().get("tls")
    except TLSParameterError as error:
        raise LaminaError(f"DOCKER_CERT_PATH: {quoted(str(error).partition(chr(10))[0])}") from None


def _context() -> Address | None:
    """The docker CLI's current context; None for the default one."""
    from docker.context import ContextAPI
    from docker.context.config import get_current_context_name

    wanted: object = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
    if not isinstance(wanted, str) or wanted in ("", "default"):
        return None
    try:
        context: Any = ContextAPI.get_context(wanted)
        url = context.Host if context is not None else None
        tls = context.TLSConfig if context is not None else None
    except Exception as error:  # noqa: BLE001  # docker-py lets whatever a broken file raises through
        raise LaminaError(f"docker context {quoted(wanted)} can't be read: {quoted(str(error))}") from None
    if not url:
        raise LaminaError(
            f"docker context {quoted(wanted)} is current but not there: `docker context use default`, "
            "or set DOCKER_HOST"
        )
    return Address(str(url), f"the context {quoted(wanted)}", tls)


def connect(host: str | None = None) -> tuple[APIClient, Address]:
    """A client of the first engine that answers.

    Args:
        host: see :func:`addresses`.

    Raises:
        LaminaError: none answers; the text lists where was looked.
    """
    places = addresses(host)
    refused: LaminaError | None = None
    for address in places:
        path = _socket_path(address.url)
        # A usual socket that isn't there is no engine; one that was named is an error of its own.
        if path is not None and not address.origin and not _exists(path):
            continue
        try:
            return _client(address), address
        except LaminaError as error:
            if address.origin:
                raise
            refused = refused or error
    if refused is not None:
        raise refused
    looked = ", ".join(str(address).removeprefix("unix://") for address in places)
    raise LaminaError(f"no container engine found at {looked}: start one, or set DOCKER_HOST or --host; {WITHOUT}")


def _exists(path: str) -> bool:
    try:
        Path(path).stat()
    except (OSError, ValueError):  # not there, or in another user's folder
        return False
    return True


def _socket_path(url: str) -> str | None:
    return url.removeprefix("unix://") if url.startswith("unix://") else None


def _knock(path: str) -> None:
    """Connects to a socket and leaves: the system's own error says more than docker-py's, which also leaks a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        knocking.settimeout(TIMEOUT)
        knocking.connect(path)


def _client(address: Address) -> APIClient:
    from docker import APIClient
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    path = _socket_path(address.url)
    try:
        if path is not None:
            _knock(path)
        return APIClient(
            base_url=address.url,
            tls=address.tls if address.tls is not None else False,
            timeout=int(TIMEOUT),
            use_ssh_client=True,
        )
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise connection_error(error, address) from None


def connection_error(error: BaseException, address: Address) -> LaminaError:
    """What went wrong between an engine and us, on one line.

    Args:
        error: whatever docker-py, requests, urllib3 or the system raised.
        address: the engine.
    """
    cause = _system_error(error)
    if isinstance(cause, PermissionError):
        return LaminaError(
            f"no permission to use {address}: add yourself to the docker group "
            f"(`sudo usermod -aG docker $USER`, then log in again) or use sudo; {WITHOUT}"
        )
    if isinstance(cause, (FileNotFoundError, ConnectionRefusedError)):
        why = "nothing is there" if isinstance(cause, FileNotFoundError) else "nobody answers"
        return LaminaError(
            f"no container engine at {address}: {why}; start it, or name another with DOCKER_HOST or --host; {WITHOUT}"
        )
    if isinstance(cause, TimeoutError) or "timed out" in str(error).lower():
        return LaminaError(f"the engine at {address} gave no answer within {TIMEOUT:.0f} seconds")
    said = (cause.strerror if cause is not None and cause.strerror else None) or str(error).partition("\n")[0]
    return LaminaError(f"the engine at {address} can't be used: {quoted(said) or type(error).__name__}")


def _system_error(error: BaseException) -> OSError | None:
    """The error of the system underneath the wrappings of urllib3, requests and docker-py."""
    from requests.exceptions import RequestException

    seen: list[BaseException] = [error]
    for current in seen:
        # A RequestException is an OSError by inheritance only: it has no errno of its own.
        if isinstance(current, OSError) and not isinstance(current, RequestException) and len(seen) < 100:
            return current
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        seen += [e for e in inner if isinstance(e, BaseException) and not any(e is s for s in seen)]
    return None
