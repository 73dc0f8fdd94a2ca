"""Images built by hand, in every form that lamina reads.

A form is first a dict of member names and bytes, so that a test can spoil one of them before it is packed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lamina.layers.index import LayerFacts, LayerIndex
from lamina.layers.layer_reader import FileRef
from lamina.model import ImageInfo, LaminaError, Progress
from lamina.sources.base import ReadImage, Source
from opening import resolve
from tars import Member, directory, file, hardlink, symlink
from tars import layer_tar as layer
from zstd_frames import compress_zstd

Compression = Literal["none", "gzip", "zstd"]
Members = dict[str, bytes | str]
"""Member name -> its bytes, or the target of a symbolic link."""

OCI = "application/vnd.oci.image"
EMPTY_TAR = bytes(1024)


# -- layers --------------------------------------------------------------------------------------------------------


def link(path: str, to: str, *, hard: bool = False) -> Member:
    return hardlink(path, to) if hard else symlink(path, to)


def compress(data: bytes, how: Compression) -> bytes:
    if how == "gzip":
        return gzip.compress(data, 1, mtime=0)
    if how == "zstd":
        return compress_zstd(data, 1)
    return data


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


# -- images --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Image:
    """An image to be packed."""

    layers: Sequence[bytes]
    tags: Sequence[str] = ("app:1",)
    platform: tuple[str, str] = ("linux", "amd64")
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Put over the config's keys."""

    @property
    def diff_ids(self) -> list[str]:
        return [sha256(data) for data in self.layers]

    @property
    def config(self) -> bytes:
        history = []
        for index in range(len(self.layers)):
            history.append({"created_by": f"step {index}", "created": "2024-01-02T03:04:05Z"})
            history.append({"created_by": f"ENV A={index}", "empty_layer": True})
        return json.dumps(
            {
                "os": self.platform[0],
                "architecture": self.platform[1],
                "created": "2024-01-02T03:04:05Z",
                "config": {"Cmd": ["true"]},
                "rootfs": {"type": "layers", "diff_ids": self.diff_ids},
                "history": history,
                **self.extra,
            }
        ).encode()

    @property
    def id(self) -> str:
        return sha256(self.config)


def old_docker(*images: Image, how: Compression = "none") -> Members:
    """As engines before version 25 save: a folder for each layer; a layer that stands twice is linked."""
    members: Members = {}
    rows = []
    seen: dict[bytes, str] = {}
    for number, image in enumerate(images):
        names = []
        for index, data in enumerate(image.layers):
            v1_id = hashlib.sha256(f"{number} {index}".encode()).hexdigest()
            name = f"{v1_id}/layer.tar"
            members[f"{v1_id}/VERSION"] = b"1.0"
            members[f"{v1_id}/json"] = json.dumps({"id": v1_id}).encode()
            members[name] = f"../{seen[data]}" if data in seen else compress(data, how)
            seen.setdefault(data, name)
            names.append(name)
        config = image.id.removeprefix("sha256:") + ".json"
        members[config] = image.config
        rows.append({"Config": config, "RepoTags": list(image.tags) or None, "Layers": names})
    members["manifest.json"] = json.dumps(rows).encode()
    members["repositories"] = b"{}"
    return members


def new_docker(*images: Image, how: Compression = "none") -> Members:
    """As engines from version 25 on save: an OCI layout with a manifest.json beside it."""
    members = oci(*images, how=how)
    rows = []
    for image in images:
        blobs = [sha256(compress(data, how)) for data in image.layers]
        rows.append(
            {
                "Config": blob(image.id),
                "RepoTags": list(image.tags) or None,
                "Layers": [blob(digest) for digest in blobs],
            }
        )
    members["manifest.json"] = json.dumps(rows).encode()
    return members


def oci(*images: Image, how: Compression = "gzip") -> Members:
    """An OCI layout: an archive of it once packed, a folder once written."""
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    rows = []
    for image in images:
        for tag in image.tags or (None,):
            row = put_image(members, image, how=how)
            if tag is not None:
                row["annotations"] = {"org.opencontainers.image.ref.name": tag}
            rows.append(row)
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": rows}).encode()
    return members


def put_image(members: Members, image: Image, *, how: Compression = "gzip") -> dict[str, Any]:
    """Adds an image's blobs to a layout; the descriptor of its manifest."""
    suffix = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}[how]
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": descriptor(members, image.config, f"{OCI}.config.v1+json"),
        "layers": [descriptor(members, compress(data, how), f"{OCI}.layer.v1.tar{suffix}") for data in image.layers],
    }
    return descriptor(members, json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json")


def descriptor(members: Members, data: bytes, media_type: str) -> dict[str, Any]:
    """Adds a blob to a layout; its descriptor."""
    digest = sha256(data)
    members[blob(digest)] = data
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def blob(digest: str) -> str:
    """A blob's name in a layout."""
    return "blobs/" + digest.replace(":", "/")


def pack(members: Mapping[str, bytes | str], *, order: Iterable[str] | None = None) -> bytes:
    """The members as a tar, sorted by name as an engine does, or in the order given."""
    entries = []
    for name in sorted(members) if order is None else order:
        content = members[name]
        entries.append(link(name, content) if isinstance(content, str) else file(name, content))
    return layer(*entries)


def write_layout(folder: Path, members: Mapping[str, bytes | str]) -> Path:
    """The members as a folder."""
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(content, bytes)
        path.write_bytes(content)
    return folder


def archive(folder: Path, members: Members, name: str = "image.tar") -> Source:
    """The members as a tar file, opened."""
    path = folder / name
    path.write_bytes(pack(members))
    source, target = resolve(str(path))
    assert target is None
    return source


def sample_image(tag: str = "app:1", *, size: int = 3000) -> Image:
    """Three layers with a bit of everything."""
    return Image(
        [
            layer(directory("etc"), file("etc/hosts", b"localhost\n"), file("bin/tool", b"x" * size, mode=0o755)),
            layer(
                file("etc/hosts", b"changed\n"),
                file("bin/first", b"two names"),
                link("bin/other", "bin/first", hard=True),
                link("sh", "bin/tool"),
            ),
            layer(file("bin/.wh.tool"), file("empty"), directory("srv"), file("srv/a" * 60, b"long name")),
        ],
        (tag,),
    )


# -- reading -------------------------------------------------------------------------------------------------------


class Watcher:
    """An observer that remembers, and holds sources to their promise: head first, layers once each."""

    def __init__(self) -> None:
        self.info: ImageInfo | None = None
        self.layers: dict[int, LayerFacts] = {}
        self.progresses: list[Progress] = []
        self.thread: int | None = None

    def head(self, info: ImageInfo) -> None:
        assert self.info is None, "the head was told twice"
        self.info = info

    def layer(self, index: int, facts: LayerFacts) -> None:
        assert self.info is not None, "a layer was told before the head"
        assert index not in self.layers, "a layer was told twice"
        self.layers[index] = facts

    def progress(self, progress: Progress) -> None:
        self.progresses.append(progress)


def read(source: Source, target: str | None = None, *, verify: bool = False) -> ReadImage:
    """An image read whole; what the observer heard must be what came back."""
    watcher = Watcher()
    image = source.read(target, watcher, threading.Event(), verify=verify)
    assert watcher.info is not None
    assert [layer and layer.facts for layer in image.layers] == [watcher.layers[n] for n in range(len(image.layers))]
    return image


def names_of(index: LayerIndex | None) -> list[str]:
    """The paths of a layer in tar order."""
    assert index is not None
    return [key.replace(b"\0", b"/").decode() for key in index.keys()]  # noqa: SIM118  # it is no dict


def shape(image: ReadImage) -> list[list[tuple[Any, ...]]]:
    """Everything that the rows of an image's layers say, but for contents."""
    rows = []
    for index in image.layers:
        assert index is not None
        columns = (index.kind, index.size, index.mode, index.uid, index.gid, index.mtime, index.offset)
        rows.append([*zip(index.keys(), *(column.tolist() for column in columns), strict=True), (index.tar_size,)])
    return rows


def contents(image: ReadImage) -> list[list[bytes]]:
    """The content ids of all regular files of an image, read again where the scan passed over them."""
    ids = []
    for number, index in enumerate(image.layers):
        assert index is not None
        files = [row for row in range(index.count) if index.kind[row] == 0]
        known = {row: index.content[row].tobytes() for row in files if index.content[row].any()}
        missing = [row for row in files if row not in known]
        if missing:
            assert image.content is not None
            keys = index.keys()
            places = [
                FileRef(int(index.offset[row]), int(index.size[row]), keys[row].replace(b"\0", b"/")) for row in missing
            ]
            known |= dict(zip(missing, image.content.hashes({number: places}, threading.Event())[number], strict=True))
        ids.append([known[row] for row in files])
    return ids


def complaint(source: Source, target: str | None = None, *, verify: bool = False) -> str:
    """The one line with which a source refuses."""
    try:
        source.read(target, Watcher(), threading.Event(), verify=verify)
    except LaminaError as error:
        text = str(error)
        assert text.isprintable(), f"not one printable line: {text!r}"
        return text
    raise AssertionError("it was read without a complaint")
