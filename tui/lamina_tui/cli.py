"""The command ``lamina``: what was asked for, and how it ends.

stdout is data, stderr is narration. Textual is imported only when a screen is opened.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from lamina import __version__
from lamina.errors import Cancelled, LaminaError

if TYPE_CHECKING:  # what a command needs it imports itself: `lamina --help` answers at once
    from pathlib import Path

    from lamina.figures.image import LoadedImage
    from lamina_tui.commands.progress_line import Narrator

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
  lamina nginx:1.26 nginx:1.27 web.tar        what they share, and what they could
  lamina diff nginx:1.26 nginx:1.27           what the step costs, and which files changed
  lamina shared                               what all of the engine's images share, as text
  lamina report nginx:1.27                    the figures as text
  lamina report web.tar --json -o web.json    the figures for scripts (lamina.report/1)

Where standard output is not a terminal, `lamina TARGET` prints the text report, `lamina diff` its text.
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
        The exit code of the README: 0 ok, 2 usage, 3 source can't be read, 130 interrupted.
    """
    # Nothing here multiplies matrices: numpy's own threads would only take time, memory, and our way to fork workers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = _guarded(list(sys.argv[1:] if argv is None else argv))
    if "textual" in sys.modules:
        from lamina_tui.hangup import leave_if_held

        return leave_if_held(code)
    return code


def _guarded(argv: list[str]) -> int:
    """Run the command; every error becomes one line and an exit code."""
    try:
        return _run(argv)
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
        from lamina_tui.commands import cache as cache_command

        rest = list(argv)
        rest.remove("cache")
        from lamina_tui.commands.output import print_text

        print_text([cache_command.run(cache_command.parser(_Parser).parse_args(rest))])
        return OK
    if words and words[0] in {"shared", "diff"}:
        rest = list(argv)
        rest.remove(words[0])
        return _set_command(words[0], rest)
    if options.help:
        parser.print_help()
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
        "       lamina shared [TARGET...] [--json | --markdown] [-o FILE]\n"
        "       lamina diff A B [--json | --markdown] [-o FILE]\n"
        "       lamina cache [--clear]",
        description="See what a container image's layers ship and waste, and what images share: exact to the byte.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
        allow_abbrev=False,
        add_help=False,  # `lamina diff --help` is for diff's own parser: this one must not answer it
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help message and exit")
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
    output = _output(options)
    from lamina_tui.commands.progress_line import Narrator

    with Narrator(sys.stderr) as narrator:
        images = _load_all(options, narrator)
        from lamina.reports import image as report
        from lamina.reports import text as report_text
        from lamina.reports.json_text import json_pieces

        built = report.build(images, narrator.cancel)
    if options.json:
        pieces = json_pieces(built)
    elif options.markdown:
        pieces = iter([report_text.to_markdown(built)])
    else:
        pieces = iter([report_text.to_text(built)])
    _emit(pieces, output)
    return OK


def _emit(pieces: Iterator[str], output: Path | None) -> None:
    from lamina_tui.commands.output import emit

    emit(pieces, output)


def _output(options: argparse.Namespace) -> Path | None:
    """The file that was asked for."""
    from pathlib import Path

    output = Path(options.output) if options.output else None
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"no such folder: {output.parent}")
    return output


def _set_command(name: str, rest: list[str]) -> int:
    """Carry out ``shared`` or ``diff``."""
    from lamina_tui.commands import set_commands

    asked = set_commands.parser(name, _Parser).parse_intermixed_args(rest)
    if asked.no_cache:
        os.environ["LAMINA_CACHE"] = "off"
    if name == "diff" and not (asked.json or asked.markdown or asked.output) and sys.stdout.isatty():
        return _screen(asked, asked.targets, demo=False, diff=True)
    output = _output(asked)
    from lamina_tui.commands.progress_line import Narrator

    with Narrator(sys.stderr) as narrator:
        if name == "diff":
            text = set_commands.diff(asked, narrator, _stdin_for)
        else:
            text = set_commands.shared(asked, narrator, lambda: _load_all(asked, narrator))
    _emit(iter([text]), output)
    return OK


def _load_all(options: argparse.Namespace, narrator: Narrator) -> list[LoadedImage]:
    from lamina import sources
    from lamina.cache.cache import default_cache
    from lamina.workers.meanwhile import while_workers_begin

    while_workers_begin(_load_what_figures_need)
    cache = default_cache()
    images: list[LoadedImage] = []
    for target in options.targets:
        if target == "demo" and len(options.targets) == 1:
            source, name = sources.demo(), None
        else:
            source, name = sources.resolve(target, host=options.host, stdin=_stdin_for(target), cache=cache)
        listed = source.list(narrator.cancel, narrator.progress) if name is None else []
        for wanted in [summary.target for summary in listed] if name is None else [name]:
            read = source.read(wanted, narrator, narrator.cancel, verify=options.verify)
            from lamina.figures.image import compute

            images.append(compute(read, source.label, narrator.cancel))
    return images


def _load_what_figures_need() -> None:
    import lamina.figures.image
    import lamina.reports.image
    import lamina.reports.text  # noqa: F401


def _stdin_for(target: str) -> BinaryIO | None:
    return sys.stdin.buffer if target in _STDIN else None


# The screen


def _screen(options: argparse.Namespace, words: list[str], *, demo: bool, diff: bool = False) -> int:
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
    from lamina_tui.launch import run_screen

    return run_screen(words, host=options.host, demo=demo, stdin=stdin, ascii_only=ascii_only, diff=diff)


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
        from lamina.names import display_name

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
