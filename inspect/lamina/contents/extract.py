"""Files of an image taken out into a folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from lamina.amounts import plural, size_bytes
from lamina.contents.entries import Entries, Entry, select
from lamina.contents.folder_writer import FolderWriter, Written
from lamina.contents.image_files import ImageFiles
from lamina.contents.layer_turns import layers_in_turn
from lamina.contents.open_folders import OpenFolders
from lamina.contents.place import Place, Scope
from lamina.model import Kind, LaminaError
from lamina.names import display_name

_NAMED = 3  # files that an error names


class Destination(NamedTuple):
    """Where something goes, as cp(1) understands it."""

    folder: Path
    """A folder that is there."""
    name: bytes
    """What it is called in it; empty where a folder's content goes right into ``folder``."""
    new: bool = False
    """Whether ``folder`` is to be made."""

    @property
    def shown(self) -> str:
        """For people."""
        path = self.folder / os.fsdecode(self.name) if self.name else self.folder
        return display_name(str(path))


def destination_of(place: Place, path: Path) -> Destination:
    """Where a place goes: into a folder that is there under its own name, else under the name that was given.

    Args:
        place: what is taken out.
        path: what the user said.

    Raises:
        LaminaError: it can't go there.
    """
    shown = display_name(str(path))
    name = place.path.rpartition(b"/")[2]
    if "\0" in str(path):
        raise LaminaError(f"{shown} can't be used: no name has a NUL in it")
    try:
        if path.is_dir():
            return Destination(path, name)
        if not path.parent.is_dir():
            raise LaminaError(f"no such folder: {display_name(str(path.parent))}")
        there = os.path.lexists(path)
    except OSError as error:
        raise LaminaError(f"{shown} can't be used: {error.strerror or error}") from None
    if place.kind == Kind.DIR and there:
        raise LaminaError(f"{shown} is there and is no folder, which {place.shown} is")
    return Destination(path.parent, os.fsencode(path.name)) if name or there else Destination(path, b"", new=True)


def extract(
    image: ImageFiles,
    place: Place,
    scope: Scope,
    destination: Destination,
    *,
    force: bool = False,
    same_owner: bool = False,
    cancel: threading.Event | None = None,
    advance: Callable[[int], None] = lambda _: None,
    begin: Callable[[Entries], None] = lambda _: None,
) -> Written:
    """Write a file, or a folder with all below it; where that fails or is given up, nothing of it is left.

    Args:
        image: the image.
        place: what to take out.
        scope: where it was found.
        destination: where it goes.
        force: whether files that are there may be replaced.
        same_owner: whether owners, setuid and setgid are taken over; needs their power.
        cancel: gives it up.
        advance: notified of the bytes of every piece that was written.
        begin: notified of what will be written.

    Returns:
        What was written, and what was refused, each with the reason.

    Raises:
        LaminaError: it can't be read or written, there is too little room, or files are there that may not be replaced.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    entries = select(image, place, scope, destination.name)
    begin(entries)
    root = _open(destination)
    try:
        _check_room(entries, root, destination)
        if not force and not destination.new:
            _check_nothing_there(entries, root, destination)
        writer = FolderWriter(
            os.dup(root),
            destination.shown,
            new=destination.new,
            force=force,
            same_owner=same_owner,
            cancel=cancel,
            advance=advance,
        )
        try:
            _write(image, entries, writer, cancel)
        except BaseException:
            writer.undo()
            raise
        finally:
            writer.close()
    except BaseException:
        if destination.new:
            _remove(destination.folder)
        raise
    finally:
        os.close(root)
    return writer.written


def _open(destination: Destination) -> int:
    try:
        if destination.new:
            destination.folder.mkdir(mode=0o700)
        return os.open(destination.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise LaminaError(f"{destination.shown} can't be written: {error.strerror or error}") from None


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        pass  # somebody has put something into it


def _check_room(entries: Entries, root: int, destination: Destination) -> None:
    status = os.fstatvfs(root)
    free = status.f_bavail * status.f_frsize
    # Of a sparse file nobody knows yet how much of it is stored.
    wanted = sum(entry.size for entry in entries.files if entry.file is not None and entry.file.headers is None)
    if wanted > free:
        raise LaminaError(
            f"{destination.shown} has room for {size_bytes(free)}, and {size_bytes(wanted)} are to be written"
        )


def _check_nothing_there(entries: Entries, root: int, destination: Destination) -> None:
    """Raises LaminaError where a file would be replaced; folders are added to."""
    folders = OpenFolders(os.dup(root))
    taken: list[bytes] = []
    missing: set[bytes] = set()
    try:
        for entry in entries:
            parent, _, name = entry.path.rpartition(b"/")
            if entry.kind == Kind.DIR or not name or parent in missing:
                continue
            try:
                os.stat(name, dir_fd=folders.get(parent), follow_symlinks=False)
            except FileNotFoundError:
                if not _there(folders, parent):
                    missing.add(parent)
            except OSError:
                continue  # no such name, or no folder: seen when it is written
            else:
                taken.append(entry.path)
    finally:
        folders.close()
    if taken:
        names = ", ".join(map(display_name, taken[:_NAMED])) + (", …" if len(taken) > _NAMED else "")
        there = display_name(str(destination.folder))
        raise LaminaError(f"{plural(len(taken), 'file')} would be replaced in {there} ({names}): --force does so")


def _there(folders: OpenFolders, path: bytes) -> bool:
    try:
        folders.get(path)
    except OSError:
        return False
    return True


def _write(image: ImageFiles, entries: Entries, writer: FolderWriter, cancel: threading.Event) -> None:
    for entry in entries.folders:
        writer.folder(entry)
    files = entries.files_by_layer()
    with closing(layers_in_turn(image, files, cancel)) as turns:
        for number, layer in turns:
            for entry in files[number]:
                writer.file(entry, layer)
    for entry in entries.hard_links:
        writer.link(entry)
    for path in entries.lost:
        writer.refuse(path, "the file that it is another name of is in another layer")
    for entry in entries.others:
        _write_other(entry, writer)
    for entry in reversed(entries.folders):
        writer.finish_folder(entry)


def _write_other(entry: Entry, writer: FolderWriter) -> None:
    if entry.kind == Kind.SYMLINK:
        writer.link(entry)
    elif entry.kind in (Kind.WHITEOUT, Kind.OPAQUE):
        writer.empty(entry)
    else:
        writer.other(entry)
