"""What was read before, kept in files: layers by what they are, whole images by their list of layers.

A key says what vouches for the bytes, so that a forged archive can never change what another image shows:

- ``diff:sha256:…``: a layer whose uncompressed bytes were hashed to this diff_id, or that an engine exported under it
  (engines check on load);
- ``blob:sha256:…``: a layer whose blob was hashed to this digest;
- ``file:…``: a layer scanned in place, its payload unread: the file's identity and the place in it;
- ``store:sha256:…``: a layer read from an engine's own record, under the diff_id that the engine gave;
- ``image:…``: the stacked layers of an image, under the keys of all of them;
- ``head:…``, ``known:…``: what an engine's export, or the engine, told of an image of this ID.

The folder is private (0700). A file is written under a temporary name and renamed, so that two running laminas can
share the folder, and a crash leaves nothing half-written under a real name. Reading checks a checksum. Nothing here
raises: a cache that can't be used costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from lamina.dataclass import dataclass

DEFAULT_LIMIT = 1 << 30
"""Bytes of all files together; the least recently used ones go."""

_SUFFIX = ".lamina"
_TEMPORARY = ".lamina-part"  # nobody else's: a folder that holds other things too may be named
_SPARE = 0.8  # after a cleaning, of the limit: so that not every write cleans


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One kept file."""

    path: Path
    size: int
    used: float
    """When it was last used, seconds since the epoch."""


class CacheFolder:
    """Keeps byte strings by key.

    Args:
        path: made when first written to; None: nothing is kept.
        limit: bytes.
    """

    def __init__(self, path: Path | None, limit: int = DEFAULT_LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._written = limit  # the first write looks at what earlier runs left

    def get(self, key: str) -> bytes | None:
        """What was kept under a key, None where nothing is."""
        path = self._path(key)
        if path is None or not self._trusted():
            return None
        try:
            data = path.read_bytes()
            os.utime(path)  # it was used: others go first
        except OSError:
            return None
        return data

    def has(self, key: str) -> bool:
        """Whether something is kept under a key; it may still prove damaged."""
        path = self._path(key)
        try:
            return path is not None and path.is_file() and self._trusted()
        except OSError:
            return False

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key."""
        path = self._path(key)
        if path is None or len(data) > self.limit or self.path is None:
            return
        temporary = None
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._trusted():
                return
            temporary = self.path / f"{os.urandom(8).hex()}{_TEMPORARY}"
            with open(temporary, "xb", opener=_private) as file:  # Path.open takes no opener
                file.write(data)
            temporary.replace(path)
            temporary = None
        except OSError:
            return
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()
        # The whole folder is looked at only once in a while.
        self._written += len(data)
        if self._written > self.limit * (1 - _SPARE) / 2:
            self._written = 0
            self.trim()

    def drop(self, key: str) -> None:
        """Forget what is kept under a key: it proved damaged, and must not be found again."""
        path = self._path(key)
        if path is not None and self._trusted():
            with contextlib.suppress(OSError):
                path.unlink()

    def entries(self) -> list[CacheEntry]:
        """All kept files, the most recently used first."""
        found = [CacheEntry(path, status.st_size, status.st_mtime) for path, status in self._files(_SUFFIX)]
        return sorted(found, key=lambda entry: -entry.used)

    def trim(self) -> None:
        """Remove the least recently used files down to the limit, and what crashed writers left."""
        kept = self.entries()
        total = sum(entry.size for entry in kept)
        if total > self.limit:
            while kept and total > self.limit * _SPARE:
                oldest = kept.pop()
                total -= oldest.size
                with contextlib.suppress(OSError):
                    oldest.path.unlink()
        newest = max((entry.used for entry in kept), default=0.0)
        for path, status in self._files(_TEMPORARY):
            if status.st_mtime < newest - 3600:  # no writer takes an hour
                with contextlib.suppress(OSError):
                    path.unlink()

    def clear(self) -> int:
        """Remove all that is kept; returns the bytes that became free.

        Raises:
            OSError: a file can't be removed.
        """
        freed = 0
        for suffix in (_SUFFIX, _TEMPORARY):
            for path, status in self._files(suffix):
                path.unlink(missing_ok=True)
                freed += status.st_size
        return freed

    def _trusted(self) -> bool:
        """Whether nobody else can put files into the folder: what is in it is believed."""
        try:
            status = os.stat(self.path or "")  # noqa: PTH116
        except OSError:
            return False
        return status.st_uid == os.geteuid() and not status.st_mode & 0o022

    def _files(self, suffix: str) -> Iterator[tuple[Path, os.stat_result]]:
        if self.path is None:
            return
        try:
            paths = [path for path in self.path.iterdir() if path.name.endswith(suffix)]
        except OSError:
            return
        for path in paths:
            with contextlib.suppress(OSError):
                yield path, path.stat()

    def _path(self, key: str) -> Path | None:
        if self.path is None:
            return None
        return self.path / (hashlib.sha256(key.encode()).hexdigest()[:40] + _SUFFIX)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def default_folder() -> Path | None:
    """Where the environment wants the cache: ``LAMINA_CACHE`` (``off``: nowhere), else the user's cache folder."""
    wish = os.environ.get("LAMINA_CACHE", "")
    if wish.lower() in ("off", "no", "0", "none"):
        return None
    if wish:
        return Path(wish)
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG specification wants relative paths ignored.
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "lamina"
    except RuntimeError:  # no home
        return None


def default_cache_folder() -> CacheFolder:
    """The cache that the environment asks for; ``LAMINA_CACHE_LIMIT`` is its size in bytes."""
    limit = os.environ.get("LAMINA_CACHE_LIMIT", "")
    readable = limit.isascii() and limit.isdigit() and len(limit) < 20
    return CacheFolder(default_folder(), int(limit) if readable else DEFAULT_LIMIT)
