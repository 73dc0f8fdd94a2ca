"""What the user typed becomes a source."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from builders import complaint, gzip, oci, old_docker, pack, read, sample_image, write_layout
from lamina.model import LaminaError
from lamina.sources.archive import ArchiveSource
from lamina.sources.demo.source import DemoSource
from lamina.sources.engine.source import EngineSource
from lamina.sources.layout import LayoutSource
from lamina.sources.stream import StreamSource
from opening import resolve

IMAGE = sample_image()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one of each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("web.tar").write_bytes(pack(old_docker(IMAGE)))
    Path("web.tar.gz").write_bytes(gzip.compress(pack(old_docker(IMAGE))))
    Path("redis").write_bytes(pack(old_docker(IMAGE)))
    Path("script").write_text("#!/bin/sh\n")
    Path("we:ird").write_bytes(pack(old_docker(IMAGE)))
    Path("both.tar").write_bytes(pack(oci(IMAGE) | old_docker(IMAGE)))
    Path("oci.tar").write_bytes(pack(oci(IMAGE)))
    Path("debian").mkdir()
    write_layout(Path("layout"), oci(IMAGE))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("web.tar", ArchiveSource, None),
        ("./web.tar", ArchiveSource, None),
        ("~/web.tar", ArchiveSource, None),
        ("web.tar:app:1", ArchiveSource, "app:1"),
        ("web.tar:@0", ArchiveSource, "@0"),
        ("web.tar:", ArchiveSource, None),
        ("web.tar.gz", StreamSource, None),
        ("redis", ArchiveSource, None),
        ("redis:1", ArchiveSource, "1"),
        ("we:ird", ArchiveSource, None),
        ("we:ird:app:1", ArchiveSource, "app:1"),
        ("layout", LayoutSource, None),
        ("layout:app:1", LayoutSource, "app:1"),
        ("docker-archive:web.tar", ArchiveSource, None),
        ("docker-archive:web.tar:app:1", ArchiveSource, "app:1"),
        ("docker-archive:web.tar.gz:app:1", StreamSource, "app:1"),
        ("oci-archive:oci.tar:app:1", ArchiveSource, "app:1"),
        ("oci:layout", LayoutSource, None),
        ("oci:layout:app:1", LayoutSource, "app:1"),
        ("docker-daemon:web.tar", EngineSource, "web.tar"),
        ("docker-daemon:sha256:abc", EngineSource, "sha256:abc"),
        ("debian", EngineSource, "debian"),
        ("debian:12", EngineSource, "debian:12"),
        ("script:1", EngineSource, "script:1"),
        ("nginx", EngineSource, "nginx"),
        (
            "registry.example.org:5000/team/nginx@sha256:abc",
            EngineSource,
            "registry.example.org:5000/team/nginx@sha256:abc",
        ),
        ("0123456789ab", EngineSource, "0123456789ab"),
    ],
)
def test_each_form_of_target(text: str, kind: type, target: str | None) -> None:
    source, name = resolve(text)
    assert type(source) is kind
    assert name == target
    if kind is not EngineSource:
        assert read(source, name).info.id == IMAGE.id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/nosuch/file", "no such file: /nosuch/file"),
        ("./nosuch", "no such file"),
        ("../nosuch:1", "no such file"),
        ("~/nosuch", "no such file"),
        ("~nosuchuser/x", "no such file"),
        ("nosuch.tar", "no such file"),
        ("nosuch.tar.zst", "no such file"),
        ("docker-archive:nosuch", "no such file"),
        ("docker-archive:", "needs a name or a path"),
        ("docker-daemon:", "needs a name or a path"),
        ("docker-archive:debian", "is a folder"),
        ("oci:nosuch", "no such folder"),
        ("oci:web.tar", "no such folder"),
        ("oci:debian", "no OCI layout"),
        ("./debian", "no OCI layout"),
        ("script", "not an image archive"),
        ("./script:1", "not an image archive"),
        ("/dev/null", "not an image archive"),
        ("x\0.tar", "no such file"),
        ("x\x1b[31m.tar", r"x\x1b[31m.tar"),
    ],
)
def test_what_is_not_there_gets_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(LaminaError) as caught:
        resolve(text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_transport_says_which_table_of_contents_counts() -> None:
    assert "no index.json" in complaint(resolve("oci-archive:web.tar")[0])
    assert "no manifest.json" in complaint(resolve("docker-archive:oci.tar")[0])
    assert read(resolve("oci-archive:both.tar")[0]).info.layers[0].digest is not None
    assert read(resolve("docker-archive:both.tar")[0]).info.layers[0].digest is None


def test_an_empty_file(here: Path) -> None:
    (here / "empty.tar").touch()
    with pytest.raises(LaminaError, match="empty file"):
        resolve("empty.tar")


def test_a_file_without_permission(here: Path) -> None:
    if os.geteuid() == 0:
        # Root may read everything: ask as somebody else.
        (here / "web.tar").chmod(0o600)
        here.chmod(0o755)
        code = (
            "import os\n"
            "from lamina.sources import archive, byte_streams, stream\n"
            "from lamina.sources.target import Resolver\n"
            f"os.setuid(65534); Resolver().resolve({str(here / 'web.tar')!r})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "LaminaError" in done.stderr
        return
    (here / "web.tar").chmod(0)
    with pytest.raises(LaminaError, match="Permission denied"):
        resolve("web.tar")


def test_a_terminal_is_no_archive() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb"), os.fdopen(follower, "rb") as terminal:
        for text in ("-", "/dev/stdin"):
            with pytest.raises(LaminaError, match="is a terminal"):
                resolve(text, stdin=terminal)


def test_standard_input_by_its_names() -> None:
    data = pack(old_docker(IMAGE))
    for text in ("-", "/dev/stdin", "docker-archive:-", "docker-archive:/dev/stdin"):
        source, target = resolve(text, stdin=io.BytesIO(data))
        assert read(source, target).info.id == IMAGE.id


def test_the_engine_and_the_demo() -> None:
    assert isinstance(EngineSource(), EngineSource)
    assert EngineSource("unix:///x").label == "engine unix:///x"
    assert isinstance(DemoSource(), DemoSource)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from lamina.sources.target import Resolver; Resolver().resolve(sys.argv[1])\n"
        "assert not {'docker', 'requests', 'textual', 'rich'} & set(sys.modules), sorted(sys.modules)\n"
        "Resolver().engine()\n"
        "assert 'docker' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, "web.tar"], check=True)
