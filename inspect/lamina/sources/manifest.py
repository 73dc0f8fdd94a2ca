"""What the JSON of an image says: manifests, indexes and configs into plain checked values.

Pure functions on bytes. All of it is untrusted: see :mod:`lamina.sources.json_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lamina import limits
from lamina.dataclass import dataclass
from lamina.errors import NotAnImage
from lamina.model import ImageInfo, LaminaError, LayerInfo
from lamina.sources.json_checks import (
    is_digest,
    kind_of,
    list_of,
    object_of,
    parse_json,
    parse_object,
    quoted,
    sha256,
    string_of,
    strings_of,
)

_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")
"""A digest of whatever algorithm (image spec, descriptor.md)."""

_CONFIG_TYPES = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
        # Written by older tools that gave no type of their own to configs.
        "application/octet-stream",
        "",
    }
)
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_LAYER_TYPES = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
    # Tools that say no more of a layer than that it is one of many bytes, or a tar.
    "application/octet-stream",
    "application/x-tar",
    "application/tar",
)
_INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
_MANIFEST_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "",
    }
)


# -- config ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Config:
    """What lamina needs of an image config (OCI image spec, config.md)."""

    diff_ids: tuple[str, ...]
    steps: tuple[tuple[str, str | None], ...]
    """``(created_by, created)`` of the history rows that made a layer, in the order of the layers."""
    platform: str
    created: str | None
    raw: Mapping[str, Any]


def parse_config(data: bytes, what: str) -> Config:
    """An image config.

    Raises:
        LaminaError: not JSON, not of the right shape, or without ``rootfs``.
    """
    raw = parse_object(data, what)
    if "rootfs" not in raw:
        raise NotAnImage(f"{what}: no rootfs, so not the config of a container image")
    diff_ids = strings_of(object_of(raw["rootfs"], what, "rootfs").get("diff_ids"), what, "rootfs.diff_ids")
    for diff_id in diff_ids:
        if not is_digest(diff_id):
            raise LaminaError(f"{what}: {quoted(diff_id)} in rootfs.diff_ids is not a sha256 digest")
    steps = []
    for position, row in enumerate(list_of(raw.get("history"), what, "history")):
        if not isinstance(row, dict):
            raise LaminaError(f"{what}: history[{position}] must be an object, not {kind_of(row)}")
        if row.get("empty_layer") is not True:
            created = string_of(row.get("created"), what, f"history[{position}].created")
            steps.append((string_of(row.get("created_by"), what, f"history[{position}].created_by"), created or None))
    return Config(
        diff_ids=diff_ids,
        steps=tuple(steps),
        platform=platform_name(raw, what),
        created=string_of(raw.get("created"), what, "created") or None,
        raw=raw,
    )


def platform_name(value: Mapping[str, Any], what: str) -> str:
    """``os/architecture[/variant]`` of a config or of a descriptor's platform; ``unknown`` without either."""
    parts = [string_of(value.get(key), what, key) for key in ("os", "architecture", "variant")]
    if not parts[0] and not parts[1]:
        return "unknown"
    return "/".join(part or "unknown" for part in parts[:2]) + (f"/{parts[2]}" if parts[2] else "")


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """The chain id of each layer (OCI image spec, config.md: ``ChainID``)."""
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(sha256(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return chain


def image_info(
    config: Config,
    *,
    target: str,
    image_id: str,
    tags: Sequence[str] = (),
    digests: Sequence[str] = (),
    blobs: Sequence[tuple[str | None, int | None]] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> ImageInfo:
    """One image's head.

    Args:
        config: its parsed config.
        target: how the image can be asked for.
        image_id: the image's id.
        tags: its names.
        digests: its repository digests.
        blobs: ``(digest, bytes)`` of each layer's blob as stored, None where unknown; as many as the config has
            layers.
        annotations: its manifest's.

    Raises:
        LaminaError: it has too many layers.
    """
    if len(config.diff_ids) > limits.LAYERS:
        raise LaminaError(f"{quoted(target)} has {len(config.diff_ids)} layers: more than {limits.LAYERS} are not read")
    chain = chain_ids(config.diff_ids)
    # History that doesn't line up tells nothing: a wrong instruction beside a layer is worse than none.
    steps = config.steps if len(config.steps) == len(chain) else (("", None),) * len(chain)
    known = blobs if blobs is not None else ((None, None),) * len(chain)
    layers = tuple(
        LayerInfo(
            index=index,
            diff_id=diff_id,
            chain_id=chain[index],
            digest=known[index][0],
            blob_size=known[index][1],
            instruction=steps[index][0],
            created=steps[index][1],
        )
        for index, diff_id in enumerate(config.diff_ids)
    )
    return ImageInfo(
        target=target,
        id=image_id,
        layers=layers,
        tags=tuple(tags),
        digests=tuple(digests),
        platform=config.platform,
        created=config.created,
        config=config.raw,
        annotations=annotations or {},
    )


# -- docker-archive ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DockerEntry:
    """One image of a docker-archive's manifest.json."""

    config: str
    """Member name of the config."""
    tags: tuple[str, ...]
    layers: tuple[str, ...]
    """Member names of the layers, lowest first."""


def parse_docker_manifest(data: bytes, what: str) -> list[DockerEntry]:
    """The images of a ``manifest.json`` as ``docker save`` writes it.

    Raises:
        LaminaError: not JSON or not of the right shape, or it names no image.
    """
    rows = parse_json(data, what)
    if not isinstance(rows, list):
        raise LaminaError(f"{what}: a list of images was expected, not {kind_of(rows)}")
    if not rows:
        raise LaminaError(f"{what}: it names no image")
    entries = []
    for position, row in enumerate(rows):
        here = f"{what}: image {position}"
        if not isinstance(row, dict):
            raise LaminaError(f"{here} must be an object, not {kind_of(row)}")
        config = string_of(row.get("Config"), here, "Config")
        if not config:
            raise LaminaError(f"{here} has no Config")
        if "Layers" not in row:
            raise LaminaError(f"{here} has no Layers")
        tags = strings_of(row.get("RepoTags"), here, "RepoTags")
        entries.append(DockerEntry(config=config, tags=tags, layers=strings_of(row["Layers"], here, "Layers")))
    return entries


# -- OCI -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An OCI content descriptor (image spec, descriptor.md)."""

    digest: str
    media_type: str
    size: int | None
    platform: str
    """``os/architecture[/variant]``, "" where the descriptor says nothing."""
    annotations: Mapping[str, str]

    @property
    def is_index(self) -> bool:
        """Whether it points to another index."""
        return self.media_type in _INDEX_TYPES

    @property
    def is_manifest(self) -> bool:
        """Whether it points to an image manifest."""
        return self.media_type in _MANIFEST_TYPES

    @property
    def is_attestation(self) -> bool:
        """Whether it is BuildKit's provenance or SBOM of another manifest, not an image."""
        return "vnd.docker.reference.type" in self.annotations or self.platform == "unknown/unknown"


def _descriptor(value: Any, what: str, key: str) -> Descriptor:
    if not isinstance(value, dict):
        raise LaminaError(f"{what}: {key} must be an object, not {kind_of(value)}")
    digest = string_of(value.get("digest"), what, f"{key}.digest")
    if not _DIGEST.fullmatch(digest):
        raise LaminaError(f"{what}: {key}.digest {quoted(digest) or 'is missing, it'} is not a digest")
    size = value.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise LaminaError(f"{what}: {key}.size must be a number of bytes")
    annotations = object_of(value.get("annotations"), what, f"{key}.annotations")
    platform = object_of(value.get("platform"), what, f"{key}.platform")
    return Descriptor(
        digest=digest,
        media_type=string_of(value.get("mediaType"), what, f"{key}.mediaType"),
        size=size,
        platform=platform_name(platform, what) if platform else "",
        annotations=_texts(annotations),
    )


def parse_index(data: bytes, what: str) -> list[Descriptor]:
    """The descriptors of an OCI index or a Docker manifest list.

    Raises:
        LaminaError: not JSON or not of the right shape.
    """
    raw = parse_object(data, what)
    if "manifests" not in raw:
        raise LaminaError(f"{what}: no manifests, so not an OCI index")
    rows = list_of(raw["manifests"], what, "manifests")
    return [_descriptor(row, what, f"manifests[{position}]") for position, row in enumerate(rows)]


@dataclass(frozen=True, slots=True)
class Manifest:
    """An OCI or Docker v2 image manifest."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]

    @property
    def is_image(self) -> bool:
        """Whether config and layers are an image's; else it is an artifact: a signature, an SBOM, a chart.

        A signature that cosign makes has an image's config, with digests of layers that are none.
        """
        return self.config.media_type in _CONFIG_TYPES and (
            not self.layers
            or any(not layer.media_type or layer.media_type.startswith(_LAYER_TYPES) for layer in self.layers)
        )

    @property
    def artifact_type(self) -> str:
        """What an artifact says that it is."""
        types = [self.config.media_type, *(layer.media_type for layer in self.layers)]
        return next((kind for kind in types if kind not in _CONFIG_TYPES and kind != _EMPTY_TYPE), types[0])


def parse_manifest(data: bytes, what: str) -> Manifest:
    """An image manifest.

    Raises:
        LaminaError: not JSON or not of the right shape.
    """
    raw = parse_object(data, what)
    for key in ("config", "layers"):
        if key not in raw:
            raise LaminaError(f"{what}: no {key}, so not an image manifest")
    return Manifest(
        config=_descriptor(raw["config"], what, "config"),
        layers=tuple(
            _descriptor(row, what, f"layers[{position}]")
            for position, row in enumerate(list_of(raw["layers"], what, "layers"))
        ),
        annotations=_texts(object_of(raw.get("annotations"), what, "annotations")),
    )


def _texts(annotations: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in annotations.items() if isinstance(value, str)}
