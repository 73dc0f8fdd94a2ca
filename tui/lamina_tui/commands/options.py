"""What the commands' options have in common, and what they make of them."""

from __future__ import annotations

import argparse
import os

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, BinaryIO, NoReturn

    from lamina.workspace import Workspace

OK = 0
BROKEN = 1
"""A limit, of `lamina check`."""
USAGE = 2
UNREADABLE = 3
INTERRUPTED = 130


class UsageError(Exception):
    """The command line can't be carried out as it stands."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, as all errors of this command are."""

    def __init__(self, prog: str, **options: Any) -> None:
        self._columns = 80  # argparse formats every option that it is given, and would ask for the terminal's each time
        super().__init__(prog=prog, formatter_class=self._formatter, allow_abbrev=False, **options)

    def _formatter(self, prog: str) -> argparse.HelpFormatter:
        return argparse.RawDescriptionHelpFormatter(prog, width=self._columns - 2)

    def format_help(self) -> str:
        """The help, as wide as the terminal."""
        import shutil

        self._columns = shutil.get_terminal_size().columns
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(f"{message} ({self.prog} --help shows how)")

    def add_common(self) -> None:
        """Options of every command that reads images."""
        self.add_argument(
            "--host", metavar="URL", action="append", default=[], help="the engine's address, as DOCKER_HOST has it"
        )
        self.add_argument("--context", metavar="NAME", help="the engine of one of the docker command's contexts")
        self.add_argument(
            "--insecure-registry",
            metavar="HOST",
            action="append",
            default=[],
            help="a registry without TLS, or with a certificate nobody vouches for",
        )
        self.add_argument(
            "--platform",
            metavar="OS/ARCH",
            default="",
            help="of an image for several platforms: linux/arm64, all (each, where several can be shown)",
        )
        self.add_argument("--no-cache", action="store_true", help="read everything again and keep nothing")

    def add_form(self, schema: str) -> argparse._MutuallyExclusiveGroup:
        """In which form the result is written, and where to; answers the group, for forms that only one command has."""
        form = self.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help=f"one JSON object, schema {schema}")
        form.add_argument("--markdown", action="store_true", help="Markdown, for a summary or a comment")
        self.add_argument("-o", "--output", metavar="FILE", help="write to FILE, whole or not at all")
        return form

    def add_base(self) -> None:
        """Of what tells a base's layers from an image's own."""
        self.add_argument(
            "--base",
            metavar="NAME|N",
            help="what the images are built on: an image, or how many of the layers are its (found by itself where "
            "the image says so, or its base is at hand)",
        )
        self.add_argument(
            "--own", action="store_true", help="waste and advice of the layers above the base alone: what you can mend"
        )

    def add_ask_base(self) -> None:
        """Of what may ask a registry."""
        self.add_argument(
            "--ask-base",
            action="store_true",
            help="ask the registry whether the base has moved on",
        )

    def add_manifests(self) -> None:
        """Of what can do without reading layers."""
        self.add_argument(
            "--manifests",
            action="store_true",
            help="from manifests and configs alone: no layer is read, sizes are as transferred",
        )

    def add_screen(self) -> None:
        """Of what may open a screen."""
        self.add_argument("--ascii", action="store_true", help="draw with ASCII signs only")
        self.add_argument(
            "--theme",
            metavar="NAME",
            help="the screen's colours: auto (by the terminal's background), dark, light, terminal, high-contrast",
        )
        self.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")


def workspace_of(
    options: argparse.Namespace,
    *,
    screen: bool = False,
    stdin: BinaryIO | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Workspace:
    """The workspace that options and environment ask for.

    Args:
        options: with ``host`` and ``no_cache``.
        screen: whether this process draws a screen; workers then do all large work, for keys must not wait.
        stdin: what ``-`` reads; None: standard input.
        meanwhile: what is done while workers begin; see :class:`lamina.workers.pool.Pool`.
    """
    from lamina.cache.folder import default_cache_folder
    from lamina.workers.pool import Pool
    from lamina.workspace import Workspace

    return Workspace(
        host=host_of(options),
        cache=None if options.no_cache else default_cache_folder(),
        stdin=stdin,
        workers=Pool(processes=True, joins=not screen, meanwhile=meanwhile),
        store=not os.environ.get("LAMINA_NO_STORE"),
        insecure=options.insecure_registry,
        platform=options.platform,
    )


def hosts_of(options: argparse.Namespace) -> list[str]:
    """The engines that were named; none: by the docker CLI's rules.

    Raises:
        UsageError: in two ways.
    """
    hosts: list[str] = options.host
    if hosts and options.context:
        raise UsageError("--host and --context both name the engine: say one of them")
    return [f"context://{options.context}"] if options.context else hosts


def host_of(options: argparse.Namespace) -> str | None:
    """The engine that was named; None: by the docker CLI's rules.

    Raises:
        UsageError: there are several, or it is named in two ways.
    """
    hosts = hosts_of(options)
    if len(hosts) > 1:
        raise UsageError("--host twice: only `lamina shared` without targets looks at several engines")
    return hosts[0] if hosts else None


def output_path(options: argparse.Namespace) -> Path | None:
    """The file that was asked for; None: standard output.

    Raises:
        UsageError: its folder is not there.
    """
    if not options.output:
        return None
    from pathlib import Path

    output = Path(options.output)
    if not output.parent.is_dir():
        raise UsageError(f"no such folder: {output.parent}")
    return output
