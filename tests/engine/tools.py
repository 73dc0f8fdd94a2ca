"""Running other people's programs, and lamina's own command, as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lamina.layers.index import LayerFacts
from lamina.model import ImageInfo, Progress

LAMINA = Path(sys.executable).with_name("lamina")
"""The command as it was installed beside the interpreter that runs the tests."""

FORMS = (
    "docker-archive",
    "outer-gzip",
    "outer-zstd",
    "oci-archive-gzip",
    "oci-archive-zstd",
    "oci-layout-gzip",
    "oci-layout-zstd",
    "oci-layout-umoci",
    "podman-docker-archive",
    "podman-oci-archive",
)
"""The forms in which other tools hand on one image; the fixture ``copy_of`` makes them."""


def run(*command: str | os.PathLike[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program that must succeed; its standard error is part of the failure's message."""
    done = subprocess.run(
        [os.fspath(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )
    if done.returncode != 0:
        said = done.stderr + done.stdout
        pytest.fail(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{said}")
    return done


def without_packages(image: dict[str, Any]) -> dict[str, Any]:
    """A report's image without what is null where a way would have all layers sent again: test_packages.py has it."""
    for key in ("packages", "unowned", "package_records"):
        del image[key]
    return image


class Silent:
    """Hears, and says nothing."""

    def __init__(self) -> None:
        self.reports: list[Progress] = []

    def head(self, info: ImageInfo) -> None:
        pass

    def layer(self, index: int, facts: LayerFacts) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        self.reports.append(progress)


@dataclass
class Ended:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Standard error, which must be exactly one line."""
        lines = self.err.splitlines()
        assert len(lines) == 1, f"not one line:\n{self.err}"
        return lines[0]


def lamina(
    *arguments: str,
    host: str,
    prefix: tuple[str, ...] = (),
    stdin: Any = subprocess.DEVNULL,
    cache: Path | None = None,
    store: bool = False,
) -> Ended:
    """Run the installed command.

    Args:
        arguments: its arguments.
        host: the DOCKER_HOST it is given.
        prefix: a command that runs it, as ``setpriv`` does.
        stdin: an open file for its standard input.
        cache: where it keeps what it has read; None: nowhere, so that every run reads anew.
        store: whether it may read the engine's own disk, where it can; otherwise it takes the engine's export.
    """
    environment = {**os.environ, "DOCKER_HOST": host, "LAMINA_CACHE": str(cache or "off")}
    if not store:
        environment["LAMINA_NO_STORE"] = "1"
    done = subprocess.run(
        [*prefix, str(LAMINA), *arguments],
        check=False,
        stdin=stdin,
        capture_output=True,
        timeout=120,
        env=environment,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
