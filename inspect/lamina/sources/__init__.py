"""Where images come from: what the user typed becomes a source, and the image within it.

Nothing heavy is imported before it is needed: an archive needs no engine's client, an engine no archive reader.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import BinaryIO

from lamina.layers.codec import sniff
from lamina.model import LaminaError
from lamina.sources.base import Content, Observer, ReadImage, Source
from lamina.sources.manifest import quoted

__all__ = ["Content", "Observer", "ReadImage", "Source", "demo", "engine", "resolve"]

_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.zst", ".tzst")
_STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


def engine(host: str | None = None) -> Source:
    """The container engine.

    Args:
        host: where it listens, as in DOCKER_HOST; None: by the docker CLI's rules.

    Returns:
        A source that connects when it is first asked something.
    """
    from lamina.sources.daemon import EngineSource

    return EngineSource(host)


def demo() -> Source:
    """The built-in sample images; they need no engine and no file."""
    from lamina.sources.samples import DemoSource

    return DemoSource()


def resolve(
    target: str, *, host: str | None = None, stdin: BinaryIO | None = None
) -> tuple[Source, str | None]:
    """What the user typed as a source, and the image within it.

    Args:
        target: a file, folder, ``-``, an engine's image name or ID, or one of these with skopeo's transport name
            before it (``docker-daemon:``, ``docker-archive:``, ``oci-archive:``, ``oci:``).
        host: where the engine listens; None: by the docker CLI's rules.
        stdin: what ``-`` reads; None: the process's standard input.

    Returns:
        The source, and what to hand to its ``read``: None where the user didn't say which image.

    Raises:
        LaminaError: there is nothing of that kind there.
    """
    if target in _STDIN:
        return _standard_input(sys.stdin.buffer if stdin is None else stdin), None
    transport, colon, rest = target.partition(":")
    if colon:
        if transport == "container":
            raise LaminaError("container: is not supported yet in this version: name an image or an archive")
        if transport in ("docker-daemon", "docker-archive", "oci-archive", "oci") and not rest:
            raise LaminaError(f"{transport}: needs a name or a path after the colon")
        if transport == "docker-daemon":
            return engine(host), rest
        if transport in ("docker-archive", "oci-archive"):
            path, tag = _split(rest)
            return _archive(path, "oci" if transport == "oci-archive" else "docker", stdin), tag
        if transport == "oci":
            path, tag = _split(rest)
            return _layout(path), tag
    return _guess(target, host)


def _guess(target: str, host: str | None) -> tuple[Source, str | None]:
    path, tag = _split(target)
    path_like = _looks_like_path(target)
    if os.path.isdir(path):
        from lamina.sources.layout import is_layout

        # A folder that happens to be called as an image is no reason not to ask the engine.
        if path_like or is_layout(path):
            return _layout(path), tag
    elif os.path.exists(path):
        # `redis:7` beside a file `redis` is an image, unless that file is an archive.
        if tag is None or path_like or _sniffed(path) in ("tar", "gzip", "zstd"):
            return _archive(path, None, None), tag
    elif path_like:
        raise LaminaError(f"no such file: {quoted(path)}")
    return engine(host), target


def _looks_like_path(target: str) -> bool:
    return target.startswith(("/", "./", "../", "~")) or target in (".", "..") or target.endswith(_SUFFIXES)


def _split(target: str) -> tuple[str, str | None]:
    """``FILE[:TAG]``: the longest part before a colon that exists is the file, for either may hold colons."""
    whole = os.path.expanduser(target)
    end = len(whole)
    while end > 0:
        if _exists(whole[:end]):
            return whole[:end], whole[end + 1 :] or None
        end = whole.rfind(":", 0, end)
    return whole, None


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a NUL, or a name that can't be encoded
        return False


def _standard_input(stdin: BinaryIO) -> Source:
    from lamina.sources.raw import PipeRaw
    from lamina.sources.stream import Origin, StreamSource

    if stdin.isatty():
        raise LaminaError(
            "standard input is a terminal: pipe an archive into it (docker save IMAGE | lamina -)"
        )
    return StreamSource(Origin("standard input", lambda: PipeRaw(stdin, "standard input")))


def _archive(path: str, form: object, stdin: BinaryIO | None) -> Source:
    from lamina.sources.archive import ArchiveSource
    from lamina.sources.raw import FileRaw, not_an_archive
    from lamina.sources.stream import Origin, StreamSource

    wanted = form if form in ("docker", "oci") else None
    if path in _STDIN:
        return _standard_input(sys.stdin.buffer if stdin is None else stdin)
    where = f"archive {path}"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise LaminaError(f"no such file: {quoted(path)}") from None
    except (OSError, ValueError) as error:
        raise LaminaError(f"{where} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISFIFO(status.st_mode):
        return StreamSource(Origin(where, lambda: FileRaw(path, where)), wanted)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "neither a file nor a pipe"
        raise LaminaError(f"{quoted(path)} is {kind}, not an image archive")
    kind = _sniffed(path)
    if kind == "tar":
        return ArchiveSource(path, wanted)
    if kind in ("gzip", "zstd"):
        return StreamSource(Origin(where, lambda: FileRaw(path, where), status.st_size), wanted)
    raise not_an_archive(quoted(path)) if status.st_size else LaminaError(f"{quoted(path)} is an empty file")


def _sniffed(path: str) -> str:
    """What a file is by its first bytes; "" for what is no plain file.

    Raises:
        LaminaError: it can't be read.
    """
    if not os.path.isfile(path):
        return ""
    try:
        with open(path, "rb") as file:
            return sniff(file.read(512))
    except OSError as error:
        raise LaminaError(f"{quoted(path)} can't be read: {error.strerror}") from None


def _layout(path: str) -> Source:
    from lamina.sources.layout import LayoutSource, is_layout

    if not os.path.isdir(path):
        raise LaminaError(f"no such folder: {quoted(path)}")
    if not is_layout(path):
        raise LaminaError(
            f"{quoted(path)} is a folder but no OCI layout: it has no oci-layout and no index.json"
        )
    return LayoutSource(path)
