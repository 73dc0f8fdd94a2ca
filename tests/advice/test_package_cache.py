"""Caches that package managers left."""

from __future__ import annotations

import dataclasses

import pytest

from lamina.advice.advise import advise
from lamina.advice.model import Advice
from lamina.figures.image import LoadedImage
from stacks import stack
from tars import Member, directory, file, hardlink, symlink, whiteout

BIG = 100_000


def caches(image: LoadedImage) -> list[Advice]:
    return [advice for advice in advise(image) if advice.rule == "package-cache"]


def told(*layers: list[Member]) -> list[tuple[int, tuple[int, ...]]]:
    return [(advice.saves, advice.layers) for advice in caches(stack(*layers))]


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("var/lib/apt/lists/x", "rm -rf /var/lib/apt/lists"),
        ("var/cache/apt/archives/x.deb", "apt-get clean"),
        ("var/cache/apk/x", "--no-cache"),
        ("var/cache/dnf/x", "dnf clean all"),
        ("var/cache/yum/x", "yum clean all"),
        ("var/cache/zypp/x", "zypper clean"),
        ("var/cache/pacman/pkg/x", "pacman -Scc"),
        ("root/.cache/pip/x", "--no-cache-dir"),
        ("home/app/.cache/pip/x", "--no-cache-dir"),
        ("root/.cache/uv/x", "uv with --no-cache"),
        ("root/.npm/_cacache/x", "npm cache clean"),
        ("usr/local/share/.cache/yarn/v6/x", "yarn cache clean"),
        ("root/.local/share/pnpm/store/x", "pnpm store prune"),
        ("root/.cache/go-build/x", "go clean"),
        ("go/pkg/mod/x", "go clean"),
        ("usr/local/cargo/registry/x", "copy the program"),
        ("opt/conda/pkgs/x", "conda clean"),
        ("usr/local/bundle/cache/x", "gem cleanup"),
        ("root/.composer/cache/x", "composer clear-cache"),
        ("root/.m2/repository/x", "copy the result"),
        ("root/.gradle/caches/x", "copy the result"),
    ],
)
def test_a_cache_that_is_still_there(path: str, remedy: str) -> None:
    instructions = ["ADD rootfs /", "RUN install"]
    (advice,) = caches(stack([file("bin/sh", 10)], [file(path, BIG)], instructions=instructions))

    assert (advice.saves, advice.layers, advice.changes, advice.hidden_by) == (BIG, (1,), 1, None)
    assert list(advice.paths) == [path.encode()]
    assert remedy in advice.do
    assert "RUN install" in advice.do


def test_what_was_copied_is_to_be_left_out_of_the_copy() -> None:
    (advice,) = caches(stack([file("root/.npm/_cacache/x", BIG)], instructions=["COPY . /root # buildkit"]))

    assert ".dockerignore" in advice.do
    assert "COPY . /root" in advice.do


def test_a_cache_that_was_removed_is_waste_and_no_cache() -> None:
    assert told([file("var/cache/apk/x", BIG)], [whiteout("var/cache/apk/x")]) == []


def test_each_layer_that_ships_much_of_a_cache_is_told_of_and_the_rest_together() -> None:
    little = [[file(f"var/cache/apk/{n}", 3000)] for n in range(3)]

    found = told([file("var/cache/apk/a", BIG)], [file("var/cache/apk/b", 2 * BIG)], *little)

    assert found == [(2 * BIG, (1,)), (BIG, (0,)), (9000, (2, 3, 4))]


def test_a_home_that_the_image_names() -> None:
    image = stack([file("srv/app/.cache/pip/x", BIG)])
    assert caches(image) == []

    config = {"config": {"Env": ["PATH=/bin", "HOME=/srv/app"]}}
    image.info = dataclasses.replace(image.info, config=config)
    assert [advice.saves for advice in caches(image)] == [BIG]


@pytest.mark.parametrize("config", [None, [], {"Env": None}, {"Env": [3, "HOME", "HOME=", "HOME=/", "HOME=/\ud800"]}])
def test_a_config_that_is_none_does_no_harm(config: object) -> None:
    image = stack([file("root/.cache/pip/x", BIG)])
    image.info = dataclasses.replace(image.info, config={"config": config})

    assert [advice.saves for advice in caches(image)] == [BIG]


def test_links_of_folders_are_followed() -> None:
    assert told([symlink("var/cache", "/mnt/cache"), file("mnt/cache/apk/x", BIG)]) == [(BIG, (0,))]


def test_a_cache_by_its_other_name() -> None:
    """The file's own name is gone; the link in the cache holds its bytes."""
    cached = "var/cache/apk/y"
    for layers in ([[file("x", BIG), hardlink(cached, "x")]], [[file("x", BIG)], [hardlink(cached, "x")]]):
        assert told(*layers, [whiteout("x")]) == [(BIG, (0,))]


def test_what_only_stands_beside_a_cache_does_not_count() -> None:
    beside = [file("var/cache/apkx", BIG), file("var/cache/apk-/a", BIG), file("x/var/cache/apk/a", BIG)]

    assert told([file("var/cache/apk/a", 5000), directory("var/cache/apk/b"), *beside]) == [(5000, (0,))]


@pytest.mark.parametrize("own", ["x", "var/cache/apk/y"])
def test_a_file_that_has_a_name_elsewhere_too_costs_nothing(own: str) -> None:
    """Its bytes would stay."""
    other = {"x": "var/cache/apk/y", "var/cache/apk/y": "x"}[own]

    assert told([file(own, BIG), hardlink(other, own)]) == []
