"""Taking files out of the image that a screen shows."""

from __future__ import annotations

import threading
from pathlib import Path

from textual import work

from lamina.contents.extract import destination_of, extract
from lamina.contents.folder_writer import Written
from lamina.contents.image_files import files_of
from lamina.contents.place import Scope, find_place
from lamina.figures.image import LoadedImage
from lamina.names import decode, display_name
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.screens.export import ExportScreen
from lamina_tui.widgets.prompt import Prompt


class ExtractScreen(ExportScreen):
    """A screen of an image's files, which can be taken out."""

    _extraction: threading.Event | None = None

    def ask_where_to_extract(self, image: LoadedImage, path: bytes, scope: Scope) -> None:
        """Ask where a file or folder goes, then write it there.

        Args:
            image: the image.
            path: of the file or folder.
            scope: in which file system, or layer, it is meant.
        """

        def done(text: str, kept: bool) -> None:
            if kept and text.strip():
                self._extract(image, path, scope, Path(text.strip()).expanduser())

        self.query_one(Prompt).open("extract to (folder or new name):", ".", done=done, does="extract")

    @property
    def extracts(self) -> bool:
        """Whether something is being taken out."""
        return self._extraction is not None and not self._extraction.is_set()

    def stop_extracting(self) -> None:
        """Give it up; what was written goes again."""
        if self._extraction is not None:
            self._extraction.set()

    @work(exclusive=True, group="extract")
    async def _extract(self, image: LoadedImage, path: bytes, scope: Scope, to: Path) -> None:
        cancel = threading.Event()
        self._extraction = cancel

        def run() -> tuple[Written, str]:
            files = files_of(image)
            place = find_place(files, decode(path), scope, last_link=False)
            destination = destination_of(place, to)
            return extract(files, place, scope, destination, cancel=cancel), destination.shown

        self.say(f"extracting {display_name(path)} … esc stops")
        outcome = await outcome_of(run)
        cancel.set()
        if outcome is None:
            self.say("stopped: nothing is left of it")
        elif isinstance(outcome, Failure):
            self.say(outcome.text)
        else:
            written, shown = outcome
            self.say(_told(written, shown))

    def on_unmount(self) -> None:
        """Nobody waits any more: what is not whole goes again."""
        self.stop_extracting()


def _told(written: Written, shown: str) -> str:
    what = "1 file or folder" if written.count == 1 else f"{texts.count(written.count)} files and folders"
    told = f"{what}, {texts.size_bytes(written.size)} written to {shown}"
    if written.left_out:
        told += f"; devices and pipes left out: {texts.count(len(written.left_out))}"
    if written.refused:
        path, why = written.refused[0]
        told += f"; {texts.count(len(written.refused))} refused: {display_name(path)}, {why}"
    return told
