"""Credentials for registries, as the docker CLI keeps them: config.json, its store, and its helpers.

docker-py finds them. They are handed to the registry they are for, and shown, kept and told nowhere.
"""

from __future__ import annotations

import base64
from typing import Any

from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.sources.json_checks import quoted
from lamina.sources.registry.reference import DEFAULT


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks. Its text form tells nothing."""

    user: str
    password: str
    token: str = ""
    """An identity token in place of a password."""

    @property
    def basic(self) -> str:
        """As a header has it (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")

    def __repr__(self) -> str:
        return "<Credentials>"


def credentials_for(host: str) -> Credentials | None:
    """What the docker CLI has for a registry; None where it has nothing.

    Raises:
        LaminaError: its configuration, or a helper that it names, is broken.
    """
    from docker import auth
    from docker.utils import config

    try:
        found: Any = auth.resolve_authconfig(auth.load_config(config_dict=config.load_general_config()), host)
        if found is None and host == DEFAULT:
            found = auth.resolve_authconfig(auth.load_config(), None)
    except Exception as error:  # noqa: BLE001  # docker-py lets through whatever a broken file or helper raises
        raise LaminaError(
            f"the docker CLI's credentials for {quoted(host)} can't be read: {quoted(str(error))}"
        ) from None
    if not isinstance(found, dict):
        return None
    user, password, token = (
        value if isinstance(value := found.get(name), str) else "" for name in ("Username", "Password", "IdentityToken")
    )
    if not (user or password or token):
        user, password = (v if isinstance(v := found.get(name), str) else "" for name in ("username", "password"))
    return Credentials(user, password, token) if password or token else None
