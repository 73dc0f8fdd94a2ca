"""Random stacks of layers: lamina against a real extraction, and against a dictionary of inodes."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.figures.image import LoadedImage, Tally, compute
from lamina.model import Change, Kind
from lamina.sources.base import ReadImage
from lamina.stack.union import Union
from lamina.stack.view import View, view_layer, view_range, view_upto
from random_layers import Layers, layer_stacks
from reference import (
    Dictionary,
    Found,
    State,
    ancestors_of,
    change_between,
    dictionary_of,
    extract,
    file_system,
    is_marker,
    path_of,
)
from stacks import Tars, image_info, problems_of_sums, scan, stack
from tars import Member, layer_tar

_KINDS = {
    Kind.FILE: "file",
    Kind.HARDLINK: "file",
    Kind.SYMLINK: "symlink",
    Kind.DIR: "dir",
    Kind.FIFO: "fifo",
}


# (a) The sums.


@given(layer_stacks())
@settings(max_examples=80)
def test_size_is_visible_plus_wasted_and_all_sums_agree(layers: Layers) -> None:
    image = stack(*layers)

    assert problems_of_sums(image) == []
    assert image.size == sum(len(member.content) for layer in layers for member in layer if not is_marker(member))
    assert sum(layer.hides for layer in image.layers) == sum(
        row.bytes for row in image.waste if row.layer != row.hidden_by
    )


# (b) What the operating system makes of them.


def as_found(union: Union, layer: int) -> dict[bytes, Found]:
    """lamina's file system after a layer, in the words of the one that was read back from the disk."""
    events = union.alive(layer).tolist()
    names: dict[int, set[bytes]] = {}
    for event in events:
        names.setdefault(int(union.inode[event]), set()).add(union.paths.path(int(union.path[event])))
    found = {}
    for event in events:
        path = union.paths.path(int(union.path[event]))
        if not path:
            continue
        kind = _KINDS[Kind(int(union.kind[event]))]
        inode = int(union.inode[event])
        if kind == "file":
            found[path] = Found(
                kind,
                int(union.size[inode]),
                len(names[inode]),
                union.content[inode].tobytes(),
                int(union.mode[inode]),
                frozenset(names[inode]),
            )
        else:
            target = union.link_texts[int(union.link[event])] if kind == "symlink" else b""
            mode = int(union.mode[event]) if event < union.implicit else _MODE_OF_IMPLIED
            found[path] = Found(kind, 0, 0, target, mode, frozenset())
    return found


_MODE_OF_IMPLIED = 0o750
"""What mkdir gives a directory that no member tells the mode of; the test sets the umask for it."""


def from_disk(folder: Path) -> dict[bytes, Found]:
    """The truth, contents as content ids."""
    return {
        path: Found(
            found.kind,
            found.size,
            found.names,
            xxhash.xxh3_128_digest(found.content) if found.kind == "file" else found.content,
            0o777 if found.kind == "symlink" else found.mode,
            found.same_as,
        )
        for path, found in file_system(folder).items()
    }


@given(layer_stacks())
@settings(max_examples=80)
def test_every_prefix_of_a_stack_is_what_extracting_it_gives(layers: Layers) -> None:
    union = stack(*layers).union
    before = os.umask(0o777 & ~_MODE_OF_IMPLIED)
    try:
        with tempfile.TemporaryDirectory() as name:
            for number, layer in enumerate(layers):
                extract(layer, Path(name))
                assert as_found(union, number) == from_disk(Path(name)), f"after layer {number}"
    finally:
        os.umask(before)


@given(layer_stacks())
@settings(max_examples=60)
def test_the_two_references_agree(layers: Layers) -> None:
    """Else one of them proves nothing."""
    reference = dictionary_of(layers)
    with tempfile.TemporaryDirectory() as name:
        for layer in layers:
            extract(layer, Path(name))
        found = file_system(Path(name))

    assert {path: node.kind for path, node in reference.now.items() if path} == {
        path: entry.kind for path, entry in found.items()
    }
    assert {path: node.inode.names for path, node in reference.now.items() if node.inode} == {
        path: entry.names for path, entry in found.items() if entry.kind == "file"
    }


# (c) The waste.


@given(layer_stacks())
@settings(max_examples=120)
def test_the_waste_table_is_that_of_the_dictionary(layers: Layers) -> None:
    image = stack(*layers)
    reference = dictionary_of(layers)

    rows = Counter((row.path, row.bytes, row.layer, row.hidden_by) for row in image.waste)
    expected = Counter((inode.path, inode.size, inode.layer, inode.deaths[-1][0]) for inode in reference.dead())
    assert rows == expected
    assert image.visible == reference.visible()
    sizes = [row.bytes for row in image.waste]
    assert sizes == sorted(sizes, reverse=True), "not most bytes first"


@given(layer_stacks(links=False))
@settings(max_examples=120)
def test_the_causes_are_those_of_the_dictionary(layers: Layers) -> None:
    rows = Counter((row.path, row.bytes, row.cause.word, row.layer, row.hidden_by) for row in stack(*layers).waste)
    expected = Counter(
        (inode.path, inode.size, inode.deaths[-1][2], inode.layer, inode.deaths[-1][0])
        for inode in dictionary_of(layers).dead()
    )

    assert rows == expected


@given(layer_stacks())
@settings(max_examples=120)
def test_the_cause_of_a_linked_inode_is_that_of_a_name_which_went_last(layers: Layers) -> None:
    """Where several names go in one layer, any of the last phase (whiteouts, opaques, members) may speak."""
    expected: dict[tuple[bytes, int, int], set[str]] = {}
    for inode in dictionary_of(layers).dead():
        layer, phase = inode.deaths[-1][:2]
        causes = {cause for at, during, cause, _ in inode.deaths if (at, during) == (layer, phase)}
        expected.setdefault((inode.path, inode.layer, layer), set()).update(causes)

    for row in stack(*layers).waste:
        assert row.cause.word in expected[row.path, row.layer, row.hidden_by]


# (d) The views.


def after(reference: Dictionary, layer: int) -> State:
    return reference.states[layer] if layer >= 0 else {}


def changes(reference: Dictionary, older: int, newer: int) -> dict[bytes, str]:
    """The change of every path at which something else stands now."""
    before, now = after(reference, older), after(reference, newer)
    return {
        path: change_between(before.get(path), now.get(path))
        for path in before.keys() | now.keys()
        if before.get(path) is not now.get(path)
    }


def subtree_sums(own: dict[bytes, int]) -> dict[bytes, int]:
    sums: dict[bytes, int] = {}
    for path, size in own.items():
        for whole in {path, b"", *ancestors_of(path)}:
            sums[whole] = sums.get(whole, 0) + size
    return {path: size for path, size in sums.items() if size}


def by_path(view: View, column: str) -> dict[bytes, int]:
    """A column of a view, zeros left out."""
    values = getattr(view, column)
    return {view.union.paths.path(row): int(values[row]) for row in np.flatnonzero(values).tolist()}


def assert_view(view: View, reference: Dictionary, older: int, newer: int, own: dict[bytes, int]) -> None:
    delta = changes(reference, older, newer)
    assert by_path(view, "size") == subtree_sums(own)
    assert by_path(view, "change") == {path: Change[word] for path, word in delta.items() if word != "UNCHANGED"}
    below = {
        ancestor
        for path, word in delta.items()
        if word != "UNCHANGED"
        for ancestor in (b"", *ancestors_of(path))
        if path
    }
    assert set(by_path(view, "changed_below")) == below


def shown(delta: dict[bytes, str], more: set[bytes]) -> set[bytes]:
    paths = set(delta) | more
    return {whole for path in paths for whole in (b"", path, *ancestors_of(path))}


@given(layer_stacks())
@settings(max_examples=80)
def test_the_file_system_up_to_each_layer(layers: Layers) -> None:
    union, reference = stack(*layers).union, dictionary_of(layers)
    for layer in range(len(layers)):
        view = view_upto(union, layer)
        assert_view(view, reference, layer - 1, layer, reference.attributed(layer))
        delta = changes(reference, layer - 1, layer)
        assert set(by_path(view, "present")) == shown(delta, set(reference.states[layer]))
        for path, node in reference.states[layer].items():
            row = union.paths.find(path)
            assert row is not None
            assert _KINDS[view.kind(row)] == node.kind
            if node.metadata is not None:
                assert (view.mode(row), view.owner(row)[0]) == node.metadata[:2]


@given(layer_stacks())
@settings(max_examples=80)
def test_each_layer_alone(layers: Layers) -> None:
    image, reference = stack(*layers), dictionary_of(layers)
    for number, layer in enumerate(layers):
        carried: dict[bytes, int] = {}
        for member in layer:
            if not is_marker(member):
                carried[path_of(member)] = carried.get(path_of(member), 0) + len(member.content)
        view = view_layer(image.union, number)
        assert_view(view, reference, number - 1, number, carried)
        assert int(view.size[0]) == image.layers[number].size, "the root's size is not the layer's"
        delta = changes(reference, number - 1, number)
        assert set(by_path(view, "present")) == shown(delta, {path for path, size in carried.items() if size})


@given(layer_stacks())
@settings(max_examples=80)
def test_what_each_range_of_layers_changed(layers: Layers) -> None:
    union, reference = stack(*layers).union, dictionary_of(layers)
    for newer in range(len(layers)):
        for older in range(-1, newer):
            own = {
                path: size
                for path, size in reference.attributed(newer).items()
                if reference.states[newer][path].born > older
            }
            assert_view(view_range(union, older, newer), reference, older, newer, own)


@given(layer_stacks(links=False))
@settings(max_examples=80)
def test_bytes_shown_as_removed(layers: Layers) -> None:
    """Of inodes with one name: those of the older state whose path holds nothing any more."""
    union, reference = stack(*layers).union, dictionary_of(layers)
    for newer in range(len(layers)):
        for older in range(-1, newer):
            before, now = after(reference, older), reference.states[newer]
            gone = {
                path: node.inode.size for path, node in before.items() if node.inode is not None and path not in now
            }
            assert by_path(view_range(union, older, newer), "removed") == subtree_sums(gone)


@given(layer_stacks())
@settings(max_examples=60)
def test_the_tallies_of_each_layer(layers: Layers) -> None:
    """Names that are no directories, and the bytes that the layer itself ships under them."""
    image, reference = stack(*layers), dictionary_of(layers)
    for number, found in enumerate(image.layers):
        delta = changes(reference, number - 1, number)
        for word in ("ADDED", "MODIFIED", "METADATA"):
            nodes = [reference.states[number][path] for path, change in delta.items() if change == word]
            named = [node.member for node in nodes if node.kind != "dir" and node.member is not None]
            expected = Tally(len(named), sum(len(member.content) for member in named))
            assert getattr(found, word.lower()) == expected, f"{word} of layer {number}"


@given(layer_stacks())
@settings(max_examples=60)
def test_what_each_layer_removes(layers: Layers) -> None:
    """Bytes only where no name of them is left; of a linked inode, once."""
    image, reference = stack(*layers), dictionary_of(layers)
    for number, found in enumerate(image.layers):
        before, delta = after(reference, number - 1), changes(reference, number - 1, number)
        gone = {path: before[path] for path, change in delta.items() if change == "REMOVED"}
        assert found.removed.count == sum(node.kind != "dir" for node in gone.values())
        lost = {id(node.inode): node.inode for node in gone.values() if node.inode is not None}
        dead = [inode for inode in lost.values() if inode.names == 0 and inode.deaths[-1][0] == number]
        # Where other names of an inode were overwritten in the same layer, either way of counting it is right.
        surely = [inode for inode in dead if all(path in gone for at, _, _, path in inode.deaths if at == number)]
        assert sum(inode.size for inode in surely) <= found.removed.bytes <= sum(inode.size for inode in dead)


# (e) What must not matter.


def figures(image: LoadedImage) -> object:
    return (
        image.size,
        image.visible,
        image.files,
        image.layers,
        [(row.path, row.bytes, row.cause, row.layer, row.hidden_by) for row in image.waste],
    )


@given(layer_stacks(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_where_markers_stand_in_the_tar_does_not_matter(layers: Layers, chance: Random) -> None:
    moved = []
    for layer in layers:
        markers = [member for member in layer if is_marker(member)]
        chance.shuffle(markers)
        others = [member for member in layer if not is_marker(member)]
        for marker in markers:
            others.insert(chance.randint(0, len(others)), marker)
        moved.append(others)
    one, other = stack(*layers), stack(*moved)

    assert figures(one) == figures(other)
    for number in range(len(layers)):
        assert as_found(one.union, number) == as_found(other.union, number)


def order_is_free(layer: Sequence[Member]) -> bool:
    """Whether no member of a layer meets another: no path twice, no links, nothing below what is no directory."""
    paths = [path_of(member) for member in layer if not is_marker(member)]
    solid = {path_of(member) for member in layer if not is_marker(member) and member.flag != b"5"}
    return (
        len(set(paths)) == len(paths)
        and all(member.flag != b"1" for member in layer)
        and not any(ancestor in solid for path in paths for ancestor in ancestors_of(path))
    )


@given(layer_stacks(links=False, max_members=6), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_members_that_do_not_meet_does_not_matter(layers: Layers, chance: Random) -> None:
    moved = [chance.sample(layer, len(layer)) if order_is_free(layer) else layer for layer in layers]
    one, other = stack(*layers), stack(*moved)

    assert figures(one) == figures(other)
    for number in range(len(layers)):
        assert as_found(one.union, number) == as_found(other.union, number)


@given(layer_stacks(), st.sampled_from([1, 100, 512, 4000]))
@settings(max_examples=60)
def test_contents_read_later_or_in_pieces_give_the_same_figures(layers: Layers, chunk: int) -> None:
    tars = [layer_tar(*layer) for layer in layers]
    content = Tars(tars)
    indexes = [scan(tar, chunk=chunk, hash_content=False) for tar in tars]
    later = compute(ReadImage(image_info(len(tars)), list(indexes), content), "later", threading.Event())

    assert figures(later) == figures(stack(*layers))
    recurring = Counter(path_of(member) for layer in layers for member in layer)
    assert len(content.asked) <= sum(count for count in recurring.values() if count > 1), "more was read than needed"
