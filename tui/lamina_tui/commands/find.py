"""``lamina find``: files of an image by name, size, owner, mode, change and content, in one state or all layers."""

from __future__ import annotations

import argparse
import re
import sys

from lamina_tui.commands.image_files import add_layers, read_target, scope_of_options
from lamina_tui.commands.options import OK, Parser, UsageError

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from lamina.contents.conditions import Conditions
    from lamina.contents.file_rows import FileRows
    from lamina.contents.image_files import ImageFiles
    from lamina.contents.place import Scope
    from lamina.layers.tar_search import Sought
    from lamina_tui.commands.progress_line import ProgressLine

_EPILOG = """\
examples
  lamina find web:2 --name '*.pyc' --name '*.map' -l
  lamina find web.tar usr --size +10M                 more than 10 MB; -4k is less, 100 just as many bytes
  lamina find web.tar --mode setuid -l                or /6000 any of the bits, -6000 all, 755 just these
  lamina find web.tar --mode world-writable --type d
  lamina find web.tar --all-layers --name 'id_rsa*'   removed ones too, with the layer that has them
  lamina find web.tar --change - --type f             what any layer removed; with --layer 3: what that one did
  lamina find web.tar --all-layers --contains 'BEGIN RSA PRIVATE KEY' --contains AKIA
  lamina find web.tar --content-hash "$(sha256sum < app | cut -c -64)"
  lamina find web.tar --name '*.so*' -0 | xargs -0 ...

k, M, G are thousands as lamina shows them, Ki, Mi, Gi 1,024. Sizes are of files, where a hard link adds none; with
--type d of folders, too, with all below them; of what is removed, the bytes that go, which -l tells with a minus.
Owners are numbers. Links in PATH are followed. --change without a layer looks in all of them. What --contains finds
comes as it is found. Names are made visible to a terminal and to a pipe, but for -0.
"""

_ROOTED = re.compile(r"\.?/")

_PRINTED = 4096  # rows that are made to text together

_TAKES_ANYTHING = ("--name", "--path", "--size", "--change", "--mode", "--contains")
"""Options whose value may begin with a dash."""


class _FindParser(Parser):
    """Takes ``--size -4k`` as it is meant, which argparse takes for two options."""

    def parse_intermixed_args(  # type: ignore[override]  # typeshed's are many
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> argparse.Namespace:
        """See :class:`argparse.ArgumentParser`."""
        joined: list[str] = []
        words = iter(sys.argv[1:] if args is None else args)
        for word in words:
            value = next(words, None) if word in _TAKES_ANYTHING else None
            joined.append(word if value is None else f"{word}={value}")
        return super().parse_intermixed_args(joined, namespace)  # type: ignore[no-any-return]


def parser() -> Parser:
    """The command's arguments."""
    made = _FindParser(
        "lamina find",
        usage="lamina find TARGET [PATH] [CONDITION...] [--layer N | --up-to N | --all-layers]\n"
        "                   [-l | -0 | --json | --count]",
        description="Find files of an image: all conditions have to hold; of names and texts any.",
        epilog=_EPILOG,
    )
    made.add_argument("target", metavar="TARGET", help="an image; see lamina --help")
    made.add_argument("path", metavar="PATH", nargs="?", default="", help="where it has to be; else anywhere")
    made.add_argument(
        "--name", metavar="GLOB", action="append", help="of the last name: *, ?, [a-z]; several times: any"
    )
    made.add_argument(
        "--path", dest="whole_path", metavar="GLOB", action="append", help="of the whole path; * takes / too"
    )
    made.add_argument("--ignore-case", action="store_true", help="ASCII letters of either case, in all of these texts")
    made.add_argument("--size", metavar="[+-]N", help="bytes, or with k, M, G, KiB, MiB, GiB: more, less, or just N")
    made.add_argument("--change", metavar="MARKS", help="some of + added, M modified, m metadata only, - removed")
    made.add_argument("--owner", metavar="UID[:GID]", help="numbers; :GID for a group alone")
    made.add_argument(
        "--mode",
        metavar="BITS",
        action="append",
        help="/BITS any, -BITS all, BITS just these; setuid, setgid, sticky, world-writable",
    )
    made.add_argument("--type", metavar="LETTERS", help="f file, d folder, l link, h hard link, p pipe, c b device")
    made.add_argument(
        "--contains", metavar="TEXT", action="append", help="files whose content has it, as UTF-8; several times: any"
    )
    made.add_argument(
        "--content-hash", metavar="sha256:HEX", action="append", help="files of just this content; several times: any"
    )
    where = add_layers(made)
    where.add_argument("--all-layers", action="store_true", help="all versions in all layers, and what became of them")
    form = made.add_mutually_exclusive_group()
    form.add_argument("-l", "--long", action="store_true", help="change, mode, owner, bytes, time, layer of each")
    form.add_argument("-0", "--null", action="store_true", help="paths as they are, each ended by a NUL; nothing else")
    form.add_argument("--json", action="store_true", help="one JSON object, schema lamina.files/1")
    form.add_argument("--count", action="store_true", help="only how many there are")
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Print what was found; that may be nothing.

    Raises:
        LaminaError: the image can't be read, or nothing is at the path.
        Cancelled: it was interrupted.
        UsageError: a condition is none.
    """
    conditions = conditions_of(options)
    from lamina_tui.commands.progress_line import ProgressLine

    with ProgressLine(sys.stderr) as line:
        files = read_target(options, line)
        scope = _scope(files, options)
        from lamina.contents.find_files import find_files

        rows = find_files(files, options.path, scope, conditions)
        if options.contains or options.content_hash:
            count = _contained(files, rows, scope, options, line)
        else:
            count = len(rows)
            line.hide()
            _print(rows, scope, options)
        if not count:
            line.remark("nothing found")
    return OK


def _contained(
    files: ImageFiles, rows: FileRows, scope: Scope | None, options: argparse.Namespace, line: ProgressLine
) -> int:
    """Print those of some files whose content is asked for, as they are found where each stands for itself."""
    import numpy as np

    from lamina.contents.find_content import find_content
    from lamina.layers.digest_search import digests_of
    from lamina.layers.text_search import texts_of
    from lamina.workers.pool import Pool

    sought: list[Sought] = []
    if options.content_hash:
        sought.append(digests_of(options.content_hash))
    if options.contains:
        sought.append(texts_of(options.contains, fold=options.ignore_case))
    together = options.long or options.json or options.count
    found: list[NDArray[np.intp]] = []

    def tell(numbers: NDArray[np.intp]) -> None:
        found.append(numbers)
        if not together and last:
            line.clear()
            _print(rows.take(numbers), scope, options)

    for place, one in enumerate(sought):
        last = place + 1 == len(sought)
        found.clear()
        find_content(files, rows, one, tell, pool=Pool(processes=True), cancel=line.cancel, progress=line.progress)
        if together or not last:
            rows = rows.take(np.sort(np.concatenate([np.zeros(0, dtype=np.intp), *found])))
    line.hide()
    if together:
        _print(rows, scope, options)
    return sum(map(len, found))


def conditions_of(options: argparse.Namespace) -> Conditions:
    """What the options ask for.

    Raises:
        UsageError: one of them is no condition.
    """
    from lamina.contents import conditions as of
    from lamina.contents.globs import Globs
    from lamina.layers.digest_search import digests_of
    from lamina.layers.text_search import texts_of

    def made(name: str, text: str | None, make: Callable[[str], Any]) -> Any:
        try:
            return None if text is None else make(text)
        except ValueError:
            raise UsageError(f"{name} {text} is not understood (lamina find --help shows how)") from None

    def globs(name: str, texts: Sequence[str] | None) -> Globs | None:
        return made(name, " ".join(texts), lambda _: Globs(tuple(texts), fold=options.ignore_case)) if texts else None

    whole = [
        text.removeprefix(".").removeprefix("/") if _ROOTED.match(text) else text for text in options.whole_path or ()
    ]
    for text in options.content_hash or ():
        made("--content-hash", text, lambda text: digests_of([text]))
    for text in options.contains or ():
        made("--contains", text, lambda text: texts_of([text]))
    return of.Conditions(
        names=globs("--name", options.name),
        whole_paths=globs("--path", whole),
        size=made("--size", options.size, of.size_range),
        changes=made("--change", options.change, of.changes_of),
        owner=made("--owner", options.owner, of.owner_of),
        modes=tuple(made("--mode", text, of.mode_bits) for text in options.mode or ()),
        kinds=made("--type", options.type, of.kinds_of),
    )


def _scope(files: ImageFiles, options: argparse.Namespace) -> Scope | None:
    """Which files are meant; None: all versions in all layers."""
    without = options.layer is None and options.up_to is None
    if options.all_layers or (options.change is not None and without):
        return None
    return scope_of_options(files, options)


def _print(rows: FileRows, scope: Scope | None, options: argparse.Namespace) -> None:
    from lamina_tui.commands.output import print_bytes, print_text

    if options.count:
        print_text([f"{len(rows)}\n"])
    elif options.json:
        from lamina.contents.find_files import title_of
        from lamina.reports.files import rows_json

        print_text(rows_json(title_of(scope), [rows]))
    elif options.null:
        print_bytes(b"".join(name + b"\0" for name in _names(part)) for part in _pieces(rows))
    else:
        print_text(_lines(rows, options))


def _lines(rows: FileRows, options: argparse.Namespace) -> Iterator[str]:
    from lamina.reports.file_lines import long_lines, short_lines

    if options.long:
        yield from long_lines(rows, _names(rows))
        return
    marks = options.change is not None or options.layer is not None
    for part in _pieces(rows):
        yield "".join(short_lines(part, _names(part), marks=marks))


def _pieces(rows: FileRows) -> Iterator[FileRows]:
    for first in range(0, len(rows), _PRINTED):
        yield rows.take(slice(first, first + _PRINTED))


def _names(rows: FileRows) -> list[bytes]:
    return rows.union.paths.texts(rows.path)
