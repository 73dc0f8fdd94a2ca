"""What stands in a folder: in a file system, and as one layer has it."""

from __future__ import annotations

import pytest

from lamina.contents.image_files import ImageFiles, files_of
from lamina.contents.listing import Listing, list_place
from lamina.contents.place import scope_of
from lamina.model import Change, LaminaError
from lamina.stack.view import view_layer, view_upto
from stacks import stack
from tars import directory, file, hardlink, symlink, whiteout


@pytest.fixture
def image() -> ImageFiles:
    return files_of(
        stack(
            [
                directory("usr"),
                directory("usr/lib"),
                file("usr/lib/one", 1000),
                hardlink("usr/lib/two", "usr/lib/one"),
                symlink("lib", "usr/lib"),
                file("gone/old", 50),
            ],
            [whiteout("gone"), file("usr/lib/new", 300)],
            [file("usr/lib/one", 200), whiteout("usr/lib/new")],
        )
    )


def listed(listing: Listing, *, whole: bool = False) -> dict[str, tuple[str, int]]:
    """Path -> (mark, bytes)."""
    rows = listing.rows(whole=whole)
    texts = listing.view.union.paths.texts(rows.path)
    return {
        text.decode(): (Change(change).mark, size)
        for text, change, size in zip(texts, rows.change.tolist(), rows.size.tolist(), strict=True)
    }


def test_the_final_file_system_has_no_removed_names(image: ImageFiles) -> None:
    found = listed(list_place(image, "", scope_of(image)), whole=True)
    assert found == {
        "lib": (" ", 0),
        "usr": (" ", 1200),
        "usr/lib": (" ", 1200),
        "usr/lib/one": ("M", 200),
        "usr/lib/two": (" ", 1000),  # the first name has gone: this one has its bytes
    }


def test_a_folder_has_the_names_right_in_it(image: ImageFiles) -> None:
    assert listed(list_place(image, "/", scope_of(image, up_to=0))) == {
        "gone": ("+", 50),
        "lib": ("+", 0),
        "usr": ("+", 1000),
    }


def test_a_layer_tells_what_it_removes(image: ImageFiles) -> None:
    assert listed(list_place(image, "", scope_of(image, layer=2)), whole=True) == {
        "usr": (" ", 200),
        "usr/lib": (" ", 200),
        "usr/lib/new": ("-", 0),
        "usr/lib/one": ("M", 200),
    }


def test_a_layer_that_only_removes_something_is_listed(image: ImageFiles) -> None:
    scope = scope_of(image, layer=1)
    assert listed(list_place(image, "gone", scope)) == {"gone": ("-", 0)}
    assert listed(list_place(image, "gone/old", scope)) == {"gone/old": ("-", 0)}


def test_a_file_is_listed_itself(image: ImageFiles) -> None:
    assert listed(list_place(image, "usr/lib/one", scope_of(image))) == {"usr/lib/one": ("M", 200)}


def test_a_link_at_the_end_is_followed_where_that_is_wished(image: ImageFiles) -> None:
    assert listed(list_place(image, "lib", scope_of(image))).keys() == {"usr/lib/one", "usr/lib/two"}
    assert listed(list_place(image, "lib", scope_of(image), last_link=False)).keys() == {"lib"}


@pytest.mark.parametrize(("layer", "up_to"), [(None, None), (None, 0), (None, 1), (0, None), (1, None), (2, None)])
def test_bytes_are_those_of_the_screen_and_add_up(image: ImageFiles, layer: int | None, up_to: int | None) -> None:
    scope = scope_of(image, layer, up_to)
    listing = list_place(image, "", scope)
    shown = view_layer(image.union, scope.layer) if scope.alone else view_upto(image.union, scope.layer)
    rows = listing.rows(whole=True)
    assert rows.size.tolist() == shown.size[rows.path].tolist()
    assert rows.own.sum() == listing.rows().size.sum() == shown.size[0]


def test_what_is_not_there_is_told_with_its_layers(image: ImageFiles) -> None:
    with pytest.raises(LaminaError, match=r"no gone in test.tar: layer 0 has it, layer 1 removes it"):
        list_place(image, "gone", scope_of(image))
