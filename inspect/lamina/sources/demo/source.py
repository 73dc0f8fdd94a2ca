"""Built-in sample images: a first look at lamina that needs no engine, no network and no file."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lamina.layers.index import LayerIndex
from lamina.layers.layer_reader import LayerReader, TarLayerReader
from lamina.layers.read import scan_stream
from lamina.layers.tar_bytes import ForwardTar
from lamina.model import Cancelled, ImageInfo, ImageSummary, KnownImage, LaminaError, Progress
from lamina.names import same_reference
from lamina.sources.base import Observer, ReadImage
from lamina.sources.demo.images import Sample, Step, samples
from lamina.sources.demo.layer_writer import LayerWriter
from lamina.sources.json_checks import quoted, sha256
from lamina.sources.manifest import image_info, parse_config
from lamina.sources.progress import Ticker

_CHUNK = 1 << 20


class DemoSource:
    """The sample images: made when first asked for, and read as any other image is."""

    def __init__(self) -> None:
        self.label = "demo"
        self._images: tuple[ImageInfo, ...] = ()
        self._tars: dict[str, bytes] = {}
        self._layers: dict[str, LayerIndex] = {}

    def list(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # it takes no time that anybody would cancel
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        return [
            ImageSummary(
                target=info.target,
                id=info.id,
                tags=info.tags,
                created=info.created,
                size=sum(self._index(layer.diff_id).facts.size for layer in info.layers),
                layers=len(info.layers),
            )
            for info in self._made()
        ]

    @property
    def remark(self) -> str:
        """The samples are images all."""
        return ""

    @property
    def knows_sizes(self) -> bool:
        """They are made here."""
        return True

    def known_images(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # it takes no time that anybody would cancel
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`."""
        return [
            KnownImage(summary, info.layers, tuple(self._index(layer.diff_id).facts.size for layer in info.layers))
            for summary, info in zip(self.list(), self._made(), strict=True)
        ]

    def read(
        self,
        target: str | None,
        observer: Observer,
        cancel: threading.Event,
        *,
        verify: bool = False,  # noqa: ARG002  # always
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`."""
        info = self._choose(target)
        observer.head(info)
        layers: list[LayerIndex | None] = [None] * len(info.layers)
        total = sum(len(self._tars[layer.diff_id]) for layer in info.layers)
        ticker = Ticker(observer.progress, total, "sample image")
        for layer in info.layers:
            try:
                index = self._index(layer.diff_id, cancel, ticker.advance)
            except Cancelled:
                break
            layers[layer.index] = index
            observer.layer(layer.index, index.facts)
        return ReadImage(info, layers, files=_Files([self._tars[layer.diff_id] for layer in info.layers]))

    def _index(
        self,
        diff_id: str,
        cancel: threading.Event | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> LayerIndex:
        if diff_id not in self._layers:
            self._layers[diff_id] = scan_stream(
                _chunks(self._tars[diff_id]),
                where=f"layer {diff_id} of the sample images",
                diff_id=diff_id,
                cancel=cancel or threading.Event(),
                advance=advance,
            )
        return self._layers[diff_id]

    def _made(self) -> tuple[ImageInfo, ...]:
        if not self._images:
            made: dict[Callable[[LayerWriter], None], tuple[str, bytes]] = {}
            self._images = tuple(_image(sample, made) for sample in samples())
            self._tars = dict(made.values())
        return self._images

    def _choose(self, target: str | None) -> ImageInfo:
        images = self._made()
        if target is None:
            return images[0]
        for info in images:
            if any(same_reference(tag, target) for tag in info.tags):
                return info
            if len(target) >= 4 and info.id.removeprefix("sha256:").startswith(target.removeprefix("sha256:")):
                return info
        known = ", ".join(info.target for info in images)
        raise LaminaError(f"no sample image {quoted(target)}: there are {known}")


class _Files:
    """The :class:`~lamina.sources.base.LayerFiles` of a sample image: its tars are in memory."""

    def __init__(self, tars: Sequence[bytes]) -> None:
        self._tars = tars

    def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> LayerReader:  # noqa: ARG002
        """See :meth:`lamina.sources.base.LayerFiles.open`."""
        where = f"layer {layer} of the sample image"
        return TarLayerReader(ForwardTar(lambda: iter((self._tars[layer],)), where, cancel), where)


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


def _image(sample: Sample, made: dict[Callable[[LayerWriter], None], tuple[str, bytes]]) -> ImageInfo:
    diff_ids = []
    for step in sample.steps:
        if step.build is not None:
            if step.build not in made:
                writer = LayerWriter(step.when)
                step.build(writer)
                tar = writer.finish()
                made[step.build] = sha256(tar), tar
            diff_ids.append(made[step.build][0])
    config: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "created": _time(sample.steps[-1]),
        "config": {
            "Entrypoint": list(sample.entrypoint),
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "WorkingDir": "/srv",
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [
            {"created": _time(step), "created_by": step.instruction}
            | ({} if step.build is not None else {"empty_layer": True})
            for step in sample.steps
        ],
    }
    data = json.dumps(config).encode()
    parsed = parse_config(data, "the sample image's config")
    return image_info(parsed, target=sample.tags[0], image_id=sha256(data), tags=sample.tags)


def _time(step: Step) -> str:
    return dt.datetime.fromtimestamp(step.when, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
