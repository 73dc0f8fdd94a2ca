"""What package managers write down of the samples' files: the records that packages are read from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lamina.sources.demo.layer_writer import FILE, LayerWriter

_VERSIONS = {
    "adduser": "3.134",
    "apt": "2.6.1",
    "base-files": "12.4+deb12u5",
    "bash": "5.2.15-2+b2",
    "coreutils": "9.1-1",
    "dash": "0.5.12-2",
    "debconf": "1.5.82",
    "dpkg": "1.21.22",
    "ffmpeg": "7:5.1.4-0",
    "findutils": "4.9.0-4",
    "grep": "3.8-5",
    "libapt-pkg6.0": "2.6.1",
    "libc6": "2.36-9+deb12u4",
    "libssl3": "3.0.11-1",
    "libsystemd0": "252.22-1",
    "libzstd1": "1.5.4+dfsg2-5",
    "perl-base": "5.36.0-7+deb12u1",
    "python3.11": "3.11.2-6",
    "sed": "4.9-1",
    "tar": "1.34+dfsg-1.2",
}


def write_dpkg(layer: LayerWriter, installed: Mapping[str, Iterable[str]], *, before: Iterable[str] = ()) -> None:
    """The list of each package's files, and the status of all.

    Args:
        layer: that installs them.
        installed: paths by package.
        before: packages that lower layers have.
    """
    for package, paths in installed.items():
        listed = "".join(f"/{path}\n" for path in paths)
        layer.file(f"var/lib/dpkg/info/{package}.list", f"/.\n{listed}".encode())
    paragraphs = [
        f"Package: {package}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {_VERSIONS[package]}\n"
        for package in sorted({*before, *installed})
    ]
    layer.file("var/lib/dpkg/status", "\n".join(paragraphs).encode())


def write_distribution(
    layer: LayerWriter,
    site: str,
    project: str,
    version: str,
    paths: Iterable[str],
    *,
    mode: int = FILE,
    when: int | None = None,
) -> None:
    """The ``dist-info`` of a Python project.

    Args:
        layer: that installs it.
        site: the folder of its modules.
        project: its name.
        version: its version.
        paths: its files, below ``site``.
        mode: of the records.
        when: their time.
    """
    home = f"{project}-{version}.dist-info"
    records = (f"{home}/METADATA", f"{home}/RECORD")
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    lines = "".join(f"{path},,\n" for path in (*paths, *records))
    for path, content in zip(records, (metadata, lines), strict=True):
        layer.file(f"{site}/{path}", content.encode(), mode=mode, when=when)
