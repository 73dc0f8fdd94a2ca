"""What the benchmark's images are made of: how many files, how large, and what later layers do to them.

The shapes are those of real images: node_modules, site-packages, a ``chmod -R`` that copies them, whiteouts, opaque
directories, hard links, a few large files. All numbers can be scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

NODE = "usr/src/app/node_modules"
SITE = "usr/local/lib/python3.11/site-packages"
APP = "srv/app"

_WORDS = "ab co de ex fi gu hy in ju ko lo ma no or pre qu re sta tra un ver web zip core util parse stream".split()  # noqa: SIM905
_SUFFIXES = {
    NODE: (".js", ".d.ts", ".js.map", ".json", ".md", ".mjs"),
    SITE: (".py", ".pyc", ".pyi", ".so", ".txt"),
}
_LARGEST = 8_000_000  # bytes of a file of a tree


class Random(Protocol):
    """What is needed of :class:`random.Random`."""

    def random(self) -> float: ...
    def randrange(self, start: int, stop: int) -> int: ...
    def choice(self, seq: Sequence[str]) -> str: ...
    def lognormvariate(self, mu: float, sigma: float) -> float: ...


class Layer(Protocol):
    """The layer that is being written, and what the image has so far."""

    random: Random
    members: int
    files: dict[str, int]
    """Bytes of every file of the image, in the order they were first written."""
    packages: dict[str, list[str]]
    """The directories right below each tree's root."""

    def directory(self, path: str) -> None: ...
    def file(self, path: str, size: int) -> None:
        """A file with a content of its own."""

    def copy(self, path: str, *, mode: int = 0o644, owner: int = 0) -> None:
        """A file again, with the content it has."""

    def link(self, path: str, target: str, *, hard: bool) -> None: ...
    def empty(self, path: str) -> None:
        """A file without content, as markers are."""


Step = Callable[[Layer, float], None]
"""Writes one layer; the number scales how much."""


@dataclass(frozen=True)
class Recipe:
    """One image."""

    name: str
    steps: tuple[tuple[str, Step], ...]
    """(instruction, what it does), lowest layer first."""
    scale: float = 1.0
    pool: int = 64 << 20
    """Bytes that contents are cut from."""


def _word(random: Random) -> str:
    return "".join(random.choice(_WORDS) for _ in range(random.randrange(1, 4)))


def _size(random: Random, mean: int) -> int:
    # Sizes of files are log-normal; 2.33 is the mean of exp(1.3 N).
    return min(int(random.lognormvariate(0, 1.3) * mean / 2.33), _LARGEST)


def tree(root: str, members: int, mean: int, *, package: int = 40, hard_links: float = 0.0) -> Step:
    """Directories of packages with files.

    Args:
        root: where.
        members: how many tar members, about.
        mean: bytes of a file, about.
        package: files of a package, about.
        hard_links: which share of files has a second name.
    """
    suffixes = _SUFFIXES.get(root, (".so", ".h", ".conf", ""))

    def step(layer: Layer, scale: float) -> None:
        random = layer.random
        last = layer.members + max(20, int(members * scale))
        for parent in reversed([PurePosixPath(root), *PurePosixPath(root).parents][:-1]):
            layer.directory(str(parent))
        packages = layer.packages.setdefault(root, [])
        while layer.members < last:
            top = f"{root}/{_word(random)}-{len(packages)}"
            packages.append(top)
            directories = [top]
            layer.directory(top)
            for number in range(random.randrange(1, 2 * package)):
                if random.random() < 0.12:
                    # The dash keeps it apart from all files: docker load refuses a path that stands twice.
                    directories.append(f"{random.choice(directories)}/{_word(random)}-{number}")
                    layer.directory(directories[-1])
                path = f"{random.choice(directories)}/{_word(random)}{number}{random.choice(suffixes)}"
                layer.file(path, _size(random, mean))
                if random.random() < hard_links:
                    layer.link(f"{path}.hard", path, hard=True)
                if random.random() < 0.01:
                    layer.link(f"{path}.sym", PurePosixPath(path).name, hard=False)

    return step


def again(root: str, count: int, *, mode: int = 0o644, owner: int = 0) -> Step:
    """The first files of a tree once more with other metadata: what ``chmod -R`` and ``chown -R`` do."""

    def step(layer: Layer, scale: float) -> None:
        inside = [path for path in layer.files if path.startswith(f"{root}/")]
        for path in inside[: max(1, int(count * scale))]:
            layer.copy(path, mode=mode, owner=owner)

    return step


def remove(root: str, every: int) -> Step:
    """Whiteouts of every so-manieth package."""

    def step(layer: Layer, scale: float) -> None:
        del scale
        for top in layer.packages[root][::every]:
            path = PurePosixPath(top)
            layer.empty(f"{path.parent}/.wh.{path.name}")

    return step


def empty_out(root: str, every: int) -> Step:
    """Opaque directories with one new file each in place of every so-manieth package."""

    def step(layer: Layer, scale: float) -> None:
        del scale
        for top in layer.packages[root][1::every]:
            layer.directory(top)
            layer.empty(f"{top}/.wh..wh..opq")
            layer.file(f"{top}/fresh.js", _size(layer.random, 900))

    return step


def large(root: str, count: int, size: int) -> Step:
    """A few large files."""

    def step(layer: Layer, scale: float) -> None:
        layer.directory(root)
        for number in range(max(1, int(count * scale))):
            layer.file(f"{root}/model-{number}.bin", size)

    return step


def rewrite(every: int) -> Step:
    """Every so-manieth file of the image with another content."""

    def step(layer: Layer, scale: float) -> None:
        del scale
        for path in list(layer.files)[::every]:
            layer.file(path, _size(layer.random, 2000))

    return step


_MID: tuple[tuple[str, Step], ...] = (
    ("ADD rootfs.tar / # base", tree("usr/share", 8_000, 24_000)),
    ("RUN apt-get update && apt-get install -y build-essential", tree("usr/lib/gcc", 12_000, 11_000)),
    ("RUN npm ci", tree(NODE, 88_000, 4_300, package=28)),
    ("RUN pip install -r requirements.txt", tree(SITE, 40_000, 7_800, package=60, hard_links=0.05)),
    (f"RUN chmod -R a-w /{SITE}", again(SITE, 26_000, mode=0o444)),
    ("RUN npm prune", remove(NODE, 3)),
    ("RUN rm -rf vendored && mkdir vendored", empty_out(NODE, 12)),
    ("COPY app /srv/app", tree(APP, 22_000, 5_000)),
    ("RUN chown -R 1000:1000 /srv/app", again(APP, 12_000, owner=1000)),
    ("COPY models /srv/models", large("srv/models", 40, 4_000_000)),
    ("RUN ./finish", rewrite(60)),
)

_BIG: tuple[tuple[str, Step], ...] = (
    ("ADD rootfs.tar / # base", tree("usr/share", 8_000, 24_000)),
    ("RUN npm ci", tree(NODE, 264_000, 3_500, package=28)),
    ("RUN pip install -r requirements.txt", tree(SITE, 115_000, 5_600, package=60, hard_links=0.03)),
    (f"RUN chmod -R a-w /{SITE}", again(SITE, 90_000, mode=0o444)),
    ("RUN npm prune", remove(NODE, 4)),
    ("RUN rm -rf vendored && mkdir vendored", empty_out(NODE, 10)),
    ("COPY app /srv/app", tree(APP, 95_000, 3_500)),
    ("RUN ./finish", rewrite(250)),
)

# As many paths as big has, with next to nothing in them: for the screen, to which only their number matters.
_WIDE: tuple[tuple[str, Step], ...] = (
    ("RUN npm ci", tree(NODE, 264_000, 300, package=28)),
    ("RUN pip install -r requirements.txt", tree(SITE, 121_000, 300, package=60)),
    (f"RUN chmod -R a-w /{SITE}", again(SITE, 20_000, mode=0o444)),
    ("RUN npm prune", remove(NODE, 4)),
    ("RUN rm -rf vendored && mkdir vendored", empty_out(NODE, 10)),
    ("COPY app /srv/app", tree(APP, 95_000, 300)),
)

MID = Recipe("mid", _MID)
BIG = Recipe("big", _BIG)
WIDE = Recipe("wide", _WIDE)
FEW = Recipe("few", _MID, scale=1 / 14)
SMALL = Recipe("small", _MID, scale=1 / 85, pool=12 << 20)
