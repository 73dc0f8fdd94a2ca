"""Where an engine is looked for, what its history tells, and what is said when there is none.

What a real engine answers is tested in tests/engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import Watcher, complaint
from lamina.model import Cancelled, LaminaError
from lamina.sources.engine import address as sockets
from lamina.sources.engine.address import addresses
from lamina.sources.engine.answers import Step, line_up
from lamina.sources.engine.connection import connect
from lamina.sources.engine.source import EngineSource


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without any engine; its home."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="lamina-") as name:
        yield Path(name)


def with_context(home: Path, name: str, host: str) -> None:
    """What ``docker context create`` and ``docker context use`` write."""
    meta = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoints}))
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


def test_what_the_user_says_comes_before_all(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [address.url for address in addresses()]
    assert usual[0] == "unix:///var/run/docker.sock"
    assert usual[1] == f"unix://{nobody}/run/docker.sock"
    assert usual[-2:] == [f"unix://{nobody}/run/podman/podman.sock", "unix:///run/podman/podman.sock"]
    with_context(nobody, "elsewhere", "tcp://context:2375")
    assert [str(address) for address in addresses()] == ["tcp://context:2375 (the context elsewhere)"]
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert [address.url for address in addresses()] == usual
    monkeypatch.setenv("DOCKER_HOST", "tcp://variable:2375")
    assert [str(address) for address in addresses()] == ["tcp://variable:2375 (DOCKER_HOST)"]
    assert [str(address) for address in addresses("tcp://said:1")] == ["tcp://said:1 (--host)"]
    assert addresses("/run/some.sock")[0].url == "unix:///run/some.sock"


def test_a_context_that_is_gone_or_broken(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "nosuch")
    with pytest.raises(LaminaError, match=r"context nosuch .*is current but not there"):
        addresses()
    monkeypatch.delenv("DOCKER_CONTEXT")
    with_context(nobody, "broken", "x")
    next((nobody / ".docker/contexts/meta").glob("*/meta.json")).write_text("{")
    with pytest.raises(LaminaError, match="context broken can't be read"):
        addresses()
    (nobody / ".docker/config.json").write_text("rubbish")
    assert len(addresses()) > 1
    # Half a surrogate pair is JSON, and no text.
    (nobody / ".docker/config.json").write_text('{"currentContext": "\\ud800"}')
    with pytest.raises(LaminaError, match="is current but not there"):
        addresses()


def test_no_engine_anywhere(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The machine that runs the tests may well have one at a usual place.
    usual = [str(nobody / "docker.sock"), str(nobody / "podman.sock")]
    monkeypatch.setattr(sockets, "_usual_sockets", lambda: usual)
    text = complaint(EngineSource(), "app:1")
    for part in ("no container engine found", *usual, "DOCKER_HOST", "--host", "lamina demo"):
        assert part in text


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("unix:///nosuch/docker.sock", "nothing is there"),
        ("tcp://127.0.0.1:1", "nobody answers"),
        ("rubbish://x", "can't be used"),
        ("tcp://", "can't be used"),
        ("npipe:////./pipe/x", "can't be used"),
    ],
)
def test_a_host_that_does_not_answer(host: str, said: str) -> None:
    text = complaint(EngineSource(host), "app:1")
    assert said in text
    assert host in text
    assert "--host" in text


def test_a_socket_without_permission(folder: Path) -> None:
    path = folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0)
        folder.chmod(0o755)
        with pytest.raises(LaminaError) as caught, somebody_else():
            connect(str(path))
    text = str(caught.value)
    for part in ("no permission", str(path), "docker group", "sudo"):
        assert part in text


class somebody_else:  # noqa: N801  # reads as a phrase
    """The effective user is no longer root, whom no mode keeps out."""

    def __enter__(self) -> None:
        self._user = os.geteuid()
        if self._user == 0:
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        os.seteuid(self._user)


@pytest.fixture
def mute(folder: Path) -> Iterator[str]:
    """A server that takes connections and never says a word."""
    path = folder / "mute.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield f"unix://{path}"


def test_an_engine_that_never_answers_can_be_left_at_once(mute: str) -> None:
    for ask in (
        lambda source, cancel: source.list(cancel),
        lambda source, cancel: source.read("app:1", Watcher(), cancel),
    ):
        cancel = threading.Event()
        threading.Timer(0.2, cancel.set).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            ask(EngineSource(mute), cancel)
        assert time.monotonic() - begun < 0.7


def test_an_engine_that_never_answers_is_given_up(mute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("connection", "faults"):
        monkeypatch.setattr(f"lamina.sources.engine.{module}.TIMEOUT", 1.0)
    assert "no answer within 1 seconds" in complaint(EngineSource(mute), "app:1")


def test_an_image_must_be_named() -> None:
    assert "name an image" in complaint(EngineSource("unix:///nosuch"))


# -- history -------------------------------------------------------------------------------------------------------


def rows(*steps: tuple[str, int]) -> list[dict[str, Any]]:
    """An API's history: newest first."""
    return [{"CreatedBy": by, "Size": size, "Created": 1_700_000_000} for by, size in reversed(steps)]


def test_history_lines_up_once_settings_are_dropped() -> None:
    history = rows(
        ("ADD rootfs", 1000),
        ("/bin/sh -c #(nop)  ENV A=1", 0),
        ("/bin/sh -c rm -rf /x", 0),
        ("ENTRYPOINT [x]", 0),
        ("RUN make", 7),
    )
    assert line_up(history, 3) == [
        Step(by, "2023-11-14T22:13:20Z", size)
        for by, size in (("ADD rootfs", 1000), ("/bin/sh -c rm -rf /x", 0), ("RUN make", 7))
    ]


def test_history_of_layers_only_lines_up_as_it_is() -> None:
    assert [step.instruction for step in line_up(rows(("A", 0), ("CMD x", 0)), 2)] == ["A", "CMD x"]


def test_history_lines_up_once_all_without_a_size_are_dropped() -> None:
    assert [step.instruction for step in line_up(rows(("A", 1), ("WORKDIR /x", 0), ("CMD x", 0), ("B", 2)), 2)] == [
        "A",
        "B",
    ]


def test_history_that_does_not_line_up_says_nothing() -> None:
    assert line_up(rows(("A", 1), ("B", 1), ("C", 1)), 2) == [Step("", None, None)] * 2
    assert line_up([], 2) == [Step("", None, None)] * 2
    assert line_up([], 0) == []
