"""What an engine may say while it pulls."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lamina.model import Cancelled, LaminaError
from lamina.sources.engine.connection import connect
from lamina.sources.engine.pulling import PulledLayer, pull
from lamina.sources.registry.credentials import Credentials
from lamina.sources.registry.reference import parse_reference
from lying_engine import IMAGE, LyingEngine

NAME = parse_reference("example.org/app:1")
DONE = {"status": "Status: Downloaded newer image"}


@pytest.fixture
def engine() -> Iterator[LyingEngine]:
    with LyingEngine() as running:
        yield running


def lines(*messages: Any) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\r\n" for message in messages)


def pulled(engine: LyingEngine, credentials: Credentials | None = None) -> list[PulledLayer]:
    told: list[PulledLayer] = []

    def tell(layers: list[PulledLayer]) -> None:
        told[:] = layers

    pull(connect(engine.host), NAME, "", IMAGE.diff_ids, credentials, threading.Event(), tell)
    return told


def test_layers_are_followed(engine: LyingEngine) -> None:
    engine.answers["/images/create"] = lines(
        {"status": "Pulling from app", "id": "1"},
        {"status": "Downloading", "id": "aa", "progressDetail": {"current": 3, "total": 10}},
        {"status": "Already exists", "id": "bb", "progressDetail": {}},
        {"status": "Extracting", "id": "aa", "progressDetail": {"current": 7, "total": 10}},
        DONE,
    )
    assert [(layer.id, layer.status, layer.done, layer.total) for layer in pulled(engine)] == [
        ("1", "Pulling from app", 0, None),
        ("aa", "Extracting", 7, 10),
        ("bb", "Already exists", 0, None),
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (lines({"error": "no\x1b[31m space"}), r"no\x1b[31m space"),
        (lines({"error": ["x"]}), "['x']"),
        (b"x" * (3 << 20), "can't be understood"),
    ],
)
def test_a_pull_that_fails_is_told_in_one_line(engine: LyingEngine, said: bytes, told: str) -> None:
    engine.answers["/images/create"] = said
    with pytest.raises(LaminaError) as caught:
        pulled(engine)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("said", [lines({"status": "x", "id": "a"}), b"", b"rubbish\n[1]\n7\nnull\n", b"{" * 100_000])
def test_a_pull_has_ended_where_the_image_is_there(engine: LyingEngine, said: bytes) -> None:
    engine.answers["/images/create"] = said
    pulled(engine)
    layers = {"RootFS": {"Layers": IMAGE.diff_ids[:-1]}, "Id": IMAGE.id}
    for answer in (layers, raw(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")):
        engine.answers["/images/NAME/json"] = answer
        with pytest.raises(LaminaError, match=r"broke off while it pulled example\.org/app:1"):
            pulled(engine)


def raw(data: bytes) -> Any:
    return lambda handler: handler.wfile.write(data)


def test_odd_messages_do_no_harm(engine: LyingEngine) -> None:
    odd = [None, [], {}, "x", -1, 1 << 70, True, {"current": "x", "total": []}, {"current": -1, "total": 1 << 80}]
    messages = [{"status": "Downloading", "id": "a", "progressDetail": value} for value in odd]
    messages += [{"status": value, "id": value} for value in odd]
    engine.answers["/images/create"] = lines(*messages, DONE)
    for layer in pulled(engine):
        assert layer.done >= 0
        assert layer.total is None or layer.total > 0


def test_no_more_layers_are_followed_than_an_image_may_have(engine: LyingEngine) -> None:
    engine.answers["/images/create"] = lines(*({"status": "x", "id": str(n)} for n in range(5000)), DONE)
    assert len(pulled(engine)) == 2048


def test_credentials_go_in_a_header_of_their_own(engine: LyingEngine) -> None:
    seen: list[str] = []

    def answer(handler: Any) -> None:
        seen.append(handler.headers.get("X-Registry-Auth", ""))
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + lines(DONE))

    engine.answers["/images/create"] = answer
    for credentials in (None, Credentials("me", "secret"), Credentials("", "", "token")):
        pulled(engine, credentials)
    assert seen[0] == ""
    assert [json.loads(base64.urlsafe_b64decode(text)) for text in seen[1:]] == [
        {"username": "me", "password": "secret", "serveraddress": "example.org"},
        {"identitytoken": "token", "serveraddress": "example.org"},
    ]


def test_a_pull_that_says_nothing_can_be_left(engine: LyingEngine) -> None:
    over = threading.Event()

    def stall(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + lines({"status": "Waiting", "id": "a"}))
        handler.wfile.flush()
        over.wait(20)

    engine.answers["/images/create"] = stall
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        pull(connect(engine.host), NAME, "", IMAGE.diff_ids, None, cancel, lambda _: None)
    over.set()
    assert time.monotonic() - begun < 0.8
