"""Writes the tar of a sample layer: entries in, bytes out, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile

DIRECTORY, EXECUTABLE, FILE = 0o755, 0o755, 0o644


def filler(name: str, size: int) -> bytes:
    """Bytes that stand for a program or a library: always the same for the same name.

    Args:
        name: what the bytes depend on.
        size: bytes to make.
    """
    seed = hashlib.sha256(name.encode()).digest()
    # Not for secrets: only for bytes that no two names share.
    return b"\x7fELF" + random.Random(seed).randbytes(size - 4)  # noqa: S311


def source_code(name: str, lines: int) -> bytes:
    """Text that stands for a Python module: always the same for the same name."""
    module = name.rpartition("/")[2].partition(".")[0]
    body = "".join(
        f"\n\ndef {module}_{line}(order: Order) -> Result:\n"
        f'    """Step {line} of {module}."""\n'
        f"    return order.apply({module!r}, step={line})\n"
        for line in range(lines // 5)
    )
    return f'"""{name}"""\n\nfrom shop.model import Order, Result\n{body}'.encode()


class LayerWriter:
    """Collects the entries of one layer.

    Args:
        when: modification time of all its entries, seconds since the epoch.
    """

    def __init__(self, when: int) -> None:
        self._when = when
        self._out = io.BytesIO()
        self._tar = tarfile.open(  # noqa: SIM115  # closed by finish
            fileobj=self._out, mode="w", format=tarfile.GNU_FORMAT
        )
        self._directories: set[str] = set()

    def file(self, path: str, data: bytes, *, mode: int = FILE, owner: int = 0, when: int | None = None) -> None:
        """A regular file, changed at ``when`` or with the layer; directories above it are added as needed."""
        self._parents(path, owner)
        entry = self._entry(path, mode, owner)
        entry.mtime = self._when if when is None else when
        entry.size = len(data)
        self._tar.addfile(entry, io.BytesIO(data))

    def directory(self, path: str, *, mode: int = DIRECTORY, owner: int = 0) -> None:
        """A directory."""
        self._parents(path, owner)
        self._add_directory(path, mode, owner)

    def symlink(self, path: str, to: str) -> None:
        """A symbolic link."""
        self._parents(path, 0)
        entry = self._entry(path, 0o777, 0)
        entry.type, entry.linkname = tarfile.SYMTYPE, to
        self._tar.addfile(entry)

    def hard_link(self, path: str, to: str, *, mode: int = FILE) -> None:
        """Another name of a file that this layer has already."""
        self._parents(path, 0)
        entry = self._entry(path, mode, 0)
        entry.type, entry.linkname = tarfile.LNKTYPE, to
        self._tar.addfile(entry)

    def remove(self, path: str) -> None:
        """A whiteout: what lower layers have at ``path`` is gone."""
        folder, _, name = path.rpartition("/")
        self.file(f"{folder}/.wh.{name}", b"", mode=0o600)

    def replace_directory(self, path: str) -> None:
        """An opaque directory: nothing of what lower layers have below ``path`` is left."""
        self.directory(path)
        self.file(f"{path}/.wh..wh..opq", b"", mode=0o600)

    def finish(self) -> bytes:
        """The tar."""
        self._tar.close()
        return self._out.getvalue()

    def _entry(self, path: str, mode: int, owner: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(path)
        entry.mode, entry.uid, entry.gid, entry.mtime = mode, owner, owner, self._when
        return entry

    def _parents(self, path: str, owner: int) -> None:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            parent = "/".join(parts[:depth])
            if parent not in self._directories:
                # An owner is handed down below the place where the builder copies to, not above it.
                self._add_directory(parent, DIRECTORY, owner if depth > 2 else 0)

    def _add_directory(self, path: str, mode: int, owner: int) -> None:
        self._directories.add(path)
        entry = self._entry(path, mode, owner)
        entry.type = tarfile.DIRTYPE
        self._tar.addfile(entry)
