"""A container's read/write layer from the folder that overlayfs keeps it in, read-only.

What stands there is what an image's layer would carry, in the kernel's words (Documentation/filesystems/overlayfs):
a character device 0:0 removes a name, ``trusted.overlay.opaque`` empties a directory. A container that runs may change
it at any moment: what is gone when it is looked at is left out.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from lamina.dataclass import dataclass
from lamina.layers.extensions import xattr_text
from lamina.layers.index import SEPARATOR, LayerIndex
from lamina.layers.layer_reader import FileRef
from lamina.layers.rows import UNKNOWN, LayerRows
from lamina.layers.scan import EMPTY_CONTENT
from lamina.model import Cancelled, Kind, LaminaError
from lamina.sources.progress import Ticker
from lamina.workers.jobs import FileHashJob

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIR,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHAR,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFIFO: Kind.FIFO,
}
_OVERLAY = ("trusted.overlay.", "user.overlay.")
_ELSEWHERE = ("redirect", "metacopy")
_LOOK = 500
"""Entries between two looks at the cancel event."""


class NotPlain(Exception):
    """Content or names of it stand elsewhere, so that the folder alone doesn't tell what the layer is."""


@dataclass(frozen=True, slots=True)
class WritableFolder:
    """A read/write layer's folder.

    Args:
        path: where it is.
        where: names it in errors.
        ignored: paths that the engine itself laid there.
    """

    path: str
    where: str
    ignored: frozenset[bytes] = frozenset()

    def readable(self) -> bool:
        """Whether this process may look into it, and into its attributes that only root sees."""
        return os.geteuid() == 0 and os.access(self.path, os.R_OK | os.X_OK) and Path(self.path).is_dir()

    def size(self, cancel: threading.Event) -> int:
        """Bytes of the regular files in it, each inode once.

        Raises:
            LaminaError: it can't be read.
            Cancelled: ``cancel`` was set.
        """
        seen: set[tuple[int, int]] = set()
        total = 0
        for _, status in self._walk(cancel):
            if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
                if status.st_nlink > 1:
                    seen.add((status.st_dev, status.st_ino))
                total += status.st_size
        return total

    def scan(self, cancel: threading.Event, ticker: Ticker) -> LayerIndex:
        """The layer's index; of contents only those of empty files are told.

        Raises:
            NotPlain: it can't be told from this folder alone.
            LaminaError: it can't be read.
            Cancelled: ``cancel`` was set.
        """
        rows = LayerRows()
        names: dict[tuple[int, int], bytes] = {}
        for path, status in self._walk(cancel):
            ticker.tick()
            key = path.replace(b"/", SEPARATOR)
            kind = _KINDS.get(stat.S_IFMT(status.st_mode))
            if kind is None:  # a socket: no tar can hold one
                continue
            if kind == Kind.CHAR and status.st_rdev == 0:
                rows.add(key, Kind.WHITEOUT)
                continue
            # fuse-overlayfs writes whiteouts as archives do.
            if path.rpartition(b"/")[2].startswith(b".wh."):
                raise NotPlain
            overlay, attributes = self._attributes(path)
            if any(name.endswith(_ELSEWHERE) for name in overlay):
                raise NotPlain
            identity = (status.st_dev, status.st_ino)
            mtime = status.st_mtime_ns
            first = names.get(identity) if kind != Kind.DIR and status.st_nlink > 1 else None
            if first is not None:
                rows.add(
                    key,
                    Kind.HARDLINK,
                    mode=status.st_mode,
                    uid=status.st_uid,
                    gid=status.st_gid,
                    mtime=mtime,
                    link=first,
                )
                continue
            if status.st_nlink > 1:
                names[identity] = key
            size = status.st_size if kind == Kind.FILE else 0
            rows.add(
                key,
                kind,
                size=size,
                mode=status.st_mode,
                uid=status.st_uid,
                gid=status.st_gid,
                mtime=mtime,
                content=UNKNOWN if size or kind != Kind.FILE else EMPTY_CONTENT,
                link=self._link(path) if kind == Kind.SYMLINK else None,
                device=(os.major(status.st_rdev), os.minor(status.st_rdev))
                if kind in (Kind.CHAR, Kind.BLOCK)
                else None,
                xattrs=attributes,
            )
            if overlay and any(overlay[name] == b"y" for name in overlay if name.endswith("opaque")):
                rows.add(key, Kind.OPAQUE)
        return rows.index()

    def _walk(self, cancel: threading.Event) -> Iterator[tuple[bytes, os.stat_result]]:
        """(path, status) of everything, a directory before what stands in it; no link is followed."""
        root = os.fsencode(self.path)
        below: list[bytes] = [b""]
        count = 0
        while below:
            folder = below.pop()
            try:
                with os.scandir(os.path.join(root, folder) if folder else root) as entries:  # noqa: PTH118  # bytes
                    found = sorted(entries, key=lambda entry: entry.name)
            except FileNotFoundError:
                if not folder:
                    raise LaminaError(f"{self.where} is gone") from None
                continue
            except OSError as error:
                if error.errno == errno.ENOTDIR and folder:
                    continue
                raise LaminaError(f"{self.where} can't be read: {error.strerror}") from None
            for entry in found:
                count += 1
                if not count % _LOOK and cancel.is_set():
                    raise Cancelled
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise LaminaError(f"{self.where} can't be read: {error.strerror}") from None
                path = folder + b"/" + entry.name if folder else entry.name
                if path not in self.ignored:
                    yield path, status
                if stat.S_ISDIR(status.st_mode):
                    below.append(path)

    def _attributes(self, path: bytes) -> tuple[dict[str, bytes], bytes]:
        """Those that overlayfs keeps its own words in; and those that a tar would carry."""
        whole = os.path.join(os.fsencode(self.path), path)  # noqa: PTH118  # bytes
        overlay: dict[str, bytes] = {}
        carried: dict[bytes, bytes] = {}
        try:
            for name in os.listxattr(whole, follow_symlinks=False):
                if name.startswith(_OVERLAY):
                    overlay[name] = os.getxattr(whole, name, follow_symlinks=False)
                elif name == "security.capability" or name.startswith("user."):
                    carried[os.fsencode(name)] = os.getxattr(whole, name, follow_symlinks=False)
        except OSError:
            pass  # gone meanwhile, or a file system without any
        return overlay, xattr_text(carried)

    def _link(self, path: bytes) -> bytes:
        try:
            return os.readlink(os.path.join(os.fsencode(self.path), path))  # noqa: PTH115, PTH118  # bytes
        except OSError:
            return b""

    # -- contents ------------------------------------------------------------------------------------------------

    def hashes(self, files: list[FileRef], cancel: threading.Event) -> list[bytes]:
        """The content id of each; unknown for what has changed since it was listed.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        try:
            return self._hash(files, cancel)
        except LaminaError:
            return [self._hash_one(file, cancel) for file in files]

    def _hash(self, files: list[FileRef], cancel: threading.Event) -> list[bytes]:
        job = FileHashJob(self.path, self.where, [(file.path, file.size) for file in files])
        return job.run(cancel, lambda _: None)

    def _hash_one(self, file: FileRef, cancel: threading.Event) -> bytes:
        try:
            return self._hash([file], cancel)[0]
        except LaminaError:
            return UNKNOWN
