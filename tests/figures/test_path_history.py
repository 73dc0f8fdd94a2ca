"""What became of one path: against the views of each layer."""

from __future__ import annotations

from hypothesis import given, settings

from lamina.figures.path_history import PathVersion, path_history
from lamina.model import Change, Kind
from lamina.stack.changes import changed_between
from lamina.stack.union import Union
from random_layers import Layers, layer_stacks
from stacks import stack
from tars import directory, file, hardlink, symlink, whiteout


def history(union: Union, path: str) -> list[PathVersion]:
    found = union.paths.find(path.encode())
    assert found is not None
    return path_history(union, found)


def test_written_changed_removed_and_written_again() -> None:
    union = stack(
        [file("d/f", 100)],
        [file("other", 1)],
        [file("d/f", 100, mode=0o755)],
        [file("d/f", b"x" * 70, uid=5)],
        [whiteout("d")],
        [file("d/f", 30)],
    ).union
    told = [(v.layer, v.change.name, v.size, v.hidden_by) for v in history(union, "d/f")]
    assert told == [
        (0, "ADDED", 100, 2),
        (2, "METADATA", 100, 3),
        (3, "MODIFIED", 70, 4),
        (4, "REMOVED", 0, None),
        (5, "ADDED", 30, None),
    ]
    assert [v.mode for v in history(union, "d/f")][:2] == [0o644, 0o755]
    assert history(union, "d/f")[2].uid == 5


def test_links_and_folders() -> None:
    union = stack([file("a", 9), hardlink("b", "a"), symlink("c", "a")], [directory("a")]).union
    (link,) = history(union, "b")
    assert (link.kind, link.size, link.leads_to, link.link) == (Kind.HARDLINK, 0, 9, b"a")
    assert history(union, "c")[0].link == b"a"
    first, second = history(union, "a")
    assert (first.hidden_by, second.kind, second.change) == (1, Kind.DIR, Change.MODIFIED)


@given(layer_stacks(max_layers=4))
@settings(max_examples=60)
def test_a_history_is_what_each_step_changed(layers: Layers) -> None:
    union = stack(*layers).union
    steps: dict[int, list[tuple[int, int]]] = {}
    for layer in range(union.layer_count):
        delta = changed_between(union, layer - 1, layer)
        for path, change in zip(delta.path.tolist(), delta.change.tolist(), strict=True):
            steps.setdefault(path, []).append((layer, change))
    for path in range(1, union.paths.count):
        assert [(v.layer, int(v.change)) for v in path_history(union, path)] == steps.get(path, [])
