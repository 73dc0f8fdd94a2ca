"""What the user set once and for all: ``$XDG_CONFIG_HOME/lamina/config.toml``, for the screen.

Where there is no such file nothing is read, and nothing imported for it. What is wrong in it is told in one line, and
left at its default: a typing error never keeps a screen from opening.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from lamina.dataclass import dataclass
from lamina_tui.keymap import Keymap

THEMES = ("auto", "dark", "light", "terminal", "high-contrast")
"""By name; :mod:`lamina_tui.themes` has what they look like."""
UNITS = ("si", "binary")
_OF_CHECK = ("limits", "ignore", "no-rule")
"""Stand in the same file, and are no business of the screen: `lamina check` reads them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the screen is opened with."""

    theme: str = "auto"
    """One of :data:`THEMES`; ``auto`` asks the terminal whether its background is light."""
    units: str = "si"
    """One of :data:`UNITS`: 1 kB is 1,000 bytes, or 1 KiB is 1,024."""
    mouse: bool = True
    keys: Keymap = field(default_factory=Keymap)


@dataclass(frozen=True, slots=True)
class Found:
    """What the configuration says."""

    settings: Settings
    path: Path | None
    """The file, whether it is there or not; None where there is no home to look in."""
    there: bool = False
    given: frozenset[str] = frozenset()
    """The settings that come from the file."""
    faults: tuple[str, ...] = ()
    """Each as ``key: what is wrong, and what is allowed``, of the file itself without a key. May hold any text."""

    @property
    def complaint(self) -> str:
        """The first fault in one line, with the file; empty where nothing is wrong. May hold any text."""
        if not self.faults:
            return ""
        more = f" (and {len(self.faults) - 1} more: see `lamina config`)" if len(self.faults) > 1 else ""
        return f"{self.path}: {self.faults[0]}{more}"


def config_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file, by the XDG Base Directory specification, there or not; None without a home folder."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(base):  # the specification: others are to be ignored  # noqa: PTH117 - no Path is needed yet
        return Path(base, "lamina", "config.toml")
    home = environ.get("HOME", "")
    return Path(home, ".config", "lamina", "config.toml") if home else None


def read_settings(path: Path | None) -> Found:
    """Read the configuration file, where there is one; never raises for what is wrong with it."""
    if path is None:
        return Found(Settings(), None)
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Found(Settings(), path)
    except OSError as error:
        return Found(Settings(), path, there=True, faults=(f"can't be read: {error.strerror}",))
    import tomllib

    try:
        table = tomllib.loads(text.decode())
    except UnicodeDecodeError:
        return Found(Settings(), path, there=True, faults=("not UTF-8",))
    except tomllib.TOMLDecodeError as error:
        return Found(Settings(), path, there=True, faults=(f"not TOML: {error}",))
    except RecursionError:
        return Found(Settings(), path, there=True, faults=("not TOML: nested too deep",))
    return _checked(table, path)


def _checked(table: Mapping[str, Any], path: Path) -> Found:
    """The values that are allowed, in place of the defaults."""
    faults: list[str] = []
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in _OF_CHECK:
            continue
        if key not in _ALLOWED:
            faults.append(f"{key:.40}: no such setting, only {', '.join(_ALLOWED)}")
            continue
        if value == {}:
            continue  # a heading with nothing below it
        values[key] = _ALLOWED[key](key, value, faults)
    values = {key: value for key, value in values.items() if value is not None}
    return Found(replace(Settings(), **values), path, there=True, given=frozenset(values), faults=tuple(faults))


def _one_of(words: tuple[str, ...]) -> Callable[[str, object, list[str]], str | None]:
    allowed = ", ".join(f'"{word}"' for word in words)

    def chosen(key: str, value: object, faults: list[str]) -> str | None:
        if isinstance(value, str) and value in words:
            return value
        faults.append(f"{key}: {value!r:.40} is not allowed, only {allowed}")
        return None

    return chosen


def _yes_or_no(key: str, value: object, faults: list[str]) -> bool | None:
    if isinstance(value, bool):
        return value
    faults.append(f"{key}: {value!r:.40} is not allowed, only true, false")
    return None


def _keymap(key: str, value: object, faults: list[str]) -> Keymap:
    from lamina_tui.key_remaps import remapped

    keymap, wrong = remapped(value)
    faults += [f"{key}: {fault}" for fault in wrong]
    return keymap


_ALLOWED: Mapping[str, Callable[[str, Any, list[str]], Any]] = {
    "theme": _one_of(THEMES),
    "units": _one_of(UNITS),
    "mouse": _yes_or_no,
    "keys": _keymap,
}
