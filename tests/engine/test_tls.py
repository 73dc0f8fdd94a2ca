"""A real engine behind TLS that wants a certificate: by the docker CLI's variables, and by a context of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.tools import lamina, run
from needs import tool


def certificates(folder: Path) -> None:
    """An authority, and a certificate of its for the engine and one for us: ``ca.pem``, ``cert.pem``, ``key.pem``."""
    openssl, quick = tool("openssl"), ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run(openssl, "req", "-x509", *quick, "-subj", "/CN=ca", "-keyout", folder / "ca-key.pem", "-out", folder / "ca.pem")
    for name, prefix in (("engine", "engine-"), ("us", "")):
        key, request, signed = (folder / f"{prefix}{part}.pem" for part in ("key", "req", "cert"))
        run(
            *(openssl, "req", *quick, "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", key, "-out", request),
        )
        run(
            *(openssl, "x509", "-req", "-in", request, "-CA", folder / "ca.pem", "-CAkey", folder / "ca-key.pem"),
            *("-copy_extensions", "copy", "-out", signed),
        )


@pytest.fixture
def guarded(tmp_path: Path, built: str) -> Iterator[str]:
    """TLS in front of the tests' engine; answers ``127.0.0.1:PORT``."""
    certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "engine-cert.pem", tmp_path / "engine-key.pem")
    context.load_verify_locations(tmp_path / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, context, built.removeprefix("unix://")), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, context: ssl.SSLContext, engine: str) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(plain, context, engine), daemon=True).start()


def _carry(plain: socket.socket, context: ssl.SSLContext, engine: str) -> None:
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(plain, server_side=True) as client,
        socket.socket(socket.AF_UNIX) as server,
    ):
        server.connect(engine)
        back = threading.Thread(target=_pass, args=(server, client), daemon=True)
        back.start()
        _pass(client, server)
        server.shutdown(socket.SHUT_WR)
        back.join(20)


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def test_an_engine_that_wants_a_certificate(
    guarded: str, built: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = json.loads(lamina("shared", "--json", host=built).out)
    ended = lamina("shared", "--json", host=f"tcp://{guarded}")
    assert ended.code == 3

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    pairs = ",".join(f"{name}={tmp_path}/{name}.pem" for name in ("ca", "cert", "key"))
    environment = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    run(tool("docker"), "context", "create", "safe", "--docker", f"host=tcp://{guarded},{pairs}", env=environment)
    ended = lamina("shared", "--json", "--context", "safe", host="")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == expected

    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    ended = lamina("shared", "--json", host=f"tcp://{guarded}")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == expected

    (tmp_path / "ca.pem").write_text((tmp_path / "cert.pem").read_text())
    ended = lamina("shared", "--json", host=f"tcp://{guarded}")
    assert ended.code == 3
    assert "certificate" in ended.line.lower()
