"""The images of an OCI layout: what its ``index.json`` leads to (OCI image spec, image-layout.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lamina.errors import NotAnImage, OtherPlatform
from lamina.model import Cancelled, LaminaError
from lamina.sources.image_names import Known, image_names
from lamina.sources.json_checks import is_digest, quoted, sha256, short
from lamina.sources.manifest import Descriptor, Manifest, image_info, parse_config, parse_index, parse_manifest
from lamina.sources.platforms import ALL, fits, host_platform
from lamina.sources.store import Catalogue, Entry, Found, Store, changed, layer_blob

if TYPE_CHECKING:
    import threading

    from lamina.sources.provenance import Provenance

_MAX_NESTING = 8
_MOST_PLATFORMS = 20_000
"""Images that indexes may come to where each platform is one: real ones have some ten a name."""


def blob_name(digest: str) -> str:
    """Where an OCI layout keeps a blob; ``digest`` must have passed :func:`is_digest`."""
    return "blobs/" + digest.replace(":", "/", 1)


def oci_catalogue(store: Store, data: bytes, platform: str = "") -> Catalogue:
    """The images of a store.

    Args:
        store: the blobs.
        data: its ``index.json``.
        platform: which is taken of an index that has several; "": the best for this machine; ``all``: each.

    Raises:
        LaminaError: that is malformed, or names no image.
    """
    descriptors = parse_index(data, f"index.json of {store.where}")
    usable = [d for d in descriptors if not d.is_attestation and (d.is_index or d.is_manifest)]
    if not usable:
        raise LaminaError(f"index.json of {store.where} names no image")
    if len(usable) > 1:
        # What has no name can't be asked for: it is left out at once, so that the images are not counted with it.
        usable = [d for d in usable if _tags(d) or not _is_artifact(store, d)] or usable[:1]
    groups, tags = _merged(_groups(usable))
    if platform == ALL:
        groups, tags = _each_platform(store, groups, tags)
    beside = [d for d in descriptors if d.is_attestation]
    known = [Known(t, group[0].digest, group[0].platform) for t, group in zip(tags, groups, strict=True)]
    return Catalogue(
        tuple(
            Entry(name, t, _oci_opener(store, group, t, name, platform, beside))
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


def _merged(groups: Sequence[list[Descriptor]]) -> tuple[list[list[Descriptor]], list[tuple[str, ...]]]:
    """The groups, those of one image as one, and the tags of each."""
    found: dict[tuple[tuple[str, str], ...], tuple[list[Descriptor], list[str]]] = {}
    for number, group in enumerate(groups):
        own = _tags(group[0])
        # Without a name it stays what it is: its place is how it is asked for.
        same = tuple((d.digest, d.platform) for d in group) if own else (("", str(number)),)
        found.setdefault(same, (group, []))[1].extend(own)
    return [group for group, _ in found.values()], [tuple(tags) for _, tags in found.values()]


def _each_platform(
    store: Store, groups: Sequence[list[Descriptor]], tags: Sequence[tuple[str, ...]]
) -> tuple[list[list[Descriptor]], list[tuple[str, ...]]]:
    """Each manifest that is there as a group of its own, under the names of its index."""
    apart: list[list[Descriptor]] = []
    names: list[tuple[str, ...]] = []
    inner: dict[str, list[Descriptor]] = {}
    for group, own in zip(groups, tags, strict=True):
        found: dict[str, Descriptor] = {}
        seen: set[str] = set()

        def collect(
            descriptors: Sequence[Descriptor], depth: int, found: dict[str, Descriptor], seen: set[str]
        ) -> None:
            for descriptor in descriptors:
                if descriptor.digest in seen or not _is_there(store, descriptor):
                    continue
                seen.add(descriptor.digest)
                if descriptor.is_index:
                    if descriptor.digest not in inner:
                        inner[descriptor.digest] = _inner(store, descriptor, depth)
                    collect(inner[descriptor.digest], depth + 1, found, seen)
                else:
                    found[descriptor.digest] = descriptor

        try:
            collect(group, 0, found, seen)
        except LaminaError:
            found = {}
        # What can't be taken apart says what is wrong with it when it is opened.
        for part in [[descriptor] for descriptor in found.values()] or [group]:
            apart.append(part)
            names.append(own)
        if len(apart) > _MOST_PLATFORMS:
            raise LaminaError(f"{store.where} has more than {_MOST_PLATFORMS:,} images of all platforms")
    return apart, names


def _is_there(store: Store, descriptor: Descriptor) -> bool:
    """An engine may save an index of ten platforms with the blobs of one."""
    return is_digest(descriptor.digest) and store.blob(blob_name(descriptor.digest)) is not None


def _tags(descriptor: Descriptor) -> tuple[str, ...]:
    # containerd's exports keep the whole name apart, and in ref.name the bare tag.
    full = descriptor.annotations.get("io.containerd.image.name", "")
    name = full or descriptor.annotations.get("org.opencontainers.image.ref.name", "")
    return (name,) if name else ()


def _preferred(descriptors: Sequence[Descriptor], store: Store, platform: str) -> list[Descriptor]:
    """Best first: what was asked for, or this machine runs, then that in another variant, then any; missing last."""
    best = host_platform() if platform in ("", ALL) else platform

    def rank(descriptor: Descriptor) -> tuple[bool, int]:
        absent = not _is_there(store, descriptor)
        if descriptor.platform == best:
            return absent, 0
        return absent, 1 if fits(best, descriptor.platform) else 2

    return sorted(descriptors, key=rank)


def _document(store: Store, digest: str, what: str) -> bytes:
    if not is_digest(digest):
        raise LaminaError(f"{what} {quoted(digest)} of {store.where} has no sha256 digest, and others are not read")
    data = store.document(blob_name(digest))
    if data is None:
        raise LaminaError(f"{what} {digest} is not in {store.where}")
    if sha256(data) != digest:
        raise changed(blob_name(digest), store.where, sha256(data))
    return data


def _manifest(store: Store, candidates: Sequence[Descriptor], platform: str) -> tuple[Manifest, str]:
    """The image manifest that fits best, and its digest; indexes are followed, each once.

    Raises:
        NotAnImage: there are only artifacts.
        OtherPlatform: there are images, but not for the platform that was asked for.
        LaminaError: no image among them can be read.
    """
    seen: set[str] = set()
    artifact = ""
    broken: LaminaError | None = None
    others: dict[str, None] = {}

    def look(candidates: Sequence[Descriptor], depth: int) -> tuple[Manifest, str] | None:
        nonlocal artifact, broken
        unseen: dict[str, Descriptor] = {}
        for descriptor in candidates:
            if descriptor.digest not in seen:
                unseen.setdefault(descriptor.digest, descriptor)
        for descriptor in _preferred(list(unseen.values()), store, platform):
            if descriptor.digest in seen:  # meanwhile, in an index before it
                continue
            if descriptor.platform and not fits(platform, descriptor.platform):
                others[descriptor.platform] = None
                continue
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
    if others:
        known = ", ".join(quoted(other) for other in list(others)[:12])
        raise OtherPlatform(f"no image for {platform} in {store.where}: there is {known}")
    said = f" but an artifact of type {quoted(artifact)}" if artifact else ""
    raise NotAnImage(f"{store.where} holds no container image{said}")


def _inner(store: Store, index: Descriptor, depth: int) -> list[Descriptor]:
    """What an index names that may be an image."""
    if depth >= _MAX_NESTING:
        raise LaminaError(f"the indexes of {store.where} are nested more than {_MAX_NESTING} deep")
    data = _document(store, index.digest, "the index")
    inner = parse_index(data, f"index {index.digest} of {store.where}")
    return [d for d in inner if not d.is_attestation and (d.is_index or d.is_manifest)]


def _provenance(
    store: Store, descriptors: Sequence[Descriptor], digest: str, cancel: threading.Event
) -> Provenance | None:
    """What the indexes that lead to a manifest have of how it was made (BuildKit, attestations/attestation-storage.md).

    Raises:
        LaminaError: it can't be read.
        Cancelled: ``cancel`` was set.
    """
    from lamina.sources.provenance import PREDICATE, STATEMENT, parse_provenance

    for attestation in _attestations(store, descriptors, digest, set(), 0):
        where = f"the attestation {attestation.digest}"
        manifest = parse_manifest(_document(store, attestation.digest, where), f"{where} of {store.where}")
        for layer in manifest.layers:
            if cancel.is_set():
                raise Cancelled
            predicate = layer.annotations.get("in-toto.io/predicate-type", "")
            if layer.media_type == STATEMENT and predicate.startswith(PREDICATE):
                what = f"the provenance {layer.digest}"
                found = parse_provenance(_document(store, layer.digest, what), f"{what} of {store.where}")
                if found is not None:
                    return found
    return None


def _attestations(
    store: Store, descriptors: Sequence[Descriptor], digest: str, seen: set[str], depth: int
) -> Iterator[Descriptor]:
    """What is said of a manifest, as far as it is there."""
    for descriptor in descriptors:
        if descriptor.digest in seen or not _is_there(store, descriptor):
            continue
        seen.add(descriptor.digest)
        if descriptor.is_attestation:
            if descriptor.annotations.get("vnd.docker.reference.digest") == digest:
                yield descriptor
        elif descriptor.is_index and depth < _MAX_NESTING:
            data = _document(store, descriptor.digest, "the index")
            inner = parse_index(data, f"index {descriptor.digest} of {store.where}")
            yield from _attestations(store, inner, digest, seen, depth + 1)


def _oci_opener(
    store: Store,
    group: Sequence[Descriptor],
    tags: tuple[str, ...],
    target: str,
    platform: str,
    beside: Sequence[Descriptor],
) -> Callable[[], Found]:
    def open_() -> Found:
        manifest, digest = _manifest(store, group, platform)
        config_digest = manifest.config.digest
        data = _document(store, config_digest, "the config")
        config = parse_config(data, f"config {config_digest} of {store.where}")
        if len(config.diff_ids) != len(manifest.layers):
            raise LaminaError(
                f"{store.where} contradicts itself: the manifest {digest} names {len(manifest.layers)} layers, "
                f"its config {len(config.diff_ids)}"
            )
        for place, layer in enumerate(manifest.layers):
            if layer.media_type.endswith("+encrypted"):
                where = f"layer {place} ({short(layer.digest)}) of {store.where}"
                raise LaminaError(f"{where} is encrypted, and encrypted layers are not read: decrypt the image first")
            if not is_digest(layer.digest):
                raise LaminaError(f"layer {place} of {store.where} has no sha256 digest but {quoted(layer.digest)}")
        names = [blob_name(layer.digest) for layer in manifest.layers]
        stored = [layer_blob(store, name, place, "the manifest") for place, name in enumerate(names)]
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
                annotations=manifest.annotations,
            ),
            blobs=tuple(stored),
            digests=digests,
            manifest_digest=digest,
            annotations=tuple(layer.annotations for layer in manifest.layers),
            provenance=lambda cancel: _provenance(store, [*group, *beside], digest, cancel),
        )

    return open_
