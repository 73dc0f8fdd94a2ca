"""The command ``lamina``: what was asked for, and how it ends.

stdout is data, stderr is narration. Each command has a module of its own, which is imported when it is called; Textual
is imported only when a screen is opened. Whatever takes time to import is imported below :func:`main`, where an
interrupt finds someone who waits for it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import NoReturn

    from lamina_tui.commands.options import Parser

COMMANDS = (
    *("report", "check", "packages", "shared", "diff", "ls", "cat", "find", "history", "extract"),
    *("tags", "pull", "search", "mcp", "cache", "config"),
)
"""Each a module of :mod:`lamina_tui.commands`, with ``parser()`` and ``run(options)``."""

_MANY = 100_000
"""Objects after which a command that draws no screen looks for garbage."""

_EPILOG = """\
TARGET is one of
  NAME                      an image in the engine: name, tag, digest or ID
  FILE                      an archive: docker save, podman save, skopeo; plain, gzip or zstd
  FOLDER                    an OCI layout
  -                         an archive on standard input
  docker://NAME             an image in a registry, without an engine
  container:NAME            a container: its image, and what it has written
  containerd:[NAME]         what a containerd holds without an engine (Kubernetes nodes)
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
  lamina tags docker://debian                 versions in a registry, and how big an update is
  lamina packages nginx:1.27                  what each package weighs and wastes
  lamina shared                               what all of the engine's images share, as text
  lamina ls nginx:1.27 etc -l                 what is in a folder, and which layer ships it
  lamina find web.tar --mode setuid           files by name, size, owner, mode, change or content
  lamina history web.tar etc/passwd           every layer that touched a path
  lamina report nginx:1.27                    the figures as text
  lamina report web.tar --json -o web.json    the figures for scripts (lamina.report/1)
  lamina check web:ci --max-wasted 20MB       for CI: ends with 1 where a limit is broken

Where standard output is not a terminal, `lamina TARGET` prints the text report, `lamina diff` its text.
The engine is found as the docker command finds it: DOCKER_HOST, the current context, the usual
sockets, Podman's last; --host and --context override. ssh://HOST goes through the system's ssh.

exit codes: 0 ok, 1 a limit is broken (check), 2 usage, 3 the source can't be read or reached, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: arguments without the program's name; None takes the process's own.

    Returns:
        The exit code of the README: 0 ok, 1 a limit is broken, 2 usage, 3 source can't be read, 130 interrupted.
    """
    try:
        return _main(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return 130  # the modules that give it a name may not be there yet


def _main(argv: list[str]) -> int:
    # Nothing here multiplies matrices: numpy's own threads would only take time, memory, and our way to fork workers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_standard_streams()
    code = _guarded(argv)
    if "textual" in sys.modules:
        from lamina_tui.hangup import leave_if_held

        return leave_if_held(code)
    return code


def _open_standard_streams() -> None:
    """Put something in the place of standard streams that the caller closed (``2>&-``), for Python leaves those out.

    Else the next file that is opened would take their numbers. Standard input is then empty, nobody reads standard
    error, and standard output can't be written: whoever needs it gets an error.
    """
    for number, name, how in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            here = os.open(os.devnull, how)
            if here != number:
                os.dup2(here, number)
                os.close(here)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115, PTH123


def _guarded(argv: list[str]) -> int:
    """Run the command; every error becomes one line and an exit code."""
    from lamina.errors import Cancelled, LaminaError
    from lamina_tui.commands.options import INTERRUPTED, OK, UNREADABLE, USAGE, UsageError

    try:
        with _Interrupts():
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
    except MemoryError:
        _complain("memory ran out: close something else, or look at fewer images at a time")
        return UNREADABLE
    except Exception as error:  # no traceback reaches a user
        if os.environ.get("LAMINA_DEBUG"):
            raise
        fault = f"{type(error).__name__}: {error}".partition("\n")[0]
        _complain(f"a fault of lamina's own ended it ({fault}); LAMINA_DEBUG=1 shows where")
        return UNREADABLE


class _Interrupts:
    """Lets an interrupt count whatever it met: numpy's import, for one, turns it into an error of its own."""

    def __init__(self) -> None:
        self._came = False
        self._usual = False

    def __enter__(self) -> None:
        import signal
        import threading

        # Who ignores interrupts, or handles them otherwise, has reasons; and only the main thread may set handlers.
        self._usual = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._usual:
            signal.signal(signal.SIGINT, self._note)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._usual:
            import signal

            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._came and isinstance(error, Exception):
            raise KeyboardInterrupt from error

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt


def _run(argv: list[str]) -> int:
    import gc
    from importlib import import_module

    from lamina_tui.commands.options import OK, UsageError

    def command(name: str) -> int:
        # Most of what is made stays until the end: looking through it for circles every 700 objects finds none.
        gc.set_threshold(_MANY)
        module = import_module(f"lamina_tui.commands.{name}")
        rest = list(argv)
        rest.remove(name)
        code: int = module.run(module.parser().parse_intermixed_args(rest))
        return code

    if argv and argv[0] in COMMANDS:
        return command(argv[0])
    parser = _parser()
    options, unknown = parser.parse_known_intermixed_args(argv)
    words: list[str] = options.targets
    if words and words[0] in COMMANDS:  # options may stand before the command too: `lamina --host URL report web`
        return command(words[0])
    if options.help:
        parser.print_help()
        return OK
    if unknown:
        raise UsageError(f"unknown option {unknown[0]} (lamina --help lists them)")
    from lamina_tui.commands import screen

    return screen.run(options)


def _parser() -> Parser:
    from lamina import __version__
    from lamina_tui.commands.options import Parser

    parser = Parser(
        "lamina",
        usage="lamina [TARGET...] [--host URL] [--ascii]\n       lamina demo\n"
        "       lamina report TARGET... [--json | --markdown | --html] [-o FILE] [--base NAME|N] [--own]\n"
        "       lamina check TARGET... [--max-wasted SIZE] [--max-size SIZE] [--forbid GLOB]... [--json] [-o FILE]\n"
        "       lamina packages TARGET... [--json | --markdown | --csv] [-o FILE]\n"
        "       lamina shared [TARGET...] [--manifests] [--json | --markdown] [-o FILE]\n"
        "       lamina diff A B [--manifests] [--json | --markdown] [-o FILE]\n"
        "       lamina ls TARGET [PATH] [-l] [-R] [-0 | --json | --ncdu] [--layer N | --up-to N]\n"
        "       lamina cat TARGET PATH... [--layer N | --up-to N]\n"
        "       lamina find TARGET [PATH] [--name GLOB] [--size +N] [--contains TEXT] [--all-layers]...\n"
        "       lamina history TARGET PATH [--json]\n"
        "       lamina extract TARGET PATH [-o DEST] [--layer N | --up-to N] [--force]\n"
        "       lamina search TERM [--limit N] [--json | --markdown] [-o FILE]\n"
        "       lamina tags NAME [--last N] [--json | --markdown] [-o FILE]\n"
        "       lamina pull NAME [--yes] [--json | --markdown] [-o FILE]\n"
        "       lamina mcp\n"
        "       lamina cache [--clear]\n"
        "       lamina config [--write]",
        description="See what a container image's layers ship and waste, and what images share: exact to the byte.",
        epilog=_EPILOG,
        add_help=False,  # `lamina diff --help` is for diff's own parser: this one must not answer it
    )
    parser.add_common()
    parser.add_argument("-h", "--help", action="store_true", help="show this help message and exit")
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="what to open; without one: the engine's images")
    parser.add_screen()
    parser.add_argument("--version", action="version", version=f"lamina {__version__}")
    return parser


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
    """The entry of the command: does it, and ends the process.

    Python would first take everything apart that is loaded, numpy above all, which takes a tenth of a short command's
    time. It is left to do so where it has more to do: where threads are to be waited for, or its output is not gone.
    """
    code = main()
    threads = sys.modules.get("threading")
    if "textual" not in sys.modules and (threads is None or threads.active_count() == 1):
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            sys.exit(code)
        os._exit(code)
    sys.exit(code)
