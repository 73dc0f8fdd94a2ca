"""A plain HTTP proxy before a registry that counts what is really served."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
"""Headers that are between two neighbours only, or that are written anew."""


class CountingProxy:
    """Forwards downloads to a registry. Use as a context manager; :attr:`address` is its own HOST:PORT.

    Args:
        registry: HOST:PORT of the registry.
    """

    def __init__(self, registry: str) -> None:
        self.blobs: Counter[str] = Counter()
        """Digest -> bytes of the body served under it, all requests together."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            default_request_version = "HTTP/1.0"  # whoever tries TLS first is to see that this is HTTP

            def do_GET(self) -> None:
                upstream = http.client.HTTPConnection(registry, timeout=30)
                try:
                    upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    # One by one: engines send several of a name, such as Accept, in any order.
                    for key, value in self.headers.items():
                        if key.lower() not in _HOP:
                            upstream.putheader(key, value)
                    upstream.endheaders()
                    answer = upstream.getresponse()
                    body = answer.read()
                    self.send_response_only(answer.status, answer.reason)
                    for key, value in answer.getheaders():
                        if key.lower() not in _HOP:
                            self.send_header(key, value)
                    length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
                    self.send_header("Content-Length", length or "0")
                    # Counted before the last byte goes: whoever has the answer finds it counted.
                    kind, _, digest = self.path.partition("/blobs/")
                    if digest and kind:
                        proxy.blobs[digest] += len(body)
                    self.end_headers()
                    self.wfile.write(body)
                finally:
                    upstream.close()

            do_HEAD = do_GET  # noqa: N815 - http.server's own name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def taken(self) -> Counter[str]:
        """What was served since the last call."""
        served, self.blobs = self.blobs, Counter()
        return served
