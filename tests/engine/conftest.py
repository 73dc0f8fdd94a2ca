"""Real images in a real engine, and every form in which other tools hand them on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.images import APP1, build_all, remove_all
from engine.tools import lamina, run, without_packages
from needs import IN_CI, tool


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI a skipped engine test is a failed one, whoever skipped it."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"engine tests never skip on CI: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder is an engine test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def built(engine_host: str) -> Iterator[str]:
    """The DOCKER_HOST of an engine that holds the images of ``engine.images``."""
    build_all(engine_host)
    yield engine_host
    remove_all(engine_host)


@pytest.fixture(scope="session")
def docker_cli(built: str) -> Callable[..., str]:
    """Call the docker command with some arguments; answers its standard output."""
    docker = tool("docker")
    environment = {**os.environ, "DOCKER_HOST": built}

    def call(*arguments: str) -> str:
        return run(docker, *arguments, env=environment).stdout

    return call


@pytest.fixture(scope="session")
def saved(docker_cli: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``docker save`` of APP1."""
    archive = tmp_path_factory.mktemp("saved") / "app.tar"
    docker_cli("save", "-o", str(archive), APP1)
    return archive


@pytest.fixture(scope="session")
def podman() -> Iterator[list[str]]:
    """The podman command with a storage of its own."""
    program = tool("podman")
    # Not below pytest's own folder: podman takes no path of more than 50 characters for its run root.
    with tempfile.TemporaryDirectory(prefix="lamina-podman-", ignore_cleanup_errors=True) as folder:
        command = [program, f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=vfs"]
        yield command
        subprocess.run([*command, "rmi", "--all", "--force"], check=False, capture_output=True)


@pytest.fixture(scope="session")
def copy_of(
    saved: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Make (once) a copy of APP1 in another form; answers the TARGET to hand to lamina.

    The forms are those of FORMS; in ``oci-layout-umoci`` umoci has set a label and made a tag.
    """
    folder = tmp_path_factory.mktemp("copies")
    made: dict[str, str] = {}

    def skopeo(to: str, *options: str) -> None:
        run(tool("skopeo"), "--insecure-policy", "copy", *options, f"docker-archive:{saved}", to)

    def make(form: str) -> str:
        target = folder / form
        if form == "docker-archive":
            return str(saved)
        if form in ("oci-archive-gzip", "oci-archive-zstd"):
            skopeo(f"oci-archive:{target}:{APP1}", "--dest-compress-format", form.rpartition("-")[2])
        elif form in ("oci-layout-gzip", "oci-layout-zstd"):
            skopeo(f"oci:{target}:app", "--dest-compress-format", form.rpartition("-")[2])
        elif form == "oci-layout-umoci":
            skopeo(f"oci:{target}:app")
            run(
                tool("umoci"),
                "config",
                "--image",
                f"{target}:app",
                "--tag",
                "labelled",
                "--no-history",
                "--config.label=by=umoci",
            )
            return f"oci:{target}:labelled"
        elif form in ("podman-docker-archive", "podman-oci-archive"):
            podman = request.getfixturevalue("podman")
            run(*podman, "load", "--input", saved)
            run(*podman, "save", "--format", form.removeprefix("podman-"), "--output", target, APP1)
        elif form == "outer-gzip":
            with target.open("wb") as out:
                subprocess.run([tool("gzip"), "-1", "-c", str(saved)], check=True, stdout=out)
        elif form == "outer-zstd":
            run(tool("zstd"), "-q", "-1", "-o", target, saved)
        else:
            raise ValueError(form)
        return str(target)

    def copy(form: str) -> str:
        if form not in made:
            made[form] = make(form)
        return made[form]

    return copy


@pytest.fixture
def figures(built: str) -> Callable[..., list[dict[str, Any]]]:
    """Report targets as JSON; answers the images without what differs by the form they come in."""

    def call(*targets: str, host: str = built, **options: Any) -> list[dict[str, Any]]:
        ended = lamina("report", "--json", *targets, host=host, **options)
        assert ended.code == 0, ended.err
        images: list[dict[str, Any]] = json.loads(ended.out)["images"]
        for image in images:
            # How it was asked for, what its config's digest is in this form, and how its blobs are stored.
            for key in ("target", "tags", "id", "blob_size"):
                del image[key]
            without_packages(image)
            # What is at hand to be a base differs too, and with it whose advice is whose.
            del image["base"]
            # What is only to be known takes contents, which an export has no more.
            image["advice"] = [row for row in image["advice"] if row["saves"]]
            for row in image["advice"]:
                for key in ("in_base", "changes", "instruction"):
                    del row[key]
            image["advice"].sort(key=lambda row: (-row["saves"], row["text"]))
            for layer in image["layers"]:
                for key in ("digest", "blob_size"):
                    del layer[key]
        return images

    return call


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry on loopback; answers ``127.0.0.1:PORT``."""
    program = tool("docker-registry")
    folder = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "config.yml"
    config.write_text(
        json.dumps(  # JSON is YAML
            {
                "version": 0.1,
                "log": {"level": "error"},
                "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
                "http": {"addr": address},
            }
        )
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    pytest.fail(f"docker-registry did not start:\n{(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)
