"""Telling progress: at a pace, and how long nothing has come."""

from __future__ import annotations

import pytest

from lamina.model import Progress
from lamina.sources import progress
from lamina.sources.progress import Ticker


def test_who_waits_is_told_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    told: list[Progress] = []
    ticker = Ticker(told.append, None, "waiting")
    for moment in (100.0, 100.05, 101.0, 112.4):
        now[0] = moment
        ticker.tick()
    ticker.advance(5)  # too soon after
    now[0] = 120.0
    ticker.tick()
    assert [each.what for each in told] == ["waiting", "waiting", "waiting (12 s)", "waiting"]
    assert told[-1].done == 5
