"""Random stacks of layers in which names collide all the time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from hypothesis import strategies as st

from reference import Dictionary, is_marker
from tars import SOME_TIME, Member, directory, fifo, file, hardlink, opaque, symlink, whiteout

Layers = list[list[Member]]

_PATHS = [b"/".join(parts) for depth in (1, 2, 3) for parts in product((b"a", b"b"), repeat=depth)]
# Few sizes, so that files of the same size but other content are common, and same content with other metadata too.
_CONTENTS = [b"", b"1", b"2", b"x" * 10, b"y" * 10, b"x" * 600, b"z" * 5000]
_METADATA: list[dict[str, object]] = [
    {},
    {},
    {"mode": 0o600},
    {"mtime": SOME_TIME + 1},
    {"uid": 1000},
    {"pax": {b"SCHILY.xattr.user.x": b"1"}},
]
_SPELLINGS = [b"", b"", b"./", b"/"]

# What makes a member of a path, another path, a content and metadata.
_Make = Callable[[bytes, bytes, bytes, dict[str, object]], Member]


def _file(path: bytes, _: bytes, content: bytes, metadata: dict[str, object]) -> Member:
    return file(path, content, **metadata)


def _directory(path: bytes, _: bytes, __: bytes, metadata: dict[str, object]) -> Member:
    return directory(path, **metadata).but(mode=0o700 if "mode" in metadata else 0o755)


def _symlink(path: bytes, target: bytes, _: bytes, metadata: dict[str, object]) -> Member:
    return symlink(path, target, **metadata).but(mode=0o777)


def _fifo(path: bytes, _: bytes, __: bytes, metadata: dict[str, object]) -> Member:
    return fifo(path, **metadata)


def _whiteout(path: bytes, _: bytes, __: bytes, ___: dict[str, object]) -> Member:
    return whiteout(path)


def _opaque(path: bytes, _: bytes, __: bytes, ___: dict[str, object]) -> Member:
    return opaque(path)


def _hardlink(path: bytes, target: bytes, _: bytes, __: dict[str, object]) -> Member:
    return hardlink(path, target)


_MAKES: list[_Make] = [_file, _file, _file, _directory, _directory, _symlink, _fifo, _whiteout, _whiteout, _opaque]
_ROOT_MEMBERS: list[list[Member]] = [
    *[[]] * 6,
    [opaque(b"")],
    [directory(b"./")],
    [directory(b"/", mode=0o700)],
]


def _members(makes: list[_Make], most: int) -> st.SearchStrategy[list[Member]]:
    one = st.tuples(
        st.sampled_from(makes),
        st.sampled_from(_PATHS),
        st.sampled_from(_PATHS),
        st.sampled_from(list(product(_CONTENTS, _METADATA))),
        st.sampled_from(_SPELLINGS),
    )
    return st.lists(one.map(_made), max_size=most)


def _made(parts: tuple[_Make, bytes, bytes, tuple[bytes, dict[str, object]], bytes]) -> Member:
    make, path, other_path, (content, metadata), spelling = parts
    member = make(path, other_path, content, metadata)
    return member.but(name=spelling + member.name)


def layer_stacks(*, links: bool = True, max_layers: int = 5, max_members: int = 12) -> st.SearchStrategy[Layers]:
    """Layers, lowest first. Every hard link in them can be made when its turn comes."""
    makes = _MAKES + [_hardlink] * 4 if links else _MAKES
    layer = st.builds(list.__add__, _members(makes, max_members), st.sampled_from(_ROOT_MEMBERS))
    return st.lists(layer, min_size=1, max_size=max_layers).map(_with_sound_links)


def _with_sound_links(stack: Layers) -> Layers:
    """The same without the hard links that the operating system could not make."""
    sound: Layers = []
    so_far = Dictionary()
    for wanted in stack:
        so_far.begin([member for member in wanted if is_marker(member)])
        layer: list[Member] = []
        for member in wanted:
            if not is_marker(member):
                if member.flag == b"1" and not so_far.can_link(member):
                    continue
                so_far.put(member)
            layer.append(member)
        so_far.end()
        sound.append(layer)
    return sound
