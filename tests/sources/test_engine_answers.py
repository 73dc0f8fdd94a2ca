"""Engines that answer what no engine should: an error of one line each, at once, and never much memory."""

from __future__ import annotations

import copy
import gzip
import json
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import Watcher
from lamina import limits
from lamina.figures.overview import overview
from lamina.model import LaminaError
from lamina.sources.engine.source import EngineSource
from lying_engine import IMAGE, NAME, LyingEngine, truth

WRONG = [None, [], {}, "a\0b\x1b[31m", -1, 1 << 70, True, [None], [7], [{}]]
REMOVED = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document, itself first."""
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


def spoilt(document: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """The document with another value at a place."""
    if not path:
        return wrong if wrong is not REMOVED else b""
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if wrong is REMOVED:
        del inner[path[-1]]
    else:
        inner[path[-1]] = wrong
    return changed


def use(engine: LyingEngine, source: EngineSource | None = None) -> list[str]:
    """Everything an engine is asked; the errors."""
    errors = []
    source = source or EngineSource(engine.host)
    for question in (
        source.list,
        lambda: overview(source.known_images()),
        lambda: source.read(NAME, Watcher(), threading.Event()),
    ):
        try:
            question()
        except LaminaError as error:
            errors.append(str(error))
    return errors


def test_an_honest_engine_is_read() -> None:
    with LyingEngine() as engine:
        assert use(engine) == []
        assert [layer.diff_id for layer in EngineSource(engine.host).known_images()[0].layers] == IMAGE.diff_ids


@pytest.mark.parametrize("asked", truth())
def test_every_value_of_every_answer_may_be_anything(asked: str) -> None:
    document, told = truth()[asked], 0
    with LyingEngine() as engine:
        connected = None if asked in ("/version", "/info") else EngineSource(engine.host)
        for place in places(document):
            for wrong in [*WRONG, REMOVED]:
                engine.answers[asked] = spoilt(document, place, wrong)
                for error in use(engine, connected):
                    told += 1
                    assert error.isprintable(), (place, wrong)
                    assert len(error) < 1000
    assert told or asked == "/info"  # which only leads to a faster way


# -- bodies that are none ----------------------------------------------------------------------------------------------


def endless(header: str, piece: bytes) -> Any:
    def answer(handler: Any) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\n{header}\r\n\r\n".encode())
        while True:
            handler.wfile.write(piece)

    return answer


def refusal(status: int, body: bytes) -> Any:
    def answer(handler: Any) -> None:
        handler.wfile.write(
            f"HTTP/1.1 {status} No\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )

    return answer


def raw(data: bytes) -> Any:
    return lambda handler: handler.wfile.write(data)


BOMB = gzip.compress(bytes(300 << 20), 9)
CHUNK = b"10000\r\n" + b" " * (1 << 16) + b"\r\n"
BODIES = {
    "endless": (endless("X: y", b"[[[]]]," * 9000), "too many"),
    "endless in chunks": (endless("Transfer-Encoding: chunked", CHUNK), "too many"),
    "a length of terabytes": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n[]"), "too many"),
    "a length that is no number": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\xb2\r\n\r\n?"), "not JSON"),
    "a bomb": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        "compressed",
    ),
    "many values": (b"[" + b"[]," * 2_000_000 + b"0]", "values"),
    "many levels": (b"[" * 100_000 + b"]" * 100_000, "nested"),
    "a number of many digits": (b"[" + b"9" * 100_000 + b"]", "not JSON"),
    "no JSON": (b"<html>", "not JSON"),
    "no UTF-8": (b'["\xff"]', "not JSON"),
    "nothing": (b"", "not JSON"),
    "less than promised": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[]"), ""),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
    "no end of headers": (raw(b"HTTP/1.1 200 OK\r\nX: y"), ""),
    "a thousand headers": (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n[]"), ""),
    # It says that it closes, else the next question may be asked on a connection that is about to end.
    "somewhere else": (
        raw(b"HTTP/1.1 301 No\r\nConnection: close\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n"),
        "301",
    ),
    "a refusal in words": (refusal(500, b'{"message": "no\\nspace \\u001b[31m left"}'), "no space"),
    "a refusal that is a list": (refusal(500, b"[]"), "HTTP status 500"),
    "a refusal that is a number": (refusal(500, b'{"message": 7}'), "HTTP status 500"),
    "a refusal without end": (refusal(500, b'{"message": "' + b"x" * 9_000_000 + b'"}'), "HTTP status 500"),
    "a refusal of many levels": (refusal(500, b"[" * 60_000), "HTTP status 500"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("asked", ["/version", "/images/json", "/images/NAME/json"])
def test_a_body_that_is_none(asked: str, body: str) -> None:
    answer, said = BODIES[body]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    with LyingEngine({asked: answer}) as engine:
        errors = use(engine)
    assert errors
    for error in errors:
        assert said in error
        assert error.isprintable()
        assert len(error) < 1000
    assert time.monotonic() - begun < 20  # it ends: how long the machine takes for some MiB is its own affair
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * limits.DOCUMENT >> 10


@pytest.mark.parametrize("root", ["/a\0b", "/" + "x" * 5000, "/proc/self/fd", "/\ud800", "relative", "//"])
def test_a_storage_root_that_leads_nowhere(root: str) -> None:
    info = {"DockerRootDir": root, "Driver": "overlay2"}
    with LyingEngine({"/info": json.dumps(info).encode()}) as engine:
        assert use(engine) == []


def test_a_pipe_in_the_storage_keeps_nobody_waiting(tmp_path: Path) -> None:
    record = tmp_path / "image/overlay2/layerdb/sha256" / IMAGE.diff_ids[0].removeprefix("sha256:")
    record.mkdir(parents=True)
    os.mkfifo(record / "diff")
    with LyingEngine({"/info": {"DockerRootDir": str(tmp_path), "Driver": "overlay2"}}) as engine:
        assert use(engine) == []


# -- the docker CLI's own files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    ["[]", "7", '{"proxies": 7}', '{"auths": 7}', '{"auths": {"x": 7}}', '{"currentContext": 7}', "[" * 100_000, "\0"],
)
def test_a_broken_config_of_the_docker_cli(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(config)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with LyingEngine() as engine:
        for error in use(engine):
            assert "config.json" in error
            assert error.isprintable()
