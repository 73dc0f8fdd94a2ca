"""What the commands about files have in common: one image, and which of its layers."""

from __future__ import annotations

from lamina_tui.commands.options import Parser, workspace_of

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    import argparse

    from lamina.contents.image_files import ImageFiles
    from lamina.contents.place import Scope
    from lamina_tui.commands.progress_line import ProgressLine


def add_layers(parser: Parser) -> argparse._MutuallyExclusiveGroup:
    """Which layers count; further ways to say so can be added to what is returned."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--layer", metavar="N", type=number, help="only what layer N carries (0 is the lowest)")
    which.add_argument("--up-to", metavar="N", type=number, help="the file system after layer N; else: the final one")
    return which


def number(text: str) -> int:
    """A layer's number; argparse tells of the ValueError."""
    if not text.isascii() or not text.isdigit():
        raise ValueError(text)
    return int(text)


def read_target(options: argparse.Namespace, line: ProgressLine) -> ImageFiles:
    """The files of the image that the options name.

    Raises:
        LaminaError: it can't be read.
        Cancelled: it was interrupted.
    """
    from lamina.contents.image_files import read_files

    workspace, target = workspace_of(options), options.target
    if target.partition(":")[0] == "demo":
        # Of the samples the first, or one of them by its name.
        return read_files(workspace.demo(), target.partition(":")[2] or None, line, line.cancel)
    from lamina.sources.target import STDIN

    if target in STDIN:
        return _from_standard_input(options, line)
    source, name = workspace.resolve(target)
    files = read_files(source, name, line, line.cancel)
    line.remark(source.remark)
    return files


def _from_standard_input(options: argparse.Namespace, line: ProgressLine) -> ImageFiles:
    """The files of an archive that comes through a pipe, which is put aside for that."""
    import dataclasses
    import sys

    from lamina.contents.image_files import read_files
    from lamina.contents.spool import Spooled, SpooledFiles, file_behind
    from lamina.errors import LaminaError
    from lamina.sources.progress import Ticker

    if sys.stdin.isatty():
        raise LaminaError(
            "standard input is a terminal: pipe an archive into it (docker save IMAGE | lamina cat - PATH)"
        )
    workspace, path = workspace_of(options), file_behind(sys.stdin.buffer)
    spooled = None
    if path is None:
        ticker = Ticker(line.progress, None, "reading standard input")
        spooled = Spooled(sys.stdin.buffer, line.cancel, ticker.advance)
        path = spooled.path
    try:
        source, name = workspace.resolve(path)
        files = read_files(source, name, line, line.cancel)
    except LaminaError as error:
        if spooled is None:
            raise
        said = str(error).replace(f"archive {spooled.path}", "standard input").replace(spooled.path, "standard input")
        raise LaminaError(said) from None
    if spooled is None or files.layers is None:
        return files
    return dataclasses.replace(files, layers=SpooledFiles(files.layers, spooled))


def scope_of_options(files: ImageFiles, options: argparse.Namespace) -> Scope:
    """Which files are meant.

    Raises:
        LaminaError: there is no such layer.
    """
    from lamina.contents.place import scope_of

    return scope_of(files, options.layer, options.up_to)
