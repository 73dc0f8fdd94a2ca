"""The front door: how a target becomes an image, for commands, screens and scripts alike."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lamina.errors import Cancelled, LaminaError
from lamina.names import display_name
from lamina.workers.pool import Pool

if TYPE_CHECKING:  # what is needed for one target is loaded when that is opened
    from lamina.cache.folder import CacheFolder
    from lamina.figures.image import LoadedImage
    from lamina.image import Image
    from lamina.model import KnownImage, Progress
    from lamina.pull import Pull
    from lamina.sources.base import Observer, Source
    from lamina.sources.engine.containers import ContainerSource
    from lamina.sources.engine.contexts import Context
    from lamina.sources.engine.source import EngineSource
    from lamina.sources.registry.search import SearchResult
    from lamina.sources.registry.tags import TaggedImages
    from lamina.sources.target import Resolver, Target


class Workspace:
    """What several readings have in common: an engine, a cache, and who does the work.

    Args:
        host: where the engine listens, as in DOCKER_HOST, or ``context://NAME`` of the docker CLI's contexts; None: by
            the docker CLI's rules.
        cache: the folder where what was read is kept, and found again by later runs; None: in memory, for as long as
            this object lives.
        stdin: what the target ``-`` reads; None: the process's standard input.
        workers: layers that are read at a time. None: as many as there are cores, on threads of this process; 1: on the
            caller's own thread; more: in as many processes, where there is much to read. A :class:`Pool` says it all.
        store: whether an engine's own disk may be read, where this process can; else the engine is asked for an export.
        insecure: hosts of registries that may be asked without TLS, or with a certificate that nobody vouches for; one
            on this machine may always be.
        platform: which is meant where an index has several, ``linux/arm64``: "" is the best for this machine, ``all``
            each as an image of its own. What is for another is an error.

    Raises:
        LaminaError: ``platform`` can be none.
    """

    def __init__(
        self,
        *,
        host: str | None = None,
        cache: str | Path | CacheFolder | None = None,
        stdin: BinaryIO | None = None,
        workers: int | Pool | None = None,
        store: bool = True,
        insecure: Collection[str] = (),
        platform: str = "",
    ) -> None:
        self._host = host
        self._cache = cache
        self._stdin = stdin
        self._workers = workers
        self._store = store
        self._insecure = frozenset(insecure)
        self._platform = platform
        if platform:
            from lamina.sources.platforms import parse_platform

            self._platform = parse_platform(platform)
        self._made: Resolver | None = None

    @property
    def platform(self) -> str:
        """Which platform is meant where an image has several; "": the best for this machine."""
        return self._platform

    def at(self, host: str) -> Workspace:
        """The same with another engine.

        Args:
            host: where it listens, as in DOCKER_HOST, or ``context://NAME``.
        """
        return self._but(host=host)

    def for_platform(self, platform: str) -> Workspace:
        """The same where another platform is meant; ``all``: each.

        Raises:
            LaminaError: ``platform`` can be none.
        """
        return self._but(platform=platform)

    def _but(self, *, host: str | None = None, platform: str | None = None) -> Workspace:
        return Workspace(
            host=self._host if host is None else host,
            cache=self._cache,
            stdin=self._stdin,
            workers=self._workers,
            store=self._store,
            insecure=self._insecure,
            platform=self._platform if platform is None else platform,
        )

    @property
    def _resolver(self) -> Resolver:
        if self._made is None:
            from lamina.cache.cache import Cache
            from lamina.cache.folder import CacheFolder
            from lamina.sources.target import Resolver

            folder = CacheFolder(Path(self._cache)) if isinstance(self._cache, str | Path) else self._cache
            self._made = Resolver(
                host=self._host,
                stdin=self._stdin,
                cache=Cache(folder),
                pool=_pool(self._workers),
                store=self._store,
                insecure=self._insecure,
                platform=self._platform,
            )
        return self._made

    def resolve(self, target: str) -> Target:
        """The source of a target, and which of its images is meant; nothing is read yet.

        Raises:
            LaminaError: there is nothing of that kind there.
        """
        return self._resolver.resolve(target)

    def engine(self) -> EngineSource:
        """The container engine's images; it is connected to when it is first asked something."""
        return self._resolver.engine()

    def containers(self) -> ContainerSource:
        """The container engine's containers, running or not."""
        return self._resolver.containers()

    @property
    def context(self) -> str:
        """The name of the context in use; "" where an address was named."""
        from lamina.sources.engine.contexts import CONTEXT, current_context

        if self._host is not None:
            return self._host.removeprefix(CONTEXT) if self._host.startswith(CONTEXT) else ""
        return "" if os.environ.get("DOCKER_HOST") else current_context()

    def contexts(self) -> list[Context]:
        """The engines that the docker CLI has names for; :meth:`at` takes their ``host``."""
        from lamina.sources.engine.contexts import contexts

        return contexts()

    def tags(
        self,
        name: str,
        last: int = 10,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> TaggedImages:
        """The tags of a registry's repository, and what the last of them are; no layer is read.

        Args:
            name: of the repository, as a registry's image is named, ``docker://`` before it or not.
            last: of how many tags the images are looked at, the last by name; 0: of all.
            cancel: ends the asking.
            progress: notified of how far it has come.

        Raises:
            LaminaError: there is no such repository, or the registry can't be used.
            Cancelled: ``cancel`` was set.
        """
        from lamina.sources.registry.reference import parse_reference
        from lamina.sources.registry.tags import tagged_images

        reference = parse_reference(name.removeprefix("docker://"))
        insecure = reference.host in self._insecure
        return tagged_images(reference, last, cancel, progress, insecure=insecure, platform=self._platform)

    def search(
        self,
        term: str,
        limit: int = 25,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> SearchResult:
        """Repositories by words: the engine searches in its registries; without one the default registry is asked.

        Args:
            term: words; ``HOST/WORDS`` asks that registry itself for its catalogue.
            limit: of how many repositories.
            cancel: ends the asking.
            progress: notified of how long it takes.

        Raises:
            LaminaError: nobody can be asked, or refuses.
            Cancelled: ``cancel`` was set.
        """
        from lamina.search import search

        return search(self.engine(), term, limit, self._insecure, cancel or threading.Event(), progress)

    def pull(
        self,
        name: str,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Pull:
        """What a pull by the engine will fetch; nothing is pulled before :meth:`Pull.run` is called.

        Args:
            name: of an image in a registry, ``docker://`` before it or not.
            cancel: ends the asking.
            progress: notified of how far it has come.

        Raises:
            LaminaError: there is no such image, or registry or engine can't be used.
            Cancelled: ``cancel`` was set.
        """
        from lamina.pull import plan
        from lamina.sources.registry.reference import parse_reference
        from lamina.sources.registry.source import RegistrySource

        reference = parse_reference(name.removeprefix("docker://"))
        cancel, engine = cancel or threading.Event(), self.engine()
        wanted = "" if self._platform == "all" else self._platform  # an engine pulls one
        platform = wanted or engine.platform(cancel)
        source = RegistrySource(reference, insecure=reference.host in self._insecure, platform=platform)
        return plan(source, reference, engine, cancel, progress, wanted)

    def demo(self) -> Source:
        """The built-in sample images."""
        return self._resolver.demo()

    def open(
        self,
        target: str,
        *,
        observer: Observer | None = None,
        cancel: threading.Event | None = None,
        verify: bool = False,
    ) -> Image:
        """Read one image whole, and compute its figures.

        Args:
            target: what the command takes as TARGET: an engine's image, an archive, a layout folder, ``-``. Where it
                holds several images and none was said, the first.
            observer: notified of head, layers and progress, on this thread.
            cancel: stops the reading when set.
            verify: check every layer against its digests, also where its bytes would be passed over.

        Raises:
            LaminaError: the image can't be read, is not there, or contradicts its digests.
            Cancelled: ``cancel`` was set.
        """
        from lamina.figures.image import load
        from lamina.image import Image

        source, name = self.resolve(target)
        image = load(source, name, observer, cancel, verify=verify)
        if not image.complete or (cancel is not None and cancel.is_set()):
            raise Cancelled
        return Image(image)

    def known(
        self,
        target: str,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[KnownImage]:
        """What a target's source tells of its images, from manifests and configs alone: no layer is read.

        Raises:
            LaminaError: there is no such image, or it can't be read.
            Cancelled: ``cancel`` was set.
        """
        source, name = self.resolve(target)
        images = list(source.known_images(cancel, progress))
        if name is None:
            return images
        found = [image for image in images if image.summary.is_called(name)]
        if not found:
            raise LaminaError(f"no image {display_name(name)} in {source.label}")
        return found if self._platform == "all" else found[:1]

    def find_bases(
        self,
        images: Sequence[LoadedImage],
        sources: Iterable[Source] = (),
        base: str | None = None,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Set what images are built on: as the user says, else by what is at hand.

        Args:
            images: read whole.
            sources: where they came from: their other images are at hand.
            base: a target, or a number of layers; None: nobody says. One of the images that is it keeps its own base.
            cancel: ends the asking.
            progress: notified of how far it has come.

        Raises:
            LaminaError: one of them is not built on ``base``, or that is not there.
            Cancelled: ``cancel`` was set.
        """
        from lamina.bases import find_bases

        find_bases(images, sources, base, lambda name: self.known(name, cancel=cancel, progress=progress), cancel)

    def ask_for_update(
        self,
        image: LoadedImage,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Ask the registry what an image's base is by now, and set its ``update``; nothing where it has no name.

        Raises:
            LaminaError: the registry can't be asked, or has no image of that name and platform.
            Cancelled: ``cancel`` was set.
        """
        from lamina.bases import ask_for_update

        ask_for_update(image, self._insecure, cancel, progress)

    def load_all(
        self,
        source: Source,
        name: str | None,
        observer: Observer,
        cancel: threading.Event,
        *,
        verify: bool = False,
    ) -> list[LoadedImage]:
        """The figures of the image that is meant, or of every image of a source where none was said, or all platforms.

        Raises:
            LaminaError: one of them can't be read.
            Cancelled: ``cancel`` was set.
        """
        names: list[str | None] = [name]
        if name is None or self._platform == "all":
            listed = source.list(cancel, observer.progress)
            names = [s.target for s in listed if name is None or s.is_called(name)] or names
        images = []
        for wanted in names:
            read = source.read(wanted, observer, cancel, verify=verify)
            if cancel.is_set():
                raise Cancelled  # what there is of it is of no use here, and to stack it may take long
            from lamina.figures.image import compute  # while workers read, it was loaded

            images.append(compute(read, source.label, cancel))
        return images


def _pool(workers: int | Pool | None) -> Pool:
    if isinstance(workers, Pool):
        return workers
    if workers is not None and workers < 1:
        raise ValueError("workers: at least 1")
    return Pool(workers, processes=workers is not None and workers > 1)


def open(  # noqa: A001  # as tarfile.open
    target: str, *, host: str | None = None, cache: str | Path | None = None, workers: int | None = None
) -> Image:
    """Read one image whole, and compute its figures; :class:`Workspace` says more, and shares more between several.

    Args:
        target: an engine's image name or ID, an archive or layout folder, ``-``; see :meth:`Workspace.open`.
        host: where the engine listens; None: by the docker CLI's rules.
        cache: the folder where what was read is kept; None: nothing is kept.
        workers: layers read at a time; see :class:`Workspace`.

    Raises:
        LaminaError: the image can't be read or is not there.
    """
    return Workspace(host=host, cache=cache, workers=workers).open(target)
