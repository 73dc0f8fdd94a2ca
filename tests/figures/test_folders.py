"""The final file system in parts: they add up to what is visible, and the largest are taken apart first."""

from __future__ import annotations

from hypothesis import given, settings

from lamina.figures.folders import FolderShare, folder_shares
from random_layers import Layers, layer_stacks
from stacks import stack
from tars import file, hardlink, whiteout


def test_the_largest_folder_is_taken_apart_first() -> None:
    image = stack(
        [
            file("usr/lib/a/x", b"x" * 500),
            file("usr/lib/b", b"x" * 300),
            file("usr/bin/c", b"x" * 100),
            file("gone", b"1"),
        ],
        [file("etc/d", b"x" * 50), whiteout("gone"), hardlink("etc/e", "etc/d")],
    )

    assert folder_shares(image, 1) == [FolderShare(b"", 950, b"", folder=True)]
    assert folder_shares(image, 2) == [
        FolderShare(b"usr", 900, b"usr", folder=True),
        FolderShare(b"etc", 50, b"etc", folder=True),
    ]
    assert folder_shares(image, 99) == [
        FolderShare(b"usr/lib/a/x", 500, b"usr/lib", folder=False),
        FolderShare(b"usr/lib/b", 300, b"usr/lib", folder=False),
        FolderShare(b"usr/bin/c", 100, b"usr/bin", folder=False),
        FolderShare(b"etc/d", 50, b"etc/d", folder=False),
    ]


def test_what_is_left_of_a_folder_stays_together() -> None:
    image = stack([file(f"many/{number:03}", b"x" * (100 - number)) for number in range(30)])
    shares = folder_shares(image, 99)

    assert [share.path for share in shares if share.rest] == [b"many"]
    assert sum(share.bytes for share in shares) == image.visible
    assert len(shares) == 21


def test_an_image_without_bytes_has_no_parts() -> None:
    assert folder_shares(stack([file("a", b"")]), 9) == []


@settings(max_examples=25, deadline=None)
@given(layer_stacks())
def test_the_parts_add_up_to_what_is_visible(layers: Layers) -> None:
    image = stack(*layers)
    for most in (1, 3, 9):
        assert sum(share.bytes for share in folder_shares(image, most)) == image.visible
