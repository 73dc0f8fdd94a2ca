"""Which platform of an image is meant, where an index has several (OCI image spec, image-index.md)."""

from __future__ import annotations

import platform as machine_of
import re

from lamina.errors import LaminaError
from lamina.sources.json_checks import quoted

ALL = "all"
"""In place of a platform: every one that is there, each an image."""

_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
}
_PART = r"[a-z0-9][a-z0-9_.-]{0,31}"
_SYSTEMS = ("linux", "windows", "darwin", "freebsd")


def host_platform() -> str:
    """The platform whose images this machine runs: Linux, since elsewhere engines run a Linux of their own."""
    return f"linux/{architecture(machine_of.machine())}"


def architecture(name: str) -> str:
    """What the OCI calls an architecture that a kernel, or an engine, calls ``name``."""
    return _ARCHITECTURES.get(name.lower(), name.lower())


def parse_platform(text: str) -> str:
    """What a user asks for, as ``os/architecture[/variant]``: ``arm64`` and ``aarch64`` are ``linux/arm64``.

    Raises:
        LaminaError: it can be no platform.
    """
    given = text.strip().lower()
    if given == ALL:
        return ALL
    if not re.fullmatch(rf"{_PART}(/{_PART}){{0,2}}", given) or given in _SYSTEMS:
        raise LaminaError(f"{quoted(text)} is no platform: linux/amd64, linux/arm64, linux/arm/v7 are, or all")
    parts = given.split("/")
    if parts[0] not in _SYSTEMS:
        parts.insert(0, "linux")
    parts[1] = architecture(parts[1])
    return "/".join(parts)


def fits(wanted: str, platform: str) -> bool:
    """Whether an image of ``platform`` is what was asked for: any variant where none was named; "" is anything."""
    return wanted in ("", ALL) or platform == wanted or platform.startswith(f"{wanted}/")
