"""Files of real images, read and taken out by every way there is, against what the engine and tar(1) have."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.images import APP1
from engine.tools import FORMS, LAMINA, lamina, run
from engine.unpacked import Thing, listed, things_of_folder, things_of_tar, timeless, without
from needs import tool

CONFIG = "srv/app/config.ini"
"""Which a later layer of APP1 overwrites."""


@pytest.fixture(scope="module")
def folders(saved: Path) -> set[str]:
    """The folders that a layer of APP1 lists."""
    return listed(saved)


@pytest.fixture(scope="module")
def exported(docker_cli: Callable[..., str], built: str, folders: set[str]) -> dict[str, Thing]:
    """What a container of APP1 has, as the engine exports it."""
    container = docker_cli("create", "--network", "none", APP1, "true").strip()
    try:
        done = subprocess.run(
            [tool("docker"), "export", container], check=True, capture_output=True, env={"DOCKER_HOST": built}
        )
    finally:
        docker_cli("rm", container)
    return timeless(without(things_of_tar(done.stdout)), folders)


def tar_of(*arguments: str, host: str, store: bool = False) -> dict[str, Thing]:
    """What ``lamina extract -o -`` writes."""
    environment = {"DOCKER_HOST": host, "LAMINA_CACHE": "off", "PATH": "/usr/bin:/bin"}
    if not store:
        environment["LAMINA_NO_STORE"] = "1"
    done = subprocess.run(
        [LAMINA, "extract", *arguments, "-o", "-"], check=False, capture_output=True, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return things_of_tar(done.stdout)


@pytest.mark.parametrize("form", FORMS)
def test_the_whole_file_system_of_every_form_is_what_the_engine_exports(
    form: str, copy_of: Callable[[str], str], exported: dict[str, Thing], folders: set[str], built: str
) -> None:
    assert timeless(without(tar_of(copy_of(form), "/", host=built)), folders) == exported


@pytest.mark.parametrize("store", [True, False], ids=["from its store", "from its export"])
def test_the_whole_file_system_of_an_engines_image_is_what_it_exports(
    store: bool, exported: dict[str, Thing], folders: set[str], built: str
) -> None:
    assert timeless(without(tar_of(APP1, "/", host=built, store=store)), folders) == exported


def test_the_whole_file_system_of_an_image_in_a_registry_is_what_the_engine_exports(
    saved: Path, registry: str, exported: dict[str, Thing], folders: set[str], built: str
) -> None:
    run(
        *(tool("skopeo"), "--insecure-policy", "copy", "--dest-tls-verify=false"),
        *(f"docker-archive:{saved}", f"docker://{registry}/contents:1"),
    )

    assert timeless(without(tar_of(f"docker://{registry}/contents:1", "/", host=built)), folders) == exported


def test_a_folder_has_what_tar_unpacks(
    saved: Path, built: str, tmp_path: Path, exported: dict[str, Thing], folders: set[str]
) -> None:
    ended = lamina("extract", str(saved), "/", "-o", str(tmp_path / "root"), "--same-owner", host=built)

    assert ended.code == 0, ended.err
    assert timeless(without(things_of_folder(tmp_path / "root")), folders) == without(exported, kinds="346")
    assert "srv/links/pipe: left out, it is a named pipe" in ended.err


def test_every_layer_has_what_tar_unpacks(saved: Path, built: str, tmp_path: Path, folders: set[str]) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    run(tool("tar"), "-xf", saved, "-C", archive)
    layers = json.loads((archive / "manifest.json").read_text())[0]["Layers"]
    assert len(layers) > 8

    for number, name in enumerate(layers):
        ours, theirs = tmp_path / f"ours-{number}", tmp_path / f"theirs-{number}"
        theirs.mkdir()
        run(tool("tar"), "--delay-directory-restore", "-xpf", archive / name, "-C", theirs)
        ended = lamina("extract", str(saved), "/", "--layer", str(number), "-o", str(ours), "--same-owner", host=built)

        assert ended.code == 0, ended.err
        mine = without(things_of_folder(ours), paths=frozenset({""}))
        tars = without(things_of_folder(theirs), kinds="346", paths=frozenset({""}))
        assert timeless(mine, folders) == timeless(tars, folders), f"layer {number}"


@pytest.mark.parametrize("form", [*FORMS, "store", "export"])
def test_a_file_of_a_layer_that_a_later_one_hides(form: str, copy_of: Callable[[str], str], built: str) -> None:
    target = APP1 if form in ("store", "export") else copy_of(form)

    now = lamina("cat", target, CONFIG, host=built, store=form == "store")
    then = lamina("cat", target, "/" + CONFIG, "--layer", "1", host=built, store=form == "store")

    assert (now.code, now.out) == (0, "overwritten\n"), now.err
    assert then.code == 0, then.err
    assert then.out != now.out


def test_a_file_of_a_container_by_its_folder_and_by_the_api(docker_cli: Callable[..., str], built: str) -> None:
    container = docker_cli("create", "--network", "none", APP1, "sh", "-c", "echo mine > /srv/app/config.ini").strip()
    docker_cli("start", "--attach", container)
    try:
        for store in (True, False):
            own = lamina("cat", f"container:{container}", CONFIG, host=built, store=store)
            below = lamina("cat", f"container:{container}", CONFIG, "--layer", "1", host=built, store=store)
            assert (own.code, own.out) == (0, "mine\n"), own.err
            assert below.code == 0, below.err
            assert below.out not in ("", "mine\n")
    finally:
        docker_cli("rm", container)
