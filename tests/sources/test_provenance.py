"""BuildKit's provenance of an image: found wherever an index has it, and what is wrong with it said in one line."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import built
from builders import OCI, oci, pack, read, sample_image, sha256, write_layout
from lamina.model import Cancelled, LaminaError
from lamina.sources.base import ReadImage
from lamina.sources.provenance import Provenance, parse_provenance
from lying_registry import LyingRegistry, status
from opening import resolve


def found(image: ReadImage) -> Provenance | None:
    assert image.provenance is not None
    return image.provenance(threading.Event())


def in_archive(folder: Path, members: dict[str, Any]) -> ReadImage:
    (folder / "image.tar").write_bytes(pack(members))
    return read(resolve(str(folder / "image.tar"))[0])


@pytest.mark.parametrize("version", built.VERSIONS)
def test_a_statement_has_the_dockerfile_and_the_lines_of_its_steps(version: str) -> None:
    digests = [f"sha256:{number:064x}" for number in range(10)]
    told = parse_provenance(built.statement(version, [*digests, digests[-1]]), "x")

    assert told is not None
    assert told.file == "app.Dockerfile"
    assert told.text.splitlines()[6] == "RUN echo 2 > /two && \\"
    assert told.lines[tuple(digests[:8])] == (7,)
    assert told.lines[(*digests, digests[-1])] == (11,)
    # The base comes from both its FROM.
    assert told.lines[tuple(digests[:5])] == (4, 1)


@pytest.mark.parametrize("version", built.VERSIONS)
def test_an_archive_a_folder_and_a_stream_have_it(tmp_path: Path, version: str) -> None:
    members = built.built(version)
    folder = write_layout(tmp_path / "layout", members)
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(pack(members)))

    told = found(in_archive(tmp_path, members))

    assert told is not None
    assert len(told.lines) == 8
    assert found(read(resolve(str(folder))[0])) == told
    assert found(read(resolve(str(tmp_path / "image.tar.gz"))[0])) == told


def test_a_registry_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with LyingRegistry(built.IMAGE) as registry:
        members: dict[str, Any] = {}
        image = {"mediaType": f"{OCI}.manifest.v1+json", "digest": sha256(registry.manifest), "size": 1}
        row = built.attestation(members, image["digest"], built.statement("v1", registry.layers))
        index = json.dumps({"schemaVersion": 2, "manifests": [image, row]}).encode()
        registry.instead["manifests/1"] = [status(200, index)]
        for name, data in members.items():
            digest = name.removeprefix("blobs/").replace("/", ":")
            kind = "manifests" if digest == row["digest"] else "blobs"
            registry.instead[f"{kind}/{digest}"] = [status(200, data)]
        source, target = resolve(registry.target)
        read_image = read(source, target)
        asked = len(registry.asked)
        told = found(read_image)

        assert told is not None
        assert told.lines[tuple(registry.layers[:6])] == (5,)
        # Nothing of it is asked for before somebody wants it.
        kinds = [path.removeprefix("/v2/app/").partition("/")[0] for path, _, _ in registry.asked[asked:]]
        assert kinds == ["manifests", "blobs"]


def test_that_of_another_image_is_not_taken(tmp_path: Path) -> None:
    assert found(in_archive(tmp_path, built.built(of="sha256:" + "1" * 64))) is None


def test_one_without_the_dockerfile_is_none(tmp_path: Path) -> None:
    statement = built.sample("v1")
    del built.notes_of(statement)["source"]  # mode=min
    assert found(in_archive(tmp_path, built.built(data=json.dumps(statement).encode()))) is None
    assert parse_provenance(b"{}", "x") is None


def test_an_index_without_and_a_manifest_alone_have_none(tmp_path: Path) -> None:
    assert found(in_archive(tmp_path, oci(sample_image()))) is None


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda notes: notes["source"]["infos"][0].pop(key)


def put(value: object, *keys: Any) -> Callable[[dict[str, Any]], None]:
    def change(notes: dict[str, Any]) -> None:
        at: Any = notes
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        without("data"),
        put("no base64!", "source", "infos", 0, "data"),
        put(7, "source", "infos", 0, "filename"),
        put([7], "source", "infos"),
        put({}, "source", "infos"),
        put([], "source", "locations"),
        put({"step1": {"locations": [{"ranges": [{"start": 7}]}]}}, "source", "locations"),
        put({"step1:0": [[{"digest": 7}]]}, "layers"),
        put({"step1:0": 7}, "layers"),
    ],
)
def test_what_is_malformed_is_told_in_one_line(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    statement = built.sample("v1")
    change(built.notes_of(statement))
    image = in_archive(tmp_path, built.built(data=json.dumps(statement).encode()))

    with pytest.raises(LaminaError, match=r"^the provenance sha256:\w+ of archive .*: ") as told:
        found(image)
    assert str(told.value).isprintable()


def test_one_that_is_no_json_or_was_changed_is_told(tmp_path: Path) -> None:
    with pytest.raises(LaminaError, match="not JSON"):
        found(in_archive(tmp_path, built.built(data=b"{")))
    members = built.built()
    name = next(name for name, data in members.items() if b"in-toto.io/Statement" in bytes(data))
    members[name] = bytes(members[name]) + b" "
    with pytest.raises(LaminaError, match="it is damaged or was changed"):
        found(in_archive(tmp_path, members))


def test_odd_lines_are_passed_over() -> None:
    statement = built.sample("v1")
    odd = [{"ranges": [{"start": {"line": True}}, {}]}, {"sourceIndex": 1, "ranges": [{"start": {"line": 3}}]}, {}]
    built.notes_of(statement)["source"]["locations"] = {"step1": {"locations": odd}}

    told = parse_provenance(json.dumps(statement).encode(), "x")

    assert told is not None
    assert told.lines == {}


def test_it_can_be_left(tmp_path: Path) -> None:
    image, cancel = in_archive(tmp_path, built.built()), threading.Event()
    cancel.set()
    assert image.provenance is not None
    with pytest.raises(Cancelled):
        image.provenance(cancel)
