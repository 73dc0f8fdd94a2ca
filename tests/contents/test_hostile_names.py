"""Images that try to write elsewhere: nothing outside the destination changes, and what is refused is named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contents.support import image
from contents.test_extract import take, tree
from lamina.contents.folder_writer import Written
from tars import Member, char_device, directory, fifo, file, hardlink, symlink


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the destination, with a file that must stay as it is."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_bytes(b"untouched")
    return folder


def unpacked(tmp_path: Path, *members: Member) -> tuple[Written, dict[str, bytes | str | None]]:
    """What became of an image that was taken out."""
    to = tmp_path / "destination"
    written = take(image(tmp_path, members), "/", to)
    return written, tree(to)


@pytest.mark.parametrize(
    "name",
    ["/outside/victim", "../outside/victim", "a/../../outside/victim", "//outside/victim"],
)
def test_absolute_paths_and_such_as_climb_stay_inside(name: str, tmp_path: Path, outside: Path) -> None:
    unpacked(tmp_path, file(name, b"evil"))

    assert (outside / "victim").read_bytes() == b"untouched"
    assert tree(outside) == {"victim": b"untouched"}


def test_a_link_that_leads_out_is_made_and_not_written_through(tmp_path: Path, outside: Path) -> None:
    _, found = unpacked(
        tmp_path,
        *(symlink("a", str(outside)), file("a/victim", b"evil"), file("b/c", b"1"), symlink("b", str(outside))),
        *(symlink("l", str(outside / "victim")), file("x", b"1"), hardlink("y", "l"), file("y", b"evil")),
    )

    assert tree(outside) == {"victim": b"untouched"}
    assert found["a/victim"] == b"evil"


def test_a_link_of_a_lower_layer_is_not_written_through(tmp_path: Path, outside: Path) -> None:
    files = image(
        tmp_path,
        [symlink("a", str(outside)), symlink("v", str(outside / "victim"))],
        [file("a/victim", b"evil"), file("v", b"evil")],
    )

    take(files, "/", tmp_path / "destination")

    assert tree(outside) == {"victim": b"untouched"}
    assert tree(tmp_path / "destination") == {"a": None, "a/victim": b"evil", "v": b"evil"}


def test_a_link_that_somebody_put_into_the_destination_is_not_followed(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "destination").mkdir()
    (tmp_path / "destination" / "a").symlink_to(outside)
    files = image(tmp_path, [directory("a"), file("a/victim", b"evil"), file("b", b"1")])

    written = take(files, "/", tmp_path / "destination", force=True)

    assert tree(outside) == {"victim": b"untouched"}
    assert [path for path, _ in written.refused] == [b"a", b"a/victim"]
    assert (tmp_path / "destination" / "b").read_bytes() == b"1"


def test_a_hard_link_to_a_file_outside_is_refused(tmp_path: Path, outside: Path) -> None:
    written, found = unpacked(tmp_path, hardlink("y", str(outside / "victim")), hardlink("z", "../outside/victim"))

    assert found == {}
    assert dict(written.refused).keys() == {b"y", b"z"}
    assert (outside / "victim").stat().st_nlink == 1


def test_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    written, found = unpacked(tmp_path, char_device("sda", 8, 0), fifo("pipe"), file("f", b"1"))

    assert found == {"f": b"1"}
    assert written.left_out == [(b"pipe", "it is a named pipe"), (b"sda", "it is a character device")]


def test_names_that_no_file_system_takes_are_refused_and_the_others_written(tmp_path: Path) -> None:
    long = b"d/" + b"x" * 256

    written, found = unpacked(
        tmp_path, file("d/x", b"1", pax={b"path": long}), file("d/" + "y" * 90, b"2"), file("z", b"3")
    )

    assert found == {"d": None, "d/" + "y" * 90: b"2", "z": b"3"}
    assert written.refused == [(long, "its name is too long for this file system")]


def test_more_levels_than_a_path_may_have_characters(tmp_path: Path) -> None:
    deep = b"/".join([b"d"] * 2040) + b"/f"
    assert len(bytes(tmp_path) + deep) > 4096
    try:
        written = take(image(tmp_path, [file("f", b"1", pax={b"path": deep})]), "/", tmp_path / "destination")

        assert written.refused == []
        here = os.open(tmp_path / "destination", os.O_RDONLY)
        for _ in range(2040):
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        assert os.listdir(here) == ["f"]
        os.close(here)
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "destination"], check=True)  # Python would need a call for each


@pytest.mark.parametrize(
    "name", ["new\nline", "esc\x1b]0;title\x07", "-rf", "...", " ", "back\\slash", "größe", "\udcff\udcfe"]
)
def test_odd_names_are_written_as_they_are(name: str, tmp_path: Path) -> None:
    _, found = unpacked(tmp_path, file(name, b"1"))

    assert found == {name: b"1"}


def test_names_that_differ_in_case_alone_are_two_files_where_the_file_system_can(tmp_path: Path) -> None:
    written, found = unpacked(tmp_path, file("README", b"1"), file("readme", b"2"), directory("D"), directory("d"))

    refused = dict(written.refused)
    assert len(found) + len(refused) == 4
    for name in (b"README", b"readme", b"D", b"d"):
        assert name.decode() in found or "case" in refused[name]


def test_a_file_that_is_there_by_another_spelling_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file system that ignores case answers; few machines can mount one."""
    real_open, real_mkdir, real_stat = os.open, os.mkdir, os.stat

    def found(name: Any, dir_fd: int | None) -> Any:
        """The name of what is there, however it is spelled."""
        if dir_fd is None or not isinstance(name, bytes):
            return name
        there = map(os.fsencode, os.listdir(dir_fd))
        return next((entry for entry in there if entry.lower() == name.lower()), name)

    def open_it(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        return real_open(found(path, dir_fd), flags, mode, dir_fd=dir_fd)

    def mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        real_mkdir(found(path, dir_fd), mode, dir_fd=dir_fd)

    def stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        return real_stat(found(path, dir_fd), dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    files = image(tmp_path, [file("readme", b"1"), file("README", b"2"), file("d/x", b"3"), file("D/y", b"4")])
    monkeypatch.setattr(os, "open", open_it)
    monkeypatch.setattr(os, "mkdir", mkdir)
    monkeypatch.setattr(os, "stat", stat)

    written = take(files, "/", tmp_path / "destination")

    monkeypatch.undo()
    assert tree(tmp_path / "destination") == {"readme": b"1", "D": None, "D/y": b"4"}
    refused = dict(written.refused)
    assert refused.keys() == {b"README", b"d", b"d/x"}
    assert all("case" in why for why in refused.values())


def test_many_folders_and_some_deep_ones_at_once(tmp_path: Path) -> None:
    deep = ["/".join([f"deep{chain}", *["d"] * 200]) for chain in range(4)]
    names = [*(f"wide{number}/f" for number in range(300)), *(f"{path}/f" for path in deep)]
    files = [file("f", name.encode(), pax={b"path": name.encode()}) for name in names + names[::-1]]

    written, found = unpacked(tmp_path, *files)

    assert written.refused == []
    assert {path: content for path, content in found.items() if content is not None} == {
        name: name.encode() for name in names
    }
