"""What stands in a folder of an image: the names that ``ls`` prints, with what is told of each."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lamina.contents.file_rows import FileRows, rows_of_view
from lamina.contents.image_files import ImageFiles
from lamina.contents.place import Scope, find_place, text_path
from lamina.dataclass import dataclass
from lamina.model import Change, Kind
from lamina.stack.view import View, view_layer, view_upto


@dataclass(frozen=True)
class Listing:
    """A folder, or what is none, in one file system or in one layer."""

    view: View
    top: int
    """Row of the union's path table."""
    alone: bool
    """Whether only what one layer carries and removes is there."""

    @property
    def is_folder(self) -> bool:
        """Whether the names in it are listed, not it itself."""
        return self.top == 0 or (self.view.kind(self.top) is Kind.DIR and not self._removed[self.top])

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """By path: whether it is listed at all. In a file system what was removed is not; in a layer it is told."""
        there = self.view.present.copy() if self.alone else self.view.present & ~self._removed
        there[0] = False
        return there

    @property
    def _removed(self) -> NDArray[np.bool_]:
        removed: NDArray[np.bool_] = self.view.change == Change.REMOVED
        return removed

    def paths(self, *, whole: bool = False) -> NDArray[np.int32]:
        """What is listed, by path: the names right in the folder, or with ``whole`` all below it."""
        paths = self.view.union.paths
        if not self.is_folder:
            return np.array([self.top], dtype=np.int32)
        below = np.arange(self.top + 1, paths.end[self.top], dtype=np.int32)
        if not whole:
            below = below[paths.parent[below] == self.top]
        return below[self.there[below]]

    def rows(self, *, whole: bool = False) -> FileRows:
        """The same with all that is known of each."""
        return rows_of_view(self.view, self.paths(whole=whole))


def view_of(image: ImageFiles, scope: Scope) -> View:
    """What a scope means, as the screen shows it."""
    return view_layer(image.union, scope.layer) if scope.alone else view_upto(image.union, scope.layer)


def list_place(image: ImageFiles, path: str, scope: Scope, *, last_link: bool = True) -> Listing:
    """What stands at a path.

    Args:
        image: the image.
        path: as a user writes it; empty or ``/``: the root.
        scope: where to look.
        last_link: whether a symbolic link at its end is followed, too.

    Raises:
        LaminaError: nothing is there; the error says in which layers something was.
    """
    view, text = view_of(image, scope), text_path(path)
    if scope.alone:
        # A layer also tells of what it only removes, and of folders that it only removes something in.
        row = image.union.paths.find(text)
        if row is not None and view.present[row] and not (last_link and view.kind(row) is Kind.SYMLINK):
            return Listing(view, row, alone=True)
    return Listing(view, find_place(image, path, scope, last_link=last_link).row, scope.alone)
