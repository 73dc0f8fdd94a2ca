"""A small world of images as real engines have them: three bases, apps in two versions, retagged and dangling ones.

Built without a network and without running anything: every step is a COPY or a setting.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field

import docker

PREFIX = "lamina-share"


def name(short: str) -> str:
    """``web:1`` as it is called in the engine."""
    return f"{PREFIX}/{short}"


def noise(seed: int, size: int) -> bytes:
    """Bytes that look like nothing in particular, always the same for a seed."""
    return b"".join(b"%d %d\n" % (seed, number * number) for number in range(size // 8))[:size]


Files = dict[str, bytes]

DEBIAN: Files = {
    "etc/os-release": b"ID=debian\n",
    "bin/sh": noise(1, 40_000),
    "usr/lib/libc.so": noise(2, 60_000),
    "srv/readme": b"empty\n",
}
NODE: Files = {"etc/os-release": b"ID=alpine\n", "usr/bin/node": noise(3, 90_000), "srv/readme": b"empty\n"}

CONTEXT: Files = {
    **{f"python/lib/module{number}.py": noise(10 + number, 5000 + 700 * number) for number in range(6)},
    **{f"deps/dep{number}/code.py": noise(20 + number, 6000 + 500 * number) for number in range(5)},
    "web1/app.py": noise(30, 9000),
    "web1/static.js": noise(31, 7000),
    "web2/app.py": noise(32, 9400),
    "web2/static.js": noise(31, 7000),
    "worker/run.py": noise(40, 8000),
    "api1/server.js": noise(50, 5000),
    "api1b/server.js": noise(51, 5100),
    "api2/server.js": noise(52, 5200),
    "cli/tool": noise(60, 4500),
    "tools/debug": noise(70, 4800),
    "data/table": noise(80, 12_000),
    "data/empty": b"",
}

BUILDS: tuple[tuple[str, str], ...] = (
    ("python:3", 'FROM debian:12\nENV PATH=/usr/local/bin:/bin\nCOPY python /usr/local\nCMD ["python3"]'),
    ("web:1", "FROM python:3\nWORKDIR /srv/app\nCOPY deps /srv/deps\nCOPY web1 /srv/app\nLABEL a=1\nEXPOSE 80"),
    ("web:2", "FROM python:3\nWORKDIR /srv/app\nCOPY deps /srv/deps\nCOPY web2 /srv/app\nLABEL a=2\nEXPOSE 80"),
    ("worker:1", "FROM python:3\nWORKDIR /srv/app\nCOPY deps /srv/deps\nCOPY worker /srv/app\nUSER 1000"),
    ("tools:1", "FROM web:2\nCOPY tools /srv/tools\nARG X=1"),
    ("api:1", "FROM node:20\nCOPY api1 /srv"),
    ("api:1", "FROM node:20\nCOPY api1b /srv"),  # the tag moves, the image before is dangling
    ("api:2", "FROM node:20\nCOPY api2 /srv"),
    ("cli:1", "FROM debian:12\nVOLUME /data\nCOPY cli /bin"),
    ("deps:1", "FROM debian:12\nCOPY deps /srv/deps"),  # what web and worker have, on another base
    ("settings:1", "FROM debian:12\nENV ONLY=this"),  # no layer of its own
    ("data:1", "FROM scratch\nCOPY data /"),
)
DANGLING = "api:1 before"
RETAGGED = ("web:2", "web:stable")


@dataclass
class World:
    """The images as they are in the engine."""

    host: str
    client: docker.APIClient
    ids: dict[str, str] = field(default_factory=dict)
    """Short name (or :data:`DANGLING`) -> image ID."""


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Files and their folders as a tar, all times the same."""
    folders = sorted({path[:end] for path in files for end in range(len(path)) if path[end] == "/"})
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in (*folders, *files):
                member = tarfile.TarInfo(path)
                member.mtime = 1_700_000_000
                if path in files:
                    member.size = len(files[path])
                else:
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member, io.BytesIO(files.get(path, b"")))
        return buffer.getvalue()


def build(client: docker.APIClient, short: str, dockerfile: str) -> str:
    """Build an image with the classic builder; its ID."""
    lines = [line.replace("FROM ", f"FROM {PREFIX}/") for line in dockerfile.splitlines()]
    text = "\n".join(lines).replace(f"{PREFIX}/scratch", "scratch")
    context = io.BytesIO(tar_of({"Dockerfile": text.encode(), **CONTEXT}))
    said = ""
    for line in client.build(fileobj=context, custom_context=True, tag=name(short), rm=True, decode=True):
        said += line.get("stream", "")
        if "error" in line:
            raise RuntimeError(f"building {short} failed: {line['error']}\n{said}")
    image_id: str = client.inspect_image(name(short))["Id"]
    return image_id


def build_all(world: World) -> None:
    """Make all images."""
    client = world.client
    for short, files in (("debian:12", DEBIAN), ("node:20", NODE)):
        repository, _, tag = name(short).partition(":")
        client.import_image_from_data(tar_of(files), repository=repository, tag=tag)
        world.ids[short] = client.inspect_image(name(short))["Id"]
    for short, dockerfile in BUILDS:
        if short in world.ids:
            world.ids[DANGLING] = world.ids[short]
        world.ids[short] = build(client, short, dockerfile)
    repository, _, tag = name(RETAGGED[1]).partition(":")
    client.tag(name(RETAGGED[0]), repository, tag)


def remove_all(world: World) -> None:
    """Take away what is left of them, the topmost first."""
    left = {image["Id"] for image in world.client.images()}
    for image_id in reversed(world.ids.values()):
        if image_id in left:
            world.client.remove_image(image_id, force=True)
            left = {image["Id"] for image in world.client.images()}
