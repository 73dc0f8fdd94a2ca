"""Containers of a real engine: every row and byte, running and stopped, by the store and by the API."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

from engine.containers import BECOMES_A_FOLDER, CAUSES, CHANGES, SIZES, TO_FOLDER, WRITTEN, WROTE, image_tar, tar_of
from engine.tools import Silent, lamina, without_packages
from lamina.model import LaminaError
from lamina.sources.engine.containers import ContainerSource
from needs import unavailable

IMAGE = "lamina-test/container:1"
NAME = "lamina-test-writer"


@pytest.fixture(scope="module")
def client(engine_host: str) -> Iterator[docker.APIClient]:
    if os.geteuid():
        unavailable("containers are run as root here")
    with contextlib.closing(docker.APIClient(base_url=engine_host, timeout=60)) as api:
        repository, tag = IMAGE.split(":")
        api.import_image_from_data(image_tar(), repository=repository, tag=tag)
        yield api
        api.remove_image(IMAGE, force=True)


@pytest.fixture(scope="module")
def writer(client: docker.APIClient) -> Iterator[str]:
    """A running container that has written all that it will; its ID."""
    script = f"{WROTE}{TO_FOLDER}\nexec cat"  # which waits for its input
    made = client.create_container(IMAGE, ["/bin/sh", "-c", script], name=NAME, network_disabled=True, stdin_open=True)[
        "Id"
    ]
    try:
        client.start(made)
        deadline = time.monotonic() + 30
        while not any(process[-1] == "cat" for process in client.top(made)["Processes"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield made
    finally:
        client.remove_container(made, force=True)


def changes_of(client: docker.APIClient, container: str) -> dict[str, int]:
    return {row["Path"]: row["Kind"] for row in client.diff(container)}


def report(host: str, *targets: str, store: bool) -> dict[str, Any]:
    ended = lamina("report", "--json", *targets, host=host, store=store)
    assert ended.code == 0, ended.err
    document: dict[str, Any] = json.loads(ended.out)
    document["images"] = [without_packages(image) for image in document["images"]]
    return document


def check(image: dict[str, Any], state: str) -> None:
    """What the container did, to the byte."""
    assert image["container"]["name"] == NAME
    assert (image["container"]["image"], image["container"]["state"]) == (IMAGE, state)
    top = image["layers"][-1]
    assert top["writable"] is True
    assert (top["diff_id"], top["chain_id"], top["tar_size"]) == (None, None, None)
    assert "writable" not in image["layers"][0]
    rows = {row["path"]: row for row in image["container"]["written"]}
    assert {path: (row["bytes"], row["before"]) for path, row in rows.items()} == SIZES
    assert {path: row["change"] for path, row in rows.items()} == CHANGES
    assert top["size"] == WRITTEN
    image_has = {path: before for path, (_, before) in SIZES.items()} | dict([BECOMES_A_FOLDER])
    waste = {row["path"]: row for row in image["waste"]}
    assert {path: row["cause"] for path, row in waste.items()} == CAUSES
    assert {path: row["bytes"] for path, row in waste.items()} == {path: image_has[path] for path in CAUSES}
    assert top["hides"] == sum(image_has[path] for path in CAUSES)


def test_every_row_by_the_store_and_by_the_api_running_and_stopped(
    engine_host: str, client: docker.APIClient, writer: str
) -> None:
    changes = changes_of(client, writer)
    for state in ("running", "exited"):
        if state == "exited":
            client.stop(writer, timeout=0)
        by_store = report(engine_host, f"container:{NAME}", store=True)
        assert report(engine_host, f"container:{writer[:12]}", store=False) == by_store
        check(by_store["images"][0], state)
        told = client.inspect_container(writer)["State"]
        assert told["Status"] == state
        assert not told["Paused"]
    assert changes_of(client, writer) == changes
    client.start(writer)


def test_a_container_beside_its_image(engine_host: str, client: docker.APIClient, writer: str) -> None:
    target = f"container:{NAME}"
    ended = lamina("shared", "--json", IMAGE, target, host=engine_host)
    assert ended.code == 0, ended.err
    sharing = json.loads(ended.out)["sharing"]
    assert [image["unique"] for image in sharing["images"]] == [0, WRITTEN]
    ended = lamina("diff", "--json", IMAGE, target, host=engine_host)
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["disk"] == WRITTEN


def test_containers_are_listed_with_what_they_have_written(engine_host: str, writer: str) -> None:
    source = ContainerSource(engine_host)
    (mine,) = [summary for summary in source.list() if summary.id == writer]
    assert mine.target == f"container:{NAME}"
    assert mine.container is not None
    assert (mine.container.image, mine.container.state) == (IMAGE, "running")
    assert source.sizes()[writer] == WRITTEN


def test_without_a_shell_or_a_start(engine_host: str, client: docker.APIClient) -> None:
    made = client.create_container(IMAGE, ["/nothing"], network_disabled=True)["Id"]
    try:
        for store in (True, False):
            (image,) = report(engine_host, f"container:{made}", store=store)["images"]
            assert image["container"]["written"] == []
            assert image["container"]["state"] == "created"
            assert (image["layers"][-1]["size"], image["wasted"]) == (0, 0)
    finally:
        client.remove_container(made)


def test_what_is_mounted_is_not_read(engine_host: str, client: docker.APIClient, tmp_path: Any) -> None:
    (tmp_path / "mounted").write_bytes(bytes(3_000_000))
    made = client.create_container(
        IMAGE,
        ["/nothing"],
        network_disabled=True,
        host_config=client.create_host_config(binds=[f"{tmp_path}:/srv/new/data"]),
    )["Id"]
    try:
        archive = tar_of({"srv/new/own": b"own"})
        client.put_archive(made, "/", archive)
        for store in (True, False):
            (image,) = report(engine_host, f"container:{made}", store=store)["images"]
            assert [(row["path"], row["bytes"]) for row in image["container"]["written"]] == [("srv/new/own", 3)]
    finally:
        client.remove_container(made)


@pytest.mark.parametrize("store", [True, False])
def test_a_container_that_is_removed_while_it_is_read(
    engine_host: str, client: docker.APIClient, store: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client.create_container(IMAGE, ["/nothing"], network_disabled=True)["Id"]
    read: Callable[..., Any] = ContainerSource._writable

    def late(*args: Any) -> Any:
        client.remove_container(made, force=True)
        return read(*args)

    monkeypatch.setattr(ContainerSource, "_writable", late)
    with pytest.raises(LaminaError, match=made[:12]) as caught:
        ContainerSource(engine_host, store=store).read(f"container:{made}", Silent(), threading.Event())
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["container:nobody", "container:\x1b[31m"])
def test_no_such_container(engine_host: str, name: str) -> None:
    ended = lamina("report", name, host=engine_host)
    assert (ended.code, ended.out) == (3, "")
    assert "\x1b" not in ended.err
    assert "container" in ended.line
