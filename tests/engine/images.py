"""Small real images, built by a real engine without any network.

A base image is made of the host's own shell and a handful of tools with the libraries they need; on it,
real ``RUN`` steps do what Dockerfiles do: copy, ``chmod -R``, ``rm -rf``, replace, link.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import docker

TOOLS = ("sh", "cat", "chmod", "chown", "cp", "ln", "mkdir", "mkfifo", "mv", "rm", "touch")
OPTIONAL_TOOLS = ("setcap",)  # from libcap2-bin: a file capability is an extended attribute in the layer's tar

BASE = "lamina-test/base:1"
APP1 = "lamina-test/app:1"
APP2 = "lamina-test/app:2"
ALIAS = "lamina-test/alias:latest"
"""A second tag of APP2."""

# One entry is one layer; the commands of a layer are joined with &&.
APP1_STEPS: tuple[str | tuple[str, ...], ...] = (
    "COPY app /srv/app",
    ("mkdir -p /var/cache/apt/archives", "cp /bin/cp /var/cache/apt/archives/coreutils.deb"),
    ("chmod -R a-w /srv/app/lib",),
    ("chown -R 1000:1000 /srv/app/share",),
    ("rm -rf /srv/app/doomed /var/cache/apt/archives/coreutils.deb",),
    ("rm -rf /srv/app/opaque", "mkdir /srv/app/opaque", "echo fresh > /srv/app/opaque/only"),
    (
        *("mkdir /srv/links", "cp /bin/cat /srv/links/one"),
        *("ln /srv/links/one /srv/links/two", "ln /srv/links/one /srv/links/three"),
        *("ln -s one /srv/links/soft", "ln -s /nowhere /srv/links/dangling", "mkfifo /srv/links/pipe"),
    ),
    (
        *("rm /srv/links/two", "echo overwritten > /srv/app/config.ini"),
        *("rm /srv/app/typed", "mkdir /srv/app/typed", "echo in > /srv/app/typed/file"),
        *("rm -r /srv/app/folder", "echo now-a-file > /srv/app/folder"),
    ),
    (
        *("cp -r /srv/app/lib /srv/copy", ": > /srv/app/empty"),
        *("cp /srv/app/same.txt /srv/app/same.tmp", "mv /srv/app/same.tmp /srv/app/same.txt"),
    ),
)
SETCAP_STEP = ("cp /bin/cat /srv/capable", "setcap cap_net_raw+ep /srv/capable")
APP2_STEP = ("rm -rf /srv/copy", "mkdir -p /srv/new", "cp /bin/cp /srv/new/tool")

ODD_NAMES = (
    "datei mit leerzeichen",
    "größe-日本語.txt",
    "new\nline",
    "esc\x1b[31mred",
    "[markup] [/]",
    "bidi-\u202etxt.exe",
    "back\\slash",
    "quote'\"quote",
    "-rf",
    "x" * 200,
)
ODD_BYTES = b"not-utf8-\xff\xfe"


def _files_of(tool: str) -> set[str]:
    """The program and every library the loader maps for it, as absolute paths."""
    program = shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/bin:/bin:/usr/sbin:/sbin")
    if program is None:
        raise FileNotFoundError(tool)
    listing = subprocess.run(["ldd", program], check=False, capture_output=True, text=True)
    return {program, *re.findall(r"(/\S+) \(0x", listing.stdout)}


def _add(
    archive: tarfile.TarFile, name: str, data: bytes = b"", mode: int = 0o644, kind: bytes = tarfile.REGTYPE
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.mtime = kind, mode, len(data), 1_700_000_000
    archive.addfile(member, io.BytesIO(data))


def base_tar() -> bytes:
    """A root file system's tar: a shell, some tools, their libraries."""
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for folder in ("bin", "etc", "srv", "tmp", "usr", "usr/lib", "var", "var/cache"):
                _add(archive, folder, mode=0o1777 if folder == "tmp" else 0o755, kind=tarfile.DIRTYPE)
            _add(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
            _add(archive, "etc/os-release", b"ID=lamina-test\nVERSION_ID=1\n")
            placed = set()
            for tool in (*TOOLS, *filter(shutil.which, OPTIONAL_TOOLS)):
                for path in sorted(_files_of(tool)):
                    name = f"bin/{tool}" if Path(path).name == tool else path.lstrip("/")
                    if name not in placed:
                        placed.add(name)
                        _add(archive, name, Path(path).read_bytes(), mode=0o755)
        return buffer.getvalue()


def _context(dockerfile: str) -> bytes:
    """A build context: the Dockerfile and the folder ``app``."""
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            _add(archive, "Dockerfile", dockerfile.encode())
            for n in range(120):
                _add(archive, f"app/lib/module_{n:03}.py", f"value = {n}\n".encode() * (n + 1))
            for n in range(12):
                _add(archive, f"app/share/icon{n}", bytes([n]) * 1000)
                _add(archive, f"app/doomed/deep/er/{n}", bytes([n]) * 4096)
                _add(archive, f"app/opaque/old{n}", bytes([n]) * 100)
                _add(archive, f"app/folder/{n}", b"f" * n)
            _add(archive, "app/config.ini", b"first = 1\n")
            _add(archive, "app/same.txt", b"the same, copied over itself\n")
            _add(archive, "app/typed", b"a file that becomes a folder\n")
            for name in ODD_NAMES:
                _add(archive, f"app/odd/{name}", name.encode())
            _add(archive, f"app/odd/{ODD_BYTES.decode(errors='surrogateescape')}", b"bytes")
            _add(archive, "app/" + "/".join(["deep"] * 60) + "/end", b"deep")
        return buffer.getvalue()


def _step(step: str | tuple[str, ...]) -> str:
    return step if isinstance(step, str) else "RUN " + " && ".join(step)


def _build(client: docker.APIClient, tag: str, dockerfile: str) -> None:
    """Build with the classic builder: no BuildKit, no network, no base image to pull."""
    context = io.BytesIO(_context(dockerfile))
    lines = client.build(
        fileobj=context, custom_context=True, tag=tag, rm=True, nocache=True, network_mode="none", decode=True
    )
    said = ""
    for line in lines:
        said += line.get("stream", "")
        if "error" in line:
            raise RuntimeError(f"building {tag} failed: {line['error']}\n{said}")


def build_all(host: str) -> None:
    """Import the base and build APP1, APP2 and ALIAS on it.

    Args:
        host: the engine's DOCKER_HOST.
    """
    client = docker.APIClient(base_url=host, timeout=120)
    try:
        repository, tag = BASE.split(":")
        client.import_image_from_data(base_tar(), repository=repository, tag=tag)
        steps = [_step(step) for step in APP1_STEPS]
        if shutil.which("setcap"):
            steps.append(_step(SETCAP_STEP))
        metadata = ["ENV GREETING=hello", "LABEL lamina.test=1", 'CMD ["/bin/sh"]']
        _build(client, APP1, "\n".join([f"FROM {BASE}", *steps[:3], *metadata, *steps[3:]]))
        _build(client, APP2, f"FROM {APP1}\n{_step(APP2_STEP)}\n")
        repository, tag = ALIAS.split(":")
        client.tag(APP2, repository, tag)
    finally:
        client.close()


def remove_all(host: str) -> None:
    """Take away what :func:`build_all` made, so that a borrowed engine is left as it was."""
    client = docker.APIClient(base_url=host, timeout=120)
    try:
        for name in (ALIAS, APP2, APP1, BASE):
            client.remove_image(name, force=True)
    finally:
        client.close()
