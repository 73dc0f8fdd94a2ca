"""``lamina config``: what the screen is set to and why, and a file to set it otherwise."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from lamina_tui.commands.options import OK, Parser, UsageError

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lamina_tui.settings import Found

_EPILOG = """\
The file is $XDG_CONFIG_HOME/lamina/config.toml, else ~/.config/lamina/config.toml; it is for the screen only.
`--theme NAME` and `--no-mouse` win over it.
"""

_HEAD = """\
# lamina's screen. Lines that begin with # say what holds without them.

# The colours: "auto" asks the terminal whether its background is light; "dark", "light", "high-contrast";
# "terminal" keeps to the terminal's own sixteen colours and its background.
# theme = "auto"

# Sizes on the screen: "si", 1 kB is 1,000 bytes; "binary", 1 KiB is 1,024 bytes. Reports always have "si".
# units = "si"

# Clicks and the wheel; false leaves the mouse to the terminal.
# mouse = true

# Keys: keys = "dive" has dive's for what both have, with file trees unfolded at first. A table gives commands other
# keys, alone or over dive's, one or several: "f", "F", "ctrl+f", "f5", "pageup", "/"; [] leaves a command without.
# A key goes from a command in another part of the screen that keeps a key of its own; else it must be free.
# ctrl+c always stops lamina, ctrl+q always quits.
[keys]
# preset = "dive"

# Each command with the keys it has; where several have a name, most of them.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina config",
        description="Tell what the screen is set to, and where each setting comes from.",
        epilog=_EPILOG,
    )
    made.add_argument("--write", action="store_true", help="write a file with all settings, as comments to begin with")
    return made


def run(options: argparse.Namespace) -> int:
    """Print the settings, or write a file of them.

    Raises:
        UsageError: the file has a fault, or is there already.
        OSError: the file can't be written.
    """
    from lamina.names import display_name
    from lamina_tui.commands.output import print_text
    from lamina_tui.settings import config_path, read_settings

    path = config_path()
    if options.write:
        if path is None:
            raise UsageError("no home folder to write to: set HOME or XDG_CONFIG_HOME")
        write(path)
        print_text([f"written: {display_name(str(path))}\n"])
        return OK
    found = read_settings(path)
    if found.faults:
        # All of them, for this is where they are looked for; the last is the error.
        raise UsageError("; ".join([f"{path}: {found.faults[0]}", *found.faults[1:]]))
    print_text([in_effect(found, os.environ)])
    return OK


def in_effect(found: Found, environ: Mapping[str, str]) -> str:
    """The settings as lines: name, value, where it comes from.

    Args:
        found: what the file says, without a fault.
        environ: the process's environment.
    """
    from lamina.names import display_name
    from lamina_tui.key_names import keys_text

    settings = found.settings
    no_color = environ.get("NO_COLOR") and settings.theme != "terminal"
    moved = settings.keys.moved()
    values = {
        "theme": settings.theme,
        "units": settings.units,
        "mouse": "true" if settings.mouse else "false",
        "keys": settings.keys.preset or ("remapped" if moved else "lamina's own"),
    }
    lines = [
        f"{name:<7}{value:<15}{'file' if name in found.given else 'default'}"
        + (" (NO_COLOR: the terminal's own, without colours)" if name == "theme" and no_color else "")
        for name, value in values.items()
    ]
    lines += dict.fromkeys(
        f"  {command.name:<24}{keys_text(command.keys) or 'no key'}"
        for command in settings.keys.commands
        if command.id in moved
    )
    where = "no home folder to look for a file in" if found.path is None else display_name(str(found.path))
    lines.append(f"file   {where}" + ("" if found.there or found.path is None else " (not there: --write makes it)"))
    return "\n".join(lines) + "\n"


def default_file() -> str:
    """A file that sets nothing, and tells of everything that can be set."""
    from collections import Counter

    from lamina_tui.keymap import COMMANDS

    lines: list[str] = []
    told: set[str] = set()
    scope = None
    for command in COMMANDS:
        if command.name in told:
            continue
        told.add(command.name)
        if command.scope is not scope:
            scope = command.scope
            lines.append(f"\n# {scope.value}\n")
        # One line is for all commands of the name: the keys that most of them have.
        common = Counter(other.keys for other in COMMANDS if other.name == command.name).most_common(1)[0][0]
        keys = ", ".join(f'"{key}"' for key in common)
        value = keys if len(common) == 1 else f"[{keys}]"
        lines.append(f"# {command.name} = {value}".ljust(52) + f"# {command.help}\n")
    return _HEAD + "".join(lines)


def write(path: Path) -> None:
    """Write the default file, whole or not at all, and never over another.

    Raises:
        UsageError: it is there already.
        OSError: it can't be written.
    """
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as out:
            out.write(default_file())
        try:
            os.link(name, path)  # unlike a rename, never over what came meanwhile
        except FileExistsError:
            raise UsageError(f"{path} is there already: it stays as it is (remove it to have a new one)") from None
    finally:
        Path(name).unlink()
