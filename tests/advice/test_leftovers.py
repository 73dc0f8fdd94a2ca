"""What a build leaves behind, by where it stands and what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.advice.advise import advise
from lamina.advice.model import Advice, Severity
from lamina.figures.image import LoadedImage
from packages.support import package_json
from stacks import opened, stack
from tars import Member, file, hardlink, whiteout

BIG = 100_000


def of(rule: str, image: LoadedImage) -> list[Advice]:
    return [advice for advice in advise(image) if advice.rule == rule]


def saving(image: LoadedImage) -> list[Advice]:
    """Without what is only to be known."""
    return [advice for advice in advise(image) if advice.saves]


LEFT = {
    "srv/app/.git/objects/pack/x": "version-control",
    "srv/.svn/x": "version-control",
    "srv/app/__pycache__/a.cpython-312.pyc": "python-bytecode",
    "srv/app/b.pyc": "python-bytecode",
    "usr/lib/debug/.build-id/x": "debug-symbols",
    "usr/lib/libx.so.debug": "debug-symbols",
    "srv/app.dSYM/x": "debug-symbols",
    "srv/app.pdb": "debug-symbols",
    "tmp/x": "temporary-files",
    "var/tmp/x": "temporary-files",
    "var/log/dpkg.log": "logs",
    "usr/lib/python3/dist-packages/numpy/tests/data.bin": "tests",
    "usr/lib/python3.11/test/data.bin": "tests",
    "srv/node_modules/a/test/data.bin": "tests",
    "usr/share/locale/de/LC_MESSAGES/x.mo": "locales",
    "usr/share/i18n/locales/x": "locales",
    "usr/share/doc/x/changelog.gz": "documentation",
    "usr/share/man/man1/x.1.gz": "documentation",
    "usr/lib/gcc/x86_64-linux-gnu/12/cc1": "build-tools",
    "usr/lib/llvm-14/bin/clang": "build-tools",
    "usr/include/x.h": "build-tools",
    "usr/lib/x86_64-linux-gnu/libc.a": "build-tools",
    "usr/local/go/pkg/tool/compile": "build-tools",
}

KEPT = (
    *("srv/.gitignore", "srv/.github/x", "srv/git/x", "srv/pyc", "usr/lib/python3/x.py", "usr/lib/debugger/x"),
    *("srv/tmp/x", "srv/var/log/x", "tmpx", "srv/tests/x", "srv/node_modules/test/x", "usr/lib/locale/C.utf8/x"),
    *("usr/share/docs/x", "usr/lib/a", "usr/lib/data.a", "usr/lib/llvm/x", "usr/includes/x"),
)


@pytest.mark.parametrize(("path", "rule"), LEFT.items())
def test_what_is_left_behind_is_told_by_its_rule(path: str, rule: str) -> None:
    image = stack([file("bin/sh", b"s" * 50)], [file(path, BIG)], instructions=["ADD rootfs /", "RUN install"])

    (advice,) = advise(image)

    assert (advice.rule, advice.saves, advice.layers, advice.changes) == (rule, BIG, (1,), 1)
    assert list(advice.paths) == [path.encode()]
    assert "RUN install" in advice.do


@pytest.mark.parametrize("path", KEPT)
def test_what_is_only_called_alike_is_not(path: str) -> None:
    assert advise(stack([file(path, BIG)])) == []


@pytest.mark.parametrize("rule", ["locales", "documentation"])
def test_what_is_a_matter_of_taste_is_but_information(rule: str) -> None:
    path = next(path for path, name in LEFT.items() if name == rule)

    assert [advice.severity for advice in advise(stack([file(path, BIG)]))] == [Severity.INFO]


def test_no_byte_is_told_by_two_rules() -> None:
    """A byte of a cache's log in a folder of version control is the cache's: its rule is asked first."""
    image = stack(
        [
            file("var/cache/apk/.git/__pycache__/a.pyc", BIG),
            file("tmp/.git/x", 2 * BIG),
            file("tmp/__pycache__/y.pyc", 3 * BIG),
            file("tmp/z", 4 * BIG),
        ]
    )

    assert [(advice.rule, advice.saves) for advice in advise(image)] == [
        ("temporary-files", 4 * BIG), ("version-control", 2 * BIG), ("package-cache", BIG),
        ("python-bytecode", 3 * BIG),
    ]  # fmt: skip
    assert ("temporary-files", 6 * BIG) in [(a.rule, a.saves) for a in advise(image, off=["version-control"])]


def test_what_a_layer_only_copied_is_to_be_left_out_where_it_was_made() -> None:
    """The bytes are those that the later layer ships; the earlier ones are waste, and told as such."""
    path = "srv/__pycache__/a.pyc"
    image = stack(
        [file(path, BIG, mode=0o600)], [file(path, BIG)], instructions=["RUN pip install x", "RUN chmod -R a+r /srv"]
    )

    metadata, bytecode = advise(image)

    assert (metadata.rule, metadata.saves, metadata.layers, metadata.changes) == ("metadata-copy", BIG, (0,), 1)
    assert (bytecode.rule, bytecode.saves, bytecode.layers, bytecode.changes) == ("python-bytecode", BIG, (1,), 0)
    assert "RUN pip install x" in bytecode.do


def test_what_was_written_over_since_is_made_where_that_was() -> None:
    path = "srv/__pycache__/a.pyc"
    image = stack([file(path, BIG, mode=0o600)], [file(path, BIG)], [file(path, b"y" * BIG)])

    (bytecode,) = of("python-bytecode", image)

    assert (bytecode.layers, bytecode.changes) == ((2,), 2)


# Contents.


def test_copies_of_a_content_count_all_but_one(tmp_path: Path) -> None:
    same, other = b"a" * BIG, b"b" * 50_000
    image = opened(
        tmp_path,
        [file("srv/one", same), file("srv/a", other)],
        [file("srv/two", same), file("srv/three", same), file("srv/b", other), file("srv/c", b"c" * BIG)],
    )

    (advice,) = of("duplicates", image)

    assert (advice.saves, advice.layers) == (2 * BIG + 50_000, (1,))
    assert list(advice.paths) == [b"srv/three", b"srv/two", b"srv/b"]
    assert not any(advice.saves for advice in advise(image, reads=False))


def test_a_copy_whose_bytes_are_told_already_is_none(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("srv/one", BIG), file("tmp/two", BIG)])

    assert [(advice.rule, advice.saves) for advice in saving(image)] == [("temporary-files", BIG)]


def test_names_of_one_file_are_no_copies(tmp_path: Path) -> None:
    assert saving(opened(tmp_path, [file("srv/one", BIG), hardlink("srv/two", "srv/one")])) == []


def test_a_library_at_several_versions_counts_all_but_the_newest(tmp_path: Path) -> None:
    def library(folder: str, version: str, size: int) -> list[Member]:
        return [
            package_json(f"{folder}/node_modules/left-pad", version),
            file(f"{folder}/node_modules/left-pad/index.js", version.encode() * size),
        ]

    image = opened(tmp_path, [*library("srv", "1.10.0", 9000), *library("opt", "1.9.0", 8000)])

    (advice,) = of("library-versions", image)

    assert advice.severity == Severity.LOW
    assert advice.paths[0] == b"opt/node_modules/left-pad/index.js"
    assert advice.saves == sum(image.union.size[image.union.path == row].sum() for row in advice.paths.rows)
    assert len(advice.paths) == 2


def test_large_files_are_told_for_information() -> None:
    image = stack([file("srv/model", 12_000_000), file("srv/small", 500_000)], instructions=["COPY model /srv"])

    (advice,) = advise(image)

    assert (advice.rule, advice.severity, advice.saves) == ("large-files", Severity.INFO, 0)
    assert list(advice.paths) == [b"srv/model"]


# To the byte.


def test_an_image_without_what_is_advised_weighs_just_that_much_less(tmp_path: Path) -> None:
    sins = [file(path, bytes([number]) * (BIG + number)) for number, path in enumerate(LEFT, 1)]
    layers = [
        [*sins[::2], file("srv/data", b"d" * BIG), file("srv/gone", 40_000), file("srv/moded", 30_000, mode=0o600)],
        [
            *sins[1::2],
            file("srv/copy", b"d" * BIG),
            file("srv/rewritten", b"1" * 20_000),
            hardlink("srv/l", "srv/copy"),
        ],
        [
            file("srv/third", b"d" * BIG),
            whiteout("srv/gone"),
            file("srv/moded", 30_000),
            file("srv/rewritten", b"2" * 9),
        ],
        [file("var/cache/apk/x", 70_000), hardlink("srv/kept", "var/cache/apk/x")],
    ]
    image = opened(tmp_path, *layers)
    advised = saving(image)
    gone = {(layer, path) for advice in advised for layer in advice.layers for path in advice.paths}

    rebuilt = stack(
        *([member for member in layer if (number, member.name) not in gone] for number, layer in enumerate(layers))
    )

    assert {*LEFT.values(), "duplicates", "deleted-later", "metadata-copy", "rewritten"} == {a.rule for a in advised}
    assert rebuilt.size == image.size - sum(advice.saves for advice in advised)
    assert saving(rebuilt) == []
