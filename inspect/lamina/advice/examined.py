"""An image as rules look at it: its visible files as columns, which bytes are spoken for, and first bytes of files."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamina.advice.model import floor
from lamina.among import among
from lamina.dataclass import dataclass
from lamina.distinct import distinct
from lamina.figures.duplicates import Duplicate, find_duplicates
from lamina.figures.image import LoadedImage
from lamina.model import Cause, Kind, LaminaError
from lamina.packages.model import PackageTable
from lamina.packages.path_lookup import PathLookup
from lamina.stack.name_table import NameTable
from lamina.stack.paths import PathTable
from lamina.stack.union import ABSENT, Union
from lamina.stack.waste import LayerWaste, WasteTable

Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Shipped:
    """Files that are taken together because the same layers ship them."""

    inodes: Rows
    """Largest first."""
    layers: tuple[int, ...]
    bytes: int
    made_in: int | None
    """The layer that made them; a later one may have copied them. None where that are several."""


@dataclass(slots=True)
class _Names:
    """Names of regular files of the final file system, by path."""

    path: Rows
    inode: Rows
    count: NDArray[np.int32]
    """By event: how many of these names lead to it."""
    at: Rows
    """By event: the path that its bytes stand at, -1 where no name leads to it."""
    several: bool
    """Whether any file has more than one name."""


class Examined:
    """What the rules share about one image.

    Args:
        image: read whole.
        ignored: by path: whether it is not to be spoken of.
        cancel: ends what takes long.
        reads: whether contents of files may be read.
        lookup: where its paths stand, where somebody knows that already.
    """

    def __init__(
        self,
        image: LoadedImage,
        ignored: NDArray[np.bool_] | None,
        cancel: threading.Event,
        *,
        reads: bool = False,
        lookup: PathLookup | None = None,
    ) -> None:
        self.image = image
        self.union: Union = image.union
        self.paths: PathTable = image.union.paths
        self.ignored = ignored
        self.cancel = cancel
        self.floor = floor(image.size)
        self.heads: Mapping[int, bytes] = {}
        """The first bytes of those files that rules wanted to see, by inode, as far as they could be read."""
        self.reads = reads
        """Whether contents of files may be read."""
        self.packages: PackageTable | None = None
        """The packages of the image; None where their records can't be read."""
        self.known_duplicates: Sequence[Duplicate] | None = None
        """Its duplicates, where somebody has looked for them."""
        self._lookup = lookup
        self._claimed = np.zeros(image.union.event_count, dtype=bool)

    @cached_property
    def lookup(self) -> PathLookup:
        """Where paths stand, links of directories followed."""
        return self._lookup or PathLookup(self.union)

    @cached_property
    def duplicates(self) -> Sequence[Duplicate]:
        """Same content at several places; none where contents can't be read."""
        if self.known_duplicates is not None or not self.reads:
            return self.known_duplicates or ()
        try:
            return find_duplicates(self.image, self.cancel)
        except LaminaError:
            return ()

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What the image's config says of how it is run: untrusted."""
        config = self.image.info.config.get("config")
        return config if isinstance(config, Mapping) else {}

    @cached_property
    def alive(self) -> Rows:
        """The events of the final file system."""
        return self.union.alive(self.union.layer_count - 1)

    @cached_property
    def regular(self) -> NDArray[np.bool_]:
        """Which events are names of files that have bytes."""
        return self.union.regular()

    @cached_property
    def event_at(self) -> Rows:
        """By path: what stands there in the final file system, :data:`ABSENT` for nothing."""
        at = np.full(self.paths.count, ABSENT, dtype=np.int32)
        at[self.union.path[self.alive]] = self.alive
        return at

    @cached_property
    def _names(self) -> _Names:
        union = self.union
        events = self.alive[self.regular[self.alive]]
        events = events[np.argsort(union.path[events], kind="stable")]
        path, inode = union.path[events], union.inode[events]
        count = np.bincount(inode, minlength=union.event_count).astype(np.int32)
        at = np.full(union.event_count, -1, dtype=np.int32)
        at[inode[::-1]] = path[::-1]
        own = events[events == inode]  # where the file's own name is left, its bytes stand there
        at[own] = union.path[own]
        return _Names(path, inode, count, at, bool((count > 1).any()))

    @cached_property
    def waste(self) -> WasteTable:
        """What is wasted, without what is not to be spoken of, and without what a container has written over."""
        table = self.image.waste
        writable = [layer.index for layer in self.image.info.layers if layer.writable]
        spoken = ~among(table.hidden_by, writable)  # no image would be any smaller without it
        if self.ignored is not None:
            spoken &= ~self.ignored[table.path_id]
        return table if spoken.all() else table.only(spoken)

    @cached_property
    def waste_groups(self) -> list[LayerWaste]:
        """The same by layers and cause, most bytes first."""
        return self.waste.by_layer()

    @cached_property
    def only_times(self) -> set[tuple[int, int]]:
        """(ships, hides) of those layers between which all files that differ by metadata differ by their time alone."""
        union, dead = self.union, self.union.dead
        rows = np.flatnonzero((dead.provisional == Cause.OVERWRITTEN) & (dead.successor != ABSENT))
        old, new = dead.inode[rows], dead.successor[rows]
        rows = np.flatnonzero(union.same_content(old, new) & ~union.same_metadata(old, new))
        old, new = old[rows], new[rows]
        alike = (union.mode[old] == union.mode[new]) & (union.xattr[old] == union.xattr[new])
        alike &= (union.uid[old] == union.uid[new]) & (union.gid[old] == union.gid[new])
        pairs = union.born[old].astype(np.int64) << 16 | union.born[new]
        found = set(distinct(pairs).tolist()) - set(distinct(pairs[~alike]).tolist())
        return {(pair >> 16, pair & 0xFFFF) for pair in found}

    def folders(self, places: Sequence[bytes]) -> Rows:
        """The rows of those folders and files that any layer has; ``~`` is each home folder."""
        rows = set()
        for place in places:
            for whole in self._at_home(place) if place.startswith(b"~/") else (place,):
                row = self.lookup.row(whole)
                if row is not None:
                    rows.add(row)
        return np.array(sorted(rows), dtype=np.int32)

    def _at_home(self, place: bytes) -> Iterator[bytes]:
        for home in self.homes:
            yield home + place[1:]

    @cached_property
    def homes(self) -> tuple[bytes, ...]:
        """The home folders: root's, those in /home, and what the config calls so."""
        homes = [b"root", *(b"home/" + name for name in self.below(b"home"))]
        env = self.config.get("Env")
        said = [each for each in env if isinstance(each, str)] if isinstance(env, list) else []
        homes += [each[6:].strip("/").encode("utf-8", "surrogatepass") for each in said if each.startswith("HOME=/")]
        return tuple(dict.fromkeys(filter(None, homes)))

    @cached_property
    def names(self) -> NameTable:
        """Paths by their last names."""
        return NameTable(self.paths)

    def called(self, *names: bytes) -> Rows:
        """The rows of all paths whose last name is one of these."""
        return np.concatenate([self.names.called(name) for name in names])

    def ending(self, *endings: bytes) -> Rows:
        """The rows of all paths whose last name ends in one of these."""
        return np.concatenate([self.names.ending(text) for text in endings])

    def containing(self, text: bytes, rows: Rows) -> NDArray[np.bool_]:
        """Of some paths: whether the last name has a text in it."""
        return np.fromiter((text in self.paths.name(row) for row in rows.tolist()), dtype=bool, count=len(rows))

    def named_so(self, rows: Rows, beginning: bytes) -> NDArray[np.bool_]:
        """Of some paths: whether the last name begins so."""
        names = self.paths.names
        starts = self.paths.name_start[rows].tolist()
        return np.fromiter((names.startswith(beginning, start) for start in starts), dtype=bool, count=len(rows))

    def below(self, place: bytes) -> list[bytes]:
        """The names right below a folder."""
        row = self.lookup.row(place)
        return [] if row is None else list(self.lookup.below(row))

    def python_libraries(self) -> Rows:
        """The folders of Python's own library: ``usr/lib/python3.12``."""
        homes = (b"usr/lib", b"usr/local/lib")
        return self.folders([home + b"/" + name for home in homes for name in self.below(home) if _is_python(name)])

    def inside(self, folders: Rows) -> NDArray[np.bool_]:
        """By path: whether it is one of these, or below one."""
        return self.paths.covered(folders, self.paths.end[folders])

    def visible(self, marked: NDArray[np.bool_]) -> Rows:
        """The files of which all names that are left are marked, whoever has claimed them; in no order.

        Args:
            marked: by path.
        """
        names = self._names
        if self.ignored is not None:
            marked = marked & ~self.ignored
        found = names.inode[marked[names.path]]
        if names.several:
            left = np.bincount(found, minlength=self.union.event_count)
            return np.flatnonzero((left > 0) & (left == names.count)).astype(np.int32)
        return found

    def free(self, marked: NDArray[np.bool_]) -> Rows:
        """Those of the same that have bytes of which nothing was told yet: to leave them out saves just those.

        Largest first, then by path.
        """
        found = self.visible(marked)
        return self._ordered(found[~self._claimed[found] & (self.union.size[found] > 0)])

    def of_at_least(self, size: int) -> NDArray[np.bool_]:
        """By path: whether it names a file of so many bytes and more."""
        names = self._names
        marked = np.zeros(self.paths.count, dtype=bool)
        marked[names.path[self.union.size[names.inode] >= size]] = True
        return marked

    def _ordered(self, inodes: Rows) -> Rows:
        order = np.lexsort((self._names.at[inodes], -self.union.size[inodes]))
        return inodes[order]

    def rows_of(self, inodes: Rows) -> Rows:
        """The paths that files' bytes stand at in the final file system."""
        return self._names.at[inodes]

    def unclaimed(self, inodes: Rows) -> NDArray[np.bool_]:
        """Of each file: whether nothing was told of its bytes yet."""
        return ~self._claimed[inodes]

    def claim(self, inodes: Rows) -> None:
        """Nobody else counts the bytes of these."""
        self._claimed[inodes] = True

    def by_layer(self, inodes: Rows) -> Iterator[Shipped]:
        """Files by the layer that made them, most bytes first; those of layers with little together.

        Nothing is told below the floor.
        """
        sizes, made = self.union.size[inodes], self._made_in(inodes)
        totals = np.bincount(made, weights=sizes, minlength=1) if len(inodes) else np.zeros(0)
        much = np.flatnonzero(totals >= self.floor)
        for layer in sorted(much.tolist(), key=lambda layer: (-totals[layer], layer)):
            mine = inodes[made == layer]
            yield self._shipped(mine, layer)
        rest = inodes[~among(made, much)]
        if len(rest) and int(self.union.size[rest].sum()) >= self.floor:
            yield self._shipped(rest, None)

    def _shipped(self, inodes: Rows, made_in: int | None) -> Shipped:
        layers = tuple(distinct(self.union.born[inodes]).tolist())
        return Shipped(inodes, layers, int(self.union.size[inodes].sum()), made_in)

    def _made_in(self, inodes: Rows) -> NDArray[np.int16]:
        """The layers that made files: those that ship them, or the lowest whose same content they copied."""
        born = self.union.born[inodes]
        return np.minimum(self._copied_from[self._names.at[inodes]], born)

    @cached_property
    def _copied_from(self) -> NDArray[np.int16]:
        """By path: the lowest layer whose content a later one ships again; else a number above all."""
        table = self.image.waste
        again = among(table.cause, (Cause.METADATA, Cause.IDENTICAL))
        found = np.full(self.paths.count, np.iinfo(np.int16).max, dtype=np.int16)
        np.minimum.at(found, table.path_id[again], table.layer[again])
        # What is written over in between is made anew.
        other = np.flatnonzero(~again)
        np.maximum.at(found, table.path_id[other], table.hidden_by[other])
        return found

    def shipped_events(self, marked: NDArray[np.bool_]) -> Rows:
        """The regular files that any layer carries at marked paths, the ones that later layers hide too.

        Args:
            marked: by path.
        """
        union = self.union
        if self.ignored is not None:
            marked = marked & ~self.ignored
        events = np.flatnonzero((union.kind[: union.implicit] == Kind.FILE) & marked[union.path[: union.implicit]])
        return events.astype(np.int32)

    def mark(self, rows: Rows | Collection[int]) -> NDArray[np.bool_]:
        """By path: whether it is one of these."""
        marked = np.zeros(self.paths.count, dtype=bool)
        marked[np.asarray(rows, dtype=np.int64)] = True
        return marked


def _is_python(name: bytes) -> bool:
    return name.startswith(b"python") and name[6:7].isdigit()
