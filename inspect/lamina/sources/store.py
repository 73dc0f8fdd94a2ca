"""Named blobs, and the images that a table of contents finds among them.

Archives, folders and streams all answer :class:`Store`; what is said of images holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal, Protocol

from lamina.dataclass import dataclass
from lamina.model import ImageInfo, LaminaError
from lamina.sources.json_checks import quoted, short

if TYPE_CHECKING:  # it is seldom asked for
    import threading

    from lamina.sources.provenance import Provenance

    FindProvenance = Callable[[threading.Event], Provenance | None]
    """Looks for an image's provenance; an event ends it. None: there is none with the Dockerfile.

    Raises LaminaError where it can't be read, Cancelled where the event was set.
    """

Form = Literal["docker", "oci"]
"""Which of an archive's two tables of contents to go by: ``manifest.json`` or ``index.json``."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One blob as a store holds it."""

    key: str
    """The same for two names of one blob."""
    size: int
    """Bytes as stored."""
    kind: str
    """What :func:`lamina.layers.codec.sniff` says of its first bytes."""


class Store(Protocol):
    """Named blobs."""

    @property
    def where(self) -> str:
        """For errors: ``archive /srv/web.tar``."""

    @property
    def name(self) -> str:
        """Of its file or folder, without the path: ``web.tar``."""

    @property
    def absence(self) -> str:
        """Why a blob that a manifest names may not be there, to be said after that; "" where nothing is known."""

    def document(self, name: str) -> bytes | None:
        """A small blob whole; None if it is not there.

        Raises:
            LaminaError: it is too large for a document, or can't be read.
        """

    def blob(self, name: str) -> Stored | None:
        """What is known of a layer's blob; None if it is not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """One image of a store, with what is needed to read it."""

    info: ImageInfo
    blobs: tuple[Stored, ...]
    """One per layer."""
    digests: tuple[str | None, ...]
    """What the raw bytes of each blob must hash to, None where nothing claims it."""
    config_claim: str | None = None
    """The digest that the config's name claims; checked when asked to verify."""
    manifest_digest: str | None = None
    """Of an OCI image: its manifest's digest."""
    annotations: tuple[Mapping[str, str], ...] = ()
    """Of an OCI image: what its manifest says of each layer besides."""
    provenance: FindProvenance | None = field(default=None, compare=False)
    """Of an OCI image: looks for what its index has of how it was made."""

    def where(self, index: int, store: str) -> str:
        """Names a layer in errors: ``layer 3 (sha256:0123456789ab) of archive /srv/web.tar``."""
        return f"layer {index} (sha256:{short(self.info.layers[index].diff_id)}) of {store}"

    def check_config(self, store: str) -> None:
        """Raises LaminaError where the config is not what its name claims."""
        if self.config_claim not in (None, self.info.id):
            raise LaminaError(
                f"the config of {store} is named {self.config_claim} but its digest is {self.info.id}: it was changed"
            )


@dataclass(frozen=True, slots=True)
class Entry:
    """One image as the table of contents names it.

    Its documents are read when it is opened, so that one broken image doesn't close the way to its neighbours.
    """

    target: str
    """What to ask for it by; see :mod:`lamina.sources.image_names`."""
    tags: tuple[str, ...]
    open: Callable[[], Found]
    """Raises NotAnImage for an artifact, LaminaError where a document is missing or malformed."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a store's table of contents names."""

    entries: tuple[Entry, ...]
    """The images, and what only looks like one before it is opened; at least one."""
    artifacts: int = 0
    """How many things it names besides that are no images: attestations, signatures, SBOMs."""


def layer_blob(store: Store, name: str, place: int, table: str) -> Stored:
    """A layer's blob, which ``table`` names.

    Raises:
        LaminaError: it is not there.
    """
    blob = store.blob(name)
    if blob is None:
        raise LaminaError(f"{table} names layer {place}, {quoted(name)}, which is not in {store.where}{store.absence}")
    return blob


def changed(name: str, where: str, digest: str) -> LaminaError:
    """The error for a blob whose name is not its digest."""
    return LaminaError(f"{quoted(name)} of {where} has the digest {digest}: it is damaged or was changed")
