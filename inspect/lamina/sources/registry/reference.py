"""What a user calls an image of a registry, taken apart (the grammar of the distribution project's ``reference``)."""

from __future__ import annotations

import ipaddress
import re

from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.sources.json_checks import is_digest, quoted

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")

DEFAULT = "docker.io"
_DEFAULT_API = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's name: where it is, and which of its versions is meant."""

    host: str
    """With its port, as people write it: ``docker.io``, ``localhost:5000``."""
    repository: str
    """Within the registry: ``library/ubuntu``."""
    tag: str
    """"" where a digest says it."""
    digest: str = ""

    @property
    def version(self) -> str:
        """What the API is asked for: a digest, or else a tag."""
        return self.digest or self.tag

    @property
    def name(self) -> str:
        """``ubuntu``, ``localhost:5000/x``: as people write it, without a version."""
        if self.host != DEFAULT:
            return f"{self.host}/{self.repository}"
        return self.repository.removeprefix("library/")

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    @property
    def api(self) -> str:
        """The host that answers the API."""
        return _DEFAULT_API if self.host == DEFAULT else self.host

    @property
    def loopback(self) -> bool:
        """Whether the registry is on this very machine, so that nobody listens in between."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host (with its port, or without) is this machine."""
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def names_a_host(name: str) -> bool:
    """Whether an image's name begins with a registry's host: a first part that looks like one, as the CLI takes it."""
    first, parted, _ = name.partition("/")
    return bool(parted) and ("." in first or ":" in first or first == "localhost")


def parse_reference(text: str) -> Reference:
    """A name as users write it: ``ubuntu``, ``localhost:5000/team/app:1``, ``app@sha256:…``.

    Raises:
        LaminaError: it can be no name of an image.
    """
    name, at, digest = text.partition("@")
    head, slash, tail = name.rpartition("/")
    last, colon, tag = tail.partition(":")
    repository = f"{head}{slash}{last}"
    if names_a_host(repository):
        host, _, repository = repository.partition("/")
    else:
        host = DEFAULT
    if host in ("index.docker.io", _DEFAULT_API):
        host = DEFAULT
    if host == DEFAULT and "/" not in repository:
        repository = f"library/{repository}"
    if (
        not _HOST.fullmatch(host)
        or not _REPOSITORY.fullmatch(repository)
        or len(repository) > 255
        or (colon and not _TAG.fullmatch(tag))
        or (at and not is_digest(digest))
    ):
        raise LaminaError(f"{quoted(text)} can't be the name of an image in a registry")
    return Reference(host, repository, "" if at else tag or "latest", digest)
