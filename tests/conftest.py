"""What every test stands on: a cache of its own, and a real engine for those that ask for one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from needs import IN_CI, unavailable
from stacks import Stacking, opened, stack

# Two busy cores make deadlines flaky; on CI the same examples run every time, so a red run can be repeated.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "default")

START_ENGINE = IN_CI or os.environ.get("LAMINA_START_ENGINE") == "1"
ENGINE_STARTS_WITHIN = 60.0  # seconds; a cold dockerd needs two to ten


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty cache, so that none sees what another, or the user, has read before."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))  # what is set there is the developer's
    for name in ("LAMINA_CACHE", "LAMINA_CACHE_LIMIT", "LAMINA_DEBUG", "LAMINA_NO_STORE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(params=["hashed in passing", "archive opened in place"])
def image_of(request: pytest.FixtureRequest, tmp_path: Path) -> Stacking:
    """Makes an image of layers, each given by its members. A test that asks for it runs once for each way."""
    if request.param == "hashed in passing":
        return stack
    return lambda *layers, **options: opened(tmp_path, *layers, **options)


ENGINE_TESTS = "tests/engine/"
"""They look at what is in the one engine there is, so that they can't run beside each other."""


class _FilesApart(LoadScopeScheduling):
    """Hands the processes that share a run whole files of tests, and one of them all tests of the engine."""

    def _split_scope(self, nodeid: str) -> str:
        return "engine" if nodeid.startswith(ENGINE_TESTS) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Called where the suite runs in several processes."""
    return _FilesApart(config, log)


def _answers(host: str) -> bool:
    """Whether an engine answers at this DOCKER_HOST."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.DockerClient(base_url=host, timeout=10)
    except DockerException:
        return False
    try:
        client.ping()
    except (DockerException, OSError):
        return False
    finally:
        client.close()
    return True


@pytest.fixture(scope="session")
def engine_host() -> Iterator[str]:
    """The DOCKER_HOST of a real engine: the one given, else a private one that lives as long as the tests."""
    given = os.environ.get("DOCKER_HOST")
    if given and _answers(given):
        yield given
        return
    hint = "needs a Docker engine: set DOCKER_HOST, or LAMINA_START_ENGINE=1 as root with dockerd installed"
    if given:
        unavailable(f"{hint} (DOCKER_HOST={given} does not answer)")
    dockerd = shutil.which("dockerd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not START_ENGINE or os.geteuid() != 0 or dockerd is None:
        unavailable(hint)
    # Not below pytest's own folder: a unix socket's path holds 107 bytes, and pytest keeps old folders.
    with (
        tempfile.TemporaryDirectory(prefix="lamina-engine-") as name,
        _private_engine(dockerd, Path(name)) as host,
    ):
        yield host


class _private_engine:  # noqa: N801 - reads as the function it stands for
    """A dockerd with its data, its socket and its containers below one folder."""

    def __init__(self, dockerd: str, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                dockerd,
                *(
                    "--data-root",
                    folder / "root",
                    "--exec-root",
                    folder / "exec",
                    "--pidfile",
                    folder / "pid",
                ),
                *("--host", f"unix://{self.socket}"),
                *("--iptables=false", "--ip6tables=false", "--bridge=none"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # ctrl-c at the tests must not take it away before the fixtures end
        )

    def __enter__(self) -> str:
        host = f"unix://{self.socket}"
        deadline = time.monotonic() + ENGINE_STARTS_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.socket.exists() and _answers(host):
                return host
            time.sleep(0.1)
        self.__exit__()
        pytest.fail(f"dockerd did not start:\n{(self.folder / 'log').read_text(errors='replace')[-4000:]}")

    def __exit__(self, *exc: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        # A killed engine leaves its mounts behind, and a folder with mounts below can't be removed.
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        for mount in sorted((line.split()[1] for line in mounts), reverse=True):
            if mount.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", mount], check=False)
