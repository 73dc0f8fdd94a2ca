"""The command ``lamina``: what was asked for, and how it ends.

stdout is data, stderr is narration. Textual is imported only when a screen is opened.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from lamina import __version__
from lamina.model import Cancelled, LaminaError
from lamina.names import display_name

if TYPE_CHECKING:
    from lamina.load import LoadedImage
    from lamina_tui.narration import Narrator

OK = 0
BROKEN = 1
USAGE = 2
UNREADABLE = 3
INTERRUPTED = 130

_STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")

_EPILOG = """\
TARGET is one of
  NAME                      an image in the engine: name, tag, digest or ID
  FILE                      an archive: docker save, podman save, skopeo; plain, gzip or zstd
  FOLDER                    an OCI layout
  -                         an archive on standard input
  docker-daemon:NAME  docker-archive:FILE[:TAG]  oci-archive:FILE[:TAG]  oci:FOLDER[:TAG]
                            the same, said exactly (as skopeo says it)

examples
  lamina                                      the engine's images; Enter opens one
  lamina nginx:1.27                           one image's layers, files and waste
  lamina web.tar                              an archive; nothing is unpacked
  docker save web | lamina -                  the same through a pipe
  lamina demo                                 built-in samples: no engine, no network
  lamina report nginx:1.27                    the figures as text
  lamina report web.tar --json -o web.json    the figures for scripts (lamina.report/1)

Where standard output is not a terminal, `lamina TARGET` prints the text report.
The engine is found as the docker command finds it: DOCKER_HOST, the current context, the usual
sockets, Podman's last; --host overrides.

exit codes: 0 ok, 2 usage, 3 the source can't be read or reached, 130 interrupted
"""

_REPORT_EPILOG = """\
examples
  lamina report nginx:1.27
  lamina report a.tar b.tar --json | jq '.images[].wasted'
  lamina report web.tar --markdown >> "$GITHUB_STEP_SUMMARY"
  docker save web | lamina report - --json -o web.json
"""


class UsageError(Exception):
    """The command line can't be carried out as it stands."""


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, as all errors of this command are."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help shows how)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: arguments without the program's name; None takes the process's own.

    Returns:
        The exit code of DESIGN's list: 0 ok, 2 usage, 3 source can't be read, 130 interrupted.
    """
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except (KeyboardInterrupt, Cancelled):
        return INTERRUPTED
    except BrokenPipeError:
        _quiet_stdout()
        return OK
    except UsageError as error:
        _complain(str(error))
        return USAGE
    except LaminaError as error:
        _complain(str(error))
        return UNREADABLE
    except OSError as error:
        # What the sources meet they tell as LaminaError; this is the output, or a terminal gone.
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        _quiet_stdout()
        return UNREADABLE
    except Exception as error:  # no traceback reaches a user
        if os.environ.get("LAMINA_DEBUG"):
            raise
        fault = f"{type(error).__name__}: {error}".partition("\n")[0]
        _complain(f"a fault of lamina's own ended it ({fault}); LAMINA_DEBUG=1 shows where")
        return UNREADABLE


def _run(argv: list[str]) -> int:
    parser, report_parser = _parsers()
    options, unknown = parser.parse_known_intermixed_args(argv)
    words: list[str] = options.targets
    if words and words[0] == "report":
        # Options may stand before the subcommand too: `lamina --host URL report web`.
        rest = list(argv)
        rest.remove("report")
        asked = report_parser.parse_intermixed_args(rest)
        if asked.no_cache:
            os.environ["LAMINA_CACHE"] = "off"
        return _report(asked)
    if words and words[0] == "cache":
        from lamina_tui import cache_command

        rest = list(argv)
        rest.remove("cache")
        _print(cache_command.run(cache_command.parser(_Parser).parse_args(rest)))
        return OK
    if options.no_cache:
        os.environ["LAMINA_CACHE"] = "off"
    if unknown:
        raise UsageError(f"unknown option {unknown[0]} (lamina --help lists them)")
    demo = words == ["demo"]
    if words and words[0] == "demo" and not demo:
        raise UsageError("lamina demo takes no target (an image called demo is docker-daemon:demo)")
    if not sys.stdout.isatty():
        if not words:
            raise UsageError("no terminal to draw on: name a target to report on, or try `lamina --help`")
        options.json = options.markdown = options.verify = False
        options.output = None
        return _report(options)
    return _screen(options, words, demo=demo)


def _parsers() -> tuple[_Parser, _Parser]:
    common = _Parser(add_help=False)
    common.add_argument("--host", metavar="URL", help="the engine's address, as DOCKER_HOST has it")
    common.add_argument("--no-cache", action="store_true", help="read everything anew and keep nothing")
    parser = _Parser(
        prog="lamina",
        usage="lamina [TARGET...] [--host URL] [--ascii]\n       lamina demo\n"
        "       lamina report TARGET... [--json | --markdown] [-o FILE] [--verify]\n"
        "       lamina cache [--clear]",
        description="See what a container image's layers ship, and what they waste: exact to the byte.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="what to open; without one: the engine's images")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII signs only")
    parser.add_argument("--version", action="version", version=f"lamina {__version__}")
    report = _Parser(
        prog="lamina report",
        description="Print an image's figures: layers, waste and its causes.",
        epilog=_REPORT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
        allow_abbrev=False,
    )
    report.add_argument("targets", metavar="TARGET", nargs="+", help="what to report on; see lamina --help")
    form = report.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object, schema lamina.report/1")
    form.add_argument("--markdown", action="store_true", help="Markdown, for a summary or a comment")
    report.add_argument("-o", "--output", metavar="FILE", help="write to FILE, whole or not at all")
    report.add_argument("--verify", action="store_true", help="check every layer against its digests")
    return parser, report


# The report


def _report(options: argparse.Namespace) -> int:
    output = Path(options.output) if options.output else None
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"no such folder: {output.parent}")
    from lamina import report, report_text
    from lamina_tui.narration import Narrator

    with Narrator(sys.stderr) as narrator:
        built = report.build(_load_all(options, narrator), narrator.cancel)
    if options.json:
        text = report.to_json(built)
    elif options.markdown:
        text = report_text.to_markdown(built)
    else:
        text = report_text.to_text(built)
    if not text.endswith("\n"):
        text += "\n"
    if output is not None:
        _write_whole(output, text)
    else:
        _print(text)
    return OK


def _load_all(options: argparse.Namespace, narrator: Narrator) -> list[LoadedImage]:
    from lamina import sources
    from lamina.load import load, load_all
    from lamina.shelf import default_shelf

    shelf = default_shelf()
    images: list[LoadedImage] = []
    if options.targets == ["demo"]:
        return load_all(sources.demo(), narrator, narrator.cancel)
    for target in options.targets:
        source, name = sources.resolve(target, host=options.host, stdin=_stdin_for(target), shelf=shelf)
        if name is None:
            images += load_all(source, narrator, narrator.cancel, verify=options.verify)
        else:
            images.append(load(source, name, narrator, narrator.cancel, verify=options.verify))
    return images


def _stdin_for(target: str) -> BinaryIO | None:
    return sys.stdin.buffer if target in _STDIN else None


def _print(text: str) -> None:
    """Write to stdout, whatever its encoding: what it can't hold becomes a visible escape."""
    stream = sys.stdout
    data = text.encode(stream.encoding or "utf-8", "backslashreplace")
    stream.flush()
    stream.buffer.write(data)
    stream.buffer.flush()


def _write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its name at the end."""
    if path.exists() and not path.is_file():
        # A device or a pipe, /dev/stdout for one: nothing there can be renamed over.
        path.write_text(text, encoding="utf-8")
        return
    try:
        handle, name = tempfile.mkstemp(prefix=".lamina.", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~mask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


# The screen


def _screen(options: argparse.Namespace, words: list[str], *, demo: bool) -> int:
    from lamina_tui.glyphs import needs_ascii

    # Textual reads both when it is imported. Nothing on this screen moves by itself; and the theme's colours all
    # stand in the 256-colour palette, where naming one takes 11 bytes and not 19: a third less for a slow line.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if os.environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    stdin = _keyboard_from_terminal() if any(word in _STDIN for word in words) else None
    if not sys.stdin.isatty() and stdin is None:
        raise UsageError("the keyboard is not a terminal: to read an archive from a pipe say `lamina -`")
    ascii_only = options.ascii or needs_ascii()
    from lamina_tui.start import run_screen

    return run_screen(words, host=options.host, demo=demo, stdin=stdin, ascii_only=ascii_only)


def _keyboard_from_terminal() -> BinaryIO:
    """Standard input brings an archive: keep it under another number, and put the terminal in its place."""
    if sys.stdin.isatty():
        raise LaminaError("standard input is a terminal: pipe an archive in, as in `docker save NAME | lamina -`")
    archive = os.fdopen(os.dup(0), "rb")
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        raise LaminaError("no terminal for the keyboard: `lamina report -` needs none") from None
    os.dup2(terminal, 0)
    os.close(terminal)
    return archive


# How it ends


def _complain(text: str) -> None:
    """One line on stderr."""
    try:
        print(f"lamina: {display_name(text)}", file=sys.stderr)
    except OSError:
        return  # nobody listens


def _quiet_stdout() -> None:
    """Keep Python from complaining at exit about a pipe that nobody reads."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:
        return


def run() -> NoReturn:
    """The entry of ``python -m lamina_tui``."""
    sys.exit(main())
