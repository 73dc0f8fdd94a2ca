"""The docker CLI's contexts: the engines that a user has given names to.

As the CLI stores them (docker/cli, "cli/context/store"): a folder for each below ``contexts/meta``, called by the
SHA-256 of its name, and its certificates below ``contexts/tls``.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.sources.json_checks import object_of, quoted, string_of

CONTEXT = "context://"
"""Before the name of a context: an address of an engine like any other."""
DEFAULT = "default"
"""The one that is always there: whatever the usual sockets lead to."""
_MOST = 1 << 20
"""Bytes of a context's file."""


@dataclass(frozen=True, slots=True)
class Context:
    """One engine by its name. All of it is untrusted, as every file is."""

    name: str
    url: str = ""
    """Where it listens; "" of the default one, and of one that can't be read."""
    description: str = ""
    fault: str = ""
    """Why it can't be used."""
    tls: Path | None = None
    """The folder of its certificates, where it has one."""
    verified: bool = True
    """Whether the engine's certificate must be vouched for."""

    @property
    def host(self) -> str:
        """What to connect to, as :class:`lamina.Workspace` takes it."""
        return f"{CONTEXT}{self.name}"


def current_context() -> str:
    """The name of the current context."""
    from docker.context.config import get_current_context_name

    wanted: object = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
    return wanted if isinstance(wanted, str) and wanted else DEFAULT


def contexts() -> list[Context]:
    """All contexts by name, the default one first. A broken one is listed with what is wrong."""
    found = []
    for file in sorted(_folder().glob("meta/*/meta.json")):
        try:
            found.append(_read(file))
        except LaminaError as error:
            found.append(Context(file.parent.name[:12], fault=str(error)))
    return [Context(DEFAULT, description="the usual sockets"), *sorted(found, key=lambda context: context.name)]


def find_context(name: str) -> Context | None:
    """A context by its name, other than the default one; None where there is none.

    Raises:
        LaminaError: its file can't be read.
    """
    file = _folder() / "meta" / _key(name) / "meta.json"
    return _read(file) if file.exists() else None


def tls_of(context: Context) -> Any:
    """docker-py's idea of a context's certificates; None where it has none.

    Raises:
        LaminaError: they can't be used.
    """
    if context.tls is None:
        return None
    from docker.errors import TLSParameterError
    from docker.tls import TLSConfig

    files = {name: context.tls / f"{name}.pem" for name in ("ca", "cert", "key")}
    own = (str(files["cert"]), str(files["key"])) if files["cert"].exists() and files["key"].exists() else None
    try:
        return TLSConfig(
            client_cert=own,
            ca_cert=str(files["ca"]) if files["ca"].exists() else None,
            verify=context.verified,
        )
    except TLSParameterError as error:
        raise LaminaError(f"the certificates of docker context {quoted(context.name)}: {quoted(str(error))}") from None


def _folder() -> Path:
    config = os.environ.get("DOCKER_CONFIG") or Path(os.environ.get("HOME", ""), ".docker")
    return Path(config, "contexts")


def _key(name: str) -> str:
    # Of a name that is no text, which a file may hold all the same, nothing is found.
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _read(file: Path) -> Context:
    what = quoted(str(file))
    try:
        with file.open("rb") as stream:
            value = json.loads(stream.read(_MOST))
    except OSError as error:
        raise LaminaError(f"{what} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise LaminaError(f"{what} can't be read: it is not JSON") from None
    told = object_of(value, what, "it")
    name = string_of(told.get("Name"), what, "Name")
    endpoint = object_of(object_of(told.get("Endpoints"), what, "Endpoints").get("docker"), what, "docker")
    url = string_of(endpoint.get("Host"), what, "Host")
    about = string_of(object_of(told.get("Metadata"), what, "Metadata").get("Description"), what, "Description")
    tls = _folder() / "tls" / _key(name) / "docker"
    verified = endpoint.get("SkipTLSVerify") is not True
    return Context(name, url, about, "" if url else f"{what} names no engine", tls if tls.is_dir() else None, verified)
