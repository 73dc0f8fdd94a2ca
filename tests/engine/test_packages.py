"""An image's packages are the same by every way that it can be had; a report tells them where they are at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.tools import lamina, run
from needs import tool
from packages.support import apk_installed, dpkg_list, dpkg_status, package_json
from tars import Member, file

TAG = "lamina-test/packages:1"
FIRST = [
    dpkg_status(("bash", "5.2-1"), ("gcc", "12-1")),
    dpkg_list("bash", "usr/bin/bash"),
    file("usr/bin/bash", 70_000),
    dpkg_list("gcc", "usr/bin/gcc"),
    file("usr/bin/gcc", 90_000),
]
SECOND = [apk_installed(("musl", "1.2", ["lib/musl"])), file("lib/musl", 5000), package_json("srv/node_modules/a")]
DOCKERFILE = """\
FROM scratch
COPY first /
COPY second /
COPY third /
"""
THIRD = [dpkg_status(("bash", "5.2-1")), file("usr/bin/bash", 70_000, mode=0o755)]


def put(folder: Path, members: list[Member]) -> None:
    for member in members:
        path = folder / member.name.decode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.content)
        path.chmod(member.mode)


@pytest.fixture
def tag(built: str, docker_cli: Callable[..., str], tmp_path: Path) -> Any:
    """An image in the engine with packages of three managers."""
    context = tmp_path / "context"
    for name, members in (("first", FIRST), ("second", SECOND), ("third", THIRD)):
        put(context / name, members)
    (context / "Dockerfile").write_text(DOCKERFILE)
    environment = {**os.environ, "DOCKER_HOST": built, "DOCKER_BUILDKIT": "0"}
    run(tool("docker"), "build", "-t", TAG, context, env=environment)
    yield TAG
    docker_cli("rmi", "-f", TAG)


def told(*arguments: str, **options: Any) -> dict[str, Any]:
    done = lamina(*arguments, "--json", **options)
    assert done.code == 0, done.err
    (image,) = json.loads(done.out)["images"]
    return {key: image[key] for key in ("packages", "unowned", "package_records")}


def test_packages_are_the_same_by_every_way(
    tag: str, built: str, docker_cli: Callable[..., str], registry: str, tmp_path: Path
) -> None:
    archive, layout = tmp_path / "image.tar", tmp_path / "layout"
    docker_cli("save", "-o", str(archive), tag)
    for to in (f"oci:{layout}:x", f"docker://{registry}/packages:1"):
        options = ["--dest-tls-verify=false"] if to.startswith("docker:") else []
        run(tool("skopeo"), "--insecure-policy", "copy", "-q", *options, f"docker-archive:{archive}", to)

    expected = told("packages", str(archive), host=built)

    sizes = {package["name"]: (package["size"], package["wasted"]) for package in expected["packages"]}
    assert sizes["bash"] == (70_000, 70_000)
    assert sizes["musl"] == (5000, 0)
    assert {"gcc", "a"} < sizes.keys()
    assert told("packages", tag, host=built) == expected
    assert told("packages", tag, host=built, store=True) == expected
    assert told("packages", str(layout), host=built) == expected
    assert told("packages", f"docker://{registry}/packages:1", host=built) == expected


def test_a_report_asks_no_engine_and_no_registry_for_all_layers_again(tag: str, built: str) -> None:
    unknown = told("report", tag, host=built)

    assert unknown == {"packages": None, "unowned": None, "package_records": None}
    assert told("report", tag, host=built, store=True) == told("packages", tag, host=built, store=True)
