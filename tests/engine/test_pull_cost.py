"""What lamina says that a pull costs, against the bytes a real registry serves for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest

from builders import Image, directory, file, layer, old_docker, pack
from engine.counting import CountingProxy
from engine.shared_images import noise
from engine.tools import run
from lamina.figures.compare import compare
from lamina.figures.image import LoadedImage, load
from lamina.figures.sharing import member_of, pull_cost
from needs import tool
from opening import resolve
from tars import Member

pytestmark = pytest.mark.engine

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
REPOSITORY = f"lamina-pull{WORKER}"


def tar(seed: int, size: int) -> bytes:
    """A layer of one file that compresses, but not to nothing. No other worker's engine tests have it."""
    entries: list[Member] = [directory(f"srv/{WORKER}/{seed}"), file(f"srv/{WORKER}/{seed}/data", noise(seed, size))]
    return layer(*entries)


BASE, LIBRARY, CONFIG, ASSETS = tar(1, 50_000), tar(2, 30_000), tar(3, 900), tar(4, 20_000)

# Two versions of two apps. The assets of "site" are the same layer in both versions, but on another one below.
IMAGES = {
    "app:1": [BASE, LIBRARY, tar(10, 8000), CONFIG],
    "app:2": [BASE, LIBRARY, tar(11, 9000), tar(12, 1000), tar(11, 9000)],
    "site:1": [BASE, tar(20, 7000), ASSETS],
    "site:2": [BASE, tar(21, 7500), ASSETS, tar(22, 400)],
}


@dataclass
class Shop:
    """A registry that has all images, and an engine that has none."""

    client: docker.APIClient
    proxy: CountingProxy
    copies: dict[str, LoadedImage]
    """The images as skopeo copies them from the registry into an OCI layout."""

    def pull(self, name: str) -> dict[str, int]:
        """Pull an image into the engine: bytes served by digest, of layers only."""
        self.proxy.taken()
        repository, _, tag = name.partition(":")
        for line in self.client.pull(f"{self.proxy.address}/{REPOSITORY}/{repository}", tag, stream=True, decode=True):
            assert "error" not in line, line
        return self.layers_of(name, dict(self.proxy.taken()))

    def layers_of(self, name: str, served: dict[str, int]) -> dict[str, int]:
        """Without the config, which is a blob too."""
        layers = {layer.digest for layer in self.copies[name].info.layers}
        assert len(served.keys() - layers) <= 1, "nothing but the config beside the layers"
        return {digest: size for digest, size in served.items() if digest in layers}

    def remove(self, name: str) -> None:
        self.client.remove_image(f"{self.proxy.address}/{REPOSITORY}/{name}", force=True)

    def cost(self, wanted: str, present: str) -> int:
        """What lamina says; every blob is a compressed one here, and so it must be told."""
        told = pull_cost(member_of(self.copies[wanted]), member_of(self.copies[present]))
        assert told.compressed
        assert told == compare(self.copies[present], self.copies[wanted]).pull
        return told.bytes


@pytest.fixture(scope="module")
def shop(engine_host: str, registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The images pushed by the engine, removed there again, and the registry behind a counting proxy."""
    folder = tmp_path_factory.mktemp("shop")
    client = docker.APIClient(base_url=engine_host, timeout=120)
    try:
        made = [Image(layers, (f"{registry}/{REPOSITORY}/{name}",)) for name, layers in IMAGES.items()]
        for line in client.load_image(pack(old_docker(*made))):
            assert "error" not in line, line
        for image in made:
            repository, _, tag = image.tags[0].rpartition(":")
            for line in client.push(repository, tag, stream=True, decode=True):
                assert "error" not in line, line
            client.remove_image(image.tags[0])
        copies = {}
        for name in IMAGES:
            origin = f"docker://{registry}/{REPOSITORY}/{name}"
            layout = f"oci:{folder}/layout:{name.replace(':', '-')}"
            copy = ("--insecure-policy", "copy", "-q", "--preserve-digests", "--src-tls-verify=false")
            run(tool("skopeo"), *copy, origin, layout)
            source, target = resolve(layout)
            copies[name] = load(source, target)
        with CountingProxy(registry) as proxy:
            yield Shop(client, proxy, copies)
    finally:
        client.close()


def test_the_copies_have_the_registrys_blobs(shop: Shop) -> None:
    """What the costs rest on: with nothing there, every layer is served once, as many bytes as its blob has."""
    for name in ("app:2", "site:2"):
        image = shop.copies[name]
        blobs = {layer.digest: layer.blob_size for layer in image.info.layers}
        assert shop.pull(name) == blobs
        assert sum(size or 0 for size in blobs.values()) < image.size, "they are compressed"
        shop.remove(name)


@pytest.mark.parametrize(("present", "wanted"), [("app:1", "app:2"), ("app:2", "app:1"), ("app:1", "site:1")])
def test_a_pull_serves_what_it_was_said_to_cost(shop: Shop, present: str, wanted: str) -> None:
    try:
        shop.pull(present)
        served = shop.pull(wanted)
    finally:
        shop.remove(wanted)
        shop.remove(present)
    assert sum(served.values()) == shop.cost(wanted, present) > 0
    assert all(
        served[layer.digest or ""] == layer.blob_size
        for layer in shop.copies[wanted].info.layers
        if layer.digest in served
    )


@pytest.fixture
def podman() -> Iterator[list[str]]:
    """The podman command with a storage of its own, in a folder whose path is as short as podman wants it."""
    with tempfile.TemporaryDirectory(prefix="lamina-pod-") as folder:
        command = [tool("podman"), f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=vfs"]
        yield command
        run(*command, "rmi", "--all", "--force")


def test_a_layer_on_another_base(shop: Shop, podman: list[str]) -> None:
    """By the definition a layer is transferred once, wherever it stands: so pull Podman and containerd, by digest.

    Docker's own image store (without containerd) stops looking at the first layer that is not the same, and fetches
    all above it: there the cost of a new version is that of the stacks, as :attr:`Comparison.disk` counts files.
    """
    old, new = shop.copies["site:1"], shop.copies["site:2"]
    assets = next(layer for layer in new.info.layers if layer.diff_id in {each.diff_id for each in old.info.layers[2:]})
    try:
        shop.pull("site:1")
        served = shop.pull("site:2")
    finally:
        shop.remove("site:2")
        shop.remove("site:1")
    assert assets.blob_size is not None
    by_docker = sum(served.values())

    by_podman = {}
    for name in ("site:1", "site:2"):
        shop.proxy.taken()
        run(*podman, "pull", "-q", "--tls-verify=false", f"{shop.proxy.address}/{REPOSITORY}/{name}")
        by_podman[name] = sum(shop.layers_of(name, dict(shop.proxy.taken())).values())

    told = shop.cost("site:2", "site:1")
    assert by_podman["site:2"] == told
    assert by_docker == told + assets.blob_size
    stacks = {layer.chain_id for layer in old.info.layers}
    assert by_docker == sum(layer.blob_size or 0 for layer in new.info.layers if layer.chain_id not in stacks)
