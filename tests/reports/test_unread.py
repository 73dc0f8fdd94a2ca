"""What images share and what an update costs, from manifests and configs alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders import Image, file, layer, oci, old_docker, pack, write_layout
from lamina_tui.cli import main

BASE, OLD, NEW = (layer(file(name, bytes(range(256)) * size)) for name, size in (("base", 40), ("old", 20), ("new", 9)))
FIRST, SECOND = Image([BASE, OLD], ("app:1",)), Image([BASE, NEW], ("app:2",))


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Two versions whose layers can't be read: whoever tries ends in an error."""
    folder = write_layout(tmp_path / "layout", oci(FIRST, SECOND))
    for path in (folder / "blobs/sha256").iterdir():
        if not path.read_bytes().startswith(b"{"):
            path.write_bytes(bytes(path.stat().st_size))
    return folder


def blob_sizes(layout: Path, tag: str) -> list[int]:
    for row in json.loads((layout / "index.json").read_bytes())["manifests"]:
        if row["annotations"]["org.opencontainers.image.ref.name"] == tag:
            manifest = json.loads((layout / "blobs/sha256" / row["digest"][7:]).read_bytes())
            return [layer["size"] for layer in manifest["layers"]]
    raise KeyError(tag)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--manifests", "--no-cache"]) == 0
    return capsys.readouterr().out


def test_sharing_as_transferred(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (base, old), (_, new) = blob_sizes(layout, "app:1"), blob_sizes(layout, "app:2")
    report = json.loads(printed(capsys, "shared", f"oci:{layout}:app:1", f"oci:{layout}:app:2", "--json"))
    assert report["sizes"] == "transferred"
    assert [image["size"] for image in report["images"]] == [base + old, base + new]
    sharing = report["sharing"]
    assert [(row["unique"], row["shared"]) for row in sharing["images"]] == [(old, base), (new, base)]
    (pair,) = sharing["pairs"]
    assert (pair["shared"], pair["pull_b_given_a"], pair["pull_a_given_b"]) == (base, new, old)
    assert pair["compressed"] is True
    assert sharing["reclaimable"] is None
    text = printed(capsys, "shared", str(layout))
    assert text.splitlines()[0].endswith("sizes as transferred, no layer was read")


def test_a_comparison_without_files(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = blob_sizes(layout, "app:2")[1]
    diff = json.loads(printed(capsys, "diff", f"oci:{layout}:app:1", f"oci:{layout}:app:2", "--json"))
    assert diff["pull"] == diff["push"] == {"bytes": new, "compressed": True}
    assert diff["parting"]["index"] == 1
    assert [diff[key] for key in ("disk", "files", "added", "removed")] == [None] * 4
    for form in ((), ("--markdown",)):
        text = printed(capsys, "diff", f"oci:{layout}:app:1", f"oci:{layout}:app:2", *form)
        assert "no layer was read" in text
        assert "1 layer stored once; layer 1 is another" in text


def test_sizes_that_no_manifest_tells_are_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(FIRST, SECOND)))
    report = json.loads(printed(capsys, "shared", str(path), "--json"))
    assert [row["unique"] for row in report["sharing"]["images"]] == [None, None]
    assert report["sharing"]["layers"][0]["images"] == [0, 1]
    assert "?" in printed(capsys, "shared", str(path))


def test_a_name_that_is_not_there(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shared", f"oci:{layout}:app:3", "--manifests"]) == 3
    assert "no image app:3 in OCI layout" in capsys.readouterr().err
