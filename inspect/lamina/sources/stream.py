"""An archive that comes as a stream: standard input, a pipe, a compressed file. One pass, no temporary file."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence

from lamina.cache.cache import Cache
from lamina.cache.keys import diff_key
from lamina.dataclass import dataclass
from lamina.model import Cancelled, ImageSummary, KnownImage, LaminaError, Progress
from lamina.sources.archive_tar import ArchiveTar
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blocking import BlockingReader
from lamina.sources.byte_streams import ByteStream, UnpackedStream
from lamina.sources.choose import StoreImages
from lamina.sources.progress import Ticker
from lamina.sources.store import Form
from lamina.sources.stream_files import StreamFiles
from lamina.sources.stream_members import Scanned, StreamMembers
from lamina.workers.file_range import FileRange

_TRAIL = 16 << 20
"""Bytes read after a tar's end mark, so that its writer can finish; tar pads to some kilobytes."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream's bytes come from."""

    where: str
    """For errors: ``standard input``."""
    open: Callable[[], ByteStream]
    """Called once."""
    name: str = ""
    """Of the file; what an image without a tag is called by."""
    total: int | None = None
    """Raw bytes to come, where that is known."""
    file: FileRange | None = None
    """The file that it is, which can be read again; None for what only goes by."""


class Passage:
    """One pass over one stream; can be left by a cancel and gone on with.

    Args:
        origin: the bytes.
        layer_done: notified of each layer that was scanned whole.
    """

    def __init__(self, origin: Origin, layer_done: Callable[[Scanned], None] = lambda _: None) -> None:
        self.members = StreamMembers(origin.where, layer_done, origin.name)
        self.finished = False
        raw = origin.open()
        self._reader = UnpackedStream(raw, origin.where)
        self._reading = BlockingReader(self._reader.read, raw.close, raw.interrupt)
        self._outer = ArchiveTar(origin.where, self.members)
        self._trail = 0

    def run(self, ticker: Ticker, cancel: threading.Event) -> None:
        """Reads to the end.

        Args:
            ticker: notified of the raw bytes.
            cancel: looked at between chunks, and while none comes.

        Raises:
            LaminaError: the stream is no archive, damaged or truncated; then it is also closed.
            Cancelled: ``cancel`` was set; may be called again.
        """
        try:
            self._run(ticker, cancel)
        except Cancelled:
            raise
        except BaseException:
            self.close()
            raise
        self.close()
        self.finished = True

    def close(self) -> None:
        """Leave the stream for good."""
        self._reading.close()

    def _run(self, ticker: Ticker, cancel: threading.Event) -> None:
        for chunk in self._reading.chunks(cancel, ticker.tick):
            self._outer.feed(chunk)
            ticker.reach(self._reader.taken)
            if self._outer.ended:
                self._trail += len(chunk)
                if self._trail > _TRAIL:
                    return
        self._outer.finish()


class StreamSource:
    """The images of one stream. All of them are kept, so that any number can be read after the one pass.

    Args:
        origin: the bytes.
        form: the table of contents to go by; None: whichever there is.
        cache: where layers are put once they are read; None: nowhere.
        platform: see :class:`lamina.sources.choose.StoreImages`.
    """

    def __init__(
        self, origin: Origin, form: Form | None = None, cache: Cache | None = None, platform: str = ""
    ) -> None:
        self.label = origin.where
        self._cache = cache or Cache()
        self._origin = origin
        self._form = form
        self._platform = platform
        self._passage: Passage | None = None
        self._images: StoreImages | None = None
        self._failure: LaminaError | None = None

    def list(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`. Reads the stream to its end."""
        return self._read(progress, cancel).summaries()

    @property
    def remark(self) -> str:
        """See :attr:`lamina.sources.base.Source.remark`."""
        return "" if self._images is None else self._images.remark

    @property
    def knows_sizes(self) -> bool:
        """Once the stream was read, everything in it is known."""
        return self._passage is not None and self._passage.finished

    def known_images(
        self, cancel: threading.Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`. Reads the stream to its end."""
        images = self._read(progress, cancel)
        assert self._passage is not None
        return images.known_images(self._passage.members.size)

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`.

        Which layers an image has is known at the end of the stream: the observer is notified of all of them then.
        Layers are read whole, so they are checked against their digests with or without ``verify``.
        """
        found = self._read(observer.progress, cancel).choose(target)
        assert self._passage is not None
        members = self._passage.members
        observer.head(found.info)
        if verify:
            found.check_config(self.label)
        image = ReadImage(found.info, [], cache=self._cache, provenance=found.provenance)
        for place in range(len(found.blobs)):
            index = members.bind(found, place)
            key = diff_key(found.info.layers[place].diff_id)
            if self._cache.layer(key) is None:  # or damaged
                self._cache.put_layer(key, index)
            image.layers.append(index)
            image.keys.append(key)
            observer.layer(place, index.facts)
        if self._origin.file is not None:
            places = [members.place(found, place) for place in range(len(found.blobs))]
            image.files = StreamFiles(self._origin.file, places, self._cache)
        return image

    def _read(self, progress: Callable[[Progress], None] | None, cancel: threading.Event | None) -> StoreImages:
        members = self._run(Ticker(progress, self._origin.total, _WHAT), cancel or threading.Event())
        if self._images is None:
            self._images = StoreImages(members, self._form, self._platform)
        return self._images

    def _run(self, ticker: Ticker, cancel: threading.Event) -> StreamMembers:
        if self._failure is not None:
            raise self._failure  # what went by in a stream can't be read again
        if self._passage is None:
            self._passage = Passage(self._origin)
            # Nobody closes a source: a stream that was left half-way goes with it.
            weakref.finalize(self, self._passage.close)
        if not self._passage.finished:
            try:
                self._passage.run(ticker, cancel)
            except LaminaError as error:
                self._failure = error
                raise
            ticker.tick(now=True)
        return self._passage.members


_WHAT = "reading the stream"
