"""Builds the benchmark's images from their recipes: the same bytes every time, from nothing but numbers.

An image is a docker-archive with plain layers; on demand also an OCI layout whose layers are gzip or zstd.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
from recipes import Recipe

from lamina.zstd import ZstdCompressor

VERSION = 1
"""Raised with every change of recipes or of this module: inputs that were kept are then made again."""

Compression = Literal["gzip", "zstd"]

_TIME = 1_700_000_000
_CHUNK = 1 << 20
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class LayerSpan:
    """Where a layer stands in the docker-archive."""

    offset: int
    size: int
    diff_id: str


@dataclass(frozen=True)
class Image:
    """One image that was built, and what is true of it."""

    folder: Path
    name: str
    members: int
    """Tar members of all layers."""
    paths: int
    """Distinct paths of files and directories."""
    shipped: int
    """Bytes of all files of all layers: what lamina must say too."""
    layers: tuple[LayerSpan, ...]
    config: str

    @property
    def reference(self) -> str:
        """The image's name in an engine."""
        return f"lamina-bench/{self.name}:{VERSION}"

    @property
    def archive(self) -> Path:
        """The docker-archive."""
        return self.folder / f"{self.name}.tar"

    def layout(self, how: Compression) -> Path:
        """The OCI layout with layers compressed so; made when it is first asked for."""
        folder = self.folder / f"{self.name}-{how}"
        if not (folder / "index.json").exists():
            _write_layout(self, folder, how)
        return folder

    def blobs(self, how: Compression) -> list[Path]:
        """The layers' files in that layout."""
        layout = self.layout(how)
        index = json.loads((layout / "index.json").read_bytes())
        manifest = json.loads(_blob(layout, index["manifests"][0]["digest"]).read_bytes())
        return [_blob(layout, layer["digest"]) for layer in manifest["layers"]]


def build(recipe: Recipe, folder: Path) -> Image:
    """The image of a recipe; one that is in the folder already is taken as it is."""
    note = folder / f"{recipe.name}.json"
    if note.exists():
        kept = json.loads(note.read_bytes())
        if kept.pop("version") == VERSION:
            layers = tuple(LayerSpan(**layer) for layer in kept.pop("layers"))
            return Image(folder=folder, layers=layers, **kept)
    image = _write_archive(recipe, folder)
    facts = asdict(image)
    del facts["folder"]
    note.write_text(json.dumps({"version": VERSION, **facts}))
    return image


# -- the docker-archive ------------------------------------------------------------------------------------------------


def _write_archive(recipe: Recipe, folder: Path) -> Image:
    spans: list[LayerSpan] = []
    names: list[str] = []
    with (folder / f"{recipe.name}.tar").open("wb", buffering=_CHUNK) as out:
        writer = _LayerWriter(out, recipe)
        for number, (_, step) in enumerate(recipe.steps):
            names.append(hashlib.sha256(f"{recipe.name} {number}".encode()).hexdigest() + "/layer.tar")
            spans.append(writer.layer(names[-1], lambda step=step: step(writer, recipe.scale)))  # type: ignore[misc]
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "created": "2024-01-02T03:04:05Z",
                "config": {"Cmd": ["sh"]},
                "rootfs": {"type": "layers", "diff_ids": [span.diff_id for span in spans]},
                "history": [
                    {"created": "2024-01-02T03:04:05Z", "created_by": f"/bin/sh -c {instruction}"}
                    for instruction, _ in recipe.steps
                ],
            }
        )
        image = Image(
            folder, recipe.name, writer.members, len(writer.paths), writer.shipped, tuple(spans), config=config
        )
        config_name = hashlib.sha256(config.encode()).hexdigest() + ".json"
        manifest = json.dumps([{"Config": config_name, "RepoTags": [image.reference], "Layers": names}])
        for name, text in ((config_name, config), ("manifest.json", manifest)):
            out.write(_header(name, size=len(text)) + text.encode() + bytes(-len(text) % 512))
        out.write(bytes(1024))
    return image


def _header(name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, mode: int = 0o644) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.mtime = kind, size, mode, _TIME
    return info.tobuf(tarfile.USTAR_FORMAT)


class _LayerWriter:
    """Writes layers one after another; see :class:`recipes.Layer`."""

    def __init__(self, out: BinaryIO, recipe: Recipe) -> None:
        self.random = Random(recipe.name)
        self.members = 0
        self.shipped = 0
        self.files: dict[str, int] = {}
        self.packages: dict[str, list[str]] = {}
        self.paths: set[str] = set()
        self._out = out
        self._pool = memoryview(_contents(recipe.pool))
        self._places: dict[str, int] = {}  # of each file: where in the pool its content is
        self._sum = hashlib.sha256()

    def layer(self, name: str, write: Callable[[], None]) -> LayerSpan:
        """One layer under this name in the archive: what ``write`` writes."""
        header = self._out.tell()
        self._out.write(_header(name))
        start = self._out.tell()
        self._sum = hashlib.sha256()
        write()
        self._write(bytes(1024))
        end = self._out.tell()
        self._out.seek(header)
        self._out.write(_header(name, size=end - start))
        self._out.seek(end)
        return LayerSpan(start, end - start, f"sha256:{self._sum.hexdigest()}")

    def directory(self, path: str) -> None:
        self._add(f"{path}/", tarfile.DIRTYPE, mode=0o755)
        self.paths.add(path)

    def file(self, path: str, size: int) -> None:
        self._places[path] = self.random.randrange(0, len(self._pool) - size)
        self.files[path] = size
        self.copy(path)

    def copy(self, path: str, *, mode: int = 0o644, owner: int = 0) -> None:
        size, place = self.files[path], self._places[path]
        self._add(path, mode=mode, owner=owner, data=self._pool[place : place + size])
        self.shipped += size
        self.paths.add(path)

    def link(self, path: str, target: str, *, hard: bool) -> None:
        self._add(path, tarfile.LNKTYPE if hard else tarfile.SYMTYPE, target=target, mode=0o644 if hard else 0o777)
        self.paths.add(path)

    def empty(self, path: str) -> None:
        self._add(path)

    def _add(
        self,
        name: str,
        kind: bytes = tarfile.REGTYPE,
        *,
        mode: int = 0o644,
        owner: int = 0,
        target: str = "",
        data: bytes | memoryview = b"",
    ) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode, info.mtime, info.linkname = kind, len(data), mode, _TIME, target
        info.uid = info.gid = owner
        self._write(info.tobuf(tarfile.GNU_FORMAT))
        if data:
            self._write(data)
            self._write(bytes(-len(data) % 512))
        self.members += 1

    def _write(self, data: bytes | memoryview) -> None:
        self._out.write(data)
        self._sum.update(data)


def _contents(size: int) -> bytes:
    """Bytes that compress about as well as the files of a real image do: words, and an eighth of noise."""
    numbers = np.random.Generator(np.random.PCG64(20240102))
    letters = numbers.integers(97, 123, size=(4096, 12), dtype=np.uint8)
    vocabulary = [row[: 2 + number % 11].tobytes() for number, row in enumerate(letters)]
    frequency = np.cumsum(1 / np.arange(1, len(vocabulary) + 1))
    text = bytearray()
    while len(text) < size:
        chosen = np.searchsorted(frequency, numbers.random(16_000) * frequency[-1])
        text += b" ".join(map(vocabulary.__getitem__, chosen.tolist()))
        text += numbers.integers(0, 256, size=len(chosen), dtype=np.uint8).tobytes()
    return bytes(text[:size])


# -- the OCI layouts ---------------------------------------------------------------------------------------------------


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _compressor(how: Compression) -> _Compressor:
    if how == "gzip":
        return zlib.compressobj(6, wbits=31)
    return ZstdCompressor(level=3)


def _write_layout(image: Image, folder: Path, how: Compression) -> None:
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # both compressors release the interpreter's lock
        layers = list(pool.map(lambda span: _compress(image.archive, span, folder, how), image.layers))
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _put(folder, image.config.encode(), f"{_OCI}.config.v1+json"),
        "layers": layers,
    }
    row = _put(folder, json.dumps(manifest).encode(), f"{_OCI}.manifest.v1+json")
    row["annotations"] = {"org.opencontainers.image.ref.name": image.reference}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [row]}))


def _compress(archive: Path, span: LayerSpan, folder: Path, how: Compression) -> dict[str, Any]:
    unnamed = folder / "blobs" / span.diff_id.replace(":", "-")
    digest, size, codec = hashlib.sha256(), 0, _compressor(how)
    with unnamed.open("wb") as out:

        def put(data: bytes) -> int:
            digest.update(data)
            return out.write(data)

        for chunk in _chunks(archive, span):
            size += put(codec.compress(chunk))
        size += put(codec.flush())
    unnamed.rename(folder / "blobs/sha256" / digest.hexdigest())
    return {
        "mediaType": f"{_OCI}.layer.v1.tar+{how}",
        "digest": f"sha256:{digest.hexdigest()}",
        "size": size,
    }


def _chunks(archive: Path, span: LayerSpan) -> Iterator[bytes]:
    with archive.open("rb") as source:
        source.seek(span.offset)
        left = span.size
        while left:
            data = source.read(min(left, _CHUNK))
            left -= len(data)
            yield data


def _put(folder: Path, data: bytes, media_type: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    _blob(folder, digest).write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")
