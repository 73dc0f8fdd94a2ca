"""Two images held against each other: files against two dictionaries, costs against counting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from figures.support import WAYS, Way, image_of, read
from lamina.figures.compare import Comparison, Divergence, compare
from lamina.figures.image import LoadedImage, Tally
from lamina.model import Cancelled, Change
from random_layers import Layers, layer_stacks
from random_layers import _with_sound_links as with_sound_links
from reference import State, ancestors_of, change_between, dictionary_of
from stacks import stack
from tars import Member, char_device, directory, fifo, file, hardlink, opaque, symlink, whiteout

Pair = tuple[Layers, Layers]

# -- the reference -------------------------------------------------------------------------------------------------


@dataclass
class Expected:
    """What two final file systems say of each other, path by path."""

    changes: dict[bytes, str]
    sizes: dict[bytes, int]
    """Bytes at each path that was added or changed, every file once."""
    gone: dict[bytes, int]
    """The same of each path that was removed."""

    def tally(self, change: str, is_dir: Callable[[bytes], bool]) -> Tally:
        paths = [path for path, found in self.changes.items() if found == change and not is_dir(path)]
        bytes_ = self.gone if change == "REMOVED" else self.sizes
        return Tally(len(paths), sum(bytes_.get(path, 0) for path in paths))


def carriers(state: State, other: State) -> dict[bytes, int]:
    """Bytes by path, every inode once: at its first name that is a file on the other side too, else at its first."""
    names: dict[int, list[bytes]] = {}
    for path, node in state.items():
        if node.inode is not None:
            names.setdefault(id(node.inode), []).append(path)
    found = {}
    for paths in names.values():
        best = min(paths, key=lambda path: (path not in other or other[path].inode is None, path.split(b"/")))
        inode = state[best].inode
        assert inode is not None
        found[best] = inode.size
    return found


def explicit(state: State) -> State:
    """Without the directories that no layer carries and nothing stands in any more: whether those are there is a
    question of taste."""
    needed = {ancestor for path, node in state.items() if node.member for ancestor in (b"", *ancestors_of(path))}
    return {path: node for path, node in state.items() if node.member is not None or path in needed}


def expected(a: Layers, b: Layers) -> tuple[Expected, State, State]:
    old, new = explicit(dictionary_of(a).now), explicit(dictionary_of(b).now)
    changes = {path: change_between(old.get(path), new.get(path)) for path in {*old, *new}}
    changes = {path: change for path, change in changes.items() if change != "UNCHANGED"}
    if b"" not in old or b"" not in new:
        changes.pop(b"", None)  # the root itself is always there
    fresh = {path: size for path, size in carriers(new, old).items() if path in changes}
    gone = {path: size for path, size in carriers(old, new).items() if changes.get(path) == "REMOVED"}
    return Expected(changes, fresh, gone), old, new


def problems(found: Comparison, a: Layers, b: Layers) -> list[str]:
    """Everything in which a comparison and its view differ from the reference."""
    want, old, new = expected(a, b)
    wrong = []

    def is_dir(path: bytes) -> bool:
        return (new.get(path) or old[path]).kind == "dir"

    for change in ("added", "modified", "metadata", "removed"):
        theirs, ours = want.tally(change.upper(), is_dir), getattr(found, change)
        if theirs != ours:
            wrong.append(f"{change}: {ours}, not {theirs}")
    view = found.view()
    paths = found.union.paths
    for row in range(paths.count):
        path = paths.path(row)
        prefix = path + b"/" if path else b""
        below = [other for other in {*old, *new} if other == path or other.startswith(prefix)]
        change = Change(int(view.change[row])).name
        checks: list[tuple[str, object, object]] = [
            ("change", change if path or b"" in old else "UNCHANGED", want.changes.get(path, "UNCHANGED")),
            ("after", int(view.size[row]), sum(want.sizes.get(other, 0) for other in below)),
            ("removed", int(view.removed[row]), sum(want.gone.get(other, 0) for other in below)),
            (
                "changed below",
                bool(view.changed_below[row]),
                any(other in want.changes for other in below if other != path),
            ),
        ]
        # A row is there for what changed; a file whose unchanged bytes were only shipped again is none.
        if any(other in want.changes for other in below):
            checks.append(("present", bool(view.present[row]), True))
        wrong += [f"{name} of {path!r}: {ours}, not {theirs}" for name, ours, theirs in checks if ours != theirs]
    missing = want.changes.keys() - {paths.path(row) for row in range(paths.count)}
    return wrong + [f"{path!r} is no path of the comparison" for path in missing]


# -- random pairs --------------------------------------------------------------------------------------------------


def with_devices(layers: Layers) -> Layers:
    """Some of the named pipes made device nodes."""

    def device(member: Member) -> Member:
        if member.flag != b"6" or (member.mode, member.mtime) == (fifo(b"x").mode, fifo(b"x").mtime):
            return member
        return char_device(member.name, 1, 3 if member.mode == 0o600 else 5, uid=member.uid, pax=member.pax)

    return [[device(member) for member in layer] for layer in layers]


stacks = layer_stacks(max_layers=3, max_members=9).map(with_devices)


@st.composite
def versions(draw: st.DrawFn) -> Pair:
    """Two images that have a number of layers in common, or none."""
    a = draw(stacks)
    keep = draw(st.integers(0, len(a)))
    b = draw(stacks)
    # A hard link of the upper layers whose target only the other lower layers had leads nowhere: left out.
    return a, with_sound_links(a[:keep] + b)


ways_of_layers = st.lists(st.sampled_from(WAYS), min_size=6, max_size=6)


@given(versions(), ways_of_layers, ways_of_layers)
@settings(max_examples=120)
@example(([[file("q", b"x" * 600)]], [[file("q", b"x" * 600), hardlink("a", "q")]]), ["hashed"] * 6, ["hashed"] * 6)
@example(([[file("a", 600), hardlink("q", "a")]], [[file("q", 600)]]), ["hashed"] * 6, ["hashed"] * 6)
def test_files_are_compared_as_two_dictionaries_are(pair: Pair, ways_a: list[Way], ways_b: list[Way]) -> None:
    """However each layer's contents are known."""
    a, b = pair
    found = compare(read(a, ways_a)[0], read(b, ways_b)[0])

    assert problems(found, a, b) == []


@given(versions())
@settings(max_examples=40)
def test_there_and_back_is_the_same_way(pair: Pair) -> None:
    a, b = map(image_of_stack, pair)
    there, back = compare(a, b), compare(b, a)

    assert (there.added, there.removed) == (back.removed, back.added)
    assert there.modified.count + directories_that_were_files(*pair) == back.modified.count + (
        directories_that_were_files(*reversed(pair))
    )
    assert there.metadata == back.metadata


def directories_that_were_files(a: Layers, b: Layers) -> int:
    """Changed names that are no names any more: tallies leave directories out."""
    old, new = dictionary_of(a).now, dictionary_of(b).now
    return sum(node.kind == "dir" and path in old and old[path].kind != "dir" for path, node in explicit(new).items())


def image_of_stack(layers: Layers) -> LoadedImage:
    return image_of(*layers)


NOTHING = Tally()


@given(stacks, ways_of_layers)
@settings(max_examples=40)
def test_an_image_is_no_different_from_itself(layers: Layers, ways: list[Way]) -> None:
    image, contents = read(layers, ways)
    found = compare(image, image)

    assert [found.added, found.modified, found.metadata, found.removed] == [NOTHING] * 4
    assert (found.pull.bytes, found.disk, found.divergence) == (0, 0, None)
    view = found.view()
    assert (int(view.size[0]), int(view.removed[0]), bool(view.change.any())) == (0, 0, False)
    assert contents.asked == [], "what is the same by its place needs no reading"


@given(stacks, ways_of_layers, ways_of_layers)
@settings(max_examples=40)
def test_neither_from_its_twin_read_in_another_way(layers: Layers, one: list[Way], other: list[Way]) -> None:
    (a, contents_a), (b, contents_b) = read(layers, one), read(layers, other)
    found = compare(a, b)

    assert [found.added, found.modified, found.metadata, found.removed] == [NOTHING] * 4
    assert contents_a.asked + contents_b.asked == []


@given(stacks)
@settings(max_examples=40)
def test_the_same_files_packed_into_other_layers_are_the_same(layers: Layers) -> None:
    """By content, not by position: the final file system as one layer."""
    final = explicit(dictionary_of(layers).now)
    whole: list[Member] = []
    first_name: dict[int, bytes] = {}
    for path, node in sorted(final.items()):
        if node.member is None:
            continue
        if node.inode is None:
            whole.append(node.member.but(name=path or b"./"))
        elif id(node.inode) in first_name:
            whole.append(hardlink(path, first_name[id(node.inode)]))
        else:
            first_name[id(node.inode)] = path
            whole.append(node.inode.member.but(name=path))
    found = compare(image_of(*layers), image_of(whole))

    assert [found.added, found.modified, found.metadata, found.removed] == [NOTHING] * 4


# -- by hand -------------------------------------------------------------------------------------------------------

BIG = b"x" * 5000

ONE_BY_ONE: dict[str, tuple[list[Member], list[Member], str]] = {
    "a file": ([], [file("f", BIG)], "+1/5000"),
    "other bytes of the same length": ([file("f", BIG)], [file("f", b"y" * 5000)], "M1/5000"),
    "other mode": ([file("f", BIG)], [file("f", BIG, mode=0o600)], "m1/5000"),
    "other time": ([file("f", BIG)], [file("f", BIG, mtime=1)], "m1/5000"),
    "other xattr": ([file("f", BIG)], [file("f", BIG, pax={b"SCHILY.xattr.user.a": b"1"})], "m1/5000"),
    "an xattr's value": (
        [file("f", BIG, pax={b"SCHILY.xattr.user.a": b"1"})],
        [file("f", BIG, pax={b"SCHILY.xattr.user.a": b"2"})],
        "m1/5000",
    ),
    "gone": ([file("f", BIG)], [], "-1/5000"),
    "a symlink led elsewhere": ([symlink("l", "a")], [symlink("l", "b")], "M1/0"),
    "a device with another number": ([char_device("d", 1, 3)], [char_device("d", 1, 5)], "M1/0"),
    "a block device in place of a character device": (
        [char_device("d", 1, 3)],
        [char_device("d", 1, 3).but(flag=b"4")],
        "M1/0",
    ),
    "the same block device": (
        [char_device("d", 8, 1).but(flag=b"4")],
        [char_device("d", 8, 1).but(flag=b"4")],
        "",
    ),
    "a block device with another number": (
        [char_device("d", 8, 1).but(flag=b"4")],
        [char_device("d", 8, 2).but(flag=b"4")],
        "M1/0",
    ),
    "a link whose header tells its own mode, owner and time": (
        [file("b", BIG, mode=0o600, uid=7, mtime=5), hardlink("a", "b")],
        [file("a", BIG, mode=0o600, uid=7, mtime=5), hardlink("b", "a")],
        "",
    ),
    "a file made a symlink": ([file("f", BIG)], [symlink("f", "g")], "M1/0"),
    "a symlink made a file": ([symlink("f", "g")], [file("f", BIG)], "M1/5000"),
    "a folder made a file": ([file("d/a", BIG), file("d/b", 1)], [file("d", BIG)], "M1/5000 -2/5001"),
    "a file made a folder": ([file("d", BIG)], [file("d/a", BIG)], "+1/5000"),
    "one name more": ([file("b", BIG)], [file("b", BIG), hardlink("a", "b")], "+1/0"),
    "one name less": ([file("a", BIG), hardlink("b", "a")], [file("b", BIG)], "-1/0"),
    "two names, both new": ([], [file("a", BIG), hardlink("b", "a")], "+2/5000"),
    "two names, both gone": ([file("a", BIG), hardlink("b", "a")], [], "-2/5000"),
    "two names gone, one to a folder": ([file("a", BIG), hardlink("b", "a")], [file("b/x", 7)], "+1/7 -1/5000"),
    "a link in place of a copy": ([file("a", BIG), file("b", BIG)], [file("a", BIG), hardlink("b", "a")], ""),
    "a copy in place of a link": ([file("a", BIG), hardlink("b", "a")], [file("a", BIG), file("b", BIG)], ""),
    "links to other bytes": (
        [file("a", BIG), hardlink("b", "a"), hardlink("c", "a")],
        [file("a", b"y" * 5000), hardlink("b", "a"), hardlink("c", "a")],
        "M3/5000",
    ),
    "a folder's mode": ([directory("d")], [directory("d", mode=0o700)], ""),  # directories are no names
    "a folder told of": ([file("d/f", 1)], [directory("d", mode=0o700), file("d/f", 1)], ""),
    "a folder's time": ([directory("d")], [directory("d", mtime=1)], ""),
    "empty files": ([file("e")], [file("e", mode=0o600), file("g")], "+1/0 m1/0"),
    "a deep folder": ([file("a/b/c/d", BIG)], [file("a/b/c/e", BIG)], "+1/5000 -1/5000"),
    "an empty folder": ([directory("d")], [], ""),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", ONE_BY_ONE)
def test_one_change(case: str, way: Way) -> None:
    a, b, wanted = ONE_BY_ONE[case]
    found = compare(read([a], [way])[0], read([b], [way])[0])

    tallies = {"+": found.added, "M": found.modified, "m": found.metadata, "-": found.removed}
    said = [f"{mark}{tally.count}/{tally.bytes}" for mark, tally in tallies.items() if tally != NOTHING]
    assert " ".join(said) == wanted


def test_what_an_upper_layer_removed_is_not_there() -> None:
    base = [file("keep", 1), file("old/a", BIG), file("old/b", BIG)]
    a = image_of(base)
    b = image_of(base, [whiteout("old/a")], [opaque("old"), file("old/c", BIG)])

    found = compare(a, b)

    assert (found.added, found.removed) == (Tally(1, 5000), Tally(2, 10_000))
    assert found.disk == 5000


@pytest.mark.parametrize("layers", [[], [[]], [[directory("./")]]])
def test_an_image_without_files(layers: Layers) -> None:
    empty, full = image_of(*layers), image_of([file("f", BIG)])

    assert compare(empty, full).added == Tally(1, 5000)
    assert compare(full, empty).removed == Tally(1, 5000)
    assert not compare(empty, empty).view().change.any()


# -- what is read for it -------------------------------------------------------------------------------------------


def test_what_two_versions_share_is_not_read() -> None:
    base = [file(f"lib/{number}", 4000 + number) for number in range(20)]
    a, contents_a = read([base, [file("app", b"1" * 50), file("other", 7)]], ["passed over"] * 2)
    b, contents_b = read([base, [file("app", b"2" * 50), file("other", 8)]], ["passed over"] * 2)

    found = compare(a, b)

    assert (found.modified, found.metadata) == (Tally(2, 58), NOTHING)
    assert contents_a.asked == contents_b.asked == [(1, b"app")], "nothing but what may be the same or not"


def test_a_shared_file_that_meets_another_one_is_read_once() -> None:
    """The same member of the same layer is also compared with a copy: one reading serves both images."""
    base = [file("one", BIG)]
    a, contents_a = read([base, [hardlink("two", "one")]], ["passed over"] * 2)
    b, contents_b = read([base, [file("two", b"y" * 5000)]], ["passed over"] * 2)

    found = compare(a, b)

    assert (found.modified, found.added) == (Tally(1, 5000), NOTHING)
    assert (contents_a.asked, contents_b.asked) == ([(0, b"one")], [(1, b"two")])


def test_checksums_are_enough_where_both_have_them() -> None:
    a, contents_a = read([[file("f", BIG), file("g", BIG)]], ["recorded"])
    b, contents_b = read([[file("f", BIG), file("g", b"y" * 5000)]], ["recorded"])

    assert compare(a, b).modified == Tally(1, 5000)
    assert contents_a.asked + contents_b.asked == []


@pytest.mark.parametrize("other", ["hashed", "passed over"])
def test_a_checksum_that_meets_another_kind_is_read(other: Way) -> None:
    a, contents_a = read([[file("f", BIG), file("alone", 77)]], ["recorded"])
    b, contents_b = read([[file("f", BIG, mode=0o600)]], [other])

    assert compare(a, b).metadata == Tally(1, 5000)
    assert contents_a.asked == [(0, b"f")]
    assert contents_b.asked == ([] if other == "hashed" else [(0, b"f")])


def test_what_one_image_knows_exactly_serves_the_other() -> None:
    base = [file("one", BIG)]
    a, contents_a = read([base, [hardlink("two", "one")]], ["recorded", "hashed"])
    b, contents_b = read([base, [file("two", b"y" * 5000)]], ["hashed", "hashed"])

    assert compare(a, b).modified == Tally(1, 5000)
    assert contents_a.asked + contents_b.asked == []


def test_a_diff_id_that_is_a_lie_shows_by_other_times() -> None:
    """Also where no content was read."""
    (a, _), (b, contents) = (
        read([[file("f", content * 5000, mtime=time)]], ["passed over"]) for content, time in ((b"x", 1), (b"y", 2))
    )
    b.info = replace(b.info, layers=a.info.layers)

    assert compare(a, b).modified == Tally(1, 5000)
    assert contents.asked == [(0, b"f")]


def test_a_diff_id_that_is_a_lie_deceives_nobody_who_read_the_bytes() -> None:
    """An archive's config may claim the diff_id of another layer; only verification would have told."""
    # `stack` gives all images the same made-up digests.
    a, b = stack([file("f", BIG)]), stack([file("f", b"y" * 5000)])
    assert [layer.diff_id for layer in a.info.layers] == [layer.diff_id for layer in b.info.layers]

    assert compare(a, b).modified == Tally(1, 5000)


# -- the costs -----------------------------------------------------------------------------------------------------


def named_layers(letters: str) -> list[list[Member]]:
    return [[file(letter, 10 ** (ord(letter) - ord("a")))] for letter in letters]


def compared(old: str, new: str) -> Comparison:
    def image(letters: str) -> LoadedImage:
        steps = [f"COPY {letter.lower()} /" for letter in letters]
        return read(named_layers(letters.lower()), instructions=steps)[0]

    return compare(image(old), image(new))


@given(st.text("abcd", max_size=4), st.text("abcd", max_size=4))
@settings(max_examples=40)
def test_costs_are_those_of_the_layers(old: str, new: str) -> None:
    found = compared(old, new)
    tars = {letter: image_of(*named_layers(letter)).layers[0].tar_size for letter in "abcd"}
    sizes = {letter: 10 ** (ord(letter) - ord("a")) for letter in "abcd"}

    missing = set(new) - set(old)
    assert found.pull.bytes == sum(tars[letter] for letter in missing)
    assert found.pull.compressed == (not missing), "these layers were never compressed"
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    assert found.disk == sum(sizes[letter] for letter in new[same:])
    if same in (len(old), len(new)):
        assert found.divergence is None
    else:
        assert found.divergence == Divergence(same, f"COPY {old[same]} /", f"COPY {new[same]} /")
        assert not found.divergence.same_instruction


def test_the_same_instruction_with_another_outcome_is_told() -> None:
    a = read([[file("a", 1)], [file("b", b"1")]], instructions=["ADD base", "RUN make"])[0]
    b = read([[file("a", 1)], [file("b", b"2")]], instructions=["ADD base", "RUN make"])[0]

    divergence = compare(a, b).divergence

    assert divergence == Divergence(1, "RUN make", "RUN make")
    assert divergence.same_instruction


def test_a_layer_on_another_base_is_transferred_once_and_stored_twice() -> None:
    found = compared("ac", "bc")

    assert found.disk == 10 + 100
    assert found.pull.bytes == image_of(*named_layers("b")).layers[0].tar_size


def test_comparing_can_be_cancelled() -> None:
    class Stops:
        needs_paths = True

        def hashes(self, files: object, cancel: threading.Event) -> dict[int, list[bytes]]:
            if cancel.is_set():
                raise Cancelled
            raise AssertionError("the event was not handed on")

    a, b = read([[file("f", BIG)]], ["passed over"])[0], read([[file("f", b"y" * 5000)]], ["passed over"])[0]
    a._read.content = Stops()
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(Cancelled):
        compare(a, b, cancel)
