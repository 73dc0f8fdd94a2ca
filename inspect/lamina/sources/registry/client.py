"""Questions to one repository of a registry: the OCI distribution API over requests.

Credentials go to the registry and to the token server that it names, never along with a redirect. What fails for a
moment is asked again a few times; nothing here is written to the registry.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
import warnings
from typing import TYPE_CHECKING, Any

from lamina.model import Cancelled, LaminaError
from lamina.sources.http_body import IDENTITY, json_of, message_of
from lamina.sources.json_checks import object_of, quoted
from lamina.sources.registry.credentials import Credentials, credentials_for
from lamina.sources.registry.reference import Reference, is_loopback

if TYPE_CHECKING:
    from requests import Response

_TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and between two pieces of an answer."""
_TRIES = 4
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0
_REDIRECTS = 5
_CHALLENGE = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)


class Unavailable(LaminaError):
    """The registry can't be used, denies, or wants to be left alone: the next question would fare no better."""


class RegistryClient:
    """Asks about one repository.

    Args:
        reference: names it.
        insecure: whether it may be asked without TLS, or with a certificate that nobody vouches for.
    """

    def __init__(self, reference: Reference, *, insecure: bool = False) -> None:
        from requests import Session

        if insecure:  # the user said so, and need not be told for every question
            from urllib3.exceptions import InsecureRequestWarning

            warnings.filterwarnings("ignore", category=InsecureRequestWarning)
        self.reference = reference
        self._insecure = insecure
        self._session = Session()
        self._scheme = ""
        self._authorization = ""
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return f"the registry {self.reference.host}"

    def get(
        self,
        path: str,
        cancel: threading.Event,
        *,
        accept: str = "",
        start: int = 0,
        end: int | None = None,
        missing: str = "",
    ) -> Response:
        """An answer whose body is still to be read, and closed by the caller.

        Args:
            path: below the repository: ``manifests/1.0``, ``blobs/sha256:…``; from a slash on: below the host.
            cancel: ends the waiting.
            accept: media types.
            start: the first byte that is wanted; above 0 the answer is of that range, of all, or an error.
            end: the byte behind the last that is wanted; None: all from ``start`` on.
            missing: what is not there, for the error.

        Raises:
            LaminaError: it is not there, is denied, or the registry can't be asked; one line.
            Cancelled: ``cancel`` was set.
        """
        headers = dict(IDENTITY)
        if accept:
            headers["Accept"] = accept
        if start:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if not path.startswith("/"):
            path = f"/v2/{self.reference.repository}/{path}"
        pause = _FIRST_PAUSE
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                response = self._ask(path, headers)
            except _Again as error:
                if last:
                    raise Unavailable(str(error)) from None
            else:
                if response.status_code in (200, 206):
                    return response
                wait = _retry_after(response)
                if last or not (response.status_code >= 500 or (response.status_code == 429 and wait is not None)):
                    raise self._refused(response, missing)
                response.close()
                pause = pause if wait is None else max(pause, wait)
            if cancel.wait(pause):
                raise Cancelled
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("the last try returns or raises")

    # -- one question ----------------------------------------------------------------------------------------------

    def _ask(self, path: str, headers: dict[str, str]) -> Response:
        """One answer, authorised and led to where it is."""
        url = self._base() + path
        used = self._authorization
        response = self._send(url, {**headers, **self._auth()})
        if response.status_code == 401:
            challenge = response.headers.get("WWW-Authenticate", "")
            response.close()
            self._authorise(challenge, used)
            response = self._send(url, {**headers, **self._auth()})
        return self._follow(response, headers)

    def _follow(self, response: Response, headers: dict[str, str]) -> Response:
        """The answer that redirects lead to: a registry may keep its blobs with somebody else."""
        url = str(response.url)
        for _ in range(_REDIRECTS):
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            place = response.headers.get("Location", "")
            response.close()
            before, url = url, urllib.parse.urljoin(url, place)
            same = urllib.parse.urlsplit(before)[:2] == urllib.parse.urlsplit(url)[:2]
            self._check(url)
            response = self._send(url, {**headers, **(self._auth() if same else {})})
        response.close()
        raise Unavailable(f"{self} redirects without end")

    def _check(self, url: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise Unavailable(f"{self} leads to {quoted(url.partition('?')[0])}, which is no address") from None
        # The host alone: before an @ may stand whatever one likes.
        plain = parts.scheme == "http" and (self._insecure or is_loopback(f"[{host}]" if ":" in host else host))
        if parts.scheme != "https" and not plain:
            raise LaminaError(f"{self} leads to {quoted(url.partition('?')[0])}, which is not https")

    def _send(self, url: str, headers: dict[str, str], **options: Any) -> Response:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            return self._session.request(
                options.pop("method", "GET"),
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=_TIMEOUT,
                auth=_no_netrc,
                verify=False if self._insecure else None,
                **options,
            )
        except (RequestException, HTTPError, OSError, ValueError) as error:
            raise _Again(self.fault(error)) from None

    def fault(self, error: BaseException) -> str:
        """What broke the connection, on one line."""
        text = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return (
                f"{self} has a certificate that nobody here vouches for: name its authority with REQUESTS_CA_BUNDLE, "
                f"or say --insecure-registry {self.reference.host}"
            )
        known = (
            ("Name or service not known", "there is no such host"),
            ("Temporary failure in name resolution", "its name can't be looked up: no network?"),
            ("Connection refused", "nobody answers there"),
            ("Network is unreachable", "no network leads there"),
            ("timed out", "it gives no answer"),
        )
        said = next((words for mark, words in known if mark in text), "") or quoted(text.rpartition(": ")[2])
        return f"{self} can't be used: {said or type(error).__name__}"

    def _base(self) -> str:
        """Where the API is: by TLS, unless it is on this machine, or said to be insecure, and speaks none."""
        with self._lock:
            if not self._scheme:
                self._scheme = self._speaks()
            return f"{self._scheme}://{self.reference.api}"

    def _speaks(self) -> str:
        if not (self._insecure or self.reference.loopback):
            return "https"
        try:
            self._send(f"https://{self.reference.api}/v2/", {}).close()
        except _Again as error:
            if "certificate" in str(error):
                raise
            return "http"
        return "https"

    # -- who asks --------------------------------------------------------------------------------------------------

    def _auth(self) -> dict[str, str]:
        return {"Authorization": self._authorization} if self._authorization else {}

    def _authorise(self, challenge: str, used: str) -> None:
        """Answer a registry that wants to know who asks (the distribution project's token specification)."""
        with self._lock:
            if self._authorization != used:
                return  # another thread was asked the same, and has answered
            credentials = credentials_for(self.reference.host)
            scheme = challenge.partition(" ")[0].lower()
            if scheme == "basic":
                if credentials is None:
                    raise self._denied("it wants a user and a password")
                self._authorization = credentials.basic
                return
            fields = {key.lower(): value for key, value in _CHALLENGE.findall(challenge)}
            if scheme != "bearer" or not fields.get("realm"):
                raise self._denied("it asks who we are in a way that is not known here")
            self._authorization = f"Bearer {self._token(fields, credentials)}"

    def _token(self, fields: dict[str, str], credentials: Credentials | None) -> str:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        realm = fields["realm"]
        self._check(realm)
        asked = {
            "service": fields.get("service", ""),
            "scope": fields.get("scope") or self._scope(),
        }
        if credentials is not None and credentials.token:
            form = {**asked, "grant_type": "refresh_token", "refresh_token": credentials.token, "client_id": "lamina"}
            response = self._send(realm, dict(IDENTITY), method="POST", data=form)
        else:
            headers = dict(IDENTITY)
            if credentials is not None:
                headers["Authorization"] = credentials.basic
            response = self._send(realm, headers, params=asked)
        what = f"the token server of {self}"
        try:
            if response.status_code != 200:
                raise self._denied(f"its token server says: {message_of(response)}")
            told = object_of(json_of(response, what), what, "the answer")
        except (RequestException, HTTPError, OSError, AttributeError) as error:
            raise _Again(self.fault(error)) from None
        finally:
            response.close()
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise LaminaError(f"{what} gives no token")
        return token

    def _scope(self) -> str:
        return f"repository:{self.reference.repository}:pull" if self.reference.repository else "registry:catalog:*"

    # -- refusals --------------------------------------------------------------------------------------------------

    def _denied(self, why: str) -> LaminaError:
        what = quoted(self.reference.name) if self.reference.repository else "that"
        return Unavailable(f"{self} does not let us read {what}: {why} (`docker login {self.reference.host}`)")

    def _refused(self, response: Response, missing: str) -> LaminaError:
        try:
            said, status = message_of(response), response.status_code
        finally:
            response.close()
        if status in (401, 403):
            return self._denied(said)
        if status == 404:
            return LaminaError(f"no {missing or quoted(str(self.reference))} in {self}: {said}")
        if status == 429:
            wait = response.headers.get("Retry-After") or response.headers.get("RateLimit-Reset") or ""
            when = f"; it may be asked again in {quoted(wait)} seconds" if wait.isdecimal() else ""
            return Unavailable(f"{self} answers no more questions for now: {said}{when}")
        # What is wrong with one question may be right with the next.
        return (Unavailable if status >= 500 else LaminaError)(f"{self} refuses: {said}")


class _Again(LaminaError):
    """The connection failed, which may not last."""


def _no_netrc(request: Any) -> Any:
    """In place of a user and password that requests would look for by itself."""
    return request


def _retry_after(response: Response) -> float | None:
    """Seconds that a registry asks to wait, where that is not too long."""
    text = response.headers.get("Retry-After", "")
    seconds = float(text) if text.isdecimal() and len(text) < 6 else None
    return seconds if seconds is not None and seconds <= _LONGEST_PAUSE else None
