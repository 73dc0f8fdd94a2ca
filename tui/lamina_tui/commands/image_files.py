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
    source, name = workspace.resolve(target)
    files = read_files(source, name, line, line.cancel)
    line.remark(source.remark)
    return files


def scope_of_options(files: ImageFiles, options: argparse.Namespace) -> Scope:
    """Which files are meant.

    Raises:
        LaminaError: there is no such layer.
    """
    from lamina.contents.place import scope_of

    return scope_of(files, options.layer, options.up_to)
