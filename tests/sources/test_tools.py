"""Archives that other people's tools write."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from builders import contents, old_docker, pack, read, sample_image, shape
from lamina.sources.base import ReadImage
from needs import tool, unavailable
from opening import resolve

IMAGE = sample_image("localhost/tools/app:1")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The sample image as ``docker save`` writes it."""
    path = tmp_path / "saved.tar"
    path.write_bytes(pack(old_docker(IMAGE)))
    return path


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def opened(text: str) -> ReadImage:
    source, target = resolve(text)
    return read(source, target, verify=True)


def same(copy: ReadImage, original: ReadImage) -> None:
    """Layers, rows and contents are the same; the config may have been written anew."""
    assert [part.diff_id for part in copy.info.layers] == [part.diff_id for part in original.info.layers]
    assert [part.chain_id for part in copy.info.layers] == [part.chain_id for part in original.info.layers]
    assert [part.instruction for part in copy.info.layers] == [part.instruction for part in original.info.layers]
    assert shape(copy) == shape(original)
    assert contents(copy) == contents(original)


@pytest.mark.parametrize(
    ("form", "how"),
    [("oci-archive", "gzip"), ("oci-archive", "zstd"), ("oci", "gzip"), ("oci", "zstd"), ("docker-archive", "")],
)
def test_skopeo_copies(form: str, how: str, saved: Path, tmp_path: Path) -> None:
    place = f"{form}:{tmp_path / 'copy'}"
    options = ("--dest-compress-format", how) if how else ()
    policy = ("--insecure-policy",)
    run(tool("skopeo"), *policy, "copy", *options, f"docker-archive:{saved}", f"{place}:localhost/tools/app:1")
    original = opened(str(saved))
    same(opened(place), original)
    same(opened(f"{place}:localhost/tools/app:1"), original)
    copy = opened(str(tmp_path / "copy"))
    if form != "docker-archive":
        assert all(part.digest and part.blob_size for part in copy.info.layers)


def test_umoci_adds_a_layer(saved: Path, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    skopeo, umoci = tool("skopeo"), tool("umoci")
    run(skopeo, "--insecure-policy", "copy", f"docker-archive:{saved}", f"oci:{layout}:first")
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "file").write_bytes(b"added by umoci")
    rootless = () if os.geteuid() == 0 else ("--rootless",)
    run(umoci, "insert", *rootless, "--image", f"{layout}:first", "--tag", "second", tmp_path / "added", "/srv")
    first, second = opened(f"oci:{layout}:first"), opened(f"oci:{layout}:second")
    assert len(second.layers) == len(first.layers) + 1
    assert shape(second)[:-1] == shape(first)
    assert {row.tags[0] for row in resolve(str(layout))[0].list()} == {"first", "second"}


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci-dir"])
def test_podman_saves(form: str, saved: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        unavailable("needs root: podman without it needs user namespaces, which a sandbox may not have")
    # Not below pytest's folder: podman takes no more than fifty characters.
    with tempfile.TemporaryDirectory(prefix="lamina-") as name:
        podman = (tool("podman"), "--root", f"{name}/root", "--runroot", f"{name}/run", "--storage-driver", "vfs")
        run(*podman, "load", "-q", "-i", saved)
        run(*podman, "save", "-q", "--format", form, "-o", tmp_path / "copy", "localhost/tools/app:1")
    same(opened(str(tmp_path / "copy")), opened(str(saved)))
