"""Searches through real engines and in a real registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.test_podman_store import running
from engine.test_registry import NOWHERE, push
from engine.tools import lamina


def names(term: str, host: str) -> list[str]:
    ended = lamina("search", term, "--json", host=host)
    assert ended.code == 0, ended.err
    return sorted(row["name"] for row in json.loads(ended.out)["repositories"])


def test_a_real_registrys_catalogue(saved: Path, registry: str) -> None:
    for name in ("lamina-find/web", "lamina-find/worker", "lamina-seek/web"):
        push(saved, registry, f"{name}:1")
    assert names(f"{registry}/lamina-find", NOWHERE) == [f"{registry}/lamina-find/{name}" for name in ("web", "worker")]
    assert names(f"{registry}/web lamina-", NOWHERE) == [f"{registry}/lamina-{name}/web" for name in ("find", "seek")]
    assert names(f"{registry}/nothing-like-it", NOWHERE) == []


def test_podman_searches_in_its_registries(
    saved: Path, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(saved, registry, "lamina-podman/web:1")
    config = tmp_path / "registries.conf"
    config.write_text(
        f'unqualified-search-registries = ["{registry}"]\n[[registry]]\nlocation = "{registry}"\ninsecure = true\n'
    )
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(config))
    with running("vfs") as podman:
        assert names("lamina-podman", podman.host) == [f"{registry}/lamina-podman/web"]


def test_docker_tells_that_it_can_ask_nobody(engine_host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It searches in one place only, which is not on this machine; with a network it answers."""
    ended = lamina("search", "lamina", host=engine_host)
    if ended.code == 0:
        assert "found by engine" in ended.out
    else:
        assert (ended.code, ended.out) == (3, "")
        assert "refuses" in ended.line
