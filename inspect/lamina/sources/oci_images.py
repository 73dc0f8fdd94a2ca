"""Which images a set of named blobs holds.

An archive, a layout folder and a stream all answer :class:`Store`; what is said here holds for the three.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lamina.errors import NotAnImage
from lamina.model import ImageInfo, LaminaError
from lamina.sources.image_names import Known, image_names
from lamina.sources.json_checks import is_digest, quoted, sha256, short
from lamina.sources.manifest import (
    Descriptor,
    DockerEntry,
    Manifest,
    image_info,
    parse_config,
    parse_docker_manifest,
    parse_index,
    parse_manifest,
)

Form = Literal["docker", "oci"]
"""Which of an archive's two tables of contents to go by: ``manifest.json`` or ``index.json``."""

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_NAMED_CONFIG = re.compile(r"(?:sha256:)?([0-9a-f]{64})(?:\.json)?")
_MAX_NESTING = 8
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
}


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


def catalogue(store: Store, form: Form | None = None) -> Catalogue:
    """The images of a store.

    Args:
        store: the blobs.
        form: the table to go by; None takes manifest.json where there is one, since it knows the tags best.

    Raises:
        LaminaError: there is no table of contents, it is malformed, or it names no image.
    """
    if form != "oci":
        data = store.document("manifest.json")
        if data is not None:
            return _docker_catalogue(store, data)
        if form == "docker":
            raise LaminaError(f"{store.where} is not a docker-archive: it has no manifest.json")
    data = store.document("index.json")
    if data is not None:
        return _oci_catalogue(store, data)
    if form == "oci":
        raise LaminaError(f"{store.where} is not an OCI image: it has no index.json")
    if store.document("repositories") is not None:
        raise LaminaError(
            f"{store.where} is in the format of Docker before 1.10 (no manifest.json), which lamina doesn't read: "
            "load it into an engine and save it again"
        )
    raise LaminaError(f"{store.where} is not a container image: it has neither manifest.json nor index.json")


# -- docker-archive ------------------------------------------------------------------------------------------------


def _docker_catalogue(store: Store, data: bytes) -> Catalogue:
    rows = parse_docker_manifest(data, f"manifest.json of {store.where}")
    names = image_names([Known(row.tags, _config_claim(row) or "") for row in rows], store.name)
    return Catalogue(
        tuple(Entry(name, row.tags, _docker_opener(store, row, name)) for row, name in zip(rows, names, strict=True))
    )


def _docker_opener(store: Store, row: DockerEntry, target: str) -> Callable[[], Found]:
    def open_() -> Found:
        data = store.document(row.config)
        if data is None:
            raise LaminaError(f"manifest.json names the config {quoted(row.config)}, which is not in {store.where}")
        config_id = sha256(data)
        blob = _BLOB.fullmatch(row.config)
        if blob and config_id != f"sha256:{blob[1]}":
            raise _changed(row.config, store.where, config_id)
        config = parse_config(data, f"config {quoted(row.config)} of {store.where}")
        if len(config.diff_ids) != len(row.layers):
            raise LaminaError(
                f"{store.where} contradicts itself: manifest.json names {len(row.layers)} layers for "
                f"{quoted(target)}, its config {len(config.diff_ids)}"
            )
        stored = [_layer(store, name, place, "manifest.json") for place, name in enumerate(row.layers)]
        claims = [f"sha256:{match[1]}" if (match := _BLOB.fullmatch(name)) else None for name in row.layers]
        # An engine writes plain tars, whatever it once pulled: of the blob as transferred they tell nothing.
        blobs = [
            (None, None) if blob.kind in ("tar", "empty") else (claim, blob.size)
            for blob, claim in zip(stored, claims, strict=True)
        ]
        return Found(
            info=image_info(config, target=target, image_id=config_id, tags=row.tags, blobs=blobs),
            blobs=tuple(stored),
            digests=tuple(claims),
            config_claim=_named_config(row),
        )

    return open_


def _named_config(row: DockerEntry) -> str | None:
    """The digest that the name of a config claims."""
    name = _NAMED_CONFIG.fullmatch(row.config)
    return f"sha256:{name[1]}" if name else None


def _config_claim(row: DockerEntry) -> str | None:
    """The same, also of a config that is a blob of an OCI layout."""
    blob = _BLOB.fullmatch(row.config)
    return f"sha256:{blob[1]}" if blob else _named_config(row)


def _layer(store: Store, name: str, place: int, table: str) -> Stored:
    blob = store.blob(name)
    if blob is None:
        raise LaminaError(f"{table} names layer {place}, {quoted(name)}, which is not in {store.where}")
    return blob


def _changed(name: str, where: str, digest: str) -> LaminaError:
    return LaminaError(f"{quoted(name)} of {where} has the digest {digest}: it is damaged or was changed")


# -- OCI -----------------------------------------------------------------------------------------------------------


def blob_name(digest: str) -> str:
    """Where an OCI layout keeps a blob; ``digest`` must have passed :func:`is_digest`."""
    return "blobs/" + digest.replace(":", "/", 1)


def host_platform() -> str:
    """The platform whose images this machine runs: Linux, since elsewhere engines run a Linux of their own."""
    machine = platform.machine().lower()
    return "linux/" + _ARCHITECTURES.get(machine, machine)


def _oci_catalogue(store: Store, data: bytes) -> Catalogue:
    descriptors = parse_index(data, f"index.json of {store.where}")
    usable = [d for d in descriptors if not d.is_attestation and (d.is_index or d.is_manifest)]
    if not usable:
        raise LaminaError(f"index.json of {store.where} names no image")
    if len(usable) > 1:
        # What has no name can't be asked for: it is left out at once, so that the images are not counted with it.
        usable = [d for d in usable if _tags(d) or not _is_artifact(store, d)] or usable[:1]
    groups = _groups(usable)
    tags = [_tags(group[0]) for group in groups]
    known = [Known(t, group[0].digest, group[0].platform) for t, group in zip(tags, groups, strict=True)]
    return Catalogue(
        tuple(
            Entry(name, t, _oci_opener(store, group, t, name))
            for group, t, name in zip(groups, tags, image_names(known, store.name), strict=True)
        ),
        artifacts=len(descriptors) - len(usable),
    )


def _is_artifact(store: Store, descriptor: Descriptor) -> bool:
    """Whether a manifest is an artifact's; False where that can't be told."""
    if descriptor.is_index:
        return False
    try:
        data = _document(store, descriptor.digest, "the manifest")
        return not parse_manifest(data, f"manifest {descriptor.digest} of {store.where}").is_image
    except LaminaError:
        return False


def _groups(usable: Sequence[Descriptor]) -> list[list[Descriptor]]:
    """An index's descriptors by image: those of one name, or of no name and different platforms, are one image."""
    by_name: dict[str, list[Descriptor]] = {}
    groups: list[list[Descriptor]] = []
    unnamed = [d for d in usable if not _tags(d)]
    platforms = {d.platform for d in unnamed}
    one = len(unnamed) > 1 and "" not in platforms and len(platforms) == len(unnamed)
    for descriptor in usable:
        tags = _tags(descriptor)
        key = tags[0] if tags else ""
        if key not in by_name or (not tags and not one):
            by_name[key] = []
            groups.append(by_name[key])
        by_name[key].append(descriptor)
    return groups


def _tags(descriptor: Descriptor) -> tuple[str, ...]:
    # containerd's exports keep the whole name apart, and in ref.name the bare tag.
    full = descriptor.annotations.get("io.containerd.image.name", "")
    name = full or descriptor.annotations.get("org.opencontainers.image.ref.name", "")
    return (name,) if name else ()


def _preferred(descriptors: Sequence[Descriptor], store: Store) -> list[Descriptor]:
    """Best first: what this machine runs, then its architecture in another variant, then any; missing blobs last."""
    host = host_platform()

    def rank(descriptor: Descriptor) -> tuple[bool, int]:
        # An engine may save an index of ten platforms with the blobs of one.
        absent = not is_digest(descriptor.digest) or store.blob(blob_name(descriptor.digest)) is None
        if descriptor.platform == host:
            return absent, 0
        return absent, 1 if descriptor.platform.startswith(host + "/") else 2

    return sorted(descriptors, key=rank)


def _document(store: Store, digest: str, what: str) -> bytes:
    if not is_digest(digest):
        raise LaminaError(f"{what} {quoted(digest)} of {store.where} has no sha256 digest, and others are not read")
    data = store.document(blob_name(digest))
    if data is None:
        raise LaminaError(f"{what} {digest} is not in {store.where}")
    if sha256(data) != digest:
        raise _changed(blob_name(digest), store.where, sha256(data))
    return data


def _manifest(store: Store, candidates: Sequence[Descriptor]) -> tuple[Manifest, str]:
    """The image manifest that fits this machine best, and its digest; indexes are followed, each once.

    Raises:
        NotAnImage: there are only artifacts.
        LaminaError: no image among them can be read.
    """
    seen: set[str] = set()
    artifact = ""
    broken: LaminaError | None = None

    def look(candidates: Sequence[Descriptor], depth: int) -> tuple[Manifest, str] | None:
        nonlocal artifact, broken
        for descriptor in _preferred([d for d in candidates if d.digest not in seen], store):
            seen.add(descriptor.digest)
            try:
                if descriptor.is_index:
                    found = look(_inner(store, descriptor, depth), depth + 1)
                    if found is not None:
                        return found
                    continue
                data = _document(store, descriptor.digest, "the manifest")
                manifest = parse_manifest(data, f"manifest {descriptor.digest} of {store.where}")
            except LaminaError as error:
                broken = broken or error
                continue
            if manifest.is_image:
                return manifest, descriptor.digest
            artifact = artifact or manifest.artifact_type
        return None

    found = look(candidates, 0)
    if found is not None:
        return found
    if broken is not None:
        raise broken
    said = f" but an artifact of type {quoted(artifact)}" if artifact else ""
    raise NotAnImage(f"{store.where} holds no container image{said}")


def _inner(store: Store, index: Descriptor, depth: int) -> list[Descriptor]:
    """What an index names that may be an image."""
    if depth >= _MAX_NESTING:
        raise LaminaError(f"the indexes of {store.where} are nested more than {_MAX_NESTING} deep")
    data = _document(store, index.digest, "the index")
    inner = parse_index(data, f"index {index.digest} of {store.where}")
    return [d for d in inner if not d.is_attestation and (d.is_index or d.is_manifest)]


def _oci_opener(store: Store, group: Sequence[Descriptor], tags: tuple[str, ...], target: str) -> Callable[[], Found]:
    def open_() -> Found:
        manifest, digest = _manifest(store, group)
        config_digest = manifest.config.digest
        data = _document(store, config_digest, "the config")
        config = parse_config(data, f"config {config_digest} of {store.where}")
        if len(config.diff_ids) != len(manifest.layers):
            raise LaminaError(
                f"{store.where} contradicts itself: the manifest {digest} names {len(manifest.layers)} layers, "
                f"its config {len(config.diff_ids)}"
            )
        for place, layer in enumerate(manifest.layers):
            if not is_digest(layer.digest):
                raise LaminaError(f"layer {place} of {store.where} has no sha256 digest but {quoted(layer.digest)}")
        names = [blob_name(layer.digest) for layer in manifest.layers]
        stored = [_layer(store, name, place, "the manifest") for place, name in enumerate(names)]
        for place, (layer, blob) in enumerate(zip(manifest.layers, stored, strict=True)):
            if layer.size is not None and layer.size != blob.size:
                raise LaminaError(
                    f"layer {place} ({layer.digest}) of {store.where} has {blob.size} bytes where the manifest "
                    f"says {layer.size}: it is truncated or was changed"
                )
        digests = tuple(layer.digest for layer in manifest.layers)
        return Found(
            info=image_info(
                config,
                target=target,
                image_id=config_digest,
                tags=tags,
                blobs=[(layer.digest, blob.size) for layer, blob in zip(manifest.layers, stored, strict=True)],
            ),
            blobs=tuple(stored),
            digests=digests,
            manifest_digest=digest,
        )

    return open_
