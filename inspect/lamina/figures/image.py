"""Read an image and compute every figure of it: the one way from a source to numbers."""

from __future__ import annotations

import threading
from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.figures.base import Base, base_of
from lamina.figures.stacked import read_content, stack
from lamina.layers.index import UNKNOWN_SIZE, LayerFacts
from lamina.model import Change, ImageInfo, Kind
from lamina.sources.base import LayerFiles, NullObserver, Observer, ReadImage, Source
from lamina.stack.changes import changed_between
from lamina.stack.stored import StackedImage
from lamina.stack.union import ABSENT, Union
from lamina.stack.view import removed_bytes
from lamina.stack.waste import WasteTable

if TYPE_CHECKING:
    from lamina.sources.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Tally:
    """How many names, and their bytes."""

    count: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class LayerFigures:
    """The numbers of one layer. Names are counted without directories."""

    size: int = 0
    """Bytes of the regular files the layer carries."""
    tar_size: int | None = 0
    """Bytes of the uncompressed tar; None where nobody has seen it."""
    files: int = 0
    """Names the layer carries that are no directories and no whiteouts."""
    wasted: int = 0
    """Bytes of this layer that nothing reaches in the end."""
    hides: int = 0
    """Bytes of lower layers that this layer hides for good."""
    added: Tally = Tally()
    modified: Tally = Tally()
    metadata: Tally = Tally()
    removed: Tally = Tally()
    read: bool = True
    """False where reading stopped before this layer: its other figures mean nothing."""


@dataclass(slots=True)
class LoadedImage:
    """An image with all its figures."""

    info: ImageInfo
    source_label: str
    union: Union
    layers: tuple[LayerFigures, ...]
    waste: WasteTable
    size: int
    """Bytes shipped: the sum of the layers' sizes."""
    visible: int
    """Bytes of the files that have a name in the final file system."""
    files: int
    """Names in the final file system that are no directories."""
    base: Base | None
    """What it is built on, as far as it is known by now: see :mod:`lamina.figures.base`."""
    _read: ReadImage = field(repr=False)
    _facts: tuple[LayerFacts | None, ...] = field(repr=False)

    @property
    def read_from(self) -> str:
        """How it was read, for people; empty where there is only one way."""
        return self._read.read_from

    @property
    def fetched(self) -> int | None:
        """Bytes of layers that came over a network; None where it takes none to read them."""
        return self._read.fetched

    @property
    def wasted(self) -> int:
        """Bytes shipped that no name in the final file system reaches."""
        return self.size - self.visible

    @property
    def efficiency(self) -> float:
        """Visible over shipped; 1.0 for an image without bytes."""
        return self.visible / self.size if self.size else 1.0

    @property
    def complete(self) -> bool:
        """Whether every layer was read."""
        return all(layer.read for layer in self.layers)

    @property
    def layer_files(self) -> LayerFiles | None:
        """How to read the files of its layers; None where their bytes have gone by."""
        return self._read.files

    def provenance(self, cancel: threading.Event) -> Provenance | None:
        """What its source has of how it was made; None where that is nothing.

        Raises:
            LaminaError: it can't be read.
            Cancelled: ``cancel`` was set.
        """
        return None if self._read.provenance is None else self._read.provenance(cancel)

    def learn_content(self, inodes: NDArray[np.int32], cancel: threading.Event) -> None:
        """Make the content ids of these inodes known, reading the files the scan passed over.

        Raises:
            LaminaError: the source can't be read any more.
            Cancelled: ``cancel`` was set.
        """
        if inodes.size and self._read.content is not None:
            self.union.content[inodes] = self.read_content(inodes, cancel)
            self._read.keep_stacked(StackedImage(self.union, self._facts))

    def read_content(self, inodes: NDArray[np.int32], cancel: threading.Event) -> NDArray[np.uint64]:
        """The content ids of these inodes, shape (n, 2), from the files themselves; zeros where they can't be had.

        Raises:
            LaminaError: the source can't be read any more.
            Cancelled: ``cancel`` was set.
        """
        return read_content(self.union, self._read.content, inodes, cancel)

    def kept_records(self) -> bytes | None:
        """What :meth:`keep_records` was given when this image was read before; None where nothing is kept."""
        return self._read.find_records()

    def keep_records(self, data: bytes) -> None:
        """Keep with the image what was read of its package managers' records, if its layers are vouched for."""
        self._read.keep_records(data)


def load(
    source: Source,
    target: str | None,
    observer: Observer | None = None,
    cancel: threading.Event | None = None,
    *,
    verify: bool = False,
) -> LoadedImage:
    """Read one image and compute its figures.

    Args:
        source: where it is.
        target: which one; None for the source's only or first image.
        observer: notified of head, layers and progress on this thread.
        cancel: stops the reading when set; the layers read so far are returned, the others marked as not read.
        verify: check every layer's digests, also of layers whose bytes need not be read whole.

    Raises:
        LaminaError: the image can't be read.
        Cancelled: before the image's head was known.
    """
    cancel = cancel or threading.Event()
    read = source.read(target, observer or NullObserver(), cancel, verify=verify)
    return compute(read, source.label, cancel)


def compute(read: ReadImage, source_label: str, cancel: threading.Event) -> LoadedImage:
    """All figures of an image that was read.

    Raises:
        LaminaError: content that a figure needs can't be read, or the layers can't be stacked.
        Cancelled: ``cancel`` was set while layers were stacked.
    """
    stacked = stack(read, cancel)
    union, facts = stacked.union, stacked.facts
    waste = WasteTable(union)
    final = union.alive(union.layer_count - 1)
    size = sum(layer.size for layer in facts if layer is not None)
    return LoadedImage(
        info=read.info,
        source_label=source_label,
        union=union,
        layers=_layer_figures(union, waste, facts),
        waste=waste,
        size=size,
        visible=int(union.attributed_sizes(final).sum()),
        files=int((union.kind[final] != Kind.DIR).sum()),
        base=base_of(read.info),
        _read=read,
        _facts=facts,
    )


def _layer_figures(union: Union, waste: WasteTable, facts: tuple[LayerFacts | None, ...]) -> tuple[LayerFigures, ...]:
    wasted, hides = waste.per_layer(len(facts))
    figures = []
    for number, layer in enumerate(facts):
        if layer is None:
            figures.append(LayerFigures(read=False))
            continue
        delta = changed_between(union, number - 1, number)
        shown = np.where(delta.after == ABSENT, delta.before, delta.after)
        named = union.kind[shown] != Kind.DIR
        tallies = {}
        for change in (Change.ADDED, Change.MODIFIED, Change.METADATA):
            rows = named & (delta.change == change)
            tallies[change] = Tally(int(rows.sum()), int(union.size[shown[rows]].sum()))
        _, gone = removed_bytes(union, delta, number - 1, number)
        figures.append(
            LayerFigures(
                size=layer.size,
                tar_size=None if layer.tar_size == UNKNOWN_SIZE else layer.tar_size,
                files=layer.files,
                wasted=wasted[number],
                hides=hides[number],
                added=tallies[Change.ADDED],
                modified=tallies[Change.MODIFIED],
                metadata=tallies[Change.METADATA],
                removed=Tally(int((named & (delta.change == Change.REMOVED)).sum()), int(gone.sum())),
            )
        )
    return tuple(figures)
