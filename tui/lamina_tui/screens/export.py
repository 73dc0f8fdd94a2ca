"""Writing the files that a screen shows to a file: as text, as JSON, or for ncdu."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

from textual import work

import lamina
from lamina.errors import Cancelled, LaminaError
from lamina.reports.files import files_json, files_text
from lamina.reports.ncdu import ncdu_export
from lamina.stack.tree_rows import TreeRows
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.screens.base import FullScreen
from lamina_tui.whole_file import write_whole
from lamina_tui.widgets.file_tree import FileTree
from lamina_tui.widgets.prompt import Prompt

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LOOK_EVERY = 500  # pieces between two looks at the cancel event


def file_name(label: str, view: str) -> str:
    """A name for what is shown of an image: ``nginx-1.27-layer-3.txt``."""
    return _UNSAFE.sub("-", f"{label} {view}").strip("-.")[-120:] + ".txt"


def pieces_for(path: Path, tree: TreeRows, root: str) -> Iterator[str]:
    """What is written, by the ending of the file's name: ``.json``, ``.ncdu``, or text."""
    if path.suffix == ".json":
        return files_json(tree)
    return ncdu_export(tree, root, lamina.__version__) if path.suffix == ".ncdu" else files_text(tree)


class ExportScreen(FullScreen):
    """A screen with a file tree and a prompt, whose files can be written."""

    _leaving: threading.Event | None = None

    def ask_where_to_write(self, files: FileTree, label: str, view: str) -> None:
        """Ask for a file's name, then write what the tree shows.

        Args:
            files: the tree.
            label: what it is of; untrusted.
            view: how it looks at it.
        """
        tree = files.tree_rows
        if tree is None:
            self.say("there is nothing to write yet")
            return

        def done(text: str, kept: bool) -> None:
            if kept and text.strip():
                self._write(tree, Path(text.strip()).expanduser(), f"{label} {view}")

        self.query_one(Prompt).open("write (.txt .json .ncdu):", file_name(label, view), done=done, does="write")

    @work(exclusive=True, group="export")
    async def _write(self, tree: TreeRows, path: Path, root: str) -> None:
        leaving = threading.Event()
        self._leaving = leaving

        def write() -> int:
            if path.exists():
                raise LaminaError(f"not written, as it is there already: {path}")
            try:
                write_whole(path, _until(leaving, pieces_for(path, tree, root)))
                return path.stat().st_size
            except OSError as error:
                raise LaminaError(f"not written, {error.strerror or error}: {path}") from error

        self.say(f"writing {path} …")
        written = await outcome_of(write)
        if isinstance(written, Failure):
            self.say(written.text)
        elif written is not None:
            self.say(f"{texts.size_bytes(written)} written to {path}")

    def on_unmount(self) -> None:
        """Nobody waits for the file any more: it is not written."""
        if self._leaving is not None:
            self._leaving.set()


def _until(leaving: threading.Event, pieces: Iterator[str]) -> Iterator[str]:
    for number, piece in enumerate(pieces):
        if number % _LOOK_EVERY == 0 and leaving.is_set():
            raise Cancelled
        yield piece
