"""One image, read from a real engine and in every form in which other tools hand it on: the same figures."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from engine.images import ALIAS, APP1, APP2, BASE
from engine.tools import FORMS, Silent, lamina, run
from lamina.model import ImageSummary
from lamina.sources.engine.source import EngineSource
from needs import tool, unavailable

Figures = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def client(built: str) -> Iterator[docker.APIClient]:
    """docker-py, to ask the engine what lamina is held against."""
    api = docker.APIClient(base_url=built, timeout=60)
    yield api
    api.close()


def test_an_export_on_standard_input_gives_the_same_figures(built: str, figures: Figures) -> None:
    with subprocess.Popen(
        [tool("docker"), "--host", built, "save", APP1], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as export:
        assert figures("-", stdin=export.stdout) == figures(APP1)
    assert export.returncode == 0


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_figures(form: str, copy_of: Callable[[str], str], figures: Figures) -> None:
    assert figures(copy_of(form)) == figures(APP1)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_passes_verification(form: str, copy_of: Callable[[str], str], figures: Figures) -> None:
    target = copy_of(form)
    assert figures("--verify", target) == figures(target)


def test_the_engines_own_disk_gives_the_same_figures(built: str, client: docker.APIClient, figures: Figures) -> None:
    driver, root = client.info()["Driver"], client.info()["DockerRootDir"]
    if driver != "overlay2" or not os.access(root, os.R_OK | os.X_OK):
        unavailable(f"needs an engine with overlay2 whose {root} this user may read")
    read = EngineSource(built).read(APP1, Silent(), threading.Event())
    assert read.read_from == "from the engine's store"
    assert figures(APP1, store=True) == figures(APP1)


def test_what_was_kept_from_one_form_changes_no_figure_of_another(
    copy_of: Callable[[str], str], figures: Figures, tmp_path: Path
) -> None:
    anew = figures(APP1)
    targets = (copy_of("docker-archive"), APP1, *map(copy_of, FORMS[1:]), copy_of("docker-archive"), APP1)
    for target in targets:
        assert figures(target, cache=tmp_path) == anew
    assert figures(APP1, cache=tmp_path, store=True) == anew
    assert list(tmp_path.iterdir()), "nothing was kept: this tested nothing"


def test_podmans_api_gives_the_same_figures(
    saved: Path, podman: list[str], tmp_path_factory: pytest.TempPathFactory, figures: Figures
) -> None:
    run(*podman, "load", "--input", saved)
    socket_path = tmp_path_factory.mktemp("api") / "podman.sock"
    host = f"unix://{socket_path}"
    with subprocess.Popen(
        [*podman, "system", "service", "--time=0", host],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        try:
            for _ in range(200):
                if socket_path.exists():
                    break
                with pytest.raises(subprocess.TimeoutExpired):
                    service.wait(0.05)
            assert figures(f"docker-daemon:{APP1}", host=host) == figures(APP1)
        finally:
            service.terminate()


def test_the_report_shows_what_the_steps_did(figures: Figures) -> None:
    (image,) = figures(APP1)
    causes: dict[str, set[str]] = {}
    for row in image["waste"]:
        causes.setdefault(row["cause"], set()).add(row["path"])
    assert "srv/app/lib/module_007.py" in causes["metadata"]  # chmod -R
    assert "srv/app/share/icon3" in causes["metadata"]  # chown -R
    assert "srv/app/doomed/deep/er/3" in causes["removed"]  # rm -rf
    assert "var/cache/apt/archives/coreutils.deb" in causes["removed"]
    assert "srv/app/opaque/old3" in causes["opaque"]  # rm -rf and mkdir in one step
    assert "srv/app/config.ini" in causes["overwritten"]
    assert "srv/app/typed" in causes["replaced"]  # a file became a folder
    assert "srv/app/folder/3" in causes["replaced"]  # a folder became a file
    # Two of its three names are left: the inode is not wasted.
    assert not any(row["path"].startswith("srv/links/") for row in image["waste"])
    assert image["size"] == image["visible"] + image["wasted"]
    assert image["wasted"] == sum(row["bytes"] for row in image["waste"])


def listed(host: str) -> list[ImageSummary]:
    """What lamina lists of this engine."""
    return EngineSource(host).list()


def test_the_list_has_every_image_with_every_tag(built: str, client: docker.APIClient) -> None:
    ours = {image.id: set(image.tags) for image in listed(built)}
    theirs = {image["Id"]: set(image["RepoTags"] or ()) - {"<none>:<none>"} for image in client.images()}
    assert ours == theirs
    assert {APP2, ALIAS} <= ours[client.inspect_image(APP2)["Id"]]


def test_an_image_without_a_tag_is_listed_and_opens(built: str, client: docker.APIClient, figures: Figures) -> None:
    tagged = figures(BASE)
    container = client.create_container(APP1, command=["/bin/sh"], network_disabled=True)
    try:
        untagged = client.commit(container["Id"])["Id"]
    finally:
        client.remove_container(container["Id"])
    try:
        (row,) = [image for image in listed(built) if image.id == untagged]
        assert row.tags == ()
        (image,) = figures(row.target)
        assert image["layers"][0]["diff_id"] == tagged[0]["layers"][0]["diff_id"]
    finally:
        client.remove_image(untagged)


def test_an_image_opens_by_every_one_of_its_names(built: str, client: docker.APIClient, figures: Figures) -> None:
    expected = figures(APP2)
    image_id = client.inspect_image(APP2)["Id"]
    digits = image_id.removeprefix("sha256:")
    names = (
        ALIAS,
        ALIAS.removesuffix(":latest"),
        f"docker.io/{APP2}",
        f"docker-daemon:{APP2}",
        image_id,
        digits,
        digits[:12],
        digits[:6],
    )
    for name in names:
        ended = lamina("report", "--json", name, host=built)
        assert ended.code == 0, f"{name}: {ended.err}"
        (image,) = json.loads(ended.out)["images"]
        assert image["id"] == image_id
        assert set(image["tags"]) == {APP2, ALIAS}
        assert image["wasted"] == expected[0]["wasted"]


def test_an_image_opens_by_its_repository_digest(
    built: str, client: docker.APIClient, registry: str, figures: Figures
) -> None:
    repository = f"{registry}/lamina-test/app"
    client.tag(APP2, repository, "2")
    try:
        for line in client.push(repository, "2", stream=True, decode=True):
            assert "error" not in line, line
        digests = client.inspect_image(APP2)["RepoDigests"]
        # The containerd store has a digest for every repository that names it, pushed or not.
        (digest,) = [digest for digest in digests if digest.startswith(f"{repository}@sha256:")]
        assert figures(digest) == figures(APP2)
        (row,) = [image for image in listed(built) if APP2 in image.tags]
        # In its list the containerd store names fewer of them than where it is asked for one image.
        assert row.digests
        assert set(row.digests) <= set(digests)
    finally:
        client.remove_image(f"{repository}:2")


def test_an_export_leaves_no_copy_on_the_disk(built: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            seen.update(str(path) for path in tmp_path.rglob("*"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert lamina("report", APP1, host=built).code == 0
    finally:
        over.set()
        watcher.join()
    assert seen == set()
