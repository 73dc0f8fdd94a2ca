"""One image of a registry as a store: its documents, and what they say of its layers."""

from __future__ import annotations

import json
import threading

from lamina.model import LaminaError
from lamina.sources.http_body import document_of
from lamina.sources.json_checks import parse_object, quoted, sha256
from lamina.sources.manifest import parse_manifest
from lamina.sources.oci_images import blob_name
from lamina.sources.registry.client import RegistryClient
from lamina.sources.store import Stored

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ACCEPT = (
    f"{_MANIFEST}, {_INDEX}, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json"
)
_NAME = "org.opencontainers.image.ref.name"


class RegistryStore:
    """What a reference names, as a :class:`~lamina.sources.store.Store` with a table of one entry.

    Every document is held against its digest by whoever asks for it; the first, asked for by a tag, gives it.

    Args:
        client: the repository.
        cancel: ends the waiting for an answer.
    """

    def __init__(self, client: RegistryClient, cancel: threading.Event) -> None:
        self._client = client
        self._cancel = cancel
        self._documents: dict[str, bytes] = {}
        self._configs: set[str] = set()
        self._layers: dict[str, Stored] = {}
        self.digest = ""
        """Of what the reference names, an index or a manifest; "" before it was asked for."""

    @property
    def absence(self) -> str:
        """See :attr:`lamina.sources.store.Store.absence`."""
        return ""

    @property
    def where(self) -> str:
        """For errors."""
        return f"{quoted(str(self._client.reference))} in {self._client}"

    @property
    def name(self) -> str:
        """The image's name."""
        return str(self._client.reference)

    def document(self, name: str) -> bytes | None:
        """See :meth:`lamina.sources.store.Store.document`."""
        if name == "index.json":
            return self._table()
        if name not in self._documents:
            digest = name.removeprefix("blobs/").replace("/", ":", 1)
            kind = "blobs" if name in self._configs or name in self._layers else "manifests"
            self._documents[name] = self._fetch(f"{kind}/{digest}", f"{kind[:-1]} {digest}")
            if kind == "manifests":
                self._learn(self._documents[name])
        return self._documents[name]

    def blob(self, name: str) -> Stored | None:
        """See :meth:`lamina.sources.store.Store.blob`: as the manifest says; what it doesn't name is there."""
        return self._layers.get(name) or Stored(name, 0, "unknown")

    def _table(self) -> bytes:
        """An ``index.json`` that names what the reference names."""
        reference = self._client.reference
        data = self._fetch(f"manifests/{reference.version}", str(reference))
        self.digest = sha256(data)
        if reference.digest and self.digest != reference.digest:
            raise LaminaError(f"{self.where} has the digest {self.digest}: that is another image")
        root = parse_object(data, f"the manifest of {self.where}")
        if root.get("schemaVersion") == 1:
            raise LaminaError(f"{self.where} is in the format of Docker before 1.10, which lamina doesn't read")
        self._documents[blob_name(self.digest)] = data
        if "manifests" not in root:
            self._learn(data)
        descriptor = {
            "mediaType": _INDEX if "manifests" in root else _MANIFEST,
            "digest": self.digest,
            "size": len(data),
            "annotations": {_NAME: str(reference)},
        }
        return json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()

    def _learn(self, data: bytes) -> None:
        """Note what a manifest says of config and layers; what is no manifest says nothing."""
        try:
            manifest = parse_manifest(data, f"the manifest of {self.where}")
        except LaminaError:
            return  # an index; or who asked for it will see
        self._configs.add(blob_name(manifest.config.digest))
        for layer in manifest.layers:
            name = blob_name(layer.digest)
            self._layers[name] = Stored(name, layer.size or 0, "unknown")

    def _fetch(self, path: str, what: str) -> bytes:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        response = self._client.get(path, self._cancel, accept=_ACCEPT, missing=quoted(what))
        try:
            return document_of(response, f"{quoted(what)} of {self._client}")
        except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            raise LaminaError(self._client.fault(error)) from None
        finally:
            response.close()
