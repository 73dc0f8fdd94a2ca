"""The images of a docker-archive: what its ``manifest.json`` names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lamina.model import LaminaError
from lamina.sources.image_names import Known, image_names
from lamina.sources.json_checks import quoted, sha256
from lamina.sources.manifest import DockerEntry, image_info, parse_config, parse_docker_manifest
from lamina.sources.store import Catalogue, Entry, Found, Store, changed, layer_blob

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_NAMED_CONFIG = re.compile(r"(?:sha256:)?([0-9a-f]{64})(?:\.json)?")


def docker_catalogue(store: Store, data: bytes) -> Catalogue:
    """The images of a store.

    Args:
        store: the blobs.
        data: its ``manifest.json``.

    Raises:
        LaminaError: that is malformed, or names no image.
    """
    rows = _merged(parse_docker_manifest(data, f"manifest.json of {store.where}"))
    names = image_names([Known(row.tags, _config_claim(row) or "") for row in rows], store.name)
    return Catalogue(
        tuple(Entry(name, row.tags, _docker_opener(store, row, name)) for row, name in zip(rows, names, strict=True))
    )


def _merged(rows: Sequence[DockerEntry]) -> list[DockerEntry]:
    """The rows, those of one image as one with all its tags."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for row in rows:
        found.setdefault((row.config, row.layers), []).extend(row.tags)
    return [DockerEntry(config, tuple(dict.fromkeys(tags)), layers) for (config, layers), tags in found.items()]


def _docker_opener(store: Store, row: DockerEntry, target: str) -> Callable[[], Found]:
    def open_() -> Found:
        data = store.document(row.config)
        if data is None:
            raise LaminaError(f"manifest.json names the config {quoted(row.config)}, which is not in {store.where}")
        config_id = sha256(data)
        blob = _BLOB.fullmatch(row.config)
        if blob and config_id != f"sha256:{blob[1]}":
            raise changed(row.config, store.where, config_id)
        config = parse_config(data, f"config {quoted(row.config)} of {store.where}")
        if len(config.diff_ids) != len(row.layers):
            raise LaminaError(
                f"{store.where} contradicts itself: manifest.json names {len(row.layers)} layers for "
                f"{quoted(target)}, its config {len(config.diff_ids)}"
            )
        stored = [layer_blob(store, name, place, "manifest.json") for place, name in enumerate(row.layers)]
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
