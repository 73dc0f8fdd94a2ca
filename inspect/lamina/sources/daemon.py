"""Images of a container engine that speaks Docker's API: Docker itself, Podman's service, and their like."""

from __future__ import annotations

import dataclasses
import datetime
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lamina.layers.index import LayerIndex
from lamina.model import Cancelled, ImageInfo, ImageSummary, LaminaError, LayerInfo, Progress
from lamina.sources.base import Observer, ReadImage
from lamina.sources.catalogue import Found, entries
from lamina.sources.export import ExportRaw
from lamina.sources.intake import Intake, Scanned
from lamina.sources.manifest import chain_ids, is_digest, platform_name, quoted
from lamina.sources.progress import Ticker
from lamina.sources.pump import answer
from lamina.sources.sockets import Address, connect, connection_error
from lamina.sources.stream import Origin, Passage

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")

_SETTINGS = re.compile(
    r"(?:/bin/sh -c )?(?:#\(nop\)\s*)?"
    r"(?:CMD|ENTRYPOINT|ENV|LABEL|EXPOSE|USER|ARG|VOLUME|MAINTAINER|HEALTHCHECK|STOPSIGNAL|SHELL|ONBUILD)\b"
)


class EngineSource:
    """The images of one engine.

    Args:
        host: where it listens; None: by the docker CLI's rules (see :mod:`lamina.sources.sockets`).
    """

    def __init__(self, host: str | None = None) -> None:
        self.label = f"engine {host}" if host else "engine"
        self._host = host
        self._connection: tuple[APIClient, Address] | None = None
        self._images: dict[str, ReadImage] = {}
        self._layers: dict[str, LayerIndex] = {}

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        ticker = Ticker(progress, None, "asking the engine")
        rows = self._ask(lambda client: client.images(), cancel, ticker)
        return [_summary(row) for row in rows]

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`.

        The head is told at once, from what the engine says; the export is read as a stream, its layers in whatever
        order the engine sends them, each checked against its diff_id. The instructions of the result are those of
        the exported config, which are exact where the engine's own history has to be guessed at.
        """
        if not target:
            raise LaminaError("name an image of the engine: `lamina` alone lists them")
        ticker = Ticker(observer.progress, None, "asking the engine")
        inspected = self._ask(lambda client: client.inspect_image(target), cancel, ticker, target)
        history = self._ask(lambda client: client.history(inspected["Id"]), cancel, ticker, target)
        info = _info(target, inspected, history)
        observer.head(info)
        read = self._images.get(info.id)
        if read is None:
            read = self._export(info, inspected, observer, cancel)
        else:
            read = dataclasses.replace(read, info=_renamed(read.info, info))
            for index, layer in enumerate(read.layers):
                if layer is not None:
                    observer.layer(index, layer)
        return read

    def _export(
        self, info: ImageInfo, inspected: dict[str, Any], observer: Observer, cancel: threading.Event
    ) -> ReadImage:
        client, address = self._connect()
        layers: list[LayerIndex | None] = [None] * len(info.layers)
        # The engine's figure is of the files, not of the tar around them: near enough for a bar.
        ticker = Ticker(observer.progress, inspected.get("Size") or None, "waiting for the engine")

        def layer_done(scanned: Scanned) -> None:
            if scanned.index is None:
                return
            layer = self._layers.setdefault(scanned.diff_id, scanned.index)
            for index, wanted in enumerate(info.layers):
                if wanted.diff_id == scanned.diff_id and layers[index] is None:
                    layers[index] = layer
                    observer.layer(index, layer)
            ticker.what = f"{sum(layer is not None for layer in layers)} of {len(layers)} layers"

        where = f"the export of {quoted(info.target)} by the engine at {address}"
        passage = Passage(Origin(where, lambda: ExportRaw(client, address, info.id)), layer_done)
        try:
            passage.run(ticker, cancel)
        except Cancelled:
            return ReadImage(info, layers)
        finally:
            passage.close()
        ticker.tick(now=True)
        found = _matching(passage.intake, info)
        for index in range(len(layers)):
            if layers[index] is None:
                layers[index] = passage.intake.bind(found, index)
                observer.layer(index, layers[index])
        read = ReadImage(_renamed(found.info, info), layers)
        self._images[info.id] = read
        return read

    # -- asking ----------------------------------------------------------------------------------------------------

    def _connect(self) -> tuple[APIClient, Address]:
        if self._connection is None:
            self._connection = connect(self._host)
            self.label = f"engine {self._connection[1].url}"
        return self._connection

    def _ask(
        self,
        question: Callable[[APIClient], T],
        cancel: threading.Event | None,
        ticker: Ticker,
        target: str = "",
    ) -> T:
        from docker.errors import APIError, DockerException, NotFound
        from requests.exceptions import RequestException

        def call() -> T:
            client, address = self._connect()
            try:
                return question(client)
            except NotFound:
                raise LaminaError(
                    f"no image {quoted(target)} in the engine at {address}: "
                    f"`docker pull {quoted(target)}` fetches it, `lamina` lists what is there"
                ) from None
            except APIError as error:
                said = error.explanation if isinstance(error.explanation, str) else str(error)
                raise LaminaError(f"the engine at {address} refuses: {quoted(said.strip())}") from None
            except (DockerException, RequestException, OSError, ValueError) as error:
                raise connection_error(error, address) from None

        return answer(call, cancel, ticker.tick)


def _matching(intake: Intake, info: ImageInfo) -> Found:
    """The exported image that has the layers the engine told of.

    Several platforms may come, and an Id that is not the config's digest: the layers decide.
    """
    wanted = [layer.diff_id for layer in info.layers]
    error: LaminaError | None = None
    for entry in entries(intake):
        try:
            found = entry.open()
        except LaminaError as broken:
            error = error or broken
            continue
        if [layer.diff_id for layer in found.info.layers] == wanted:
            return found
    raise error or LaminaError(f"{intake.where} has other layers than the engine says the image has")


def _renamed(info: ImageInfo, names: ImageInfo) -> ImageInfo:
    """The exported image under the names that the engine knows it by: an export by ID has lost them."""
    return dataclasses.replace(
        info,
        target=names.target,
        id=names.id,
        tags=names.tags,
        digests=names.digests,
        platform=names.platform,
    )


# -- the engine's answers ------------------------------------------------------------------------------------------


def _names(values: Any) -> tuple[str, ...]:
    """Tags or digests without the engine's word for having none."""
    return tuple(name for name in values or () if isinstance(name, str) and "<none>" not in name)


def _summary(row: dict[str, Any]) -> ImageSummary:
    tags, id_ = _names(row.get("RepoTags")), str(row.get("Id", ""))
    created, size = row.get("Created"), row.get("Size")
    return ImageSummary(
        target=tags[0] if tags else id_,
        id=id_,
        tags=tags,
        digests=_names(row.get("RepoDigests")),
        created=_time(created) if isinstance(created, int) else None,
        size=size if isinstance(size, int) and size >= 0 else None,
    )


def _time(seconds: int) -> str | None:
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _info(target: str, inspected: dict[str, Any], history: Sequence[dict[str, Any]]) -> ImageInfo:
    """What the engine says of an image, before anything of it is read."""
    diff_ids = (inspected.get("RootFS") or {}).get("Layers") or []
    if not all(is_digest(diff_id) for diff_id in diff_ids):
        raise LaminaError(f"the engine tells no digests of the layers of {quoted(target)}")
    chain = chain_ids(diff_ids)
    steps = line_up(history, len(diff_ids))
    keys = ("Os", "Architecture", "Variant")
    return ImageInfo(
        target=target,
        id=str(inspected.get("Id", "")),
        layers=tuple(
            LayerInfo(index=index, diff_id=diff_id, chain_id=chain[index], instruction=by, created=created)
            for index, (diff_id, (by, created)) in enumerate(zip(diff_ids, steps))
        ),
        tags=_names(inspected.get("RepoTags")),
        digests=_names(inspected.get("RepoDigests")),
        platform=platform_name({key.lower(): inspected.get(key) for key in keys}, "the engine's answer"),
        created=inspected.get("Created") or None,
        config={"config": inspected.get("Config") or {}},
    )


def line_up(history: Sequence[dict[str, Any]], count: int) -> list[tuple[str, str | None]]:
    """``(created_by, created)`` for each layer, from the history that an engine's API gives.

    Unlike the config's, these rows (newest first) don't tell which of them made a layer. Rows with a size did; of the
    others those that only change settings go first, then all without a size. Where that doesn't come out even,
    nothing is said: a wrong instruction beside a layer is worse than none.
    """
    rows = [(str(r.get("CreatedBy") or ""), r.get("Created"), r.get("Size")) for r in reversed(history)]
    settings = [not size and _SETTINGS.match(by) is not None for by, _, size in rows]
    sizeless = [not size for _, _, size in rows]
    for drop in ([False] * len(rows), settings, sizeless):
        if len(rows) - sum(drop) == count:
            kept = [row for row, dropped in zip(rows, drop) if not dropped]
            return [(by, _time(when) if isinstance(when, int) else None) for by, when, _ in kept]
    return [("", None)] * count
