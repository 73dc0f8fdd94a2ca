"""``lamina extract``: files of an image, taken out."""

from __future__ import annotations

import argparse
import os
import sys

from lamina_tui.commands.image_files import add_layers, read_target, scope_of_options
from lamina_tui.commands.options import OK, UNREADABLE, Parser, UsageError

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    from lamina.contents.entries import Entries
    from lamina.contents.folder_writer import Written
    from lamina.contents.image_files import ImageFiles
    from lamina.contents.place import Place, Scope
    from lamina_tui.commands.progress_line import ProgressLine

_EPILOG = """\
examples
  lamina extract web:2 etc/nginx                 into ./nginx, as cp -r would
  lamina extract web:2 / -o rootfs               the whole file system
  lamina extract web.tar srv --layer 4 -o old    what layer 4 ships, though later ones remove it
  lamina extract web:2 / -o - | tar -tv          a tar, owners and devices included

Nothing is written outside the destination, whatever an image says, and nothing over what is there
without --force. Devices and pipes are left out, setuid bits and owners too, but for --same-owner.
Where it fails or is interrupted nothing of it is left.
exit codes: 0 ok, 2 usage, 3 it can't be read or written, or something of it was refused
"""

_TOLD = 10  # refused names that are told one by one


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina extract",
        usage="lamina extract TARGET PATH [-o DEST] [--layer N | --up-to N] [--force] [--same-owner]",
        description="Take a file, or a folder with all that is in it, out of an image.",
        epilog=_EPILOG,
    )
    made.add_argument("target", metavar="TARGET", help="an image; see lamina --help")
    made.add_argument("path", metavar="PATH", help="a file or folder in it; / is all")
    made.add_argument(
        "-o", "--output", metavar="DEST", default=".", help="a folder, or the new name; - writes a tar to stdout"
    )
    made.add_argument("--force", action="store_true", help="replace files that are there")
    made.add_argument("--same-owner", action="store_true", help="take over owners, setuid and setgid (needs root)")
    add_layers(made)
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Take it out.

    Raises:
        LaminaError: it can't be read or written; then nothing was.
        Cancelled: it was interrupted; then nothing was written.
        UsageError: a tar would go to a terminal.
    """
    if options.output == "-" and sys.stdout.isatty():
        raise UsageError("a tar on a terminal: write it into a pipe or a file, or say a folder with -o")
    from lamina.contents.place import find_place
    from lamina_tui.commands.progress_line import ProgressLine

    with ProgressLine(sys.stderr) as line:
        files = read_target(options, line)
        scope = scope_of_options(files, options)
        # A link is taken as it is; those on the way to it are followed.
        place = find_place(files, options.path, scope, last_link=False)
        if options.output == "-":
            _to_stdout(files, place, scope, line)
            return OK
        written = _to_folder(files, place, scope, options, line)
        refused = _tell(written, line)
        _tell_of_link(files, place, scope, line)
    return UNREADABLE if refused else OK


def _to_stdout(files: ImageFiles, place: Place, scope: Scope, line: ProgressLine) -> None:
    from lamina.contents.entries import select
    from lamina.contents.tar_writer import write_tar
    from lamina_tui.whole_file import named

    entries = select(files, place, scope, place.path.rpartition(b"/")[2])
    for path in entries.lost:
        line.remark(f"{_shown(path)}: left out, the file that it is another name of is in another layer")
    with named("standard output"):
        sys.stdout.flush()
        write_tar(files, entries, sys.stdout.buffer, cancel=line.cancel)
        sys.stdout.buffer.flush()


def _to_folder(
    files: ImageFiles, place: Place, scope: Scope, options: argparse.Namespace, line: ProgressLine
) -> Written:
    from pathlib import Path

    from lamina.contents.extract import destination_of, extract
    from lamina.sources.progress import Ticker

    ticker = Ticker(line.progress, None, "extracting")

    def begin(entries: Entries) -> None:
        nonlocal ticker
        ticker = Ticker(line.progress, entries.size, "extracting")

    destination = destination_of(place, Path(options.output))
    return extract(
        files,
        place,
        scope,
        destination,
        force=options.force,
        same_owner=options.same_owner,
        cancel=line.cancel,
        advance=lambda count: ticker.advance(count),  # noqa: PLW0108  # it is another one once it begins
        begin=begin,
    )


def _tell(written: Written, line: ProgressLine) -> bool:
    """Say what was left out; whether something was that should not have been."""
    line.hide()
    for path, why in written.left_out[:_TOLD]:
        line.remark(f"{_shown(path)}: left out, {why}")
    if len(written.left_out) > _TOLD:
        line.remark(f"{len(written.left_out) - _TOLD} more devices and pipes were left out")
    for path, why in written.refused[:_TOLD]:
        line.remark(f"{_shown(path)}: not written, {why}")
    if len(written.refused) > _TOLD:
        line.remark(f"{len(written.refused) - _TOLD} more were not written")
    return bool(written.refused)


def _tell_of_link(files: ImageFiles, place: Place, scope: Scope, line: ProgressLine) -> None:
    from lamina.contents.place import find_place
    from lamina.errors import LaminaError
    from lamina.model import Kind

    if place.kind != Kind.SYMLINK:
        return
    try:
        end = find_place(files, os.fsdecode(place.path), scope).shown
    except LaminaError:
        end = "nothing in the image"
    line.remark(f"{place.shown} is a link, taken as it is: it leads to {end}")


def _shown(path: bytes) -> str:
    from lamina.names import display_name

    return display_name(path) or "/"
