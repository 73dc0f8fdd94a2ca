"""What the user typed becomes a source, and the image within it.

Nothing heavy is imported before it is needed: an archive needs no engine's client, an engine no archive reader.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lamina.dataclass import dataclass
from lamina.errors import LaminaError
from lamina.layers.codec import sniff
from lamina.names import display_name
from lamina.sources.json_checks import quoted
from lamina.workers.pool import Pool

if TYPE_CHECKING:
    from lamina.cache.cache import Cache
    from lamina.sources.base import Source
    from lamina.sources.engine.containers import ContainerSource
    from lamina.sources.engine.source import EngineSource
    from lamina.sources.store import Form

_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.zst", ".tzst")
_ARCHIVES = ("tar", "gzip", "zstd")
STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


class Target(NamedTuple):
    """A source, and the image that is meant in it."""

    source: Source
    name: str | None
    """What to hand to the source's ``read``; None where the user didn't say which image."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Finds the sources of what users type, and gives them what they share.

    Args:
        host: where the engine listens, as in DOCKER_HOST; None: by the docker CLI's rules.
        stdin: what ``-`` reads; None: the process's standard input.
        cache: what was read before; None: nothing, and nothing is kept.
        pool: where the work of reading is done.
        store: whether an engine's own disk may be read.
        insecure: hosts of registries that may be asked without TLS, or with a certificate nobody vouches for.
        platform: see :class:`lamina.sources.choose.StoreImages`.
    """

    host: str | None = None
    stdin: BinaryIO | None = None
    cache: Cache | None = None
    pool: Pool = field(default_factory=Pool)
    store: bool = True
    insecure: frozenset[str] = frozenset()
    platform: str = ""

    def engine(self) -> EngineSource:
        """The container engine; it is connected to when it is first asked something."""
        from lamina.sources.engine.source import EngineSource

        return EngineSource(self.host, self.cache, self.pool, store=self.store, platform=self.platform)

    def containers(self) -> ContainerSource:
        """The engine's containers."""
        from lamina.sources.engine.containers import ContainerSource

        return ContainerSource(self.host, self.cache, self.pool, store=self.store)

    def demo(self) -> Source:
        """The built-in sample images; they need no engine and no file."""
        from lamina.sources.demo.source import DemoSource

        return DemoSource()

    def resolve(self, target: str) -> Target:
        """A target as a source, and the image within it.

        Args:
            target: a file, folder, ``-``, an engine's image name or ID, or one of these with skopeo's transport name
                before it (``docker-daemon:``, ``container:``, ``containerd:``, ``docker://``,
                ``docker-archive:``, ``oci-archive:``, ``oci:``).

        Raises:
            LaminaError: there is nothing of that kind there.
        """
        if target in STDIN:
            return Target(self._standard_input(), None)
        transport, colon, rest = target.partition(":")
        if colon:
            if transport == "containerd":
                return Target(self._containerd(), rest or None)
            if transport == "docker":
                return Target(self._registry(rest), None)
            if transport in ("container", "docker-daemon", "docker-archive", "oci-archive", "oci") and not rest:
                raise LaminaError(f"{transport}: needs a name or a path after the colon")
            if transport == "container":
                return Target(self.containers(), target)
            if transport == "docker-daemon":
                return Target(self.engine(), rest)
            if transport in ("docker-archive", "oci-archive"):
                path, tag = _split(rest)
                return Target(self._archive(path, "oci" if transport == "oci-archive" else "docker"), tag)
            if transport == "oci":
                path, tag = _split(rest)
                return Target(self._layout(path), tag)
        return self._guess(target)

    def _guess(self, target: str) -> Target:
        path, tag = _split(target)
        path_like = _looks_like_path(target)
        status = _status(path)
        if status is None:
            if path_like:
                raise LaminaError(f"no such file: {quoted(path)}")
        elif stat.S_ISDIR(status.st_mode):
            from lamina.sources.layout import is_layout

            # A folder that happens to be called as an image is no reason not to ask the engine.
            if path_like or is_layout(path):
                return Target(self._layout(path), tag)
        # `redis:7` beside a file `redis` is an image, unless that file is an archive.
        elif tag is None or path_like or _sniffed(path, status) in _ARCHIVES:
            return Target(self._archive(path, None), tag)
        return Target(self.engine(), target)

    def _containerd(self) -> Source:
        from lamina.sources.containerd.source import ContainerdSource

        return ContainerdSource(self.cache, self.pool, self.platform)

    def _registry(self, rest: str) -> Source:
        from lamina.sources.registry.reference import parse_reference
        from lamina.sources.registry.source import RegistrySource

        if not rest.startswith("//"):
            raise LaminaError(f"docker:{quoted(rest)}: a registry's image is named docker://NAME")
        reference = parse_reference(rest[2:])
        return RegistrySource(reference, self.cache, insecure=reference.host in self.insecure, platform=self.platform)

    def _archive(self, path: str, form: Form | None) -> Source:
        if path in STDIN:
            return self._standard_input()
        status = _status(path)
        if status is None:
            raise LaminaError(f"no such file: {quoted(path)}")
        if stat.S_ISFIFO(status.st_mode):
            return self._stream(path, form)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "neither a file nor a pipe"
            raise LaminaError(f"{quoted(path)} is {kind}, not an image archive")
        if not status.st_size:
            raise LaminaError(f"{quoted(path)} is an empty file, not an image archive")
        kind = _sniffed(path, status)
        if kind not in _ARCHIVES:
            from lamina.sources.byte_streams import not_an_archive

            raise not_an_archive(quoted(path))
        if kind == "tar":
            from lamina.sources.archive import ArchiveSource

            return ArchiveSource(path, form, self.cache, self.pool, self.platform)
        return self._stream(path, form, status)

    def _stream(self, path: str, form: Form | None, status: os.stat_result | None = None) -> Source:
        """A pipe, or a file that is compressed as a whole, of which ``status`` is known."""
        from lamina.sources.byte_streams import FileStream
        from lamina.sources.stream import Origin, StreamSource
        from lamina.workers.file_range import FileRange, stamp_of

        where = f"archive {display_name(path)}"
        size = None if status is None else status.st_size
        file = None if status is None else FileRange(path, 0, status.st_size, stamp_of(status))
        origin = Origin(where, lambda: FileStream(path, where), Path(path).name, size, file)
        return StreamSource(origin, form, self.cache, self.platform)

    def _layout(self, path: str) -> Source:
        from lamina.sources.layout import LayoutSource, is_layout

        status = _status(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise LaminaError(f"no such folder: {quoted(path)}")
        if not is_layout(path):
            raise LaminaError(f"{quoted(path)} is a folder but no OCI layout: it has no oci-layout and no index.json")
        return LayoutSource(path, self.cache, self.pool, self.platform)

    def _standard_input(self) -> Source:
        from lamina.sources.byte_streams import PipeStream
        from lamina.sources.stream import Origin, StreamSource

        file = sys.stdin.buffer if self.stdin is None else self.stdin
        if file.isatty():
            raise LaminaError("standard input is a terminal: pipe an archive into it (docker save IMAGE | lamina -)")
        origin = Origin("standard input", lambda: PipeStream(file, "standard input"), total=_size_of(file))
        return StreamSource(origin, None, self.cache, self.platform)


def _looks_like_path(target: str) -> bool:
    return target.startswith(("/", "./", "../", "~")) or target in (".", "..") or target.endswith(_SUFFIXES)


def _split(target: str) -> tuple[str, str | None]:
    """``FILE[:TAG]``: the longest part before a colon that exists is the file, for either may hold colons."""
    try:
        whole = str(Path(target).expanduser()) if target.startswith("~") else target
    except RuntimeError:  # nobody knows whose home is meant
        whole = target
    end = len(whole)
    while end > 0:
        if _status(whole[:end]) is not None:
            return whole[:end], whole[end + 1 :] or None
        end = whole.rfind(":", 0, end)
    return whole, None


def _status(path: str) -> os.stat_result | None:
    """What is at ``path``, links followed; None for nothing, or nothing that we may see."""
    try:
        return Path(path).stat()
    except (OSError, ValueError):  # ValueError: a NUL, or a name that can't be encoded
        return None


def _size_of(file: BinaryIO) -> int | None:
    """Bytes of an open file from its beginning; None for a pipe."""
    try:
        status = os.fstat(file.fileno())
    except OSError:  # bytes in memory
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _sniffed(path: str, status: os.stat_result) -> str:
    """What a file is by its first bytes; "" for what is no plain file.

    Raises:
        LaminaError: it can't be read.
    """
    if not stat.S_ISREG(status.st_mode):
        return ""
    try:
        with Path(path).open("rb") as file:
            return sniff(file.read(512))
    except OSError as error:
        raise LaminaError(f"{quoted(path)} can't be read: {error.strerror}") from None
