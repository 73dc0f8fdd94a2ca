"""An engine whose answers are whatever a test says: what no real engine can be made to answer."""

from __future__ import annotations

import http.server
import json
import re
import socketserver
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from builders import Image, old_docker, pack, sample_image

Answer = bytes | Callable[[Any], None]
"""A body, or what to do with the request's handler instead."""

NAME = "app:1"
IMAGE = sample_image(NAME)


def truth(image: Image = IMAGE) -> dict[str, Any]:
    """What an honest engine answers about one image and one container of it, by the path asked for."""
    image_id = image.id
    return {
        "/version": {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10"},
        "/info": {"DockerRootDir": "/nowhere", "Driver": "overlay2", "DriverStatus": [["Backing", "ext4"]]},
        "/images/json": [
            {
                "Id": image_id,
                "RepoTags": [NAME],
                "RepoDigests": ["app@sha256:" + "1" * 64],
                "Created": 1_700_000_000,
                "Size": 11,
                "Labels": {"a": "b"},
            }
        ],
        "/images/NAME/json": {
            "Id": image_id,
            "RepoTags": [NAME],
            "RepoDigests": ["app@sha256:" + "1" * 64],
            "Created": "2024-01-02T03:04:05Z",
            "Size": 11,
            "Os": "linux",
            "Architecture": "amd64",
            "Variant": "",
            "Config": {"Cmd": ["true"], "Env": ["A=1"], "Labels": {"a": "b"}},
            "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
        },
        "/images/NAME/history": [
            {"Id": image_id, "Created": 1_700_000_000, "CreatedBy": "RUN b", "Size": 10, "Tags": [NAME]},
            {"Id": "<missing>", "Created": 1_700_000_000, "CreatedBy": "RUN a", "Size": 1, "Tags": None},
        ],
        "/containers/json": [{"Id": "c" * 64, "ImageID": image_id, "Names": ["/c"], "State": "running"}],
    }


class LyingEngine:
    """Listens on a socket of its own; use as a context manager. ``host`` is its DOCKER_HOST."""

    def __init__(self, answers: Mapping[str, Any] | None = None, image: Image = IMAGE) -> None:
        """Args:
        answers: by path, over those of :func:`truth`: a value to be written as JSON, bytes as they are, or what to
            do instead.
        """
        self.answers: dict[str, Any] = {**truth(image), "/_ping": b"OK", **(answers or {})}
        self.answers.setdefault("/images/NAME/get", pack(old_docker(image)))
        self._folder = tempfile.TemporaryDirectory(prefix="lamina-")
        path = Path(self._folder.name, "e.sock")
        self.host = f"unix://{path}"
        self._server = _Server(str(path), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side may leave at any moment."""


def _handler(engine: LyingEngine) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = re.sub(r"^/v1\.\d+", "", self.path.partition("?")[0])
            path = re.sub(r"^/images/.+/(json|history|get)$", r"/images/NAME/\1", path)
            answer = engine.answers.get(path)
            if callable(answer):
                self.close_connection = True
                answer(self)
                return
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200 if path in engine.answers else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # http.server's own name

        def log_message(self, *_: Any) -> None:
            """Tests are silent."""

        def address_string(self) -> str:
            return "socket"

    return Handler
