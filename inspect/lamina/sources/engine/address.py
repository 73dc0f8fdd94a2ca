"""Where a container engine listens, by the docker CLI's rules.

docker-py is imported inside the functions: it takes a fifth of a second, and archives need none of it.
"""

from __future__ import annotations

import os
from typing import Any

from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.sources.engine.contexts import CONTEXT, DEFAULT, current_context, find_context, tls_of
from lamina.sources.json_checks import quoted

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
        return self.socket is not None

    @property
    def socket(self) -> str | None:
        """The path of its socket; None where it is reached another way."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None

    def __str__(self) -> str:
        return f"{self.url} ({self.origin})" if self.origin else self.url


def addresses(host: str | None = None) -> list[Address]:
    """Where to look, in order. What the user named is the only place; the usual sockets are looked at in turn.

    Args:
        host: an address as DOCKER_HOST has it, the path of a socket, or ``context://NAME``; None: by the docker CLI's
            rules.

    Raises:
        LaminaError: the context can't be read, or is not there.
    """
    if host and host.startswith(CONTEXT):
        name = host.removeprefix(CONTEXT)
        if name != DEFAULT:
            return [_of_context(name, "it is not there: `docker context ls` lists them")]
        return [Address(f"unix://{path}", "") for path in _usual_sockets()]
    if host:
        return [Address(host if "://" in host else f"unix://{host}", "--host", _tls_of_environment())]
    named = os.environ.get("DOCKER_HOST")
    if named:
        return [Address(named, "DOCKER_HOST", _tls_of_environment())]
    current = current_context()
    if current != DEFAULT:
        gone = "it is current but not there: `docker context use default`, or set DOCKER_HOST"
        return [_of_context(current, gone)]
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


def _of_context(name: str, missing: str) -> Address:
    try:
        context = find_context(name)
    except LaminaError as error:
        raise LaminaError(f"docker context {quoted(name)} can't be read: {error}") from None
    if context is None:
        raise LaminaError(f"docker context {quoted(name)} can't be used: {missing}")
    if context.fault:
        raise LaminaError(f"docker context {quoted(name)} can't be used: {context.fault}")
    return Address(context.url, f"the context {quoted(name)}", tls_of(context))
