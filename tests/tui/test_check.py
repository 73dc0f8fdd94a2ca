"""``lamina check``: what it prints, and above all how it ends."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import builders
import built
from engine.tools import LAMINA
from lamina_tui.cli import main
from packages.support import apk_installed
from tars import file, layer_tar, whiteout

HOSTILE = "esc\x1b[31m|<b>\n::error::x"


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_")) or name == "CI"]:
        monkeypatch.delenv(name)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """1,500 bytes shipped, 1,000 of them wasted."""
    path = tmp_path / "web.tar"
    layers = [layer_tar(file(HOSTILE, b"x" * 1000), file("app", b"y" * 500)), layer_tar(whiteout(HOSTILE))]
    path.write_bytes(builders.pack(builders.old_docker(builders.Image(layers))))
    return path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--max-wasted", "1000"], 0),
        (["--max-wasted", "999"], 1),
        (["--max-wasted", "1000", "--max-wasted-ratio", "50%"], 1),
        (["--max-size", "1500", "--max-layers", "2", "--forbid", "*.pem"], 0),
        (["--forbid", "*.pem", "--forbid", "app"], 1),
        (["--max-wasted", "999", "--ignore", "esc*"], 0),
        ([], 2),
        (["--max-wasted", "1 apple"], 2),
        (["--max-waste", "1"], 2),
        (["--ignore", ""], 2),
    ],
)
def test_it_ends_with_what_a_pipeline_goes_by(archive: Path, words: list[str], code: int) -> None:
    assert main(["check", str(archive), *words]) == code


def test_what_cant_be_read_is_no_verdict(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.tar"), "--max-size", "1"]) == 3
    archive.write_bytes(archive.read_bytes()[:2000])
    assert main(["check", str(archive), "--max-size", "1"]) == 3
    assert capsys.readouterr().out == ""


def test_the_text_names_limits_values_and_paths_and_writes_nothing_to_the_terminal(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(archive), "--max-wasted", "0", "--max-layers", "3"]) == 1

    assert capsys.readouterr().out.splitlines()[1:] == [
        "        limit       allowed  found",
        "  FAIL  max-wasted  0 B      1.0 KB (1,000 B)",
        "          1.0 K  esc\\x1b[31m|<b>\\n::error::x  (layer 0, hidden by layer 1)",
        "  ok    max-layers  3        2",
    ]


def test_the_json_is_the_schema(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(archive), "--json", "--max-wasted", "0", "--forbid", "*.pem"]) == 1

    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (report["schema"], report["passed"]) == ("lamina.check/1", False)
    (image,) = report["images"]
    assert image["baseline"] is None
    assert [layer["size"] for layer in image["layers"]] == [1500, 0]
    assert {key for key in image if key not in report} >= {"advice", "layers", "limits"}
    assert {key: image[key] for key in ("target", "passed", "size", "wasted", "ignored")} == {
        "target": "app:1", "passed": False, "size": 1500, "wasted": 1000, "ignored": 0,
    }  # fmt: skip
    assert image["limits"] == [
        {
            "name": "max-wasted",
            "unit": "bytes",
            "limit": 0,
            "value": 1000,
            "passed": False,
            "layer": None,
            "line": None,
            "paths": [{"path": HOSTILE, "bytes": 1000, "layer": 0, "hidden_by": 1}],
        },
        {
            "name": "forbid",
            "unit": "count",
            "limit": "*.pem",
            "value": 0,
            "passed": True,
            "layer": None,
            "line": None,
            "paths": [],
        },
    ]


def test_the_working_folder_is_obeyed_and_the_command_line_wins(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".lamina.toml").write_text("[limits]\nmax-wasted = 10\n")
    assert main(["check", str(archive)]) == 1
    assert main(["check", str(archive), "--max-wasted", "1k"]) == 0
    (tmp_path / ".lamina.toml").write_text("[limits]\nmax-wastes = 10\n")
    capsys.readouterr()
    assert main(["check", str(archive)]) == 2
    assert capsys.readouterr().err.startswith("lamina: .lamina.toml:2: max-wastes: no such limit")


def test_the_output_is_a_file(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(archive), "--max-wasted", "0", "--json", "-o", str(tmp_path / "out.json")]) == 1
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "out.json").read_text())["passed"] is False
    assert main(["check", str(archive), "--max-wasted", "0", "-o", str(tmp_path / "none" / "out")]) == 2


def test_the_verdict_stands_where_nobody_reads_it(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run(
            [LAMINA, "check", str(archive), "--max-wasted", "0"], stdout=out, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")
    assert (tmp_path / "summary.md").exists()


def test_a_dive_ci_is_enough(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".dive-ci").write_text("rules:\n  lowestEfficiency: disabled\n  highestWastedBytes: 1000\n")
    assert main(["check", str(archive)]) == 1  # its user waste is 10 %, if nobody says otherwise
    assert "dive.highestUserWastedPercent" in capsys.readouterr().out
    (tmp_path / ".dive-ci").write_text("rules:\n  lowestEfficiency: 2\n")
    assert main(["check", str(archive)]) == 2
    assert capsys.readouterr().err.startswith("lamina: .dive-ci:2: ")


def test_growth_is_counted_from_a_report_as_from_an_image(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.tar"
    old.write_bytes(builders.pack(builders.old_docker(builders.Image([layer_tar(file("app", b"y" * 1000))]))))
    assert main(["report", str(old), "--json", "-o", str(tmp_path / "old.json")]) == 0
    said = []
    for baseline in (old, tmp_path / "old.json"):
        assert main(["check", str(archive), "--baseline", str(baseline), "--max-growth", "50%"]) == 0
        assert main(["check", str(archive), "--baseline", str(baseline), "--max-growth", "499"]) == 1
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "against app:1: size +500 B, wasted +1.0 KB" in said[0]
    assert main(["check", str(archive), "--max-growth", "1"]) == 2
    assert "--baseline" in capsys.readouterr().err
    (tmp_path / "old.json").write_text("{}")
    assert main(["check", str(archive), "--baseline", str(tmp_path / "old.json"), "--max-size", "1"]) == 2
    assert main(["check", str(archive), "--baseline", str(tmp_path / "none"), "--max-size", "1"]) == 3


def test_a_baseline_in_either_form_tells_what_became_of_packages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.tar", tmp_path / "new.tar"
    for path, version, size in ((old, "1.1", 600), (new, "1.2", 650)):
        layer = layer_tar(apk_installed(("musl", version, ["lib/m"])), file("lib/m", b"m" * size))
        path.write_bytes(builders.pack(builders.old_docker(builders.Image([layer]))))
    assert main(["report", str(old), "--json", "-o", str(tmp_path / "old.json")]) == 0
    for baseline in (old, tmp_path / "old.json"):
        assert main(["check", str(new), "--baseline", str(baseline), "--max-growth", "1MB", "--markdown"]) == 0
        assert "| upgraded | 600 | 650 | \\+50 B | musl (apk) | 1.1 -\\> 1.2 |" in capsys.readouterr().out


def test_a_dockerfile_leads_to_lines(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(archive), "--max-size", "1", "--file", "Dockerfile"]) == 2
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    capsys.readouterr()
    assert main(["check", str(archive), "--max-size", "1", "--file", "Dockerfile", "--sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "Dockerfile"
    assert main(["check", str(archive), "--max-size", "1", "--junit"]) == 1
    assert capsys.readouterr().out.startswith('<testsuites name="lamina check" tests="1" failures="1"')
    assert main(["check", str(archive), "--max-size", "1", "--junit", "--json"]) == 2


def test_without_a_dockerfile_the_provenance_leads_to_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "built.tar"
    path.write_bytes(builders.pack(built.built()))

    assert main(["check", str(path), "--max-layers", "99", "--json"]) == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert (image["file"], image["file_by"]) == ("app.Dockerfile", "provenance")
    assert [layer["line"] for layer in image["layers"]] == built.LINES

    (tmp_path / "Mine").write_text("FROM base\nRUN true\n")
    assert main(["check", str(path), "--max-layers", "99", "--json", "--file", str(tmp_path / "Mine")]) == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert (image["file"], image["file_by"]) == (str(tmp_path / "Mine"), "option")
    assert [layer["line"] for layer in image["layers"]] == [None] * 10 + [2]


def test_a_provenance_that_cannot_be_read_is_told_and_the_verdict_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "built.tar"
    path.write_bytes(builders.pack(built.built(data=b"{")))

    assert main(["check", str(path), "--max-layers", "99", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["images"][0]["file"] is None
    assert "no layer is led to its line: the provenance sha256:" in err


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("docker/app.Dockerfile", "docker/app.Dockerfile"),
        ("../../../etc/passwd", "etc/passwd"),
        ("/etc\\..\\x\x1b", "etc/x\x1b"),
        ("..", "Dockerfile"),
        ("x" * 9000, "x" * 500),
    ],
)
def test_a_name_that_an_image_tells_leads_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], told: str, shown: str
) -> None:
    members = built.built()
    row = json.loads(members["index.json"])["manifests"][0]
    image = json.loads(members[builders.blob(row["digest"])])["manifests"][0]
    statement = json.loads(built.statement("v1", built.layers_of(members, image)))
    built.notes_of(statement)["source"]["infos"][0]["filename"] = told
    path = tmp_path / "built.tar"
    path.write_bytes(builders.pack(built.built(data=json.dumps(statement).encode())))

    assert main(["check", str(path), "--max-layers", "2", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["images"][0]["file"] == shown
    assert main(["check", str(path), "--max-layers", "2"]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_where_github_runs_it_it_annotates_and_sums_up(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")

    assert main(["check", str(archive), "--max-wasted", "0"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("::group::lamina check: ")
    assert err.startswith("::error title=lamina max-wasted::app:1")
    assert main(["check", str(archive), "--max-wasted", "0", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("before\n### ❌ app\\:1")
    assert summary.count("### ") == 2


def test_where_gitlab_runs_it_the_log_is_folded(
    archive: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    assert main(["check", str(archive), "--max-wasted", "0"]) == 1
    assert capsys.readouterr().out.startswith("\x1b[0Ksection_start:")


def test_advice_of_weight_breaks_a_limit_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "heavy.tar"
    path.write_bytes(builders.pack(builders.old_docker(builders.Image([layer_tar(file("tmp/x", 50_000))]))))

    assert main(["check", str(path), "--severity", "high"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  severity  below high  1 finding" in out
    assert "50.0 KB, high  temporary-files: Layer 0 ships temporary files in 1 file." in out
    assert main(["check", str(path), "--severity", "high", "--no-rule", "temporary-files"]) == 0
    assert main(["check", str(path), "--severity", "high", "--no-rule", "x"]) == 2
    assert main(["check", str(path), "--severity", "x"]) == 2


def test_the_rules_are_listed_without_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "--rules"])

    assert ended.value.code == 0
    assert "temporary-files" in capsys.readouterr().out
