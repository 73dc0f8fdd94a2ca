"""An engine on another host, which is this one: through a real sshd on loopback, by the system's own ssh."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.images import APP1
from engine.test_podman_store import running
from engine.tools import lamina, run
from lamina.model import LaminaError
from lamina.sources.engine.ssh import ssh_command
from needs import tool, unavailable


@dataclass
class Sshd:
    """A server that lets one key in, and where clients find their configuration."""

    folder: Path
    address: str
    """HOST:PORT."""

    @property
    def url(self) -> str:
        return f"ssh://{self.address}"


@pytest.fixture
def sshd(tmp_path: Path, built: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A real sshd whose users find the tests' engine, and a ``ssh`` that reads the tests' configuration only."""
    server, client = tool("sshd"), tool("ssh")
    if os.geteuid() != 0:
        unavailable("needs root, for an sshd")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for name in ("host", "user"):
        run(tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name)
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nPidFile {tmp_path}/pid\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nStrictModes no\nPermitRootLogin yes\n"
        f"SetEnv DOCKER_HOST={built}\n"
    )
    key = (tmp_path / "host.pub").read_text()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {key}")
    (tmp_path / "config").write_text(
        f"Host *\n IdentityFile {tmp_path}/user\n IdentitiesOnly yes\n UserKnownHostsFile {tmp_path}/known\n"
    )
    # ssh finds its configuration by the user's entry in the system's list, not by HOME.
    shim = tmp_path / "ssh"
    shim.write_text(f'#!/bin/sh\nexec {client} -F {tmp_path}/config "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([server, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as knocking:
                if knocking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Sshd(tmp_path, f"127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def test_an_image_through_ssh_has_the_same_figures(sshd: Sshd, built: str, figures: Callable[..., Any]) -> None:
    assert figures(APP1, host=sshd.url) == figures(APP1, host=built)
    shared = [json.loads(lamina("shared", "--json", host=host).out) for host in (sshd.url, built)]
    assert shared[0] == shared[1]
    # Nothing of it is left behind.
    assert not run("sh", "-c", "pgrep -f '[s]sh -T .* 127.0.0.1 docker' || true").stdout


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda sshd: (sshd.folder / "known").write_text(""), "does not know the host's key"),
        (lambda sshd: (sshd.folder / "user.pub").write_text(""), "can't log in without asking"),
    ],
)
def test_ssh_asks_nothing_but_tells(sshd: Sshd, spoil: Callable[[Sshd], Any], words: str) -> None:
    spoil(sshd)
    begun = time.monotonic()
    ended = lamina("report", APP1, host=sshd.url)
    assert (ended.code, ended.out) == (3, "")
    assert words in ended.line
    assert sshd.address in ended.line
    assert time.monotonic() - begun < 10


def test_a_host_that_is_not_there(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = f"ssh://127.0.0.1:{probe.getsockname()[1]}"
    ended = lamina("report", APP1, host=nobody)
    assert ended.code == 3
    assert "nobody answers ssh there" in ended.line
    ended = lamina("report", APP1, host=f"{sshd.url}/nosuch/docker.sock")
    assert ended.code == 3
    assert "nosuch/docker.sock" in ended.line


def test_a_context_leads_through_ssh_too(sshd: Sshd, built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(sshd.folder / "docker"))
    environment = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    run(tool("docker"), "context", "create", "far", "--docker", f"host={sshd.url}", env=environment)
    ended = lamina("shared", "--json", "--context", "far", host="")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == json.loads(lamina("shared", "--json", host=built).out)


def test_what_two_engines_have_in_common(saved: Path, built: str) -> None:
    with running("overlay") as podman:
        run(*podman.command, "load", "-q", "-i", saved)
        ended = lamina("shared", "--json", "--host", built, "--host", podman.host, host=built)
        assert ended.code == 0, ended.err
        both = json.loads(ended.out)
        text = lamina("shared", "--host", built, "--host", podman.host, host=built).out
    alone = json.loads(lamina("shared", "--json", host=built).out)["sharing"]
    sharing = both["sharing"]
    assert [row["engine"] for row in sharing["engines"]] == [f"engine {built}", f"engine {podman.host}"]
    assert sharing["engines"][0]["on_disk"] == alone["on_disk"]
    assert sharing["on_disk"] == sum(row["on_disk"] for row in sharing["engines"])
    assert [row["frees"] for row in sharing["images"][: len(alone["images"])]] == [
        row["frees"] for row in alone["images"]
    ]
    sizes = {
        layer["diff_id"]: layer["size"] for layer in sharing["layers"] if len(both["images"]) - 1 in layer["images"]
    }
    assert sharing["common"] == sum(sizes.values()) > 0
    assert f"on {podman.host.removeprefix('engine ')}" in text
    assert "on all of them" in text


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("ssh://host", ["--", "host", "docker", "system", "dial-stdio"]),
        ("ssh://me@host:2222", ["-l", "me", "-p", "2222", "--", "host", "docker", "system", "dial-stdio"]),
        ("ssh://host/run/x.sock", ["--", "host", "docker", "--host", "unix:///run/x.sock", "system", "dial-stdio"]),
        ("ssh://It.us@MyServer", ["-l", "It.us", "--", "MyServer", "docker", "system", "dial-stdio"]),
        ("ssh://[::1]:22", ["-p", "22", "--", "::1", "docker", "system", "dial-stdio"]),
    ],
)
def test_how_ssh_is_called(url: str, command: list[str]) -> None:
    assert ssh_command(url)[6:] == command


@pytest.mark.parametrize(
    "url",
    [
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://me:secret@host",
        "ssh://%2Dl@host",
        "ssh://a%0Ab@host",
        "ssh://$(id)@host",
        "ssh://host/$(touch x)",
        "ssh://host;ls",
        "ssh://host:port",
        "ssh://[::1",
    ],
)
def test_what_is_no_host_never_reaches_ssh(url: str) -> None:
    with pytest.raises(LaminaError, match=r"is no address of an engine|none of a socket"):
        ssh_command(url)


def test_without_ssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("ssh") is None
    ended = lamina("report", APP1, host="ssh://host")
    assert ended.code == 3
    assert "ssh can't be started" in ended.line
