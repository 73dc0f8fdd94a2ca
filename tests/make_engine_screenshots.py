"""Makes the pictures in screenshots/ that show a real engine with containers, and a real registry.

    python tests/make_engine_screenshots.py [FOLDER]

Starts both privately, as root: needs dockerd, docker-registry, a static busybox, and what make_screenshots.py needs.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import docker

from builders import Image, directory, file, layer, old_docker, pack
from conftest import _private_engine
from engine.shared_images import noise
from lamina.workspace import Workspace
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import engine_images
from make_screenshots import FOLDER, SIZES, settled, write_picture

REGISTRY = "localhost:5000"
STEPS = (
    "ADD rootfs.tar.xz /",
    "apt-get update && apt-get install -y python3",
    "pip install -r requirements.txt",
    "COPY dir:app in /srv",
)
VERSIONS = 14


def version(number: int, base: bytes, python: bytes, packages: Callable[[int], bytes]) -> Image:
    """One version of an app: its own code on packages that change now and then."""
    when = f"2026-{1 + number // 2:02d}-{3 + 12 * (number % 2):02d}T09:30:00Z"
    layers = [
        base,
        python,
        packages(number // 5),
        layer(file("srv/app.py", noise(100 + number, 420_000 + 9000 * number))),
    ]
    commands = [f"/bin/sh -c #(nop) {step}" if step[:3] in {"ADD", "COP"} else f"/bin/sh -c {step}" for step in STEPS]
    history = [{"created_by": command, "created": when} for command in commands]
    return Image(layers, (f"{REGISTRY}/shop/web:1.{number}",), extra={"history": history, "created": when})


def fill(client: docker.APIClient) -> None:
    """Images in the engine and in the registry, and containers."""
    busybox = Path("/bin/busybox").read_bytes()
    links = [file(f"bin/{name}", busybox, mode=0o755) for name in ("sh", "dd", "rm", "sleep")]
    base = layer(*links, directory("tmp"), file("usr/lib/libc.so", noise(1, 21_000_000)))
    python = layer(
        file("usr/bin/python3", noise(2, 17_000_000)), file("var/cache/apt/pkgcache.bin", noise(3, 3_000_000))
    )

    def packages(age: int) -> bytes:
        return layer(file("usr/lib/python3/numpy.so", noise(10 + age, 8_000_000 + 300_000 * age)))

    images = [version(number, base, python, packages) for number in range(VERSIONS)]
    images.append(Image([base, python, layer(file("srv/job.py", noise(60, 90_000)))], (f"{REGISTRY}/shop/worker:2.3",)))
    for image in images:
        for line in client.load_image(pack(old_docker(image))):
            assert "error" not in line, line
        repository, _, tag = image.tags[0].rpartition(":")
        for line in client.push(repository, tag, stream=True, decode=True):
            assert "error" not in line, line
    for number in (*range(9), *range(11, VERSIONS)):
        client.remove_image(f"{REGISTRY}/shop/web:1.{number}")
    host = client.create_host_config(network_mode="none")
    for name, of, script in (
        ("web-1", "web:1.10", "dd if=/dev/zero of=/var/cache/apt/pkgcache.bin bs=1M count=48; sleep 1000"),
        ("web-2", "web:1.10", "dd if=/dev/zero of=/tmp/session bs=1M count=3; sleep 1000"),
        ("worker-1", "worker:2.3", "rm /srv/job.py"),
    ):
        made = client.create_container(f"{REGISTRY}/shop/{of}", ["sh", "-c", script], name=name, host_config=host)
        client.start(made)
    time.sleep(2)


async def show(host: str, size: tuple[int, int], keys: str) -> str:
    """The screen as SVG after some keys on the engine's images; ``+`` before a word types it."""
    workspace = Workspace(host=host)
    app = LaminaApp(lambda: engine_images(workspace), workspace)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for word in keys.split():
            times, star, key = word.partition("*")
            pressed = [key if star else word] * (int(times) if star else 1)
            for each in word[1:] if word.startswith("+") else pressed:
                await pilot.press({"/": "slash", ":": "colon", ".": "full_stop"}.get(each, each))
            await settled(pilot)
        return app.export_screenshot()


PICTURES = {
    # name: (cells, keys on the engine's images)
    "containers": ((100, 14), "2*down"),
    "search": ((100, 12), f"p +{REGISTRY}/shop enter"),
    "tags": ((100, 22), "v"),
    "pull": ((100, 14), "v 3*up p"),
}


def main() -> None:
    """Make every picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory(prefix="lamina-") as name:
        config = Path(name, "registry.json")
        storage = {"filesystem": {"rootdirectory": f"{name}/registry"}}
        config.write_text(
            json.dumps({"version": 0.1, "log": {"level": "error"}, "storage": storage, "http": {"addr": REGISTRY}})
        )
        silence = subprocess.DEVNULL
        registry = subprocess.Popen(["docker-registry", "serve", config], stdout=silence, stderr=silence)
        os.environ["DOCKER_CONFIG"] = name
        try:
            with _private_engine("/usr/sbin/dockerd", Path(name)) as host:
                urllib.request.urlopen(f"http://{REGISTRY}/v2/", timeout=20).close()
                client = docker.APIClient(base_url=host, timeout=300)
                fill(client)
                for picture, (size, keys) in PICTURES.items():
                    write_picture(folder, picture, size, asyncio.run(show(host, size, keys)))
                    for every in SIZES:
                        write_picture(
                            folder / "{}x{}".format(*every), picture, every, asyncio.run(show(host, every, keys))
                        )
                for container in client.containers():
                    client.kill(container)
                client.close()
        finally:
            registry.terminate()
            registry.wait()


if __name__ == "__main__":
    main()
