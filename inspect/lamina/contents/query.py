"""What is typed where files are looked for: a text that names have, and conditions as words."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from lamina.contents.conditions import Conditions, changes_of, kinds_of, mode_bits, owner_of, size_range
from lamina.contents.file_rows import FileRows
from lamina.contents.find_content import find_content
from lamina.contents.find_files import find_files
from lamina.contents.image_files import ImageFiles
from lamina.dataclass import dataclass
from lamina.figures.find_paths import MOST, WHOLE, Found, PathFinder
from lamina.layers.text_search import texts_of

_WORD = re.compile(r'\b(size|owner|mode|change|type|contains):(?:"([^"]*)"?|(\S*))')


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    name: str
    """Names have it; as a filter has it."""
    conditions: Conditions = field(default_factory=Conditions)
    contains: tuple[str, ...] = ()
    """Contents have one of these."""
    fault: str = ""
    """What of it can't be understood, and is left out."""

    @property
    def plain(self) -> bool:
        """Whether names are all that is asked for."""
        return not self.contains and self.conditions == Conditions()


def parse_query(text: str) -> Query:
    """``perl size:+1M mode:setuid change:- owner:0 type:f contains:"PRIVATE KEY"``, in any order, all of it may miss.

    Args:
        text: as it is typed, perhaps not to its end.
    """
    conditions, contains, faults = Conditions(), [], []
    for found in _WORD.finditer(text):
        word = found[1]
        value = found[2] if found[2] is not None else found[3]
        try:
            if word == "contains":
                texts_of([value])
                contains.append(value)
            else:
                conditions = _with(conditions, word, value)
        except ValueError:
            faults.append(found[0])
    name = " ".join(_WORD.sub(" ", text).split()) if _WORD.search(text) else text
    return Query(name, conditions, tuple(contains), " ".join(faults))


def _with(conditions: Conditions, word: str, value: str) -> Conditions:
    if word == "size":
        return replace(conditions, size=size_range(value))
    if word == "owner":
        return replace(conditions, owner=owner_of(value))
    if word == "mode":
        return replace(conditions, modes=(*conditions.modes, mode_bits(value)))
    if word == "change":
        return replace(conditions, changes=changes_of(value))
    return replace(conditions, kinds=kinds_of(value))


def run_query(
    image: ImageFiles,
    finder: PathFinder,
    query: Query,
    take: Callable[[Found], None],
    cancel: threading.Event | None = None,
) -> None:
    """Look for all versions in all layers that a query means.

    Args:
        image: the image.
        finder: of the same image.
        query: what is looked for.
        take: gets what is found, part after part, on this thread.
        cancel: ends the search.

    Raises:
        LaminaError: a layer can't be read.
        Cancelled: ``cancel`` was set.
    """
    rows = find_files(image, "", None, query.conditions)
    if query.name:
        rows = rows.take(finder.names.search(query.name)[rows.path])
    if not query.contains:
        take(_found(finder, rows))
        return

    def tell(numbers: NDArray[np.intp]) -> None:
        take(_found(finder, rows.take(numbers)))

    find_content(image, rows, texts_of(query.contains), tell, cancel=cancel)


def _found(finder: PathFinder, rows: FileRows) -> Found:
    """The largest of some versions, as a search by names tells of them."""
    total = len(rows)
    rows = rows.take(np.argsort(-rows.size, kind="stable")[:MOST])
    assert rows.hidden_by is not None
    assert rows.replaced is not None
    return Found(
        path=rows.path,
        layer=rows.layer,
        size=rows.size,
        wasted=finder.wasted(rows.event),
        kind=rows.kind,
        died=rows.hidden_by,
        replaced=rows.replaced,
        rank=np.full(len(rows), WHOLE, dtype=np.int16),
        total=total,
    )
