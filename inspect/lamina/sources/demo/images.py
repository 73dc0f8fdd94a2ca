"""The sample images' layers: what a small shop's Dockerfiles do well, and what they waste.

Nothing here is a picture: the layers are real tars of real bytes, and nearly every kind of waste that lamina tells
of happens in them as it does in images out there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lamina.dataclass import dataclass
from lamina.sources.demo.layer_writer import EXECUTABLE, FILE, LayerWriter, filler, source_code
from lamina.sources.demo.records import write_distribution, write_dpkg

_JUNE = 1_718_000_000  # seconds: 10 June 2024
_DAY = 86_400
_WEB_BUILT = _JUNE + 2 * _DAY
_APP = 1000  # uid and gid of the shop's user
_PYTHON = "usr/lib/python3.11"
_SITE = "usr/local/lib/python3.11/site-packages"
_ARCH = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a Dockerfile."""

    instruction: str
    day: int
    """Days after the first step of all."""
    build: Callable[[LayerWriter], None] | None = None
    """Fills the layer; None for an instruction that makes none."""

    @property
    def when(self) -> int:
        """Seconds since the epoch."""
        return _JUNE + self.day * _DAY


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample image."""

    tags: tuple[str, ...]
    steps: tuple[Step, ...]
    entrypoint: tuple[str, ...]


# -- debian-base:12 ------------------------------------------------------------------------------------------------

_BASE_FILES: tuple[tuple[str, int, str], ...] = (
    ("usr/bin/bash", 262_000, "bash"),
    ("usr/bin/cat", 18_400, "coreutils"),
    ("usr/bin/chmod", 26_900, "coreutils"),
    ("usr/bin/cp", 62_100, "coreutils"),
    ("usr/bin/dash", 51_300, "dash"),
    ("usr/bin/find", 91_000, "findutils"),
    ("usr/bin/grep", 84_200, "grep"),
    ("usr/bin/ls", 61_400, "coreutils"),
    ("usr/bin/perl", 236_000, "perl-base"),
    ("usr/bin/sed", 52_800, "sed"),
    ("usr/bin/tar", 142_000, "tar"),
    ("usr/lib/apt/methods/http", 48_600, "apt"),
    (f"{_ARCH}/libc.so.6", 412_000, "libc6"),
    (f"{_ARCH}/libm.so.6", 186_000, "libc6"),
    (f"{_ARCH}/libapt-pkg.so.6.0.0", 174_000, "libapt-pkg6.0"),
    (f"{_ARCH}/libsystemd.so.0.35.0", 141_000, "libsystemd0"),
    (f"{_ARCH}/libzstd.so.1.5.4", 118_000, "libzstd1"),
    ("usr/sbin/adduser", 36_200, "adduser"),
    ("usr/share/perl5/Debconf/Client.pm", 22_400, "debconf"),
    ("var/lib/dpkg/info/libc6_amd64.symbols", 31_000, ""),
)


def _base(layer: LayerWriter) -> None:
    for path in ("bin", "lib", "sbin"):
        layer.symlink(path, f"usr/{path}")
    layer.file("etc/os-release", b'PRETTY_NAME="Debian-like sample 12"\nID=sample\nVERSION_ID="12"\n')
    layer.file("etc/debian_version", b"12.5\n")
    layer.file("etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n")
    layer.file("etc/apt/sources.list", b"deb http://deb.example.org/debian bookworm main\n")
    packages: dict[str, list[str]] = {"base-files": ["etc/os-release", "etc/debian_version"]}
    for path, size, package in _BASE_FILES:
        layer.file(path, filler(path, size), mode=EXECUTABLE if "/bin/" in path else 0o644)
        if package:  # dpkg's own records are none's
            packages.setdefault(package, []).append(path)
    packages["perl-base"].append("usr/bin/perl5.36.0")
    layer.hard_link("usr/bin/perl5.36.0", "usr/bin/perl", mode=EXECUTABLE)
    for language in ("de", "es", "fr", "ja", "pt_BR"):
        path = f"usr/share/locale/{language}/LC_MESSAGES/coreutils.mo"
        layer.file(path, filler(path, 21_000))
        packages["coreutils"].append(path)
    for package in ("apt", "bash", "coreutils", "dpkg", "libc6", "perl-base", "tar"):
        layer.file(f"usr/share/doc/{package}/copyright", f"{package}: see the sources.\n".encode() * 90)
        packages.setdefault(package, []).append(f"usr/share/doc/{package}/copyright")
    write_dpkg(layer, packages)
    for path in ("tmp", "var/tmp"):
        layer.directory(path, mode=0o1777)
    layer.directory("root", mode=0o700)


_FROM_BASE = (
    Step("/bin/sh -c #(nop) ADD file:4d192565a7220e135cab6c77fbc1c73211b69f3d9fb37e62857b2c6eb9363d51 in / ", 0, _base),
    Step('/bin/sh -c #(nop)  CMD ["bash"]', 0),
)


# -- shop-web --------------------------------------------------------------------------------------------------------


def _python(layer: LayerWriter, others: Mapping[str, Iterable[str]]) -> None:
    layer.file("usr/bin/python3.11", filler("usr/bin/python3.11", 448_000), mode=EXECUTABLE)
    layer.symlink("usr/bin/python3", "python3.11")
    layer.file(f"{_ARCH}/libssl.so.3", filler(f"{_ARCH}/libssl.so.3", 142_000))
    layer.file(f"{_ARCH}/libcrypto.so.3", filler(f"{_ARCH}/libcrypto.so.3", 386_000))
    modules = []
    for module in ("argparse", "asyncio/events", "collections/abc", "dataclasses", "decimal", "email/message"):
        modules.append(f"{_PYTHON}/{module}.py")
        layer.file(modules[-1], source_code(module, 400))
    for module in ("http/client", "inspect", "json/decoder", "pathlib", "subprocess", "tarfile", "typing"):
        modules.append(f"{_PYTHON}/{module}.py")
        layer.file(modules[-1], source_code(module, 600))
    packages = {
        "python3.11": ["usr/bin/python3.11", "usr/bin/python3", *modules],
        "libssl3": [f"{_ARCH}/libssl.so.3", f"{_ARCH}/libcrypto.so.3"],
        **others,
    }
    base = {package for _, _, package in _BASE_FILES if package}
    write_dpkg(layer, packages, before={*base, "base-files", "dpkg"})


def _package_cache(layer: LayerWriter, packages: Iterable[tuple[str, int]], lists: int) -> None:
    """What ``apt-get`` leaves behind where nobody cleans up."""
    for package, size in packages:
        path = f"var/cache/apt/archives/{package}_amd64.deb"
        layer.file(path, filler(path, size))
    for suite in ("bookworm", "bookworm-updates"):
        path = f"var/lib/apt/lists/deb.example.org_debian_dists_{suite}_main_binary-amd64_Packages.lz4"
        layer.file(path, filler(path, lists))


def _web_apt(layer: LayerWriter) -> None:
    _python(layer, {})
    _package_cache(layer, (("python3.11_3.11.2-6", 214_000), ("libssl3_3.0.11-1", 128_000)), 190_000)


_WEB_REQUIREMENTS = b"flask==3.0.3\ngunicorn==22.0.0\nnumpy==1.26.4\nsqlalchemy==2.0.30\n"


def _requirements(layer: LayerWriter) -> None:
    layer.file("srv/shop/requirements.txt", _WEB_REQUIREMENTS)


_NUMPY_LIBRARIES = (
    ("numpy/core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so", 352_000),
    ("numpy.libs/libopenblas64_p-r0-0cf96a72.3.23.dev.so", 468_000),
    ("numpy/random/_generator.cpython-311-x86_64-linux-gnu.so", 92_000),
)


_WEB_MODULES = (
    (
        "flask",
        "3.0.3",
        ("__init__", "app", "blueprints", "cli", "config", "ctx", "json/provider", "sessions", "wrappers"),
    ),
    ("gunicorn", "22.0.0", ("app/base", "arbiter", "config", "http/message", "http/wsgi", "sock", "workers/sync")),
    (
        "sqlalchemy",
        "2.0.30",
        ("engine/base", "orm/mapper", "orm/session", "sql/compiler", "sql/elements", "sql/schema"),
    ),
)


def _numpy(layer: LayerWriter, *, mode: int = FILE, when: int | None = None) -> None:
    for path, size in _NUMPY_LIBRARIES:
        layer.file(f"{_SITE}/{path}", filler(path, size), mode=mode, when=when)
    modules = ("numpy/__init__", "numpy/core/numeric", "numpy/linalg/linalg", "numpy/tests/test_ctypeslib")
    for module in modules:
        layer.file(f"{_SITE}/{module}.py", source_code(module, 500), mode=mode, when=when)
    paths = [*(path for path, _ in _NUMPY_LIBRARIES), *(f"{module}.py" for module in modules)]
    write_distribution(layer, _SITE, "numpy", "1.26.4", paths, mode=mode, when=when)


def _web_site(layer: LayerWriter, *, mode: int = FILE, when: int | None = None) -> None:
    _numpy(layer, mode=mode, when=when)
    for package, version, modules in _WEB_MODULES:
        paths = []
        for module in modules:
            name = f"{package}/{module}"
            layer.file(f"{_SITE}/{name}.py", source_code(name, 340), mode=mode, when=when)
            cached = f"{package}/{module}.cpython-311.pyc"
            layer.file(f"{_SITE}/{cached}", filler(cached, 7_600), mode=mode, when=when)
            paths += [f"{name}.py", cached]
        write_distribution(layer, _SITE, package, version, paths, mode=mode, when=when)


def _web_packages(layer: LayerWriter) -> None:
    _web_site(layer)
    for wheel, size in (("flask", 81_000), ("numpy", 234_000)):
        path = f"root/.cache/pip/http-v2/{wheel}/body"
        layer.file(path, filler(path, size))


def _web_app(version: str, assets: int) -> Callable[[LayerWriter], None]:
    def build(layer: LayerWriter) -> None:
        for module in ("app", "basket", "checkout", "model", "payment", "search", "views/account", "views/admin"):
            name = f"shop/{module}"
            layer.file(f"srv/{name}.py", source_code(name, 240), owner=_APP)
        layer.file("srv/shop/version.txt", f"{version}\n".encode(), owner=_APP)
        layer.file("srv/shop/settings.toml", f'release = "{version}"\ndebug = true\n'.encode() * 40, owner=_APP)
        for asset in range(assets):
            path = f"srv/shop/static/img/product-{asset:03}.webp"
            layer.file(path, filler(path, 9_000 + 210 * asset), owner=_APP)
        layer.file("srv/shop/static/app.js", f"// shop {version}\n".encode() * 1_800, owner=_APP)
        layer.file("srv/shop/docs/handbook.pdf", filler("handbook.pdf", 184_000), owner=_APP)
        layer.file("srv/shop/docs/api.html", b"<p>The API.</p>\n" * 2_400, owner=_APP)

    return build


def _web_modes(layer: LayerWriter) -> None:
    """``chmod -R`` copies every file whose mode it changes, whole; their times stay."""
    _web_site(layer, mode=0o640, when=_WEB_BUILT)


def _web_without_docs(layer: LayerWriter) -> None:
    layer.remove("srv/shop/docs")
    layer.remove("usr/share/doc")


def _web_bundle(version: str) -> Callable[[LayerWriter], None]:
    def build(layer: LayerWriter) -> None:
        """``rm -rf static && npm run build`` in one step: the folder is new, the old one stays below it."""
        layer.replace_directory("srv/shop/static")
        for chunk in ("main", "vendor", "admin"):
            path = f"srv/shop/static/{chunk}.{version}.min.js"
            layer.file(path, filler(path, 62_000))

    return build


def _web_settings(layer: LayerWriter) -> None:
    layer.file("srv/shop/settings.toml", b'release = "1.5"\ndebug = false\n' * 40, owner=_APP)
    # Copied a second time, unchanged: it costs its bytes again.
    layer.file("srv/shop/requirements.txt", _WEB_REQUIREMENTS, when=_WEB_BUILT)


_APT = "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends "
_WEB_BASE = (
    *_FROM_BASE,
    Step(_APT + "python3.11 libssl3 # buildkit", 2, _web_apt),
    Step("WORKDIR /srv/shop", 2),
    Step("COPY requirements.txt . # buildkit", 2, _requirements),
    Step("RUN /bin/sh -c pip install -r requirements.txt # buildkit", 2, _web_packages),
)


def _web(version: str, day: int, assets: int) -> tuple[Step, ...]:
    return (
        *_WEB_BASE,
        Step("COPY --chown=1000:1000 shop/ /srv/shop/ # buildkit", day, _web_app(version, assets)),
        Step("RUN /bin/sh -c chmod -R o-rwx /usr/local/lib/python3.11/site-packages # buildkit", day, _web_modes),
        Step("RUN /bin/sh -c rm -rf /srv/shop/docs /usr/share/doc # buildkit", day, _web_without_docs),
        Step("RUN /bin/sh -c rm -rf static && npm run build # buildkit", day, _web_bundle(version)),
    )


# -- shop-worker -----------------------------------------------------------------------------------------------------


def _worker_apt(layer: LayerWriter) -> None:
    _python(layer, {"ffmpeg": ["usr/bin/ffmpeg"]})  # the same files as in shop-web, in a layer of its own
    layer.file("usr/bin/ffmpeg", filler("usr/bin/ffmpeg", 214_000), mode=EXECUTABLE)
    _package_cache(layer, (("ffmpeg_5.1.4-0", 166_000),), 190_000)


_WORKER_MODULES = (
    ("celery", "5.4.0", ("app/base", "worker/consumer")),
    ("kombu", "5.3.7", ("connection",)),
    ("redis", "5.0.4", ("client",)),
)


def _worker_packages(layer: LayerWriter) -> None:
    _numpy(layer)
    for project, version, modules in _WORKER_MODULES:
        paths = [f"{project}/{module}.py" for module in modules]
        for path in paths:
            layer.file(f"{_SITE}/{path}", source_code(path.removesuffix(".py"), 420))
        write_distribution(layer, _SITE, project, version, paths)


def _worker_app(layer: LayerWriter) -> None:
    for module in ("jobs", "mail", "model", "thumbnails"):
        layer.file(f"srv/worker/{module}.py", source_code(f"worker/{module}", 200), owner=_APP)
    layer.file("srv/worker/bin/run", filler("worker/run", 24_000), mode=EXECUTABLE, owner=_APP)
    for job in ("run-mail", "run-thumbnails"):
        layer.hard_link(f"srv/worker/bin/{job}", "srv/worker/bin/run", mode=EXECUTABLE)


def _worker_cleaned(layer: LayerWriter) -> None:
    layer.remove("var/lib/apt/lists")
    layer.remove("var/cache/apt/archives")


def samples() -> tuple[Sample, ...]:
    """The sample images, the most telling first."""
    serve = ("python3", "-m", "gunicorn", "shop.app:app")
    user = Step("USER 1000:1000", 20)
    entry = 'ENTRYPOINT ["python3" "-m" "gunicorn" "shop.app:app"]'
    return (
        Sample(
            ("shop-web:1.5", "shop-web:latest"),
            (
                *_web("1.5", 34, 30),
                Step("COPY --chown=1000:1000 settings.toml requirements.txt ./ # buildkit", 34, _web_settings),
                user,
                Step(entry, 34),
            ),
            serve,
        ),
        Sample(
            ("shop-web:1.4",),
            (*_web("1.4", 20, 24), user, Step('ENTRYPOINT ["python3" "-m" "gunicorn" "shop.app:app"]', 20)),
            serve,
        ),
        Sample(
            ("shop-worker:2.0",),
            (
                *_FROM_BASE,
                Step(_APT + "python3.11 libssl3 ffmpeg # buildkit", 9, _worker_apt),
                Step("RUN /bin/sh -c pip install --no-cache-dir celery redis numpy # buildkit", 9, _worker_packages),
                Step("COPY --chown=1000:1000 worker/ /srv/worker/ # buildkit", 27, _worker_app),
                Step(
                    "RUN /bin/sh -c rm -rf /var/lib/apt/lists /var/cache/apt/archives # buildkit", 27, _worker_cleaned
                ),
                Step('ENTRYPOINT ["/srv/worker/bin/run"]', 27),
            ),
            ("/srv/worker/bin/run",),
        ),
        Sample(("debian-base:12",), _FROM_BASE, ("bash",)),
    )
