"""Caches and lists that package managers leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lamina.advice.examined import Examined
from lamina.advice.rules.shipped_files import ShippedFiles, Sort


class _Cache(NamedTuple):
    """What one manager keeps."""

    what: str
    run: str
    places: tuple[bytes, ...]


_CACHES = (
    _Cache("apt's package lists", "end with && rm -rf /var/lib/apt/lists/*", (b"var/lib/apt/lists",)),
    _Cache(
        "apt's downloaded packages and cache",
        "end with && apt-get clean && rm -f /var/cache/apt/*.bin",
        (b"var/cache/apt",),
    ),
    _Cache("apk's package cache", "write apk add --no-cache", (b"var/cache/apk", b"etc/apk/cache")),
    _Cache("dnf's cache", "end with && dnf clean all", (b"var/cache/dnf", b"var/cache/libdnf5")),
    _Cache("yum's cache", "end with && yum clean all", (b"var/cache/yum",)),
    _Cache("zypper's cache", "end with && zypper clean --all", (b"var/cache/zypp",)),
    _Cache(
        "pacman's downloaded packages and lists",
        "end with && pacman -Scc --noconfirm && rm -rf /var/lib/pacman/sync/*",
        (b"var/cache/pacman/pkg", b"var/lib/pacman/sync"),
    ),
    _Cache("pip's cache", "write pip install --no-cache-dir", (b"~/.cache/pip",)),
    _Cache("uv's cache", "write uv with --no-cache", (b"~/.cache/uv",)),
    _Cache("Poetry's cache", "end with && poetry cache clear --all .", (b"~/.cache/pypoetry",)),
    _Cache(
        "conda's packages and cache",
        "end with && conda clean --all --yes",
        (
            *(b"opt/" + name + b"/pkgs" for name in (b"conda", b"miniconda", b"miniconda3", b"anaconda3")),
            *(b"~/" + name + b"/pkgs" for name in (b".conda", b"miniconda3", b"anaconda3", b"miniforge3")),
        ),
    ),
    _Cache("npm's cache", "end with && npm cache clean --force", (b"~/.npm/_cacache", b"~/.npm/_npx")),
    _Cache(
        "yarn's cache",
        "end with && yarn cache clean --all",
        (b"usr/local/share/.cache/yarn", b"~/.cache/yarn", b"~/.yarn/berry/cache"),
    ),
    _Cache(
        "pnpm's store",
        "end with && pnpm store prune, or build in a stage of its own",
        (b"~/.local/share/pnpm/store", b"~/.pnpm-store", b"~/.cache/pnpm"),
    ),
    _Cache("bun's cache", "end with && bun pm cache rm", (b"~/.bun/install/cache",)),
    _Cache(
        "Go's caches of builds and modules",
        "build in a stage of its own and copy the program, or end with && go clean -cache -modcache",
        (b"~/.cache/go-build", b"~/go/pkg/mod", b"go/pkg/mod", b"go/pkg/sumdb"),
    ),
    _Cache(
        "cargo's registry and sources",
        "build in a stage of its own and copy the program",
        tuple(home + b"/" + name for home in (b"~/.cargo", b"usr/local/cargo") for name in (b"registry", b"git/db")),
    ),
    _Cache(
        "gem's and Bundler's caches",
        "end with && gem cleanup && rm -rf of their cache folders",
        (b"usr/local/bundle/cache", b"~/.gem/specs", b"~/.bundle/cache", b"~/.cache/gem"),
    ),
    _Cache("Composer's cache", "end with && composer clear-cache", (b"~/.composer/cache", b"~/.cache/composer")),
    _Cache("Maven's repository", "build in a stage of its own and copy the result", (b"~/.m2/repository",)),
    _Cache(
        "Gradle's caches",
        "build in a stage of its own and copy the result",
        (b"~/.gradle/caches", b"~/.gradle/wrapper"),
    ),
)


class PackageCache(ShippedFiles):
    """Caches and lists that package managers left in the image.

    apt, apk, dnf, yum, zypper, pacman, pip, uv, Poetry, conda, npm, yarn, pnpm, bun, Go, cargo, gem, Composer, Maven,
    Gradle: what they download, and lists of what there is, serve the build alone. Clean up in the same RUN, tell the
    manager to keep nothing, or give it a `--mount=type=cache`.
    """

    name = "package-cache"

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One a manager."""
        for cache in _CACHES:
            folders = image.folders(cache.places)
            if folders.size:
                yield Sort(image.inside(folders), cache.what, cache.run)
