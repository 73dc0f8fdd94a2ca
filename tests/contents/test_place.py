"""What a path leads to, and what is said where it leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from contents.support import content, image
from lamina.contents.image_files import ImageFiles
from lamina.contents.place import find_place, scope_of
from lamina.model import Kind, LaminaError
from tars import directory, file, hardlink, symlink, whiteout


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    return image(
        tmp_path,
        [
            *(directory("usr"), directory("usr/lib"), file("usr/lib/os-release", b"base")),
            *(directory("etc"), symlink("etc/os-release", "../usr/lib/os-release"), symlink("lib", "usr/lib")),
            *(file("etc/passwd", b"root"), file("etc/gone", b"was here")),
            *(
                symlink("loop", "loop"),
                symlink("out", "../../../../etc/passwd"),
                symlink("dangling", "/nowhere/at/all"),
            ),
        ],
        [file("usr/lib/os-release", b"new"), whiteout("etc/gone"), hardlink("usr/lib/again", "usr/lib/os-release")],
        [file("etc/passwd", b"root and more"), file("implied/deep/x", b"1")],
    )


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("usr/lib/os-release", b"new"),
        ("/usr//lib/./os-release", b"new"),
        ("etc/os-release", b"new"),
        ("lib/os-release", b"new"),
        ("lib/../lib/os-release", b"new"),
        ("usr/lib/again", b"new"),
        ("out", b"root and more"),
        ("../../etc/passwd", b"root and more"),
    ],
)
def test_a_file_by_every_way_that_leads_to_it(files: ImageFiles, path: str, found: bytes) -> None:
    assert content(files, path) == found


def test_the_file_of_one_layer_and_of_the_file_system_after_it(files: ImageFiles) -> None:
    assert content(files, "etc/passwd", layer=0) == b"root"
    assert content(files, "etc/passwd", up_to=1) == b"root"
    assert content(files, "etc/gone", up_to=0) == b"was here"
    assert content(files, "usr/lib/os-release", layer=0) == b"base"
    # The link is in layer 0, where it leads layer 1 has put another file since.
    assert content(files, "etc/os-release", up_to=0) == b"base"


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("etc/gone", {}, "no etc/gone in app:1: layer 0 has it, layer 1 removes it"),
        ("etc/passwd", {"layer": 1}, "no etc/passwd in layer 1 of app:1: layer 0 has it, layer 2 has it"),
        ("usr/lib/again", {"up_to": 0}, "no usr/lib/again in app:1 up to layer 0: layer 1 has it"),
        ("never/there", {}, "no never/there in app:1"),
        ("etc/passwd/below", {}, "no etc/passwd/below in app:1"),
        ("dangling", {}, "no dangling (which leads to nowhere/at/all) in app:1"),
        ("loop", {}, "loop of app:1: its links lead in a circle"),
        ("etc/passwd", {"layer": 3}, "app:1 has layers 0 to 2: there is no layer 3"),
        ("esc\x1b[31m", {}, r"no esc\x1b[31m in app:1"),
    ],
)
def test_where_nothing_is_the_error_tells_where_something_was(
    files: ImageFiles, path: str, options: dict[str, int], said: str
) -> None:
    with pytest.raises(LaminaError) as raised:
        find_place(files, path, scope_of(files, **options))

    assert str(raised.value) == said


def test_folders_are_there_though_no_layer_lists_them(files: ImageFiles) -> None:
    kinds = [find_place(files, path, scope_of(files)).kind for path in ("/", "", "etc", "implied", "implied/deep")]

    assert kinds == [Kind.DIR] * 5
    assert find_place(files, "etc", scope_of(files, layer=2)).kind == Kind.DIR  # which only adds to it


def test_the_last_link_is_taken_itself_where_that_is_wanted(files: ImageFiles) -> None:
    place = find_place(files, "lib", scope_of(files), last_link=False)

    assert (place.path, place.kind) == (b"lib", Kind.SYMLINK)
    assert find_place(files, "lib", scope_of(files)).path == b"usr/lib"
