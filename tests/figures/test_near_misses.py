"""Bytes that could be shared and are not, against looking at every pair of layers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figures.support import WAYS, Tars, Way, digest, read
from lamina.figures.image import LoadedImage
from lamina.figures.near_misses import MIN_SIZE, LayerOf, NearMiss, find_near_misses
from lamina.model import Cancelled
from reference import path_of
from tars import SOME_TIME, Member, char_device, directory, file, hardlink, layer_tar, symlink, whiteout

Layer = list[Member]

LARGE = [b"a" * MIN_SIZE, b"b" * MIN_SIZE, b"a" * (MIN_SIZE + 1), b"c" * 6000]
SMALL = [b"", b"1", b"2", b"a" * (MIN_SIZE - 1)]
PLACES = [b"a", b"d/a", b"d/b", b"d/e/f/g/h", b"d/e/f/i", b"usr/lib/python3/site-packages/x"]

# -- the reference -------------------------------------------------------------------------------------------------


def contents_of(layer: Layer) -> dict[bytes, bytes]:
    """Every content of at least MIN_SIZE that a layer ships, with the path it stands at first."""
    found: dict[bytes, bytes] = {}
    for member in layer:
        if member.flag == b"0" and len(member.content) >= MIN_SIZE:
            found.setdefault(member.content, path_of(member))
    return found


def directory_of(path: bytes) -> bytes:
    return b"/".join(path.split(b"/")[:-1][:3])


def without_times(layer: Layer) -> list[tuple[object, ...]]:
    return sorted(
        (path_of(m), m.flag, m.content, m.mode, m.uid, m.gid, m.link, m.device, sorted(m.pax.items())) for m in layer
    )


def expected(images: Sequence[Sequence[Layer]], steps: Sequence[Sequence[str]]) -> list[NearMiss]:
    """Each pair of layers that no image has both of."""
    places: dict[str, LayerOf] = {}
    for number, image in enumerate(images):
        for index, layer in enumerate(image):
            places.setdefault(digest(layer_tar(*layer)), LayerOf(number, index))
    holders = {
        name: {number for number, image in enumerate(images) if name in [digest(layer_tar(*each)) for each in image]}
        for name in places
    }
    found = []
    names = list(places)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            a, b = places[first], places[second]
            layer_a, layer_b = images[a.image][a.layer], images[b.image][b.layer]
            in_a = contents_of(layer_a)
            common = in_a.keys() & contents_of(layer_b).keys()
            if holders[first] & holders[second] or not common:
                continue
            directories: dict[bytes, int] = {}
            for content in common:
                top = directory_of(in_a[content])
                directories[top] = directories.get(top, 0) + len(content)
            step = steps[a.image][a.layer]
            found.append(
                NearMiss(
                    a=a,
                    b=b,
                    size=sum(map(len, common)),
                    files=len(common),
                    same_instruction=step != "" and step == steps[b.image][b.layer],
                    only_times=without_times(layer_a) == without_times(layer_b),
                    directories=tuple(
                        sorted(directories.items(), key=lambda row: (-row[1], row[0].split(b"/")))[:5],
                    ),
                )
            )
    return sorted(found, key=lambda miss: (-miss.size, miss.a.image, miss.a.layer, miss.b.image, miss.b.layer))


# -- random sets ---------------------------------------------------------------------------------------------------


def _member(path: bytes, content: bytes, change: dict[str, object]) -> Member:
    return file(path, content, **change)


members = st.builds(
    _member,
    st.sampled_from(PLACES),
    st.sampled_from(LARGE + LARGE + SMALL),
    st.sampled_from([{}, {}, {"mtime": SOME_TIME + 5}, {"mode": 0o600}]),
)
extras = st.sampled_from(
    [[], [], [directory(b"d")], [symlink(b"l", b"x")], [symlink(b"l", b"y")], [whiteout(b"z")], [whiteout(b"d/z")]]
)
random_layer = st.builds(list.__add__, extras, st.lists(members, max_size=5))


@st.composite
def image_sets(draw: st.DrawFn) -> list[list[Layer]]:
    """Images over a small pool of layers, some of which are others with other times or one member changed."""
    pool = draw(st.lists(random_layer, min_size=2, max_size=4))
    for layer in draw(st.lists(st.sampled_from(pool), max_size=2)):
        touched = [member.but(mtime=member.mtime + 1) for member in layer]
        if touched and draw(st.booleans()):
            touched[-1] = touched[-1].but(content=touched[-1].content[::-1].replace(b"1", b"3"))
        pool.append(touched[::-1] if draw(st.booleans()) else touched)
    return draw(st.lists(st.lists(st.sampled_from(pool), max_size=3), max_size=4))


STEPS = ["RUN pip install", "COPY . /", ""]


def loaded(
    images: Sequence[Sequence[Layer]], steps: Sequence[Sequence[str]], ways: Sequence[Sequence[Way]]
) -> list[tuple[LoadedImage, Tars]]:
    found = []
    for image, instructions, way in zip(images, steps, ways, strict=True):
        one, contents = read(image, way)
        layers = tuple(replace(layer, instruction=instructions[layer.index]) for layer in one.info.layers)
        one.info = replace(one.info, layers=layers)
        found.append((one, contents))
    return found


@given(image_sets(), st.data())
@settings(max_examples=120)
def test_near_misses_are_those_of_looking_at_every_pair(images: list[list[Layer]], data: st.DataObject) -> None:
    """However each layer's contents are known; no file of the set is read twice for it."""
    steps = [data.draw(st.lists(st.sampled_from(STEPS), min_size=3, max_size=3)) for _ in images]
    ways = [data.draw(st.lists(st.sampled_from(WAYS), min_size=3, max_size=3)) for _ in images]
    read_images = loaded(images, steps, ways)

    found = find_near_misses([image for image, _ in read_images])

    wanted = expected(images, steps)
    assert [replace(miss, only_times=False) for miss in found] == [replace(miss, only_times=False) for miss in wanted]
    # A layer may name a path twice; which of the two comes first is no difference in order that means nothing.
    for ours, theirs in zip(found, wanted, strict=True):
        if no_path_twice(images[ours.a.image][ours.a.layer]):
            assert ours.only_times == theirs.only_times
    for image, (_, contents) in zip(images, read_images, strict=True):
        for index, layer in enumerate(image):
            asked = [path for number, path in contents.asked if number == index]
            names = [path_of(member) for member in layer]
            assert all(asked.count(path) <= names.count(path) for path in asked), "a file was read twice"


def no_path_twice(layer: Layer) -> bool:
    names = [path_of(member) for member in layer]
    return len(names) == len(set(names))


# -- by hand -------------------------------------------------------------------------------------------------------


def misses(*images: Sequence[Layer], way: Way = "hashed", steps: Sequence[Sequence[str]] = ()) -> list[NearMiss]:
    instructions = [list(each) for each in steps] or [[f"RUN {number}" for number in range(9)]] * len(images)
    return find_near_misses([image for image, _ in loaded(images, instructions, [[way] * 9] * len(images))])


def times(number: int) -> Layer:
    return [
        directory("app", mtime=number),
        file("app/a", LARGE[0], mtime=number),
        file("app/b", LARGE[3], mtime=number),
        file("app/version", b"1.2.3", mtime=number),
        symlink("app/link", "a", mtime=number),
        hardlink("app/again", "app/a", mtime=number),
        char_device("app/null", 1, 3, mtime=number),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_build_that_only_made_other_times(way: Way) -> None:
    base: Layer = [file("base", LARGE[1])]
    (miss,) = misses([base, times(1)], [base, times(2)], way=way)

    assert miss == NearMiss(LayerOf(0, 1), LayerOf(1, 1), MIN_SIZE + 6000, 2, True, True, ((b"app", MIN_SIZE + 6000),))


OTHERWISE: dict[str, Layer] = {
    "a small file of the same length": [file("app/version", b"1.2.4", mtime=2)],
    "a large file of the same length": [file("app/b", b"z" * 6000, mtime=2)],
    "a symlink's target": [symlink("app/link", "b", mtime=2)],
    "a hard link's target": [hardlink("app/again", "app/b", mtime=2)],
    "a device's numbers": [char_device("app/null", 1, 5, mtime=2)],
    "a mode": [file("app/a", LARGE[0], mode=0o600, mtime=2)],
    "an owner": [file("app/a", LARGE[0], uid=5, mtime=2)],
    "an attribute": [file("app/a", LARGE[0], pax={b"SCHILY.xattr.user.a": b"1"}, mtime=2)],
    "a folder's mode": [directory("app", mode=0o700, mtime=2)],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("difference", OTHERWISE)
def test_more_than_times(difference: str, way: Way) -> None:
    changed = {path_of(member): member for member in OTHERWISE[difference]}
    (miss,) = misses([times(1)], [[changed.get(path_of(member), member) for member in times(2)]], way=way)

    assert not miss.only_times


@pytest.mark.parametrize("way", WAYS)
def test_the_same_in_another_order_is_the_same(way: Way) -> None:
    (miss,) = misses([times(1)], [times(1)[:3] + times(1)[3:5][::-1] + times(1)[5:]], way=way)

    assert miss.only_times


def test_what_stands_in_one_image_is_no_missed_sharing() -> None:
    one: Layer = [file("a", LARGE[0])]
    other: Layer = [file("b", LARGE[0])]

    assert misses([one, other], [one]) == [], "it is a duplicate"
    assert len(misses([one], [other])) == 1
    assert misses([one], [other], [one, other]) == [], "no image may have both"


def test_a_shared_layer_misses_nothing() -> None:
    one: Layer = [file("a", LARGE[0])]

    assert misses([one], [one]) == []


def test_each_content_counts_once() -> None:
    (miss,) = misses(
        [[file("x/1", LARGE[0]), file("y/2", LARGE[0])]], [[file("z/1", LARGE[0]), file("2", LARGE[0]), file("3", 9)]]
    )

    assert (miss.size, miss.files, miss.directories) == (MIN_SIZE, 1, ((b"x", MIN_SIZE),))


def test_directories_are_told_three_levels_deep_and_five_of_them() -> None:
    paths = ["a/b/c/d/e/f", "a/b/c/g", "a/b/h", "a/i", "j", "k/l", "m/n", "o/p"]
    shipped = [file(path, bytes([number]) * (5000 + number)) for number, path in enumerate(paths)]
    (miss,) = misses([shipped], [[member.but(name=b"x/" + member.name) for member in shipped]])

    assert miss.directories == ((b"a/b/c", 10_001), (b"o", 5007), (b"m", 5006), (b"k", 5005), (b"", 5004))
    assert miss.files == len(paths)


def test_what_a_later_layer_hides_was_shipped_all_the_same() -> None:
    (miss,) = misses([[file("a", LARGE[0])], [whiteout("a")]], [[file("b", LARGE[0])]])

    assert (miss.a, miss.b) == (LayerOf(0, 0), LayerOf(1, 0))


@pytest.mark.parametrize(("step", "same"), [(("RUN x", "RUN x"), True), (("RUN x", "RUN y"), False), (("", ""), False)])
def test_the_same_instruction(step: tuple[str, str], same: bool) -> None:
    (miss,) = misses([[file("a", LARGE[0])]], [[file("b", LARGE[0])]], steps=[[step[0]], [step[1]]])

    assert miss.same_instruction == same


def test_only_sizes_that_two_layers_have_are_read() -> None:
    a, contents_a = read([[file("one", 5000), file("two", 5001), file("small", 9)]], ["passed over"])
    b, contents_b = read([[file("three", 5000), file("four", 5002), file("little", 9)]], ["passed over"])

    (miss,) = find_near_misses([a, b])

    assert (miss.size, miss.files) == (5000, 1)
    assert (contents_a.asked, contents_b.asked) == ([(0, b"one")], [(0, b"three")])


def test_contents_that_cannot_be_had_are_nobodys() -> None:
    images = [read([[file("a", char * 5000)]], ["passed over"])[0] for char in (b"x", b"y")]
    for image in images:
        image._read.content = None

    assert find_near_misses(images) == []


def test_a_search_can_be_cancelled() -> None:
    class Stops:
        needs_paths = True

        def hashes(self, files: object, cancel: threading.Event) -> dict[int, list[bytes]]:
            if cancel.is_set():
                raise Cancelled
            raise AssertionError("the event was not handed on")

    images = [read([[file(name, 5000)]], ["passed over"])[0] for name in "ab"]
    for image in images:
        image._read.content = Stops()
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(Cancelled):
        find_near_misses(images, cancel)


@pytest.mark.parametrize("images", [[], [[]], [[[]], [[]]], [[[directory("d")]], [[]]]])
def test_sets_of_hardly_anything(images: list[list[Layer]]) -> None:
    assert misses(*images) == []
