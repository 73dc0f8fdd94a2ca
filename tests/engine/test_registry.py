"""A real registry, read without an engine: the figures of the same image as an archive, and what may go wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from builders import Image, layer, old_docker, pack, write_layout
from cache.support import cache_in, written
from engine.counting import CountingProxy
from engine.images import APP1
from engine.tools import Silent, lamina, run
from lamina.cache.keys import blob_key
from lamina.model import LaminaError
from lamina.sources.target import Resolver
from needs import tool
from sources.test_platforms import IMAGES, PLATFORMS, members_of
from tars import directory, file, layer_tar

PASSWORD = "secret-of-lamina"
HTPASSWD = "me:$2b$04$tRBU.1jaFcQkqVnuHEU2oOsuPPL8E8lQFKOoZZknie5t3SLgjZWvi\n"
"""Of that password: the registry takes bcrypt only, which the standard library can't make."""
CHUNKED = ("--format=oci", "--dest-compress", "--dest-compress-format", "zstd:chunked")
NOWHERE = "unix:///nosuch/docker.sock"


def push(saved: Path, host: str, name: str, *options: str) -> str:
    """Put APP1 into a registry; answers the target."""
    source = f"docker-archive:{saved}"
    to = f"docker://{host}/{name}"
    run(tool("skopeo"), "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", *options, source, to)
    return to


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_an_image_in_a_registry_has_the_figures_of_its_archive(
    saved: Path, registry: str, figures: Callable[..., Any], compression: str, tmp_path: Path
) -> None:
    target = push(saved, registry, f"lamina-test/{compression}:1", "--dest-compress-format", compression)
    expected = figures(str(saved))
    cache = tmp_path / "cache"
    for _ in range(2):
        assert figures(target, host=NOWHERE, cache=cache) == expected
    ended = lamina("report", "--json", "--verify", target, host=NOWHERE)
    assert ended.code == 0, ended.err


def test_layers_that_list_themselves_are_not_fetched(
    registry: str, figures: Callable[..., Any], tmp_path: Path
) -> None:
    files = [file(f"srv/{number}", os.urandom(40_000), mtime=number) for number in range(60)]
    layers = [layer_tar(directory("srv"), *files), layer_tar(*(each.but(mode=0o600) for each in files[:20]))]
    archive = tmp_path / "app.tar"
    archive.write_bytes(pack(old_docker(Image(layers, tags=("app:1",)))))
    target = push(archive, registry, "lamina-test/chunked:1", *CHUNKED)

    listed, expected = figures(target, host=NOWHERE), figures(str(archive))
    for row, known in zip(listed[0]["layers"], expected[0]["layers"], strict=True):
        assert row.pop("tar_size") is None
        del known["tar_size"]
    assert listed == expected
    ended = lamina("report", target, host=NOWHERE)
    fetched, whole = re.findall(r"([\d.]+) KB of ([\d.]+) MB fetched, 2 layers are listed", ended.err + ended.out)[0]
    assert float(fetched) * 100 < float(whole) * 1000


def test_the_platforms_of_an_index_in_a_registry(registry: str, engine_host: str, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout", members_of())
    target = f"docker://{registry}/lamina-test/platforms:1"
    run(
        *(tool("skopeo"), "--insecure-policy", "copy", "-q", "--all", "--dest-tls-verify=false"),
        *(f"oci:{layout}:app:1", target),
    )
    ended = lamina("report", "--json", "--platform", "all", target, host=NOWHERE)
    assert [row["platform"] for row in json.loads(ended.out)["images"]] == list(PLATFORMS)
    for platform, image in IMAGES.items():
        ended = lamina("report", "--json", "--platform", platform, target, host=NOWHERE)
        assert [row["id"] for row in json.loads(ended.out)["images"]] == [image.id]
    ended = lamina("tags", target, "--platform", "linux/arm/v7", "--json", host=NOWHERE)
    assert [row["id"] for row in json.loads(ended.out)["tags"]] == [IMAGES["linux/arm/v7"].id]
    ended = lamina("report", "--platform", "linux/riscv64", target, host=NOWHERE)
    assert (ended.code, ended.out) == (3, "")
    assert "there is linux/s390x" in ended.line

    name = target.removeprefix("docker://")
    ended = lamina("pull", name, "--platform", "linux/s390x", "--yes", host=engine_host)
    assert ended.code == 0, ended.err
    try:
        ended = lamina("report", "--json", "--platform", "s390x", name, host=engine_host)
        assert [row["id"] for row in json.loads(ended.out)["images"]] == [IMAGES["linux/s390x"].id]
        ended = lamina("report", "--platform", "amd64", name, host=engine_host)
        assert ended.code == 3
        assert "is for linux/s390x, not for linux/amd64" in ended.line
    finally:
        with contextlib.closing(docker.APIClient(base_url=engine_host)) as client:
            client.remove_image(name, force=True)


def test_the_second_time_no_layer_is_fetched(saved: Path, registry: str, tmp_path: Path) -> None:
    target = push(saved, registry, "lamina-test/twice:1")
    cache = cache_in(tmp_path)
    for fetched in (True, False):
        source, name = Resolver(cache=cache).resolve(target)
        read = source.read(name, Silent(), threading.Event())
        assert read.read_from.startswith("from the registry" if fetched else "from the cache: 0 B")
        assert all(cache.find([blob_key(layer.digest or "")]) for layer in read.info.layers)


def test_sharing_and_comparing_go_across_registries_and_archives(saved: Path, registry: str) -> None:
    target = push(saved, registry, "lamina-test/mixed:1")
    ended = lamina("shared", "--json", str(saved), target, host=NOWHERE)
    assert ended.code == 0, ended.err
    (archive, remote) = json.loads(ended.out)["sharing"]["images"]
    assert (archive["unique"], remote["unique"]) == (0, 0)
    assert archive["size"] == remote["size"] > 0
    ended = lamina("diff", "--json", str(saved), target, host=NOWHERE)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["pull"]["bytes"] == 0


def test_no_blob_of_a_layer_is_fetched_for_manifests_alone(saved: Path, registry: str, engine_host: str) -> None:
    target = push(saved, registry, "lamina-test/heads:1")
    with CountingProxy(registry) as proxy:
        remote = target.replace(registry, proxy.address)
        ended = lamina("shared", "--json", "--manifests", remote, f"docker-daemon:{APP1}", str(saved), host=engine_host)
        assert ended.code == 0, ended.err
        served = proxy.taken()
    report = json.loads(ended.out)
    assert served.keys() == {report["images"][0]["id"]}  # the config
    assert {tuple(layer["images"]) for layer in report["sharing"]["layers"]} == {(0, 1, 2)}
    of_engine = next(pair for pair in report["sharing"]["pairs"] if (pair["a"], pair["b"]) == (0, 1))
    assert (of_engine["pull_b_given_a"], of_engine["pull_a_given_b"]) == (0, 0)
    ended = lamina("diff", "--json", "--manifests", target, str(saved), host=NOWHERE)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["pull"]["bytes"] == 0


def test_what_is_not_there_is_told(registry: str) -> None:
    for name in ("lamina-test/nothing:1", f"{APP1}-not"):
        ended = lamina("report", f"docker://{registry}/{name}", host=NOWHERE)
        assert (ended.code, ended.out) == (3, "")
        assert name in ended.line


def test_an_update_costs_the_layers_that_are_new(registry: str, tmp_path: Path) -> None:
    base, first, second = (layer(file(name, os.urandom(size))) for name, size in (("a", 9000), ("b", 5000), ("c", 700)))
    for version, top in (("1.9", first), ("1.10", second)):
        archive = written(tmp_path, old_docker(Image([base, top], ("app:1",))), f"{version}.tar")
        push(archive, registry, f"lamina-test/steps:{version}")
    ended = lamina("tags", f"{registry}/lamina-test/steps", "--json", host=NOWHERE)
    assert ended.code == 0, ended.err
    old, new = json.loads(ended.out)["tags"]
    assert (old["tag"], old["update"], new["tag"], new["from"]) == ("1.9", None, "1.10", "1.9")
    with urllib.request.urlopen(
        urllib.request.Request(
            f"http://{registry}/v2/lamina-test/steps/manifests/1.10",
            headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
        )
    ) as answer:
        sizes = [row["size"] for row in json.load(answer)["layers"]]
    assert (new["blob_size"], new["update"]) == (sum(sizes), sizes[1])
    text = lamina("tags", f"{registry}/lamina-test/steps", "--last", "1", host=NOWHERE).out
    assert "2 tags, the last 1 by name" in text


def test_a_base_that_moved_on_is_told(registry: str, tmp_path: Path) -> None:
    old, same, new, own = (
        layer(file(name, os.urandom(size))) for name, size in (("a", 9000), ("b", 800), ("c", 9), ("d", 7))
    )
    name = f"{registry}/lamina-test/moving:1"
    label = {"config": {"Labels": {"org.opencontainers.image.base.name": name}}}
    app = str(written(tmp_path, old_docker(Image([same, old, own], ("app:1",), extra=label)), "app.tar"))
    said = []
    for number, layers in enumerate([(same, old), (same, new)]):
        archive = written(tmp_path, old_docker(Image(layers, ("base:1",))), f"{number}.tar")
        push(archive, registry, "lamina-test/moving:1")
        ended = lamina("report", app, "--base", "2", "--ask-base", "--json", host=NOWHERE)
        assert ended.code == 0, ended.err
        said.append(json.loads(ended.out)["images"][0]["base"])
    assert [(base["by"], base["name"]) for base in said] == [("flag", name)] * 2
    assert [(base["update"]["moved_on"], base["update"]["layers"]) for base in said] == [(False, 0), (True, 1)]
    assert 0 < said[1]["update"]["bytes"] < 1000
    text = lamina("report", app, "--base", "2", "--ask-base", host=NOWHERE).out
    assert f"{name} has moved on: an image of 2024-01-02 with 1 new layer, " in text
    unnamed = lamina("report", str(tmp_path / "0.tar"), "--base", "1", "--ask-base", host=NOWHERE)
    assert "nobody tells the name of its base (--base NAME does)" in unnamed.err
    gone = lamina("report", app, "--base", f"docker://{registry}/lamina-test/nothing:1", host=NOWHERE)
    assert (gone.code, gone.out) == (3, "")


# -- with a password, and TLS made on the spot -------------------------------------------------------------------------


@contextlib.contextmanager
def serving(folder: Path, settings: dict[str, Any]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A registry with more settings: (its host, its process)."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    http = {"addr": host, **settings.pop("http", {})}
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    config = folder / "config.yml"
    common = {"version": 0.1, "log": {"level": "error"}, "storage": storage, "http": http}
    config.write_text(json.dumps({**common, **settings}))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([tool("docker-registry"), "serve", config], stdout=log, stderr=log)
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), 1):
                break
            time.sleep(0.05)
        yield host, process
    finally:
        process.kill()
        process.wait(20)


@pytest.fixture
def guarded(tmp_path: Path, saved: Path) -> Iterator[str]:
    """A registry with TLS that wants a password; it has ``app:1``."""
    key, certificate, users = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "users"
    users.write_text(HTPASSWD)
    run(
        *(tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lamina"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
    )
    settings = {
        "http": {"tls": {"certificate": str(certificate), "key": str(key)}},
        "auth": {"htpasswd": {"realm": "lamina", "path": str(users)}},
    }
    with serving(tmp_path, settings) as (host, _):
        push(saved, host, "app:1", "--dest-creds", f"me:{PASSWORD}")
        yield host


def logged_in(folder: Path, host: str, password: str) -> None:
    options = ("--tls-verify=false", f"--authfile={folder}/config.json", "-u", "me", "-p", password)
    run(tool("skopeo"), "login", *options, host)


def test_a_registry_with_a_password_and_a_certificate(
    guarded: str, saved: Path, tmp_path: Path, figures: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    target = f"docker://{guarded}/app:1"
    ended = lamina("report", target, host=NOWHERE)
    assert ended.code == 3
    assert "REQUESTS_CA_BUNDLE" in ended.line

    insecure = ("--insecure-registry", guarded)
    ended = lamina("report", target, *insecure, host=NOWHERE)
    assert ended.code == 3
    assert "docker login" in ended.line

    logged_in(tmp_path, guarded, PASSWORD)
    expected = figures(str(saved))
    assert figures(target, *insecure, host=NOWHERE) == expected
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    assert figures(target, host=NOWHERE) == expected

    config = json.loads((tmp_path / "config.json").read_text())
    config["auths"][guarded]["auth"] = "bWU6d3Jvbmc="  # me:wrong
    (tmp_path / "config.json").write_text(json.dumps(config))
    ended = lamina("report", target, host=NOWHERE)
    assert ended.code == 3
    assert "docker login" in ended.line
    assert "wrong" not in ended.err


def test_a_registry_that_is_stopped_on_the_way(saved: Path, tmp_path: Path) -> None:
    with serving(tmp_path, {}) as (host, process):
        target = push(saved, host, "app:1")
        source, name = Resolver().resolve(target)
        source.list()
        process.kill()
        process.wait(20)
        with pytest.raises(LaminaError, match="nobody answers there"):
            source.read(name, Silent(), threading.Event())
        ended = lamina("report", target, host=NOWHERE)
        assert (ended.code, ended.out) == (3, "")
        assert "nobody answers there" in ended.line
