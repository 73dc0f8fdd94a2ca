"""A real containerd without an engine: its names, and its blobs, as it keeps them for Kubernetes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.images import APP1
from engine.tools import lamina, run
from lamina.sources.containerd.source import VARIABLE
from needs import tool, unavailable

NOWHERE = "unix:///nosuch/docker.sock"


@pytest.fixture
def ctr(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The command that talks to a private containerd, whose root lamina is told of."""
    program, command = tool("containerd"), tool("ctr")
    if os.geteuid() != 0:
        unavailable("needs root, for a containerd")
    with tempfile.TemporaryDirectory(prefix="lamina-ctd-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv(VARIABLE, f"{folder}/root")
        address = f"{folder}/c.sock"
        process = subprocess.Popen(
            [program, f"--root={folder}/root", f"--state={folder}/state", f"--address={address}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            ask = [command, "-a", address]
            for _ in range(200):
                if subprocess.run([*ask, "version"], check=False, capture_output=True).returncode == 0:
                    break
                time.sleep(0.05)
            yield ask
        finally:
            process.terminate()
            process.wait(20)


def test_what_kubernetes_pulled_is_listed_and_read(ctr: list[str], saved: Path, figures: Callable[..., Any]) -> None:
    run(*ctr, "-n", "k8s.io", "images", "import", "--no-unpack", saved)
    name = f"docker.io/{APP1}"
    ended = lamina("report", "containerd:", host=NOWHERE)
    assert ended.code == 0, ended.err
    assert ended.out.startswith(name)
    assert figures(f"containerd:{name}", host=NOWHERE) == figures(str(saved))
    assert figures(f"containerd:{APP1}", host=NOWHERE) == figures(str(saved))


def test_many_names_and_namespaces(ctr: list[str], saved: Path) -> None:
    run(*ctr, "-n", "k8s.io", "images", "import", "--no-unpack", saved)
    names = [f"docker.io/lamina/copy-{number}:1" for number in range(120)]
    for start in range(0, len(names), 40):
        run(*ctr, "-n", "k8s.io", "images", "tag", f"docker.io/{APP1}", *names[start : start + 40])
    run(*ctr, "-n", "other", "images", "import", "--no-unpack", saved)
    ended = lamina("report", "--json", f"containerd:{names[77]}", host=NOWHERE)
    assert ended.code == 0, ended.err
    assert names[119] in ended.out
    ended = lamina("report", "containerd:lamina/none:1", host=NOWHERE)
    assert ended.code == 3
