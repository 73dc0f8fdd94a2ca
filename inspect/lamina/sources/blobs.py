"""Reading the layers of an image whose blobs stand in seekable files: in parallel, each blob once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lamina.cache.cache import Cache
from lamina.cache.keys import blob_key, diff_key, range_key
from lamina.dataclass import dataclass
from lamina.model import Cancelled, LaminaError
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blob_files import BlobFiles
from lamina.sources.progress import Ticker
from lamina.sources.store import Found
from lamina.workers.file_range import FileRange
from lamina.workers.pool import Pool

if TYPE_CHECKING:  # where all is known, nothing of what reading needs is loaded
    from lamina.layers.index import LayerIndex
    from lamina.layers.layer_reader import FileRef
    from lamina.workers.jobs import HashJob, Result, ScanJob

_PLAIN = ("tar", "empty")


@dataclass(frozen=True, slots=True)
class _Blob:
    """One blob to read, with all layers of the image that it is."""

    place: FileRange
    plain: bool
    where: str
    digest: str | None
    diff_id: str
    layers: tuple[int, ...]

    def known_by(self) -> list[str]:
        """The keys it may have been kept under, the best first."""
        keys = [diff_key(self.diff_id)]
        if self.digest is not None:
            keys.append(blob_key(self.digest))
        return [*keys, range_key(self.place)] if self.plain else keys

    def job(self, *, verify: bool) -> ScanJob:
        """How to read it."""
        from lamina.workers.jobs import ScanJob

        # What is read whole is checked in passing: against its digest where it has one, which says as much as the
        # diff_id and costs less, since it is of the compressed bytes.
        in_place = self.plain and not verify
        return ScanJob(
            place=self.place,
            where=self.where,
            in_place=in_place,
            digest=None if in_place else self.digest,
            diff_id=self.diff_id if not in_place and (verify or self.digest is None) else None,
        )

    def cache_key(self, job: ScanJob) -> str:
        """The key that a reading gives the right to."""
        if job.diff_id is not None:
            return diff_key(job.diff_id)
        return range_key(self.place) if job.digest is None else blob_key(job.digest)


class BlobReader:
    """Reads layers; what the cache has is not read again.

    Args:
        where: names the store in errors.
        locate: where the blob of a :attr:`lamina.sources.store.Stored.key` stands.
        cache: what was read before.
        pool: where the work is done.
    """

    def __init__(self, where: str, locate: Callable[[str], FileRange], cache: Cache, pool: Pool) -> None:
        self._where = where
        self._locate = locate
        self._cache = cache
        self.pool = pool

    def read(self, found: Found, observer: Observer, cancel: threading.Event, *, verify: bool) -> ReadImage:
        """Reads all layers of an image, the largest first, as many at a time as there are cores.

        The observer is called on this thread only. See :meth:`lamina.sources.base.Source.read` for the rest.
        """
        info = found.info
        blobs = self._blobs(found)
        content = _FileContent(self, found) if any(blob.plain for blob in blobs) else None
        observer.head(info)
        if verify:
            found.check_config(self._where)
        read = ReadImage(
            info,
            [None] * len(info.layers),
            content,
            BlobFiles(found, self._where, self._locate, self._cache),
            keys=[None] * len(info.layers),
            cache=self._cache,
            provenance=found.provenance,
        )
        if not verify:
            for blob in blobs:
                key = self._cache.find(blob.known_by())
                for layer in blob.layers:
                    read.keys[layer] = key
            if read.find_stacked(observer):
                return read
        self._read_blobs(blobs, read, observer, cancel, verify=verify)
        return read

    def _read_blobs(
        self, blobs: Sequence[_Blob], read: ReadImage, observer: Observer, cancel: threading.Event, *, verify: bool
    ) -> None:
        def place(blob: _Blob, key: str, index: LayerIndex) -> None:
            for layer in blob.layers:
                read.layers[layer] = index
                read.keys[layer] = key
                observer.layer(layer, index.facts)

        missing = []
        for blob in blobs:
            key = read.keys[blob.layers[0]]
            kept = None if key is None else self._cache.layer(key)
            if kept is None or key is None:
                missing.append(blob)
            else:
                place(blob, key, kept)
        missing.sort(key=lambda blob: -blob.place.size)
        jobs = [blob.job(verify=verify) for blob in missing]
        total = len(read.layers)
        ticker = Ticker(observer.progress, sum(blob.place.size for blob in missing), "")

        def done(number: int, result: Result) -> None:
            from lamina.layers.index import LayerIndex  # it was loaded with what came

            assert isinstance(result, LayerIndex)
            key = missing[number].cache_key(jobs[number])
            self._cache.put_layer(key, result)
            place(missing[number], key, result)
            ticker.say(f"{sum(layer is not None for layer in read.layers)} of {total} layers")

        if jobs:
            ticker.say(f"{sum(layer is not None for layer in read.layers)} of {total} layers")
            try:
                self.pool.run(jobs, cancel, done, ticker.advance)
            except Cancelled:
                return
            ticker.tick(now=True)

    def _blobs(self, found: Found) -> list[_Blob]:
        by_key: dict[str, list[int]] = {}
        for layer, stored in enumerate(found.blobs):
            by_key.setdefault(stored.key, []).append(layer)
        blobs = []
        for key, layers in by_key.items():
            first = layers[0]
            where = found.where(first, self._where)
            diff_ids = {found.info.layers[layer].diff_id for layer in layers}
            if len(diff_ids) > 1:
                raise LaminaError(f"{where} has two digests in the config: {' and '.join(sorted(diff_ids))}")
            blobs.append(
                _Blob(
                    place=self._locate(key),
                    plain=found.blobs[first].kind in _PLAIN,
                    where=where,
                    digest=next((found.digests[layer] for layer in layers if found.digests[layer]), None),
                    diff_id=found.info.layers[first].diff_id,
                    layers=tuple(layers),
                )
            )
        return blobs

    def hash_job(self, found: Found, layer: int, files: Sequence[FileRef]) -> HashJob:
        """What gives the content ids of files of one layer.

        Raises:
            LaminaError: the layer is compressed, or gone.
        """
        from lamina.workers.jobs import HashJob

        stored = found.blobs[layer]
        where = found.where(layer, self._where)
        if stored.kind not in _PLAIN:
            raise LaminaError(f"{where} is compressed: its contents were hashed when it was read")
        return HashJob(self._locate(stored.key), where, [(file.offset, file.size) for file in files])


class _FileContent:
    """The :class:`~lamina.sources.base.Content` of one image."""

    needs_paths = False

    def __init__(self, reader: BlobReader, found: Found) -> None:
        self._reader = reader
        self._found = found

    def hashes(self, files: dict[int, list[FileRef]], cancel: threading.Event) -> dict[int, list[bytes]]:
        """See :meth:`lamina.sources.base.Content.hashes`."""
        layers = list(files)
        jobs = [self._reader.hash_job(self._found, layer, files[layer]) for layer in layers]
        hashes: dict[int, list[bytes]] = {}

        def done(number: int, result: Result) -> None:
            assert isinstance(result, list)
            hashes[layers[number]] = result

        self._reader.pool.run(jobs, cancel, done, lambda _: None)
        return hashes
