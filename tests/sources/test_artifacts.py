"""What a store holds besides images: signatures, SBOMs, attestations, broken entries; passed over, counted, told."""

from __future__ import annotations

import base64
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from builders import OCI, Image, Members, descriptor, file, layer, pack, put_image, sha256, write_layout
from lamina.errors import LaminaError, NotAnImage
from lamina.sources.base import NullObserver
from lamina_tui.cli import main
from opening import resolve

IMAGE = Image([layer(file("a", b"1" * 100))], ("web:1",))
OTHER = Image([layer(file("b", b"2" * 50))], ("web:2",))
REF = "org.opencontainers.image.ref.name"

# -- artifacts as their makers write them ------------------------------------------------------------------------------


def manifest(members: Members, **fields: Any) -> dict[str, Any]:
    data = json.dumps({"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", **fields}).encode()
    return descriptor(members, data, f"{OCI}.manifest.v1+json")


def empty_config(members: Members) -> dict[str, Any]:
    return descriptor(members, b"{}", "application/vnd.oci.empty.v1+json")


def cosign_signature(members: Members, of: str) -> dict[str, Any]:
    """As ``cosign sign`` writes: an image's config, with the digest of a payload that is no layer."""
    payload = json.dumps({"critical": {"image": {"docker-manifest-digest": of}, "type": "cosign container image"}})
    config = {
        "architecture": "",
        "created": "0001-01-01T00:00:00Z",
        "history": [{"created": "0001-01-01T00:00:00Z"}],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [sha256(payload.encode())]},
        "config": {},
    }
    row = descriptor(members, payload.encode(), "application/vnd.dev.cosign.simplesigning.v1+json")
    row["annotations"] = {"dev.cosignproject.cosign/signature": base64.b64encode(b"MEUCIQ").decode()}
    return manifest(
        members, config=descriptor(members, json.dumps(config).encode(), f"{OCI}.config.v1+json"), layers=[row]
    )


def referring_sbom(members: Members, of: str) -> dict[str, Any]:
    """As OCI 1.1 referrers are: an empty config, a subject."""
    sbom = descriptor(members, b'{"spdxVersion": "SPDX-2.3"}', "application/spdx+json")
    return manifest(
        members,
        artifactType="application/spdx+json",
        config=empty_config(members),
        layers=[sbom],
        subject={"mediaType": f"{OCI}.manifest.v1+json", "digest": of, "size": 1},
    )


def attestation(members: Members, of: str) -> dict[str, Any]:
    """As BuildKit writes beside the image."""
    config = {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    row = manifest(
        members,
        config=descriptor(members, json.dumps(config).encode(), f"{OCI}.config.v1+json"),
        layers=[descriptor(members, b'{"_type": "https://in-toto.io/Statement/v0.1"}', "application/vnd.in-toto+json")],
    )
    row["platform"] = {"os": "unknown", "architecture": "unknown"}
    row["annotations"] = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": of}
    return row


def without_rootfs(members: Members, of: str) -> dict[str, Any]:
    """An image's media types throughout, and a config of nothing."""
    return manifest(members, config=descriptor(members, b"{}", f"{OCI}.config.v1+json"), layers=[])


ARTIFACTS = {
    "signature": cosign_signature,
    "SBOM": referring_sbom,
    "attestation": attestation,
    "config without rootfs": without_rootfs,
}


def tagged(row: dict[str, Any], tag: str) -> dict[str, Any]:
    return {**row, "annotations": {**row.get("annotations", {}), REF: tag}}


def layout(folder: Path, members: Members, *rows: dict[str, Any]) -> Path:
    index = {"schemaVersion": 2, "manifests": rows}
    return write_layout(folder, {**members, "oci-layout": b"{}", "index.json": json.dumps(index).encode()})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two images, and of each kind an artifact, half of them with names."""
    members: Members = {}
    one, two = put_image(members, IMAGE), put_image(members, OTHER)
    rows = [make(members, one["digest"]) for make in ARTIFACTS.values()]
    return layout(
        tmp_path / "store",
        members,
        tagged(rows[0], "sha256-abc.sig"),
        rows[1],
        tagged(one, "web:1"),
        tagged(rows[3], "nothing"),
        rows[2],
        tagged(two, "web:2"),
    )


# -- passed over -------------------------------------------------------------------------------------------------------


def test_a_report_tells_of_the_images_and_in_one_line_of_what_is_none(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(store), "--json"]) == 0

    said = capsys.readouterr()
    assert [image["tags"] for image in json.loads(said.out)["images"]] == [["web:1"], ["web:2"]]
    assert said.err == (
        f"lamina: passed over in OCI layout {store}: 4 things that are no images "
        "(signatures, attestations, SBOMs and the like)\n"
    )


@pytest.mark.parametrize("kind", ARTIFACTS)
def test_an_artifact_is_an_error_only_where_it_is_named(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members: Members = {}
    image = put_image(members, IMAGE)
    folder = layout(
        tmp_path / "store", members, tagged(ARTIFACTS[kind](members, image["digest"]), "it"), tagged(image, "web:1")
    )

    assert main(["report", f"oci:{folder}:web:1"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["report", f"oci:{folder}"]) == 0
    assert "1 thing that is no image" in capsys.readouterr().err
    assert main(["report", f"oci:{folder}:it"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "image" in said.err


@pytest.mark.parametrize("kind", ["signature", "SBOM", "config without rootfs"])
def test_of_a_store_without_any_image_it_is_said_what_it_holds(kind: str, tmp_path: Path) -> None:
    members: Members = {}
    folder = layout(tmp_path / "store", members, ARTIFACTS[kind](members, "sha256:" + "0" * 64))
    source, _ = resolve(str(folder))
    with pytest.raises(NotAnImage, match="rootfs" if kind == "config without rootfs" else "cosign|spdx"):
        source.list()


def test_the_first_image_is_meant_where_an_artifact_stands_before_it(store: Path) -> None:
    source, name = resolve(str(store))
    assert name is None
    assert source.read(None, NullObserver(), threading.Event()).info.tags == ("web:1",)


def test_an_archive_and_a_stream_pass_over_the_same(store: Path, tmp_path: Path) -> None:
    members = {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    path = tmp_path / "store.tar"
    path.write_bytes(pack(members))
    remarks = set()
    for source in (
        resolve(str(store))[0],
        resolve(f"oci-archive:{path}")[0],
        resolve("-", stdin=io.BytesIO(path.read_bytes()))[0],
    ):
        assert [summary.target for summary in source.list()] == ["web:1", "web:2"]
        remarks.add(source.remark.partition(": ")[2])
    assert remarks == {"4 things that are no images (signatures, attestations, SBOMs and the like)"}


# -- broken entries ----------------------------------------------------------------------------------------------------


def missing(members: Members) -> dict[str, Any]:
    return {"mediaType": f"{OCI}.manifest.v1+json", "digest": sha256(b"nowhere"), "size": 7}


def missing_index(members: Members) -> dict[str, Any]:
    return {"mediaType": f"{OCI}.index.v1+json", "digest": sha256(b"nowhere"), "size": 7}


def of_another_algorithm(members: Members) -> dict[str, Any]:
    return {"mediaType": f"{OCI}.manifest.v1+json", "digest": "sha512:" + "a" * 128, "size": 7}


def index_of_itself(members: Members) -> dict[str, Any]:
    """No index can hold its own digest; under that digest stands one that names it again."""
    digest = sha256(b"an index")
    row = {"mediaType": f"{OCI}.index.v1+json", "digest": digest, "size": 7}
    members["blobs/" + digest.replace(":", "/")] = json.dumps({"manifests": [row]}).encode()
    return row


def without_a_layer(members: Members) -> dict[str, Any]:
    own: Members = {}
    row = put_image(own, OTHER)
    del own["blobs/" + sha256(_packed(OTHER)).replace(":", "/")]
    members.update(own)
    return row


def _packed(image: Image) -> bytes:
    from builders import compress

    return compress(image.layers[0], "gzip")


@pytest.mark.parametrize("make", [missing, missing_index, of_another_algorithm, index_of_itself, without_a_layer])
def test_what_is_broken_hides_only_itself(make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members: Members = {}
    rows = [tagged(make(members), "broken"), tagged(put_image(members, IMAGE), "web:1")]
    folder = layout(tmp_path / "store", members, *rows)

    assert main(["report", str(folder), "--json"]) == 0
    said = capsys.readouterr()
    assert [image["tags"] for image in json.loads(said.out)["images"]] == [["web:1"]]
    assert said.err.startswith(f"lamina: passed over in OCI layout {folder}: 1 image that can't be read (")
    assert said.err.count("\n") == 1
    assert main(["report", f"oci:{folder}:broken"]) == 3


def test_indexes_that_name_each_other_a_thousandfold_are_each_looked_at_once(tmp_path: Path) -> None:
    members: Members = {}
    row: dict[str, Any] = missing(members)
    for _ in range(7):
        row = descriptor(members, json.dumps({"manifests": [row] * 1000}).encode(), f"{OCI}.index.v1+json")
    source, _ = resolve(str(layout(tmp_path / "store", members, row)))
    with pytest.raises(LaminaError, match="is not in"):
        source.list()


# -- names -------------------------------------------------------------------------------------------------------------


def bare(number: int, platform: tuple[str, str] = ("linux", "amd64")) -> Image:
    return Image([layer(file("a", b"%d" % number))], (), platform)


def on(row: dict[str, Any], image: Image) -> dict[str, Any]:
    return {**row, "platform": {"os": image.platform[0], "architecture": image.platform[1]}}


def test_an_image_without_a_name_is_called_by_its_folder_or_file(tmp_path: Path) -> None:
    members: Members = {}
    folder = layout(tmp_path / "base", members, put_image(members, bare(1)))
    path = tmp_path / "base.tar"
    path.write_bytes(pack({**members, "index.json": (folder / "index.json").read_bytes()}))

    for target, name in ((str(folder), "base"), (str(path), "base.tar")):
        source, _ = resolve(target)
        assert [summary.target for summary in source.list()] == [name]
        assert source.read(name, NullObserver(), threading.Event()).info.id == bare(1).id
    source, _ = resolve("-", stdin=io.BytesIO(path.read_bytes()))
    assert [summary.target for summary in source.list()] == ["standard input"]


def test_a_signature_beside_it_doesnt_change_what_it_is_called(tmp_path: Path) -> None:
    members: Members = {}
    image = put_image(members, bare(1))
    source, _ = resolve(str(layout(tmp_path / "base", members, image, cosign_signature(members, image["digest"]))))
    assert [summary.target for summary in source.list()] == ["base"]


def test_several_without_a_name_are_told_apart_by_their_digests(tmp_path: Path) -> None:
    members: Members = {}
    rows = [put_image(members, bare(1)), put_image(members, bare(2)), tagged(put_image(members, IMAGE), "web:1")]
    source, _ = resolve(str(layout(tmp_path / "base", members, *rows)))

    names = [summary.target for summary in source.list()]
    assert names == [f"base ({rows[0]['digest'][7:19]})", f"base ({rows[1]['digest'][7:19]})", "web:1"]
    assert [source.read(name, NullObserver(), threading.Event()).info.id for name in names] == [
        bare(1).id,
        bare(2).id,
        IMAGE.id,
    ]


def test_where_one_has_a_name_the_other_is_told_by_its_platform(tmp_path: Path) -> None:
    members: Members = {}
    arm = bare(2, ("linux", "arm64"))
    rows = [on(put_image(members, arm), arm), tagged(put_image(members, IMAGE), "web:1")]
    source, _ = resolve(str(layout(tmp_path / "base", members, *rows)))
    assert [summary.target for summary in source.list()] == ["base (linux/arm64)", "web:1"]


def test_no_report_calls_an_image_by_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members: Members = {}
    folder = layout(tmp_path / "base", members, put_image(members, bare(1)), put_image(members, bare(2)))
    for form in ([], ["--json"], ["--markdown"]):
        assert main(["report", str(folder), *form]) == 0
        out = capsys.readouterr().out
        assert "@0" not in out
        assert "@1" not in out
        assert "base (" in out or r"base \(" in out
