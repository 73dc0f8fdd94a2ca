"""An image as BuildKit stores it: in an index, with an attestation that tells how it was made.

The statements are real ones; only the digests of their layers are those of layers made by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import builders
from builders import Members, descriptor, put_image
from tars import file, layer_tar

SAMPLES = Path(__file__).parent / "provenance_samples"
VERSIONS = ("v1", "v0.2")
INSTRUCTIONS = (
    "ADD rootfs.tar / # buildkit",
    "COPY /built /srv/built # buildkit",
    "RUN /bin/sh -c echo one > /one\necho two > /two\n # buildkit",
    "COPY hello.txt /srv/ # buildkit",
    "RUN /bin/sh -c chmod 600 /srv/hello.txt # buildkit",
    "WORKDIR /app",
    "COPY hello.txt /app/ # buildkit",
    "RUN /bin/sh -c echo 2 > /two &&     echo 3 > /three # buildkit",
    "COPY /x . # buildkit",
    "RUN /bin/sh -c true # buildkit",
    "RUN /bin/sh -c true # buildkit",
)
LINES = [None] * 5 + [5, 6, 7, 9, 10, 11]
"""Where each layer was made, as one reads it in the Dockerfile; the base's layers are not of it."""

_TARS = [layer_tar(file(f"f{number}", number + 1)) for number in range(len(INSTRUCTIONS) - 1)]
IMAGE = builders.Image(
    # The last two are the same empty layer.
    [*_TARS, _TARS[-1]],
    ("shop/app:1",),
    extra={"history": [{"created_by": text} for text in INSTRUCTIONS]},
)


def sample(version: str) -> dict[str, Any]:
    """A statement as it was written."""
    found: dict[str, Any] = json.loads((SAMPLES / f"buildkit-{version}.json").read_bytes())
    return found


def notes_of(statement: dict[str, Any]) -> dict[str, Any]:
    """The part of a statement that is BuildKit's own."""
    predicate = statement["predicate"]
    found: dict[str, Any] = (
        predicate["runDetails"]["metadata"]["buildkit_metadata"]
        if "runDetails" in predicate
        else predicate["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]
    )
    return found


def statement(version: str, digests: list[str]) -> bytes:
    """A statement about an image of these layers."""
    stacks = [stack for stacks in notes_of(sample(version))["layers"].values() for stack in stacks]
    real = [layer["digest"] for layer in max(stacks, key=len)]
    text = json.dumps(sample(version))
    for old, new in zip(real, digests, strict=True):
        text = text.replace(old, new)
    return text.encode()


def attestation(members: Members, of: str, data: bytes, version: str = "v1") -> dict[str, Any]:
    """Adds a statement about a manifest to a layout; its descriptor in an index."""
    layer = descriptor(members, data, "application/vnd.in-toto+json")
    layer["annotations"] = {"in-toto.io/predicate-type": f"https://slsa.dev/provenance/{version}"}
    config = descriptor(members, b"{}", "application/vnd.oci.empty.v1+json")
    row = descriptor(
        members,
        json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode(),
        f"{builders.OCI}.manifest.v1+json",
    )
    row["annotations"] = {"vnd.docker.reference.digest": of, "vnd.docker.reference.type": "attestation-manifest"}
    row["platform"] = {"architecture": "unknown", "os": "unknown"}
    return row


def layers_of(members: Members, row: dict[str, Any]) -> list[str]:
    """The digests of a manifest's layers."""
    manifest = json.loads(members[builders.blob(row["digest"])])
    return [layer["digest"] for layer in manifest["layers"]]


def built(version: str = "v1", data: bytes | None = None, of: str | None = None) -> Members:
    """A layout as BuildKit exports it.

    Args:
        version: of the statement.
        data: what stands in its place.
        of: the manifest that it is said to be about; None: the image's.
    """
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    row = put_image(members, IMAGE)
    row["platform"] = {"architecture": "amd64", "os": "linux"}
    data = statement(version, layers_of(members, row)) if data is None else data
    index = {"schemaVersion": 2, "manifests": [row, attestation(members, of or row["digest"], data, version)]}
    outer = descriptor(members, json.dumps(index).encode(), f"{builders.OCI}.index.v1+json")
    outer["annotations"] = {"io.containerd.image.name": "docker.io/shop/app:1"}
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [outer]}).encode()
    return members
