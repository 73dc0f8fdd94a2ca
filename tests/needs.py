"""What tests do when something they need is not on this machine."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

IN_CI = os.environ.get("CI") == "true"
"""On CI nothing that needs a tool or an engine may be skipped: the run's script installs all of them."""


def unavailable(reason: str) -> NoReturn:
    """Skip the test; on CI, fail it."""
    if IN_CI:
        pytest.fail(f"on CI this must not be missing: {reason}")
    pytest.skip(reason)


def tool(name: str) -> str:
    """The path of a program. Without it the test is skipped; on CI it fails."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        unavailable(f"needs {name}")
    return path
