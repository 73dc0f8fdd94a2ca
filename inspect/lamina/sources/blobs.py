"""Reading the layers of an image whose blobs stand in seekable files: in parallel, each blob once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import xxhash

from lamina.layers.index import LayerIndex
from lamina.layers.read import scan_plain, scan_stream
from lamina.model import Cancelled, LaminaError
from lamina.sources.base import Observer, ReadImage
from lamina.sources.catalogue import Found
from lamina.sources.progress import Ticker

_CHUNK = (
    256 << 10
)  # bytes; a compressed one can grow a thousandfold, and the cancel event is looked at between two
_WINDOW = 1 << 20
_PLAIN = ("tar", "empty")
_LOOK = 0.05  # seconds between two looks at the cancel event


@dataclass(frozen=True, slots=True)
class Place:
    """Where a blob's bytes stand."""

    path: str
    offset: int
    size: int
    stamp: tuple[int, int, int]
    """Inode, bytes and modification time of the file when it was looked up: a file that changed is not read on."""


def stamp_of(status: os.stat_result) -> tuple[int, int, int]:
    """What tells that a file is still the same."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def open_place(place: Place) -> int:
    """An open descriptor of the file a blob stands in.

    Raises:
        LaminaError: it is gone, unreadable or no longer the same.
    """
    try:
        fd = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise LaminaError(
            f"{place.path} can't be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if stamp_of(os.fstat(fd)) != place.stamp:
        os.close(fd)
        raise LaminaError(f"{place.path} changed while it was read: open it again")
    return fd


def chunks_of(fd: int, place: Place, where: str) -> Iterator[bytes]:
    """The bytes of a blob, piece by piece."""
    position, end = place.offset, place.offset + place.size
    while position < end:
        try:
            data = os.pread(fd, min(_CHUNK, end - position), position)
        except OSError as error:
            raise LaminaError(f"{where} can't be read: {error.strerror}") from None
        if not data:
            raise LaminaError(f"{where} is truncated")
        yield data
        position += len(data)


@dataclass(frozen=True, slots=True)
class _Job:
    """One blob to read, with all layers of the image that it is."""

    key: str
    place: Place
    kind: str
    where: str
    digest: str | None
    diff_id: str | None
    layers: tuple[int, ...]


class BlobReader:
    """Reads layers, and remembers them: a blob that two images of one source share is read once."""

    def __init__(self, where: str, locate: Callable[[str], Place]) -> None:
        """See the class.

        Args:
            where: names the store in errors.
            locate: where the blob of a :attr:`Stored.key` stands.
        """
        self._where = where
        self._locate = locate
        self._known: dict[str, LayerIndex] = {}
        self._checked: set[tuple[str, str]] = set()

    def read(self, found: Found, observer: Observer, cancel: threading.Event, *, verify: bool) -> ReadImage:
        """Reads all layers of an image, the largest first, as many at a time as there are cores.

        The observer is called on this thread only. See :meth:`Source.read` for the rest.
        """
        info = found.info
        layers: list[LayerIndex | None] = [None] * len(info.layers)
        jobs = []
        for job in self._jobs(found):
            if job.key in self._known and (not verify or (job.key, job.diff_id or "") in self._checked):
                for layer in job.layers:
                    layers[layer] = self._known[job.key]
            else:
                jobs.append(job)
        observer.head(info)
        for layer, index in enumerate(layers):
            if index is not None:
                observer.layer(layer, index)
        if verify:
            found.check_config(self._where)
        jobs.sort(key=lambda job: -job.place.size)
        total = len(info.layers)
        ticker = Ticker(observer.progress, sum(job.place.size for job in jobs), "")

        def done(job: _Job, index: LayerIndex) -> None:
            for layer in job.layers:
                layers[layer] = index
                observer.layer(layer, index)
            ticker.what = f"{sum(layer is not None for layer in layers)} of {total} layers"

        ticker.what = f"{total - sum(len(job.layers) for job in jobs)} of {total} layers"
        if jobs:
            self._run(jobs, cancel, ticker, done, verify=verify)
            ticker.tick(now=True)
        plain = any(blob.kind in _PLAIN for blob in found.blobs)
        return ReadImage(info, layers, _FileContent(self, found) if plain else None)

    def _jobs(self, found: Found) -> list[_Job]:
        by_key: dict[str, list[int]] = {}
        for layer, blob in enumerate(found.blobs):
            by_key.setdefault(blob.key, []).append(layer)
        jobs = []
        for key, layers in by_key.items():
            first = layers[0]
            where = found.where(first, self._where)
            diff_ids = {found.info.layers[layer].diff_id for layer in layers}
            if len(diff_ids) > 1:
                raise LaminaError(f"{where} has two digests in the config: {' and '.join(sorted(diff_ids))}")
            digest = next((found.digests[layer] for layer in layers if found.digests[layer]), None)
            jobs.append(
                _Job(
                    key=key,
                    place=self._locate(key),
                    kind=found.blobs[first].kind,
                    where=where,
                    digest=digest,
                    diff_id=found.info.layers[first].diff_id,
                    layers=tuple(layers),
                )
            )
        return jobs

    def _run(
        self,
        jobs: Sequence[_Job],
        cancel: threading.Event,
        ticker: Ticker,
        done: Callable[[_Job, LayerIndex], None],
        *,
        verify: bool,
    ) -> None:
        stop = threading.Event()  # the user's wish, or another layer's error
        counted = _Counter()
        pool = ThreadPoolExecutor(min(os.cpu_count() or 1, len(jobs)), thread_name_prefix="lamina-layer")
        try:
            pending: dict[Future[LayerIndex], _Job] = {
                pool.submit(self._scan, job, stop, counted.add, verify): job for job in jobs
            }
            waiting = set(pending)
            while waiting:
                finished, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for future in finished:
                    job = pending[future]
                    index = future.result()
                    self._known[job.key] = index
                    if verify:
                        self._checked.add((job.key, job.diff_id or ""))
                    done(job, index)
                if cancel.is_set():
                    return
                ticker.advance(counted.take())
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _scan(
        self, job: _Job, stop: threading.Event, advance: Callable[[int], None], verify: bool
    ) -> LayerIndex:
        fd = open_place(job.place)
        try:
            if job.kind in _PLAIN and not verify:
                return scan_plain(
                    fd, job.place.offset, job.place.size, where=job.where, cancel=stop, advance=advance
                )
            # What is read whole is checked in passing: against its digest where it has one, which says as much
            # as the diff_id and costs less, since it is of the compressed bytes.
            diff_id = job.diff_id if verify or job.digest is None else None
            return scan_stream(
                chunks_of(fd, job.place, job.where),
                where=job.where,
                digest=job.digest,
                diff_id=diff_id,
                cancel=stop,
                advance=advance,
            )
        finally:
            os.close(fd)

    def hashes(
        self, found: Found, layer: int, files: Sequence[tuple[int, int]], cancel: threading.Event
    ) -> list[bytes]:
        """See :meth:`Content.hashes`."""
        blob = found.blobs[layer]
        where = found.where(layer, self._where)
        if blob.kind not in _PLAIN:
            raise LaminaError(f"{where} is compressed: its contents were hashed when it was read")
        place = self._locate(blob.key)
        fd = open_place(place)
        try:
            return [_hash(fd, place, offset, size, where, cancel) for offset, size in files]
        finally:
            os.close(fd)


class _Counter:
    """Bytes counted by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count

    def take(self) -> int:
        with self._lock:
            count, self._count = self._count, 0
            return count


def _hash(fd: int, place: Place, offset: int, size: int, where: str, cancel: threading.Event) -> bytes:
    if offset < 0 or offset + size > place.size:
        raise LaminaError(f"{where} is truncated")
    hasher = xxhash.xxh3_128()
    position, end = place.offset + offset, place.offset + offset + size
    while True:
        if cancel.is_set():
            raise Cancelled
        if position >= end:
            return hasher.digest()
        try:
            data = os.pread(fd, min(_WINDOW, end - position), position)
        except OSError as error:
            raise LaminaError(f"{where} can't be read: {error.strerror}") from None
        if not data:
            raise LaminaError(f"{where} is truncated")
        hasher.update(data)
        position += len(data)


class _FileContent:
    """The :class:`Content` of one image."""

    def __init__(self, reader: BlobReader, found: Found) -> None:
        self._reader = reader
        self._found = found

    def hashes(self, layer: int, files: Sequence[tuple[int, int]], cancel: threading.Event) -> list[bytes]:
        return self._reader.hashes(self._found, layer, files, cancel)
