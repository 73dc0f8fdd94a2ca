"""Rules about what a build leaves behind, found by where it stands and what it is called."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lamina.advice.examined import Examined, Rows
from lamina.advice.model import Severity
from lamina.advice.rules.shipped_files import ShippedFiles, Sort
from lamina.among import among

_VCS = (b".git", b".hg", b".svn", b".bzr")
_DEBUG_ENDINGS = (b".debug", b".pdb", b".dwo", b".dwp")
_TESTS = (b"test", b"tests", b"__tests__")
_LIBRARIES = (b"site-packages", b"dist-packages", b"node_modules")
"""Folders in which each folder is a library."""


class VersionControl(ShippedFiles):
    """Folders of version control: `.git`, `.hg`, `.svn`, `.bzr`.

    A `COPY . .` takes the whole history along, and with it whatever was once committed. Name the folder in
    `.dockerignore`; after a `git clone` in a RUN remove it there, or clone with `--depth 1` in a stage of its own.
    """

    name = "version-control"

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        folders = image.called(*_VCS)
        yield Sort(image.inside(folders), "folders of version control", "remove .git in the same RUN")


class PythonBytecode(ShippedFiles):
    """Python bytecode: `__pycache__` and `.pyc`.

    It makes the first start faster and can be made again. Install with `pip install --no-compile`, set
    `PYTHONDONTWRITEBYTECODE=1` for the build, and name `__pycache__` in `.dockerignore`.
    """

    name = "python-bytecode"
    most = Severity.LOW

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        marked = image.inside(image.called(b"__pycache__"))
        marked[image.ending(b".pyc")] = True
        yield Sort(marked, "Python bytecode", "write pip install --no-compile, or set PYTHONDONTWRITEBYTECODE=1")


class DebugSymbols(ShippedFiles):
    """Debug symbols in files of their own.

    `/usr/lib/debug`, `*.debug`, `*.pdb`, `*.dwo`, `*.dwp` and `*.dSYM` serve a debugger alone: keep them beside the
    image, not in it.
    """

    name = "debug-symbols"

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        marked = image.inside(np.concatenate([image.folders([b"usr/lib/debug"]), image.ending(b".dSYM")]))
        marked[image.ending(*_DEBUG_ENDINGS)] = True
        yield Sort(marked, "debug symbols", "install no -dbg or -dbgsym packages, and strip what is built")


class TemporaryFiles(ShippedFiles):
    """Files in `/tmp` and `/var/tmp`.

    Nothing may count on them. Remove them in the RUN that makes them, or give that RUN a `--mount=type=tmpfs`.
    """

    name = "temporary-files"

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        marked = image.inside(image.folders([b"tmp", b"var/tmp"]))
        yield Sort(marked, "temporary files", "end with && rm -rf /tmp/* /var/tmp/*")


class Logs(ShippedFiles):
    """Logs of the build.

    What package managers and installers write to `/var/log` tells of the build, not of what runs later.
    """

    name = "logs"

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        marked = image.inside(image.folders([b"var/log", b"~/.npm/_logs"]))
        yield Sort(marked, "logs of the build", "end with && rm -rf /var/log/*")


class LibraryTests(ShippedFiles):
    """Tests of libraries: `tests` folders of Python and Node packages, and Python's own.

    Nothing runs them in production. Prune them in the RUN that installs; some packages have an option for it.
    """

    name = "tests"
    most = Severity.LOW

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        paths = image.paths
        within = image.inside(np.concatenate([image.called(*_LIBRARIES), image.python_libraries()]))
        folders = image.called(*_TESTS)
        folders = folders[within[folders]]
        # A folder right below is a library that is called so; Python's own tests stand right below its library.
        library = among(paths.parent[folders], image.called(*_LIBRARIES))
        yield Sort(image.inside(folders[~library]), "tests of libraries", "remove them in the same RUN")


class Locales(ShippedFiles):
    """Translations and locale sources that most containers never use.

    `/usr/share/locale` and `/usr/share/i18n`. For dpkg a `path-exclude=/usr/share/locale/*` in
    `/etc/dpkg/dpkg.cfg.d/` keeps them out; for dnf `--setopt=install_weak_deps=0` and `%_install_langs`.
    """

    name = "locales"
    most = Severity.INFO

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        marked = image.inside(image.folders([b"usr/share/locale", b"usr/share/i18n", b"usr/local/share/locale"]))
        yield Sort(marked, "translations", "keep them out (dpkg: path-exclude=/usr/share/locale/*)")


class Documentation(ShippedFiles):
    """Documentation that nobody reads in a container.

    Manual pages, info pages and `/usr/share/doc`. For dpkg `path-exclude=/usr/share/doc/*` and the like in
    `/etc/dpkg/dpkg.cfg.d/` keep them out; for dnf `--nodocs`. Licences may have to stay.
    """

    name = "documentation"
    most = Severity.INFO

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """One."""
        below = (b"doc", b"man", b"info", b"gtk-doc", b"help")
        folders = image.folders([prefix + name for prefix in (b"usr/share/", b"usr/local/share/") for name in below])
        run = "keep it out (dpkg: path-exclude=/usr/share/doc/* and /usr/share/man/*; dnf: --nodocs)"
        yield Sort(image.inside(folders), "documentation", run)


class BuildTools(ShippedFiles):
    """Compilers, headers and static libraries in the final image.

    What only a build needs weighs much and gives an intruder tools: build in a stage of its own
    (`FROM ... AS build`) and copy the result, or install and purge them in one RUN.
    """

    name = "build-tools"

    def sorts(self, image: Examined) -> Iterator[Sort]:
        """Compilers, headers, static libraries."""
        stage = "build in a stage of its own (FROM … AS build) and copy the result"
        yield Sort(image.inside(self._compilers(image)), "compilers and what belongs to them", stage)
        headers = image.folders([b"usr/include", b"usr/local/include"])
        yield Sort(image.inside(headers), "headers of libraries", stage)
        static = image.ending(b".a")
        yield Sort(image.mark(static[image.named_so(static, b"lib")]), "static libraries", stage)

    def _compilers(self, image: Examined) -> Rows:
        places = [
            *(b"usr/lib/gcc", b"usr/libexec/gcc", b"usr/local/rustup/toolchains", b"~/.rustup/toolchains"),
            *(b"usr/local/go/pkg/tool", b"usr/lib/rustlib"),
        ]
        for home in (b"usr/lib", b"usr/local/lib"):
            places += [home + b"/" + name for name in image.below(home) if name.startswith((b"llvm-", b"go-1."))]
        return image.folders(places)
