"""What is written down once: limits and ignored paths, of the user and of the project in the working folder.

``limits``, ``ignore`` and ``no-rule`` stand in ``$XDG_CONFIG_HOME/lamina/config.toml`` (beside what the screen is set
to), under ``[tool.lamina]`` of ``pyproject.toml``, and in ``.lamina.toml``; the later wins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from lamina import limits as bounds
from lamina.dataclass import dataclass
from lamina.gate.limits import GateError, Limits, read_globs, read_limits, read_rules

_KEYS = ("limits", "ignore", "no-rule")
_HEADING = re.compile(r"\[+([^\]]+)\]")
_ASSIGNED = re.compile(r"((?:\"[^\"]*\"|'[^']*'|[\w.\s-])+?)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"']+)")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the files say."""

    limits: Limits = field(default_factory=Limits)
    ignore: tuple[str, ...] = ()
    """Globs of paths whose waste counts for no limit, and that may be shipped whatever is forbidden."""
    no_rule: tuple[str, ...] = ()
    """Rules of advice that are not asked."""


def read_configuration(folder: Path, user: Path | None) -> Configuration:
    """Read the files that are there.

    Args:
        folder: the working folder.
        user: the user's own file, there or not; None where there is no home to look in.

    Raises:
        GateError: one can't be read or says what can't be carried out; it names the file and the line.
    """
    found = Configuration()
    for path, table, strict in (
        (user, (), False),
        (folder / "pyproject.toml", ("tool", "lamina"), True),
        (folder / ".lamina.toml", (), True),
    ):
        text = None if path is None else read_file(path)
        if path is not None and text is not None:
            found = _joined(found, _Document(path.name if path.parent == folder else str(path), text), table, strict)
    return found


def read_file(path: Path) -> str | None:
    """A configuration file's text; None where it is not there.

    Raises:
        GateError: it can't be read, is too long, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(bounds.CONFIGURATION_SIZE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise GateError(f"{path}: can't be read: {error.strerror}") from None
    if len(data) > bounds.CONFIGURATION_SIZE:
        raise GateError(f"{path}: more than {bounds.CONFIGURATION_SIZE} bytes, which no configuration has")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise GateError(f"{path}: not UTF-8") from None


def _joined(before: Configuration, document: _Document, table: tuple[str, ...], strict: bool) -> Configuration:
    """What a file says over what was said before it."""
    settings: Any = document.parsed()
    for key in table:
        settings = settings.get(key, {}) if isinstance(settings, dict) else None
    if not isinstance(settings, dict):
        raise GateError(f"{document.at(*table)} is not a table")
    # In the user's own file the other keys are the screen's, which tells of them itself.
    unknown = [key for key in settings if key not in _KEYS] if strict else []
    if unknown:
        raise GateError(f"{document.at(*table, unknown[0])}: no such setting, only {', '.join(_KEYS)}")
    given = settings.get("limits", {})
    if not isinstance(given, dict):
        raise GateError(f"{document.at(*table, 'limits')} is not a table")
    limits = read_limits(given, lambda name: document.at(*table, "limits", name))
    try:
        ignore = read_globs(settings["ignore"]) if "ignore" in settings else ()
    except ValueError as error:
        raise GateError(f"{document.at(*table, 'ignore')} is not {error}") from None
    try:
        no_rule = read_rules(settings["no-rule"]) if "no-rule" in settings else ()
    except ValueError as error:
        raise GateError(f"{document.at(*table, 'no-rule')} is not {error}") from None
    return Configuration(
        limits.over(before.limits),
        tuple(dict.fromkeys((*before.ignore, *ignore))),
        tuple(dict.fromkeys((*before.no_rule, *no_rule))),
    )


@dataclass(frozen=True, slots=True)
class _Document:
    """One TOML file."""

    name: str
    text: str

    def parsed(self) -> Mapping[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise GateError(f"{self.name}: not TOML: {error}") from None
        except RecursionError:
            raise GateError(f"{self.name}: not TOML: nested too deep") from None

    def at(self, *keys: str) -> str:
        """Where a key stands, for an error: ``.lamina.toml:3: max-size``. The library's parser doesn't tell."""
        heading: tuple[str, ...] = ()
        line = 1
        for number, text in enumerate(self.text.splitlines(), 1):
            if found := _HEADING.match(text.strip()):
                heading = here = _parts(found[1])
            elif found := _ASSIGNED.match(text.strip()):
                here = (*heading, *_parts(found[1]))
            else:
                continue
            if here == keys:
                line = number
                break
            if here == keys[: len(here)]:  # an inline table, or the heading that it stands under
                line = number
        return f"{self.name}:{line}: {keys[-1] if keys else ''}"


def _parts(dotted: str) -> tuple[str, ...]:
    """The keys of ``tool."lamina".limits``."""
    return tuple("".join(groups) for groups in _PART.findall(dotted))
