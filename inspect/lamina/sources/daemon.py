"""Images of a container engine that speaks Docker's API: Docker itself, Podman's service, and their like."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lamina.layers.index import LayerIndex
from lamina.model import Cancelled, ImageInfo, ImageSummary, LaminaError, LayerInfo, Progress
from lamina.shelf import Shelf, diff_key
from lamina.sources.base import Observer, ReadImage
from lamina.sources.catalogue import Found, entries
from lamina.sources.documents import is_digest, quoted
from lamina.sources.engine_store import StoredImage, find_image
from lamina.sources.export import ExportRaw
from lamina.sources.intake import Intake, Scanned
from lamina.sources.manifest import chain_ids, image_info, parse_config, platform_name
from lamina.sources.progress import Ticker
from lamina.sources.pump import answer
from lamina.sources.sockets import Address, connect, connection_error
from lamina.sources.store_reader import StoreContent, known_by, read_store
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
        shelf: what was read before; None: nothing.
    """

    def __init__(self, host: str | None = None, shelf: Shelf | None = None) -> None:
        self.label = f"engine {host}" if host else "engine"
        self._host = host
        self._connection: tuple[APIClient, Address] | None = None
        self._shelf = shelf or Shelf()
        self._no_store = bool(os.environ.get("LAMINA_NO_STORE"))

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        ticker = Ticker(progress, None, "asking the engine")
        rows = self._ask(lambda client: client.images(), cancel, ticker)
        return [_summary(row) for row in rows]

    def read(
        self,
        target: str | None,
        observer: Observer,
        cancel: threading.Event,
        *,
        verify: bool = False,  # noqa: ARG002  # the engine did on load, and an export is checked anyway
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`.

        The head is told at once, from what the engine says. Then the first way that is open is taken: what was read
        before; the engine's own disk, where this process may read that; the export, which is read as a stream, its
        layers in whatever order the engine sends them, each checked against its diff_id. The instructions of the
        result are those of the image's config, which are exact where the engine's own history has to be guessed at.
        """
        if not target:
            raise LaminaError("name an image of the engine: `lamina` alone lists them")
        ticker = Ticker(observer.progress, None, "asking the engine")
        inspected = self._ask(lambda client: client.inspect_image(target), cancel, ticker, target)
        kept = self._shelf.head(str(inspected.get("Id", "")))
        history = [] if kept else self._ask(lambda client: client.history(inspected["Id"]), cancel, ticker, target)
        info = _info(target, inspected, history)
        if kept is not None and [layer.diff_id for layer in kept.layers] == [layer.diff_id for layer in info.layers]:
            info = _renamed(kept, info)
        else:
            kept = None
        observer.head(info)
        ways = [self._from_store, self._export]
        if kept is not None:
            ways.insert(0, self._from_shelf)
        for way in ways:
            read = way(info, inspected, observer, cancel)
            if read is not None:
                return read
        raise LaminaError(f"no way to read {quoted(target)}")  # the export is never None

    def _from_shelf(
        self, info: ImageInfo, inspected: dict[str, Any], observer: Observer, cancel: threading.Event
    ) -> ReadImage | None:
        """The image if every layer of it was read before."""
        del inspected, cancel
        shelf = self._shelf
        keys = [shelf.find(known_by(layer)) for layer in info.layers]
        if None in keys:
            return None
        read = ReadImage(info, [None] * len(keys), keys=keys, shelf=shelf, way="from the cache")
        read.content = self._store_content(info)
        if read.find_model(observer):
            return read
        layers = [shelf.layer(key) for key in keys if key is not None]
        if None in layers:
            return None
        read.layers = layers
        if read.content is None and any(key is not None and key.startswith("store:") for key in keys):
            return None  # its contents can't be compared with those of the other kind
        for index, layer in enumerate(layers):
            if layer is not None:
                observer.layer(index, layer.facts)
        return read

    # -- the engine's own disk -------------------------------------------------------------------------------------

    def _stored(self, info: ImageInfo) -> StoredImage | None:
        client, address = self._connect()
        if not address.local or self._no_store:
            return None
        try:
            answered = answer(client.info)
        except Exception:  # noqa: BLE001  # whatever the client raises: the export tells what is wrong
            return None
        return find_image(answered, info.id, info.layers)

    def _store_content(self, info: ImageInfo) -> StoreContent | None:
        stored = self._stored(info)
        return None if stored is None else StoreContent(stored, info)

    def _from_store(
        self, info: ImageInfo, inspected: dict[str, Any], observer: Observer, cancel: threading.Event
    ) -> ReadImage | None:
        """The image from the engine's store, where this process may read that and everything in it is as expected."""
        del inspected
        stored = self._stored(info)
        if stored is None:
            return None
        try:
            config = parse_config(stored.config, "the config in the engine's store")
            exact = image_info(config, target=info.target, image_id=info.id, tags=info.tags)
            if [layer.diff_id for layer in exact.layers] != [layer.diff_id for layer in info.layers]:
                return None
            return read_store(stored, _renamed(exact, info), self._shelf, observer, cancel)
        except LaminaError:
            return None  # the export is the way that always works

    # -- the export ------------------------------------------------------------------------------------------------

    def _export(
        self, info: ImageInfo, inspected: dict[str, Any], observer: Observer, cancel: threading.Event
    ) -> ReadImage:
        client, address = self._connect()
        read = ReadImage(
            info,
            [None] * len(info.layers),
            keys=[None] * len(info.layers),
            shelf=self._shelf,
            way="from the engine's export",
        )
        layers = read.layers
        # The engine's figure is of the files, not of the tar around them: near enough for a bar.
        ticker = Ticker(
            observer.progress,
            inspected.get("Size") or None,
            "waiting for the engine",
            then=f"0 of {len(layers)} layers",
        )

        def layer_done(scanned: Scanned) -> None:
            if scanned.index is None:
                return
            for index, wanted in enumerate(info.layers):
                if wanted.diff_id == scanned.diff_id and layers[index] is None:
                    take(index, scanned.index)
            ticker.say(f"{sum(layer is not None for layer in layers)} of {len(layers)} layers")

        def take(index: int, layer: LayerIndex) -> None:
            key = diff_key(info.layers[index].diff_id)
            if self._shelf.find([key]) is None:
                self._shelf.put_layer(key, layer)
            layers[index], read.keys[index] = layer, key
            observer.layer(index, layer.facts)

        where = f"the export of {quoted(info.target)} by the engine at {address}"
        passage = Passage(Origin(where, lambda: ExportRaw(client, address, info.id, info.target)), layer_done)
        try:
            passage.run(ticker, cancel)
        except Cancelled:
            return read
        finally:
            passage.close()
        ticker.tick(now=True)
        found = _matching(passage.intake, info)
        for index in range(len(layers)):
            layer = passage.intake.bind(found, index)  # compares digests, also of what was told already
            if layers[index] is None:
                take(index, layer)
        read.info = _renamed(found.info, info)
        self._shelf.put_head(read.info)
        return read

    # -- asking ----------------------------------------------------------------------------------------------------

    def _connect(self) -> tuple[APIClient, Address]:
        if self._connection is None:
            self._connection = connect(self._host)
            self.label = f"engine {self._connection[1].url}"
        return self._connection

    def _ask(
        self,
        question: Callable[[Any], T],
        cancel: threading.Event | None,
        ticker: Ticker,
        target: str = "",
    ) -> T:
        from docker.errors import APIError, DockerException, NotFound
        from requests.exceptions import RequestException

        def call() -> T:
            client: Any
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
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
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
            for index, (diff_id, (by, created)) in enumerate(zip(diff_ids, steps, strict=True))
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
            kept = [row for row, dropped in zip(rows, drop, strict=True) if not dropped]
            return [(by, _time(when) if isinstance(when, int) else None) for by, when, _ in kept]
    return [("", None)] * count
