"""An image as a script sees it: its head and every figure, by the names of the report."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, BinaryIO

from lamina.advice.advise import advise
from lamina.advice.model import Advice
from lamina.dataclass import dataclass
from lamina.figures import compare as comparing
from lamina.figures import sharing
from lamina.figures.compare import Comparison
from lamina.figures.duplicates import Duplicate, find_duplicates
from lamina.figures.image import LoadedImage, Tally
from lamina.figures.sharing import Sharing, member_of
from lamina.packages.find_packages import find_packages
from lamina.packages.model import PackageTable
from lamina.reports import image as report
from lamina.stack.waste import WasteRow


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: what the image's documents say of it, and what its bytes are. Sizes are bytes."""

    index: int
    """Its place, counted from the lowest, 0."""
    diff_id: str
    """Digest of the uncompressed tar, ``sha256:<hex>`` (OCI image spec, config.md)."""
    chain_id: str
    """Digest of the stack up to and with it."""
    digest: str | None
    """Digest of the blob as stored or transferred; None where the source has none."""
    blob_size: int | None
    """Bytes of that blob."""
    instruction: str
    """The history row's ``created_by``: untrusted text."""
    created: str | None
    """RFC 3339, as the history row has it."""
    size: int
    """Of the regular files the layer carries; a hard link adds 0."""
    tar_size: int | None
    """Of the uncompressed tar; None where nobody has seen it."""
    files: int
    """Names it carries that are neither directories nor whiteouts."""
    wasted: int
    """Of its files that no name in the final file system reaches."""
    hides: int
    """Of files of lower layers that it hides for good."""
    added: Tally
    modified: Tally
    metadata: Tally
    removed: Tally


class Image:
    """One image that was read whole. Made by :meth:`lamina.Workspace.open`.

    Args:
        figures: what was computed of it.
    """

    def __init__(self, figures: LoadedImage) -> None:
        self.figures = figures
        """For who needs more than stands here: the joined layers as columns, and how the image was read."""

    def __repr__(self) -> str:
        return f"<lamina.Image {self.target!r}: {self.size} bytes in {len(self.layers)} layers, {self.wasted} wasted>"

    @property
    def target(self) -> str:
        """How it was asked for, or can be asked for again."""
        return self.figures.info.target

    @property
    def id(self) -> str:
        """Digest of its config, ``sha256:<hex>``; an engine's own image ID where it has one."""
        return self.figures.info.id

    @property
    def tags(self) -> tuple[str, ...]:
        """Its names."""
        return self.figures.info.tags

    @property
    def platform(self) -> str:
        """``linux/amd64``; ``unknown`` where its config says nothing."""
        return self.figures.info.platform

    @property
    def created(self) -> str | None:
        """RFC 3339, as its config has it."""
        return self.figures.info.created

    @property
    def config(self) -> Mapping[str, Any]:
        """Its config as parsed JSON (OCI image spec, config.md): untrusted."""
        return self.figures.info.config

    @property
    def size(self) -> int:
        """Bytes of the regular files that its layers ship."""
        return self.figures.size

    @property
    def visible(self) -> int:
        """Bytes of the files that have a name in the final file system."""
        return self.figures.visible

    @property
    def wasted(self) -> int:
        """``size - visible``, and the sum of :attr:`waste`."""
        return self.figures.wasted

    @property
    def efficiency(self) -> float:
        """``visible / size``; 1.0 for an image without bytes."""
        return self.figures.efficiency

    @property
    def files(self) -> int:
        """Names in the final file system that are no directories."""
        return self.figures.files

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Lowest first."""
        return tuple(
            Layer(
                index=info.index,
                diff_id=info.diff_id,
                chain_id=info.chain_id,
                digest=info.digest,
                blob_size=info.blob_size,
                instruction=info.instruction,
                created=info.created,
                size=layer.size,
                tar_size=layer.tar_size,
                files=layer.files,
                wasted=layer.wasted,
                hides=layer.hides,
                added=layer.added,
                modified=layer.modified,
                metadata=layer.metadata,
                removed=layer.removed,
            )
            for info, layer in zip(self.figures.info.layers, self.figures.layers, strict=True)
        )

    @property
    def waste(self) -> Sequence[WasteRow]:
        """Every wasted inode, most bytes first. A row is made when it is asked for."""
        return self.figures.waste

    @cached_property
    def duplicates(self) -> list[Duplicate]:
        """Same content at several places of the final file system, in files of 4 KiB and more; most bytes first.

        Raises:
            LaminaError: a file that has to be compared can't be read any more.
        """
        return find_duplicates(self.figures)

    @cached_property
    def packages(self) -> PackageTable:
        """What package managers have installed, with the bytes of each.

        Raises:
            LaminaError: a layer can't be read any more.
        """
        return find_packages(self.figures)

    @cached_property
    def advice(self) -> list[Advice]:
        """What to do about it, the most severe first, then by bytes; what only its base's builder can follow, last."""
        return advise(self.figures)

    def file(self, path: str, layer: int | None = None) -> BinaryIO:
        """The content of a file, opened; links are followed inside the image.

        Args:
            path: ``usr/lib/os-release``, absolute or not.
            layer: take what this layer alone carries; None: the final file system's.

        Raises:
            LaminaError: there is no such file, or its bytes can't be had.
        """
        from lamina.contents.content import ContentFile, check_file, open_content
        from lamina.contents.image_files import files_of
        from lamina.contents.place import find_place, scope_of

        files = files_of(self.figures)
        place = find_place(files, path, scope_of(files, layer))
        check_file(files, place)
        return io.BufferedReader(ContentFile(open_content(files, place.event)))

    def report(self) -> dict[str, Any]:
        """What ``lamina report --json`` prints of this image alone, schema ``lamina.report/1``.

        Raises:
            LaminaError: a file that has to be compared can't be read any more.
        """
        document = report.build([self.figures])
        for image in document["images"]:
            image["waste"] = list(image["waste"])
        return document


def share(images: Sequence[Image]) -> Sharing:
    """What some images share, each alone, together and by pairs."""
    return sharing.share([member_of(image.figures) for image in images])


def compare(a: Image, b: Image, cancel: threading.Event | None = None) -> Comparison:
    """Image ``b`` held against image ``a``: what the step costs, and which files changed.

    Args:
        a: the older one, or the one that is there.
        b: the newer one, or the one that is wanted.
        cancel: stops the comparing when set.

    Raises:
        LaminaError: a file that has to be compared can't be read any more.
        Cancelled: ``cancel`` was set.
    """
    return comparing.compare(a.figures, b.figures, cancel)
