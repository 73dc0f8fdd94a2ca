"""An engine on another host, through the system's own ssh: its keys, agent, configuration and known hosts.

As the docker CLI does it: ``ssh HOST docker system dial-stdio`` carries one connection to the engine's socket. Nothing
is asked at the terminal: a host that wants a password, or that nobody vouched for yet, is an error.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import urllib.parse
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from lamina.model import LaminaError
from lamina.sources.json_checks import quoted

if TYPE_CHECKING:
    from docker import APIClient
    from requests import PreparedRequest

BASE = "http+ssh://engine"
"""What requests calls the engine: the way there is the adapter's."""
_CONNECT_TIMEOUT = 15
"""Seconds until ssh gives up to reach the host."""
_SAID = 4096
"""Bytes of what ssh complains that are kept."""


def ssh_command(url: str) -> list[str]:
    """How an engine at ``ssh://[user@]host[:port][/path/of/its.sock]`` is reached.

    Raises:
        LaminaError: the address is malformed, or could be taken for something else than a host.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, port, user = parts.hostname, parts.port, urllib.parse.unquote(parts.username or "")
    except ValueError:
        host = None
    # A host or user that begins with a hyphen would be an option of ssh's, and its configuration may hand both to a
    # shell.
    if (
        not host
        or not re.fullmatch(r"[A-Za-z0-9_.:][A-Za-z0-9_.:%-]*", host)
        or not re.fullmatch(r"([A-Za-z0-9_.][A-Za-z0-9_.@+-]*)?", user)
        or parts.password
    ):
        raise LaminaError(f"{quoted(url)} is no address of an engine: ssh://[USER@]HOST[:PORT] is (without a password)")
    at = parts.netloc.lower().rindex(host)
    host = parts.netloc[at : at + len(host)]  # as it is written: ssh's configuration tells Server from server
    path = "" if parts.path == "/" else parts.path
    if path and not re.fullmatch(r"[A-Za-z0-9_./@:+-]+", path):
        raise LaminaError(f"{quoted(url)} has a path that is none of a socket")
    command = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_TIMEOUT}"]
    command += ["-l", user] if user else []
    command += ["-p", str(port)] if port else []
    engine = ["docker", *(["--host", f"unix://{path}"] if path else []), "system", "dial-stdio"]
    return [*command, "--", host, *engine]


class SshAdapter(HTTPAdapter):
    """Carries requests through ssh, a process for each connection.

    Args:
        url: see :func:`ssh_command`.
        timeout: seconds between two pieces of an answer.
    """

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__()
        self._pool = _Pool(ssh_command(url), timeout)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """See requests; the one pool there is."""
        return self._pool

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:  # noqa: ARG002  # no proxy leads through ssh
        """See requests."""
        return str(request.path_url)

    def close(self) -> None:
        """See requests."""
        super().close()
        self._pool.close()


def use_ssh(session: APIClient, url: str, timeout: float) -> None:
    """Let a client of docker-py reach its engine through ssh.

    Raises:
        LaminaError: the address is malformed.
    """
    client: Any = session
    client.mount("http+ssh://", SshAdapter(url, timeout))
    client.base_url = BASE


class _Pool(HTTPConnectionPool):
    def __init__(self, command: list[str], timeout: float) -> None:
        super().__init__("engine", timeout=timeout, maxsize=4)
        self._command = command

    def _new_conn(self) -> HTTPConnection:
        return _Connection(self._command, self.timeout)


class _Connection(HTTPConnection):
    """One connection: a pair of sockets, the other end of which ssh has as its input and output."""

    def __init__(self, command: list[str], timeout: Any) -> None:
        super().__init__("engine", timeout=timeout)
        self._command = command
        self._ssh: subprocess.Popen[bytes] | None = None
        self._complaints = _Complaints()  # urllib3 closes the connection before it tells

    def connect(self) -> None:
        """Start ssh; whether it gets through shows when something is asked."""
        ours, its = socket.socketpair()
        try:
            self._ssh = subprocess.Popen(  # noqa: S603  # no shell, and no option from outside: see ssh_command
                self._command,
                stdin=its.fileno(),
                stdout=its.fileno(),
                stderr=subprocess.PIPE,
                # A session of its own has no terminal to ask at, and gets no interrupt that is meant for us.
                start_new_session=True,
                env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            )
        except OSError as error:
            ours.close()
            raise _SshError(f"ssh can't be started: {error.strerror}") from None
        finally:
            its.close()
        self._complaints = _Complaints()
        self._complaints.listen(self._ssh)
        ours.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
        self.sock = ours

    def getresponse(self) -> Any:
        """See urllib3; where the connection ended, what ssh complained."""
        try:
            return super().getresponse()
        except (OSError, HTTPException) as error:
            raise self._fault(error) from None

    def request(self, *args: Any, **options: Any) -> None:
        """See urllib3."""
        try:
            super().request(*args, **options)
        except ConnectionError as error:
            raise self._fault(error) from None

    def _fault(self, error: BaseException) -> BaseException:
        said = self._complaints.text()
        return _SshError(said) if said else error

    def close(self) -> None:
        """Close the connection and end ssh."""
        super().close()
        ssh, self._ssh = self._ssh, None
        if ssh is not None:
            ssh.terminate()
            # Its parent's death must not wait for it, nor must it stay a zombie.
            threading.Thread(target=ssh.wait, daemon=True).start()


class _SshError(OSError):
    """What ssh says, in words that help."""

    def __init__(self, said: str) -> None:
        super().__init__(0, said)


class _Complaints:
    """What a process writes to its standard error, the last of it."""

    def __init__(self) -> None:
        self._data = b""
        self._done = threading.Event()
        """The process has closed it, which it does when it ends."""

    def listen(self, process: subprocess.Popen[bytes]) -> None:
        def read() -> None:
            assert process.stderr is not None
            with process.stderr as stream:
                while chunk := os.read(stream.fileno(), 1024):
                    self._data = (self._data + chunk)[-_SAID:]
            self._done.set()

        threading.Thread(target=read, name="lamina-ssh", daemon=True).start()

    def text(self) -> str:
        """One line; empty where it said nothing."""
        self._done.wait(1)  # longer where it left a child behind, which is no reason to say nothing
        lines = [line.strip() for line in self._data.decode("utf-8", "replace").splitlines() if line.strip()]
        text = " ".join(lines)
        for mark, words in _WORDS:
            if mark in text:
                return words
        return lines[-1] if lines else ""


_WORDS = (
    ("Host key verification failed", "ssh does not know the host's key: connect once by hand (`ssh HOST`)"),
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "the host's key has changed, and ssh refuses it"),
    (
        "Permission denied",
        "ssh can't log in without asking: set up a key or an agent (`ssh HOST true` must ask nothing)",
    ),
    ("Could not resolve hostname", "ssh finds no such host"),
    ("Connection refused", "nobody answers ssh there"),
    ("Connection timed out", "the host does not answer ssh"),
    ("docker: command not found", "the host has no docker command, through which ssh reaches its engine"),
    ("docker: not found", "the host has no docker command, through which ssh reaches its engine"),
)
