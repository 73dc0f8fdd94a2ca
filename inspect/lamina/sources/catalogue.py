"""Which images a store holds, by whichever table of contents it has."""

from __future__ import annotations

from lamina.model import LaminaError
from lamina.sources.docker_images import docker_catalogue
from lamina.sources.oci_images import oci_catalogue
from lamina.sources.store import Catalogue, Form, Store


def catalogue(store: Store, form: Form | None = None, platform: str = "") -> Catalogue:
    """The images of a store.

    Args:
        store: the blobs.
        form: the table to go by; None takes manifest.json where there is one, since it knows the tags best; unless a
            platform is asked for, of which it has one only.
        platform: see :class:`lamina.sources.choose.StoreImages`.

    Raises:
        LaminaError: there is no table of contents, it is malformed, or it names no image.
    """
    if platform and form is None and store.document("index.json") is not None:
        form = "oci"
    if form != "oci":
        data = store.document("manifest.json")
        if data is not None:
            return docker_catalogue(store, data)
        if form == "docker":
            raise LaminaError(f"{store.where} is not a docker-archive: it has no manifest.json")
    data = store.document("index.json")
    if data is not None:
        return oci_catalogue(store, data, platform)
    if form == "oci":
        raise LaminaError(f"{store.where} is not an OCI image: it has no index.json")
    if store.document("repositories") is not None:
        raise LaminaError(
            f"{store.where} is in the format of Docker before 1.10 (no manifest.json), which lamina doesn't read: "
            "load it into an engine and save it again"
        )
    raise LaminaError(f"{store.where} is not a container image: it has neither manifest.json nor index.json")
