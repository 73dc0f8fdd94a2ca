"""Questions to a container engine's API, and their answers: bounded, parsed, and of the type they should be.

An engine is as strange to us as an archive is: a tunnel, a proxy or another program may sit at its socket.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lamina.model import LaminaError
from lamina.sources.engine.address import Address
from lamina.sources.engine.answers import Changed, changes_of
from lamina.sources.engine.faults import connection_error
from lamina.sources.http_body import IDENTITY, document_of, json_of, message_of
from lamina.sources.json_checks import kind_of, list_of, object_of, quoted

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

OLDEST = (1, 24)
"""The API of Docker 1.12: older engines don't tell the layers of an image."""

NEWEST = (1, 51)
"""What was tried; a newer engine still speaks it."""


class Refused(LaminaError):
    """The engine answered with an error."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status
        """The HTTP status."""


class NotThere(Exception):
    """What was asked for is not there, or no longer."""


class EngineClient:
    """A connection to an engine that answered.

    Args:
        session: docker-py's client: the way to a socket, a port with TLS, or through ssh.
        address: for errors.

    Raises:
        LaminaError: no engine answers there, or one that is too old.
    """

    def __init__(self, session: APIClient, address: Address) -> None:
        self._session: Any = session
        self.address = address
        self._prefix = ""
        self._prefix = f"/v{self._negotiated()}"

    def _negotiated(self) -> str:
        what = f"/version of the engine at {self.address}"
        told = object_of(self._json("/version", what), what, "the answer").get("ApiVersion")
        found = re.fullmatch(r"(\d{1,3})\.(\d{1,4})", told) if isinstance(told, str) else None
        if found is None:
            raise LaminaError(f"{what}: no version of an API, so it is no container engine")
        version = (int(found[1]), int(found[2]))
        if version < OLDEST:
            raise LaminaError(f"the engine at {self.address} is too old: its API is {told}, 1.24 is needed")
        return "{}.{}".format(*min(version, NEWEST))

    # -- questions -----------------------------------------------------------------------------------------------

    def images(self) -> list[dict[str, Any]]:
        """All images, a row each."""
        return self._rows("/images/json")

    def image(self, name: str) -> dict[str, Any]:
        """What the engine says of one image: of a name, an ID, or the first digits of one."""
        missing = (
            f"no image {quoted(name)} in the engine at {self.address}: "
            f"`docker pull {quoted(name)}` fetches it, `lamina` lists what is there"
        )
        return self._object(f"/images/{_quote(name)}/json", missing)

    def history(self, name: str) -> list[dict[str, Any]]:
        """The steps that made an image, the newest first."""
        return self._rows(f"/images/{_quote(name)}/history")

    def containers(self, *, sizes: bool = False) -> list[dict[str, Any]]:
        """All containers, running or not, a row each; with ``sizes`` the engine looks into each, which takes long."""
        return self._rows("/containers/json?all=1" + ("&size=1" if sizes else ""), patient=sizes)

    def container(self, name: str) -> dict[str, Any]:
        """What the engine says of one container: of a name, an ID, or the first digits of one."""
        missing = (
            f"no container {quoted(name)} in the engine at {self.address}: "
            "`docker ps -a` lists what is there, `lamina` too"
        )
        return self._object(f"/containers/{_quote(name)}/json", missing)

    def changes(self, container: str) -> list[tuple[bytes, Changed]]:
        """What a container's read/write layer has other than its image: (absolute path, what became of it).

        Raises:
            LaminaError: the container is gone, or the engine can't be asked.
        """
        return changes_of(self._rows(f"/containers/{_quote(container)}/changes", patient=True))

    def archive(self, container: str, path: bytes) -> Response:
        """A tar of one path of a container, and of all below it, whose body is still to be read.

        Raises:
            NotThere: the path is not there, or the container is gone.
            LaminaError: the engine refuses, or can't be asked.
        """
        query = urllib.parse.quote_from_bytes(path, safe="/")
        try:
            return self.get(f"/containers/{_quote(container)}/archive?path={query}", missing="", patient=True)
        except Refused as refused:
            # A path of which a parent is no directory any more is an error of another number.
            if refused.status == 404 or "not a directory" in str(refused):
                raise NotThere from None
            raise

    def info(self) -> dict[str, Any]:
        """What the engine says of itself."""
        return self._object("/info")

    def ping(self) -> None:
        """Raises LaminaError where the engine is gone."""
        document_of(self.get("/_ping"), f"the engine at {self.address}")

    def export(self, image_id: str, name: str) -> Response:
        """The archive of an image, whose body is still to be read; it begins when the engine is ready."""
        return self.get(f"/images/{_quote(image_id)}/get", patient=True, refused=f"can't export {quoted(name)}")

    def pull(self, name: str, version: str, platform: str, headers: Mapping[str, str]) -> Response:
        """Pull an image: messages of how far it is, whose body is still to be read.

        Args:
            name: with the registry's host, without a version.
            version: a tag or a digest.
            platform: which of several; "": the engine's own.
            headers: who asks.
        """
        query = urllib.parse.urlencode(
            {"fromImage": name, "tag": version, **({"platform": platform} if platform else {})}
        )
        said = f"can't pull {quoted(name)}"
        return self.get(f"/images/create?{query}", method="POST", headers=headers, patient=True, refused=said)

    def search(self, term: str, limit: int) -> list[dict[str, Any]]:
        """Repositories that the engine finds in its registries, a row each."""
        return self._rows(f"/images/search?{urllib.parse.urlencode({'term': term, 'limit': limit})}", patient=True)

    def events(self) -> Response:
        """What happens to images and containers from now on, an object each; the body is endless."""
        filters = urllib.parse.quote('{"type":["image","container"]}')
        return self.get(f"/events?filters={filters}", patient=True, refused="tells of no events")

    # -- answers -------------------------------------------------------------------------------------------------

    def _rows(self, path: str, *, patient: bool = False) -> list[dict[str, Any]]:
        what = self._what(path)
        rows = list_of(self._json(path, what, patient=patient), what, "the answer")
        for row in rows:
            if not isinstance(row, dict):
                raise LaminaError(f"{what}: a list of objects was expected, not of {kind_of(row)}")
        return rows

    def _object(self, path: str, missing: str | None = None) -> dict[str, Any]:
        what = self._what(path)
        return object_of(self._json(path, what, missing), what, "the answer")

    def _what(self, path: str) -> str:
        return f"{quoted(urllib.parse.unquote(path.partition('?')[0]))} of the engine at {self.address}"

    def _json(self, path: str, what: str, missing: str | None = None, *, patient: bool = False) -> Any:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        response = self.get(path, missing=missing, patient=patient)
        try:
            return json_of(response, what)
        except (RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            raise connection_error(error, self.address) from None
        finally:
            response.close()

    def get(
        self,
        path: str,
        *,
        missing: str | None = None,
        refused: str = "refuses",
        patient: bool = False,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """An answer whose body is still to be read, and closed by the caller.

        Args:
            path: below the version, quoted.
            missing: the error's text where the engine says "not found"; None: what the engine says.
            refused: what the engine does in any other error.
            patient: whether the answer may take as long as it takes.
            method: of the request.
            headers: more of them.

        Raises:
            Refused: it is an error's.
            LaminaError: there is none.
        """
        from docker.errors import DockerException
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        options = {"timeout": None} if patient else {"timeout": self._session.timeout}
        try:
            response: Response = self._session.request(
                method,
                f"{self._session.base_url}{self._prefix}{path}",
                stream=True,
                headers={**IDENTITY, **(headers or {})},
                allow_redirects=False,
                # Else REQUESTS_CA_BUNDLE would stand in the place of the engine's own authority.
                verify=self._session.verify,
                **options,
            )
        except (DockerException, RequestException, HTTPError, OSError, ValueError, AttributeError) as error:
            raise connection_error(error, self.address) from None
        if response.status_code == 200:
            return response
        try:
            if response.status_code == 404 and missing is not None:
                raise Refused(missing, 404)
            said = f"the engine at {self.address} {refused}: {message_of(response)}"
            raise Refused(said, response.status_code)
        finally:
            response.close()


def _quote(name: str) -> str:
    return urllib.parse.quote(name, safe="/:@", errors="surrogateescape")
