"""A registry on loopback that says what a test wants: what no real one can be made to say."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

from builders import OCI, Image, compress, sha256

Handler = http.server.BaseHTTPRequestHandler
Answer = Callable[[Handler], bool]
"""Answers a request, or lets the honest answer be given (False)."""


def raw(data: bytes) -> Answer:
    """Writes bytes in place of an answer, and closes."""

    def answer(handler: Handler) -> bool:
        handler.close_connection = True
        handler.wfile.write(data)
        return True

    return answer


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer of another status; underscores in headers' names stand for hyphens."""

    def answer(handler: Handler) -> bool:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return answer


class LyingRegistry:
    """Has one image as ``app:1``; use as a context manager.

    ``stored`` has the image's layers as blobs, with annotations; else they are packed. ``instead`` has answers by path,
    each used once and then the next, the last for ever; ``asked`` the requests, as (path, Authorization, Range).
    """

    def __init__(
        self, image: Image, *, ranges: bool = True, stored: Sequence[tuple[bytes, dict[str, str]]] | None = None
    ) -> None:
        self.blobs: dict[str, bytes] = {}
        config = image.config
        stored = stored or [(compress(data, "gzip"), {}) for data in image.layers]
        layers = [data for data, _ in stored]
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{OCI}.manifest.v1+json",
                "config": self._put(config, f"{OCI}.config.v1+json"),
                "layers": [
                    {**self._put(data, f"{OCI}.layer.v1.tar+gzip"), "annotations": annotations}
                    for data, annotations in stored
                ],
            }
        ).encode()
        self.layers = [sha256(data) for data in layers]
        self.config = sha256(config)
        self.instead: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self._ranges = ranges
        self._sent = 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def sent(self) -> int:
        """Bytes of layers that went out."""
        return self._sent

    def _put(self, data: bytes, media_type: str) -> dict[str, Any]:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    @property
    def target(self) -> str:
        return f"docker://{self.host}/app:1"

    def paths(self, kind: str) -> list[str]:
        """What was asked for of a kind: ``blobs``."""
        return [path for path, _, _ in self.asked if f"/{kind}/" in path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(registry) -> type[Handler]:  # noqa: N805  # the handler's own self stands below
        class Answering(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # noqa: N802  # http.server's own name
                path = self.path
                registry.asked.append((path, self.headers.get("Authorization", ""), self.headers.get("Range", "")))
                lies = registry.instead.get(path.partition("?")[0].removeprefix("/v2/app/"))
                if lies and (lies.pop(0) if len(lies) > 1 else lies[0])(self):
                    return
                if path == "/v2/app/manifests/1" or path.endswith(sha256(registry.manifest)):
                    status(200, registry.manifest)(self)
                    return
                data = registry.blobs.get(path.removeprefix("/v2/app/blobs/"))
                if data is None:
                    body = b'{"errors": [{"code": "NOT_FOUND", "message": "not known here"}]}'
                    status(404, body)(self)
                    return
                wanted = self.headers.get("Range", "")
                if wanted and registry._ranges:
                    first, _, last = wanted.removeprefix("bytes=").partition("-")
                    start, end = int(first), int(last or len(data) - 1) + 1
                    place = f"bytes {start}-{end - 1}/{len(data)}"
                    status(206, data[start:end], Content_Range=place)(self)
                    registry._sent += len(data[start:end])
                    return
                status(200, data)(self)
                if path.removeprefix("/v2/app/blobs/") in registry.layers:
                    registry._sent += len(data)

            do_POST = do_GET  # noqa: N815  # http.server's own name

            def log_message(self, *_: Any) -> None:
                """Tests are silent."""

        return Answering
