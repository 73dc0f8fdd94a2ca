"""A real registry for these tests too; and no skipping on CI."""

from __future__ import annotations

from engine.conftest import pytest_runtest_makereport, registry

__all__ = ["pytest_runtest_makereport", "registry"]
