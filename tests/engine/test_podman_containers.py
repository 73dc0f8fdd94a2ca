"""Containers of Podman, by its own service: every row and byte, by its storage and by its API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from engine.containers import CAUSES, SIZES, TO_FOLDER, WRITTEN, WROTE, image_tar
from engine.test_podman_store import Podman, running
from engine.tools import lamina, without_packages
from lamina.sources.engine.containers import ContainerSource

IMAGE = "lamina-test/container:1"
NO_LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
"""A sandbox may forbid to raise them, as Podman does by itself."""


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with running("overlay") as service:
        archive = service.folder / "image.tar"
        archive.write_bytes(image_tar())
        call(service, "import", "-q", str(archive), IMAGE)
        yield service
        call(service, "rm", "--all", "--force", "--time=0")


def call(podman: Podman, *arguments: str) -> None:
    done = subprocess.run([*podman.command, *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def run(podman: Podman, name: str, script: str) -> None:
    """Run a container to its end."""
    call(podman, "run", f"--name={name}", "--network=none", *NO_LIMITS, IMAGE, "/bin/sh", "-c", script)


def report(podman: Podman, name: str, *, store: bool) -> dict[str, Any]:
    ended = lamina("report", "--json", f"container:{name}", host=podman.host, store=store)
    assert ended.code == 0, ended.err
    return without_packages(json.loads(ended.out)["images"][0])


def test_every_row_by_the_storage_and_by_the_api(podman: Podman) -> None:
    run(podman, "writer", WROTE)
    image = report(podman, "writer", store=True)

    assert report(podman, "writer", store=False) == image
    wanted = {path: sizes for path, sizes in SIZES.items() if path != "data/file/in"}
    rows = {row["path"]: (row["bytes"], row["before"]) for row in image["container"]["written"]}
    assert rows == wanted
    assert image["layers"][-1]["size"] == sum(size for size, _ in wanted.values())
    causes = {row["path"]: row["cause"] for row in image["waste"]}
    assert causes == {path: cause for path, cause in CAUSES.items() if path != "data/file"}


def test_a_file_that_became_a_folder_is_told_by_the_storage_and_refused_by_the_api(podman: Podman) -> None:
    run(podman, "folder", WROTE + TO_FOLDER)
    assert report(podman, "folder", store=True)["layers"][-1]["size"] == WRITTEN

    # Podman 4.3 can't list the changes of such a container; a newer one may.
    ended = lamina("report", "--json", "container:folder", host=podman.host)
    if ended.code:
        assert (ended.code, ended.out) == (3, "")
        assert "refuses" in ended.line
    else:
        assert json.loads(ended.out)["images"][0]["layers"][-1]["size"] == WRITTEN


def test_what_containers_have_written_is_listed(podman: Podman) -> None:
    call(podman, "create", "--name=idle", "--network=none", IMAGE, "/nothing")
    source = ContainerSource(podman.host)
    names = {summary.id: summary.target for summary in source.list()}
    sizes = {names[container]: size for container, size in source.sizes().items()}
    assert sizes["container:idle"] == 0
