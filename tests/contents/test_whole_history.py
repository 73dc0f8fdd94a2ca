"""Every layer that touched a path, as a user names it."""

from __future__ import annotations

import pytest

from lamina.contents.image_files import ImageFiles, files_of
from lamina.contents.whole_history import WholeHistory, history_of
from lamina.model import LaminaError
from lamina.reports import history as report
from stacks import stack
from tars import directory, file, hardlink, symlink, whiteout

SOME = "2020-09-13T12:26:40Z"


@pytest.fixture
def image() -> ImageFiles:
    return files_of(
        stack(
            [directory("usr/lib"), symlink("lib", "usr/lib"), file("usr/lib/x", 1000, uid=3), file("link-to", 1)],
            [file("usr/lib/x", 2000, mode=0o4755), whiteout("link-to")],
            [whiteout("usr/lib/x"), hardlink("name", "link-to"), symlink("last", "usr/lib/x")],
            [whiteout("lib"), file("usr/lib/x", 5)],
            instructions=["FROM x", "RUN /bin/sh -c make", "RUN rm \x1b[31m", "COPY y"],
        )
    )


def marks(found: WholeHistory) -> list[tuple[int, str]]:
    return [(version.layer, version.change.mark) for version in found.versions]


def test_every_layer_that_touched_it_is_told_removals_too(image: ImageFiles) -> None:
    found = history_of(image, "/usr/lib/x")
    assert marks(found) == [(0, "+"), (1, "M"), (2, "-"), (3, "+")]
    assert found.ships == 3


def test_what_is_removed_in_the_end_is_shipped_by_no_layer(image: ImageFiles) -> None:
    found = history_of(image, "link-to")
    assert (marks(found), found.ships) == ([(0, "+"), (1, "-")], None)


def test_links_on_the_way_are_followed_though_they_are_gone_in_the_end(image: ImageFiles) -> None:
    assert history_of(image, "lib/x").path == b"usr/lib/x"


def test_a_link_at_the_end_is_what_is_asked_for(image: ImageFiles) -> None:
    found = history_of(image, "last")
    assert (found.path, found.versions[0].link) == (b"last", b"usr/lib/x")


def test_a_path_of_no_layer_is_an_error_of_one_line(image: ImageFiles) -> None:
    with pytest.raises(LaminaError, match=r"^no layer of test\.tar has no/such\\x1b$"):
        history_of(image, "no/such\x1b")


def test_text_has_a_line_for_each_layer(image: ImageFiles) -> None:
    assert report.to_text(report.build(image, history_of(image, "usr/lib/x"))).splitlines() == [
        "usr/lib/x of test:latest: 4 layers",
        "",
        "  layer     change    bytes  mode        owner  time                  instruction",
        f"      0  +  added     1,000  -rw-r--r--  3:0    {SOME}  FROM x",
        f"      1  M  modified  2,000  -rwsr-xr-x  0:0    {SOME}  RUN make",
        "      2  -  removed                                                   RUN rm \\x1b[31m",
        f"      3  +  added         5  -rw-r--r--  0:0    {SOME}  COPY y",
        "",
        "layer 3 ships what is there in the end, 5 bytes",
    ]


def test_json_says_who_ships_it(image: ImageFiles) -> None:
    built = report.build(image, history_of(image, "link-to"))
    assert (built["schema"], built["path"], built["ships"]) == ("lamina.history/1", "link-to", None)
    assert built["layers"][0] == {
        "layer": 0,
        "change": "added",
        "type": "file",
        "size": 1,
        "file_size": 1,
        "mode": 0o644,
        "uid": 0,
        "gid": 0,
        "mtime": 1_600_000_000 * 10**9,
        "link": None,
        "hidden_by": 1,
        "instruction": "FROM x",
    }


def test_a_folder_that_no_layer_lists_has_no_mode(image: ImageFiles) -> None:
    built = report.build(image, history_of(image, "usr"))
    assert built["layers"][0]["type"] == "dir"
    assert {built["layers"][0][key] for key in ("mode", "uid", "gid", "mtime")} == {None}
    assert report.to_text(built).splitlines()[3] == "      0  +  added       0  d?????????  ?      ?     FROM x"
