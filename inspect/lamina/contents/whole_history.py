"""Every layer that touched a path, found by what a user writes."""

from __future__ import annotations

from lamina.contents.image_files import ImageFiles
from lamina.contents.place import text_path
from lamina.dataclass import dataclass
from lamina.figures.links import follow_text
from lamina.figures.path_history import PathVersion, path_history
from lamina.model import Change, LaminaError
from lamina.names import display_name


@dataclass(frozen=True, slots=True)
class WholeHistory:
    """What became of one path."""

    path: bytes
    """Links in its parent folders followed."""
    versions: list[PathVersion]
    """The lowest layer first; at least one."""

    @property
    def ships(self) -> int | None:
        """The layer that ships what is there in the end; None where nothing is."""
        last = self.versions[-1]
        return None if last.change is Change.REMOVED else last.layer


def history_of(image: ImageFiles, path: str) -> WholeHistory:
    """What became of a path. Links in its parent folders are followed; that at its end is what is asked for.

    Raises:
        LaminaError: no layer has it.
    """
    union, text = image.union, text_path(path)
    for layer in reversed(range(union.layer_count)):
        # What a link of the final file system leads to; else where it led before something on the way was removed.
        end = follow_text(union, text, layer, last=False)
        row = union.paths.find(end.path) if end.row is None else end.row
        versions = [] if row is None else path_history(union, row)
        if row is not None and versions:
            return WholeHistory(union.paths.path(row), versions)
    raise LaminaError(f"no layer of {image.name} has {display_name(text) or '/'}")
