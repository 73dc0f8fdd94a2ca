"""The commands about files: what they print, and how hostile names reach a terminal, a pipe and a script."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from builders import Image, old_docker, pack
from lamina_tui import cli
from needs import tool
from tars import char_device, directory, file, hardlink, layer_tar, symlink, whiteout

HOSTILE = b"a\nb\x1b[31m\xff"
SHOWN = b"a\\nb\\x1b[31m\\xff"
TIME = "2020-09-13T12:26:40Z"

Output = pytest.CaptureFixture[bytes]


LAYERS = [
    [
        directory("bin", mode=0o755),
        file("bin/su", b"root password here", mode=0o4755, uid=1, gid=2),
        hardlink("bin/again", "bin/su"),
        symlink("sbin", "bin"),
        char_device("null", 1, 3, mode=0o666),
        file(b"odd/" + HOSTILE, b"secret"),
        file("gone", 50),
    ],
    [whiteout("gone"), file("bin/new", 7), file("later/deep/x", 3)],
]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = tmp_path / "web.tar"
    image = Image([layer_tar(*members) for members in LAYERS], tags=("web:1",))
    path.write_bytes(pack(old_docker(image)))
    return str(path)


def run(output: Output, *words: str) -> bytes:
    """What a command prints that does what it is asked to."""
    assert cli.main(words) == 0
    found = output.readouterr()
    assert found.err == b""
    return found.out


def test_ls_prints_names(archive: str, capsysbinary: Output) -> None:
    assert run(capsysbinary, "ls", archive) == b"bin\nlater\nnull\nodd\nsbin\n"
    assert run(capsysbinary, "ls", archive, "sbin") == b"again\nnew\nsu\n"
    assert run(capsysbinary, "ls", archive, "later", "-R") == b"later/deep\nlater/deep/x\n"
    assert run(capsysbinary, "ls", archive, "/bin/su") == b"bin/su\n"


def test_ls_long_has_all_that_is_known(archive: str, capsysbinary: Output) -> None:
    assert run(capsysbinary, "ls", archive, "-l").decode().splitlines() == [
        f"  drwxr-xr-x 0:0  25 {TIME} - bin",
        "+ d????????? ?     3 ?                    - later",
        f"  crw-rw-rw- 0:0 1:3 {TIME} 0 null",
        "  d????????? ?     6 ?                    - odd",
        f"  lrwxrwxrwx 0:0   0 {TIME} 0 sbin -> bin",
    ]
    assert run(capsysbinary, "ls", archive, "bin", "-l").decode().splitlines() == [
        f"  -rwsr-xr-x 1:2  0 {TIME} 0 again -> bin/su",
        f"+ -rw-r--r-- 0:0  7 {TIME} 1 new",
        f"  -rwsr-xr-x 1:2 18 {TIME} 0 su",
    ]


def test_ls_of_a_layer_marks_what_it_did(archive: str, capsysbinary: Output) -> None:
    assert run(capsysbinary, "ls", archive, "--layer", "1").splitlines() == [b"  bin", b"- gone", b"+ later"]


def test_ls_long_tells_what_goes_with_a_minus(archive: str, capsysbinary: Output) -> None:
    expected = f"- -rw-r--r-- 0:0 -50 {TIME} 0 gone"
    assert run(capsysbinary, "ls", archive, "--layer", "1", "-l").decode().splitlines()[1] == expected
    told = run(capsysbinary, "find", archive, "--change", "-", "--size", "+10", "-l").decode()
    assert told == f"{expected}  (removed by layer 1)\n"


def test_ls_makes_names_visible_and_gives_them_as_they_are_where_asked(archive: str, capsysbinary: Output) -> None:
    assert run(capsysbinary, "ls", archive, "odd") == SHOWN + b"\n"
    assert run(capsysbinary, "ls", archive, "odd", "-l").endswith(b" " + SHOWN + b"\n")
    assert run(capsysbinary, "ls", archive, "odd", "-0") == HOSTILE + b"\0"
    assert run(capsysbinary, "ls", archive, "-R", "-0").split(b"\0")[-3] == b"odd/" + HOSTILE


def test_ls_json_is_that_of_the_screen(archive: str, capsysbinary: Output) -> None:
    document = json.loads(run(capsysbinary, "ls", archive, "--json"))
    assert document["schema"] == "lamina.files/1"
    assert [row["path"] for row in document["files"]] == ["bin", "later", "null", "odd", "sbin"]
    files = json.loads(run(capsysbinary, "ls", archive, "-R", "--json"))["files"]
    report = json.loads(run(capsysbinary, "report", archive, "--json"))
    assert sum(row["size"] for row in files) == report["images"][0]["visible"]
    assert next(row for row in files if row["path"] == "bin/su") == {
        "path": "bin/su",
        "type": "file",
        "size": 18,
        "removed": 0,
        "mode": 0o4755,
        "uid": 1,
        "gid": 2,
        "mtime": 1_600_000_000 * 10**9,
        "layer": 0,
        "change": "unchanged",
        "link": None,
    }


def test_ls_for_ncdu(archive: str, capsysbinary: Output) -> None:
    told = run(capsysbinary, "ls", archive, "odd", "--ncdu").decode("utf-8", "surrogateescape")
    assert json.loads(told)[3][1]["name"].encode("utf-8", "surrogateescape") == HOSTILE


def test_ls_has_what_tar_lists(archive: str, capsysbinary: Output) -> None:
    listed = subprocess.run(
        [tool("tar"), "-tv", "--numeric-owner"], input=layer_tar(*LAYERS[0]), capture_output=True, check=True
    )
    modes = {line.split()[5].rstrip(b"/"): line.split()[0] for line in listed.stdout.splitlines()}
    told = run(capsysbinary, "ls", archive, "--layer", "0", "-R", "-l").splitlines()
    ours = {line.split()[6]: line.split()[1] for line in told if b"?" not in line}
    for path in (b"bin", b"bin/su", b"null", b"sbin", b"gone"):
        assert ours[path] == modes[path]


def test_history_prints_layers(archive: str, capsysbinary: Output) -> None:
    text = run(capsysbinary, "history", archive, "gone").decode()
    assert text.startswith("gone of web:1: 2 layers\n")
    assert text.endswith("nothing is there in the end: layer 1 removes it\n")
    document = json.loads(run(capsysbinary, "history", archive, "sbin/su", "--json"))
    assert (document["path"], document["ships"], document["layers"][0]["size"]) == ("bin/su", 0, 18)


def test_history_makes_names_visible(archive: str, capsysbinary: Output) -> None:
    path = "odd/" + HOSTILE.decode("utf-8", "surrogateescape")
    assert run(capsysbinary, "history", archive, path).startswith(b"odd/" + SHOWN + b" of ")


def test_find_prints_paths(archive: str, capsysbinary: Output) -> None:
    assert run(capsysbinary, "find", archive, "--name", "*u*", "--type", "f") == b"bin/su\n"
    assert run(capsysbinary, "find", archive, "--size", "-4", "--type", "f") == b"bin/again\nlater/deep/x\n"
    assert (
        run(capsysbinary, "find", archive, "--mode", "-4000", "-l")
        .splitlines()[1]
        .endswith(b" 18 %b 0 bin/su" % TIME.encode())
    )
    assert run(capsysbinary, "find", archive, "--path", "/bin/*", "--count") == b"3\n"
    assert run(capsysbinary, "find", archive, "--name", "SU", "--ignore-case") == b"bin/su\n"


def test_find_in_all_layers_tells_layer_and_fate(archive: str, capsysbinary: Output) -> None:
    expected = b"  0 + gone  (removed by layer 1)\n"
    assert run(capsysbinary, "find", archive, "gone", "--all-layers") == expected
    assert run(capsysbinary, "find", archive, "--change", "-") == expected.replace(b"+", b"-")
    assert run(capsysbinary, "find", archive, "--change", "-", "--layer", "1") == b"- gone\n"
    document = json.loads(run(capsysbinary, "find", archive, "--all-layers", "--size", "50", "--json"))
    assert (document["view"], len(document["files"])) == ("all layers", 1)
    assert {key: document["files"][0][key] for key in ("path", "layer", "hidden_by", "replaced")} == {
        "path": "gone",
        "layer": 0,
        "hidden_by": 1,
        "replaced": False,
    }


def test_find_makes_names_visible_and_gives_them_as_they_are_where_asked(archive: str, capsysbinary: Output) -> None:
    name = ("find", archive, "--name", "a\nb*")
    assert run(capsysbinary, *name) == b"odd/" + SHOWN + b"\n"
    assert run(capsysbinary, *name, "-l").endswith(b" odd/" + SHOWN + b"\n")
    assert run(capsysbinary, *name, "-0") == b"odd/" + HOSTILE + b"\0"
    assert json.loads(run(capsysbinary, *name, "--json"))["files"][0]["path"] == "odd/a\nb\x1b[31m\ufffd"


def test_find_by_content(archive: str, capsysbinary: Output) -> None:
    assert run(capsysbinary, "find", archive, "--contains", "password") == b"bin/again\nbin/su\n"
    assert (
        run(capsysbinary, "find", archive, "--contains", "SECRET", "--ignore-case", "-0") == b"odd/" + HOSTILE + b"\0"
    )
    told = run(capsysbinary, "find", archive, "--contains", "xxx", "--contains", "-r", "--all-layers").splitlines()
    # As they are found: layers are searched beside each other.
    assert sorted(told) == [b"  0 + gone  (removed by layer 1)", b"  1 + bin/new", b"  1 + later/deep/x"]
    assert run(capsysbinary, "find", archive, "--contains", "x", "--type", "f", "--count") == b"2\n"
    assert run(capsysbinary, "find", archive, "bin", "--contains", "a", "-l").count(b" bin/") == 3
    assert len(json.loads(run(capsysbinary, "find", archive, "--contains", "x", "--json"))["files"]) == 2


def test_find_by_digest(archive: str, capsysbinary: Output) -> None:
    digest = hashlib.sha256(b"root password here").hexdigest()
    words = ("find", archive, "--content-hash", f"sha256:{digest}")
    assert run(capsysbinary, *words) == b"bin/again\nbin/su\n"
    assert run(capsysbinary, *words, "--contains", "password", "--count") == b"2\n"
    assert cli.main([*words, "--contains", "secret"]) == 0
    assert capsysbinary.readouterr() == (b"", b"lamina: nothing found\n")


def test_find_has_what_grep_has(archive: str, tmp_path: Path, capsysbinary: Output) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    command = [tool("tar"), "-x", "--no-same-owner", "-C", tree, "bin", "odd", "gone"]
    subprocess.run(command, input=layer_tar(*LAYERS[0]), check=True)
    for text in ("password", "e", "x", "no such"):
        told = subprocess.run([tool("grep"), "-rlZ", text, "."], cwd=tree, capture_output=True, check=False)
        cli.main(["find", archive, "--up-to", "0", "--contains", text, "-0"])
        ours = capsysbinary.readouterr().out.split(b"\0")
        assert sorted(b"./" + path for path in ours if path) == sorted(told.stdout.split(b"\0")[:-1])


def test_find_that_finds_nothing_is_no_error(archive: str, capsysbinary: Output) -> None:
    assert cli.main(["find", archive, "--name", "nothing"]) == 0
    assert capsysbinary.readouterr() == (b"", b"lamina: nothing found\n")


@pytest.mark.parametrize(
    "words", [("--size", "-4x"), ("--mode", "8"), ("--change", "-x"), ("--owner", "root"), ("--type", "z")]
)
def test_find_refuses_what_is_no_condition(capsysbinary: Output, words: tuple[str, str]) -> None:
    assert cli.main(["find", "any", *words]) == 2
    said = capsysbinary.readouterr().err.decode()
    assert (said.count("\n"), " ".join(words) in said) == (1, True)


@pytest.mark.parametrize("words", [("history",), ("ls",), ("find",)])
def test_what_no_layer_has_is_one_line_and_three(archive: str, capsysbinary: Output, words: tuple[str]) -> None:
    assert cli.main([*words, archive, "no/such\x1b"]) == 3
    found = capsysbinary.readouterr()
    assert (found.out, found.err.count(b"\n")) == (b"", 1)
    assert b"no/such\\x1b" in found.err
