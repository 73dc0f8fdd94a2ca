"""A socket before a real engine's that breaks on purpose: the engine itself answers, the way to it fails."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit


class Proxy:
    """Forwards every connection to an engine, until the engine has sent a number of bytes.

    Use as a context manager; ``host`` is the DOCKER_HOST to hand to the code under test.
    """

    def __init__(
        self, engine_host: str, socket_path: Path, *, after: int | None, then: Literal["cut", "stall"]
    ) -> None:
        """Listen.

        Args:
            engine_host: the real engine's DOCKER_HOST.
            socket_path: where the proxy's own socket is made.
            after: bytes of answers, summed over all connections, before it breaks; None never.
            then: ``cut`` closes all connections; ``stall`` keeps them open and sends nothing more.
        """
        self.host = f"unix://{socket_path}"
        self.broken = threading.Event()
        self._engine_host = engine_host
        self._left = after
        self._then = then
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(socket_path))
        self._listener.listen()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._close(self._listener)
        for each in list(self._open):
            self._close(each)
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _close(each: socket.socket) -> None:
        # A close alone does not wake a thread that waits in recv or accept; a shutdown does.
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

    def _connect(self) -> socket.socket:
        url = urlsplit(self._engine_host)
        if url.scheme == "unix":
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(url.path)
            return engine
        return socket.create_connection((url.hostname or "localhost", url.port or 2375))

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            engine = self._connect()
            self._open += (client, engine)
            self._start(self._forward, client, engine)
            self._start(self._answer, engine, client)

    def _forward(self, client: socket.socket, engine: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                engine.sendall(data)
        self._close(engine)

    def _answer(self, engine: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := engine.recv(65536):
                with self._lock:
                    if self._left is not None:
                        data = data[: self._left]
                        self._left -= len(data)
                        if self._left == 0:
                            self.broken.set()
                client.sendall(data)
                if self.broken.is_set():
                    if self._then == "stall":
                        self._over.wait()
                    break
        self._close(client)
