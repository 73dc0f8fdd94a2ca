"""Whatever the layers are: no byte is told twice, and what is told is there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.advice.advise import advise
from lamina.figures.image import LoadedImage
from stacks import stack
from tars import Member, file, hardlink, opaque, whiteout

FOLDERS = ("tmp", "tmp/.git", "var/log", "srv/__pycache__", "usr/include", "srv", "var/cache/apk/tests")
PATHS = [f"{folder}/{name}" for folder in FOLDERS for name in ("a.pyc", "b", "c.debug")]
SIZES = (0, 5000, 6000, 70_000)

members = st.one_of(
    st.builds(
        lambda path, size, mode, fill: file(path, fill * size, mode=mode),
        st.sampled_from(PATHS), st.sampled_from(SIZES), st.sampled_from((0o644, 0o600)), st.sampled_from((b"x", b"y")),
    ),
    st.builds(hardlink, st.sampled_from(PATHS), st.sampled_from(PATHS)),
    st.builds(whiteout, st.sampled_from([*PATHS, *FOLDERS])),
    st.builds(opaque, st.sampled_from(FOLDERS)),
)  # fmt: skip
stacks = st.lists(st.lists(members, max_size=12), min_size=1, max_size=4)


def inodes_at(image: LoadedImage, row: int) -> int:
    """The file that a path of the final file system leads to."""
    union = image.union
    (event,) = (event for event in union.alive(union.layer_count - 1).tolist() if union.path[event] == row)
    return int(union.inode[event])


@settings(max_examples=150, deadline=None)
@given(layers=stacks)
def test_no_byte_is_told_twice(layers: list[list[Member]]) -> None:
    image = stack(*layers)
    union, told = image.union, set()
    for advice in advise(image, reads=True):
        if advice.cause is None and advice.saves:
            mine = {inodes_at(image, row) for row in advice.paths.rows.tolist()}
            assert len(mine) == len(advice.paths)
            assert sum(int(union.size[inode]) for inode in mine) == advice.saves
            assert {int(union.born[inode]) for inode in mine} == set(advice.layers)
            assert not mine & told
            told |= mine
    saves = [advice.saves for advice in advise(image, reads=True) if advice.cause is not None]
    assert sum(saves) <= image.wasted
    assert sum(int(union.size[inode]) for inode in told) <= image.visible
