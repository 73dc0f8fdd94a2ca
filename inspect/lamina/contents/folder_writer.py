"""Entries of an image written into a folder: nothing outside it, nothing through a link, nothing over what is there.

Every name is opened relative to a descriptor of its folder, which itself was reached through no link, and symbolic
links are made last. So no path of an image leads anywhere else, whatever it says and whoever works in the folder
meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import field

from lamina.contents.content import KIND_WORDS, PIECE
from lamina.contents.entries import Entry
from lamina.contents.open_folders import OpenFolders
from lamina.dataclass import dataclass
from lamina.layers.layer_reader import LayerReader
from lamina.model import Cancelled, Kind, LaminaError
from lamina.names import display_name

_HOLE = 64 << 10  # bytes of NUL that are left out of a file, as a sparse file has them
_ZEROS = bytes(_HOLE)
_DEVICES = (Kind.CHAR, Kind.BLOCK, Kind.FIFO)
_PASSED_OVER = {
    errno.ENAMETOOLONG: "its name is too long for this file system",
    errno.EILSEQ: "this file system takes no such name",
    errno.EINVAL: "this file system takes no such name",
    errno.ELOOP: "a link stands in its way",
    errno.ENOTDIR: "something that is no folder stands in its way",
    errno.EMLINK: "its file has as many names as this file system takes",
}
"""Errors that are of one name alone: the others are written all the same."""

_NO_FILE = "the file that it is another name of was not written"

PERMISSIONS = 0o777
ALL_BITS = 0o7777


@dataclass(slots=True)
class Written:
    """What came of it."""

    count: int = 0
    """Entries that were written."""
    size: int = 0
    """Bytes of the files' contents as they read back."""
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    """Entries that were not, and why."""
    left_out: list[tuple[bytes, str]] = field(default_factory=list)
    """Devices and pipes."""


class FolderWriter:
    """Writes below one folder.

    Args:
        root: the folder, open; closed with this.
        where: names it in errors.
        new: whether it was made for this, and gets the mode that its entry says.
        force: whether files that are there may be replaced.
        same_owner: whether owners, and the bits that give them power (setuid, setgid), are taken over.
        cancel: looked at between pieces.
        advance: notified of the bytes of every piece.
    """

    def __init__(
        self,
        root: int,
        where: str,
        *,
        new: bool = False,
        force: bool = False,
        same_owner: bool = False,
        cancel: threading.Event | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._folders = OpenFolders(root)
        self._where = where
        self._force = force
        self._same_owner = same_owner
        self._cancel = cancel or threading.Event()
        self._advance = advance
        self._made: list[tuple[bytes, bool]] = []  # (path, whether it is a folder), in the order they were made
        self._known = {b""}  # folders that are there
        self._new_folders: set[bytes] = {b""} if new else set()
        self.written = Written()

    # -- what is written -------------------------------------------------------------------------------------------

    def folder(self, entry: Entry) -> None:
        """Make a folder that only its owner can use before :meth:`finish_folder`; it may be there already."""
        self._guarded(entry, lambda: self._make_folders(entry.path))

    def file(self, entry: Entry, layer: LayerReader) -> None:
        """Write a file.

        Args:
            entry: the file.
            layer: its layer, opened.

        Raises:
            LaminaError: it can't be read or written.
            Cancelled: it was given up.
        """
        self._guarded(entry, lambda: self._write(entry, layer))

    def empty(self, entry: Entry) -> None:
        """Write a file without content: what stands for a removal."""
        self._guarded(entry, lambda: self._write(entry, None))

    def link(self, entry: Entry) -> None:
        """Make a symbolic link, or another name for a file that was written."""
        self._guarded(entry, lambda: self._link(entry))

    def refuse(self, path: bytes, why: str) -> None:
        """Note what is not written."""
        self.written.refused.append((path, why))

    def other(self, entry: Entry) -> None:
        """Devices and pipes are not made: they would be the machine's own."""
        self.written.left_out.append((entry.path, f"it is {KIND_WORDS[entry.kind]}"))

    def finish_folder(self, entry: Entry) -> None:
        """Give a folder that was made its mode and its time; children before parents."""
        if entry.path in self._new_folders:
            self._guarded(entry, lambda: self._describe(self._folders.get(entry.path), entry), counts=False)

    # -- how -------------------------------------------------------------------------------------------------------

    def _guarded(self, entry: Entry, write: Callable[[], None], *, counts: bool = True) -> None:
        if self._cancel.is_set():
            raise Cancelled
        try:
            write()
        except _Refused as refused:
            self.refuse(entry.path, str(refused))
        except OSError as error:
            why = _PASSED_OVER.get(error.errno or 0)
            if why is None:
                shown = display_name(entry.path)
                raise LaminaError(f"{shown} can't be written to {self._where}: {error.strerror or error}") from None
            self.refuse(entry.path, why)
        else:
            self.written.count += counts

    def _parent(self, path: bytes) -> tuple[int, bytes]:
        """An open folder, made where it is missing, and the last name."""
        parent, _, name = path.rpartition(b"/")
        if name in (b"", b".", b".."):
            raise _Refused("it has no name of its own")
        self._make_folders(parent)
        return self._folders.get(parent), name

    def _make_folders(self, path: bytes) -> None:
        if path in self._known:
            return
        names = path.split(b"/")
        if b".." in names or b"." in names or b"" in names:
            raise _Refused("its path leads elsewhere")
        depth = len(names) - 1
        while depth and b"/".join(names[:depth]) not in self._known:
            depth -= 1
        for count in range(depth, len(names)):
            above, here = b"/".join(names[:count]), b"/".join(names[: count + 1])
            folder = self._folders.get(above)
            try:
                os.mkdir(names[count], 0o700, dir_fd=folder)
            except FileExistsError:
                status = os.stat(names[count], dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    raise _Refused(f"{display_name(here)} is there and no folder") from None
                if self._is_ours_by_another_name(folder, names[count]):
                    raise _Refused("another name differs only in its letters' case") from None
            else:
                self._made.append((here, True))
                self._new_folders.add(here)
            self._known.add(here)

    def _is_ours_by_another_name(self, folder: int, name: bytes) -> bool:
        """Whether what is there has another name than it was asked for: the file system ignores case."""
        return bool(self._made) and name not in set(map(os.fsencode, os.listdir(folder)))

    def _write(self, entry: Entry, layer: LayerReader | None) -> None:
        folder, name = self._parent(entry.path)
        with _NewFile(self, folder, name, entry) as fd:
            if layer is not None:
                self._fill(fd, entry, layer)
            self._describe(fd, entry)
        self.written.size += entry.size

    def _fill(self, fd: int, entry: Entry, layer: LayerReader) -> None:
        assert entry.file is not None
        for first, size in layer.stored(entry.file):
            for start in range(first, first + size, PIECE):
                if self._cancel.is_set():
                    raise Cancelled
                data = layer.read(entry.file, start, min(PIECE, first + size - start))
                _write_but_holes(fd, data, start)
                self._advance(len(data))
        os.ftruncate(fd, entry.size)

    def _describe(self, fd: int, entry: Entry) -> None:
        if self._same_owner:
            os.fchown(fd, entry.uid, entry.gid)
        os.fchmod(fd, entry.mode & (ALL_BITS if self._same_owner else PERMISSIONS))
        if entry.mtime is not None:
            _set_time(entry.mtime, lambda times: os.utime(fd, ns=times))

    def _link(self, entry: Entry) -> None:
        if entry.kind == Kind.HARDLINK:
            self._hard_link(entry)
            return
        folder, name = self._parent(entry.path)

        def make(new: bytes) -> None:
            os.symlink(entry.link, new, dir_fd=folder)
            if self._same_owner:
                os.chown(new, entry.uid, entry.gid, dir_fd=folder, follow_symlinks=False)
            if entry.mtime is not None:
                _set_time(entry.mtime, lambda times: os.utime(new, ns=times, dir_fd=folder, follow_symlinks=False))

        self._place(folder, name, entry, make)

    def _hard_link(self, entry: Entry) -> None:
        parent, _, target = entry.link.rpartition(b"/")
        try:
            source = os.dup(self._folders.get(parent))  # the next folder may close it
        except FileNotFoundError:
            raise _Refused(_NO_FILE) from None
        try:
            folder, name = self._parent(entry.path)
            self._place(folder, name, entry, lambda new: _same_file(source, target, folder, new))
        finally:
            os.close(source)

    def _place(self, folder: int, name: bytes, entry: Entry, make: Callable[[bytes], None]) -> None:
        """Make something under its name, or under another first that then replaces what is there."""
        try:
            make(name)
        except FileExistsError:
            self.check_replaceable(folder, name)
            new = _temporary(name)
            make(new)
            try:
                os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.unlink(new, dir_fd=folder)
                raise
        else:
            self._made.append((entry.path, False))

    def check_replaceable(self, folder: int, name: bytes) -> None:
        """Raises _Refused where what is there stays."""
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            raise _Refused("a folder of that name is there")
        if not self._force:
            raise _Refused("it is there already, or another name differs only in its letters' case")

    def made(self, path: bytes) -> None:
        """Note a file that was not there before."""
        self._made.append((path, False))

    # -- the end ---------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Remove all that was made, as far as that is possible: what was there before stays as it is."""
        self._folders.forget()
        for path, is_folder in reversed(self._made):
            parent, _, name = path.rpartition(b"/")
            try:
                folder = self._folders.get(parent)
                if is_folder:
                    os.rmdir(name, dir_fd=folder)
                else:
                    os.unlink(name, dir_fd=folder)
            except OSError:
                continue  # somebody else has put something there, or has removed it
        self._made.clear()

    def close(self) -> None:
        """Give the descriptors back."""
        self._folders.close()


class _Refused(Exception):
    """One entry is not written; the others are."""


class _NewFile:
    """A new file, which takes its name when it is complete where something else has that."""

    def __init__(self, writer: FolderWriter, folder: int, name: bytes, entry: Entry) -> None:
        self._writer = writer
        self._folder = os.dup(folder)
        self._name = name
        self._entry = entry
        self._new = name
        self._fd = -1

    def __enter__(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            try:
                self._fd = os.open(self._name, flags, 0o600, dir_fd=self._folder)
            except FileExistsError:
                self._writer.check_replaceable(self._folder, self._name)
                self._new = _temporary(self._name)
                self._fd = os.open(self._new, flags, 0o600, dir_fd=self._folder)
        except BaseException:
            os.close(self._folder)
            raise
        return self._fd

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            os.close(self._fd)
            if kind is not None:
                os.unlink(self._new, dir_fd=self._folder)
            elif self._new != self._name:
                os.rename(self._new, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            else:
                self._writer.made(self._entry.path)
        finally:
            os.close(self._folder)


def _temporary(name: bytes) -> bytes:
    return b".lamina-%d-%s" % (os.getpid(), name[:200])


def _same_file(source_folder: int, source: bytes, folder: int, name: bytes) -> None:
    try:
        os.link(source, name, src_dir_fd=source_folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        raise _Refused(_NO_FILE) from None


def _write_but_holes(fd: int, data: bytes, start: int) -> None:
    """Write what is not NUL: what is left out reads back as NUL, and takes no room."""
    if data.count(0) < _HOLE:
        _pwrite(fd, data, start)
        return
    for at in range(0, len(data), _HOLE):
        part = data[at : at + _HOLE]
        if part != _ZEROS[: len(part)]:
            _pwrite(fd, part, start + at)


def _pwrite(fd: int, data: bytes, start: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(fd, view, start)
        view, start = view[count:], start + count


def _set_time(mtime: int, set_times: Callable[[tuple[int, int]], None]) -> None:
    try:
        set_times((mtime, mtime))
    except (OverflowError, OSError):
        pass  # no time that this file system can hold
