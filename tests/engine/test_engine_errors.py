"""Engines that are not there, may not be asked, die, or fall silent: one clear line each, exit 3."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.images import APP1
from engine.proxy import Proxy
from engine.tools import Silent, lamina
from lamina.model import Cancelled, LaminaError
from lamina.sources.engine.source import EngineSource
from needs import tool

IN_MID_STREAM = 1_000_000
"""Bytes: more than the answers before the export have, less than the export has."""


def test_no_engine(tmp_path: Path) -> None:
    ended = lamina("report", APP1, host=f"unix://{tmp_path}/nothing.sock")
    assert (ended.code, ended.out) == (3, "")
    assert f"{tmp_path}/nothing.sock" in ended.line


def test_no_engine_at_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ended = lamina("report", APP1, host=f"tcp://127.0.0.1:{port}")
    assert (ended.code, ended.out) == (3, "")
    assert f"127.0.0.1:{port}" in ended.line


def test_a_host_that_means_nothing() -> None:
    ended = lamina("report", APP1, host="carrier-pigeon://coop")
    assert (ended.code, ended.out) == (3, "")
    assert "carrier-pigeon" in ended.line


def test_no_permission_on_the_socket(built: str, tmp_path: Path) -> None:
    # Root passes every permission, so it gives up just that right.
    prefix: Sequence[str] = ()
    if os.geteuid() == 0:
        prefix = (tool("setpriv"), "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    with Proxy(built, tmp_path / "closed.sock", after=None, then="cut") as proxy:
        (tmp_path / "closed.sock").chmod(0)
        ended = lamina("report", APP1, host=proxy.host, prefix=tuple(prefix))
    assert (ended.code, ended.out) == (3, "")
    assert "permission" in ended.line.lower()
    assert "docker group" in ended.line


@pytest.mark.parametrize("name", ["lamina-test/not-there:1", "sha256:" + "0" * 64, "0" * 12])
def test_the_image_is_not_there(built: str, name: str) -> None:
    ended = lamina("report", name, host=built)
    assert (ended.code, ended.out) == (3, "")
    assert name in ended.line


@pytest.mark.parametrize("name", ["UPPER/case", "a b", "-x", "../..", "name:tag:tag", "\x1b[31m", ""])
def test_names_that_can_be_no_image(built: str, name: str) -> None:
    ended = lamina("report", "--", name, host=built)
    assert ended.code in (2, 3)
    assert ended.out == ""
    assert "\x1b" not in ended.err
    assert "Traceback" not in ended.err


def test_the_engine_dies_in_mid_stream(built: str, tmp_path: Path) -> None:
    with Proxy(built, tmp_path / "p.sock", after=IN_MID_STREAM, then="cut") as proxy:
        ended = lamina("report", APP1, host=proxy.host)
        assert proxy.broken.is_set()
    assert (ended.code, ended.out) == (3, "")
    assert str(tmp_path / "p.sock") in ended.line
    assert list(tmp_path.iterdir()) == [tmp_path / "p.sock"]


@pytest.mark.parametrize("after", [1, 100, 1500, 20_000])
def test_the_engine_dies_while_it_answers(built: str, tmp_path: Path, after: int) -> None:
    with Proxy(built, tmp_path / "p.sock", after=after, then="cut") as proxy:
        ended = lamina("report", APP1, host=proxy.host)
    assert (ended.code, ended.out) == (3, "")
    assert ended.line


@pytest.mark.parametrize(
    ("after", "store"), [(1, False), (2000, False), (IN_MID_STREAM, False), (2000, True), (5000, True), (8000, True)]
)
def test_a_silent_engine_is_cancelled_within_half_a_second(built: str, tmp_path: Path, after: int, store: bool) -> None:
    cancel = threading.Event()
    ended = threading.Event()
    problems: list[BaseException] = []

    with Proxy(built, tmp_path / "p.sock", after=after, then="stall") as proxy:

        def read() -> None:
            try:
                EngineSource(proxy.host, store=store).read(APP1, Silent(), cancel)
            except (Cancelled, LaminaError):
                pass
            except BaseException as problem:  # noqa: BLE001 - told below, on the test's own thread
                problems.append(problem)
            finally:
                ended.set()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        assert proxy.broken.wait(30)
        time.sleep(0.2)  # the code under test must be where it waits for bytes that don't come
        assert not ended.is_set()
        cancel.set()
        asked = time.monotonic()
        assert ended.wait(5)
        assert time.monotonic() - asked < 0.5
        assert problems == []


def test_reading_tells_progress(built: str) -> None:
    observer = Silent()
    EngineSource(built, store=False).read(APP1, observer, threading.Event())
    done = [report.done for report in observer.reports]
    assert done == sorted(done)
    assert done[-1] > IN_MID_STREAM
