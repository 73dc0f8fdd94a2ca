"""What is worth knowing of an image: secrets, programs, rights, and whether what it runs is there."""

from __future__ import annotations

import dataclasses
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lamina import limits
from lamina.advice.advise import advise
from lamina.advice.model import Advice, Severity
from lamina.contents import elf
from lamina.figures.image import LoadedImage
from lamina.model import Cancelled, LaminaError
from needs import tool
from stacks import opened, stack
from tars import Member, directory, file, hardlink, symlink, whiteout

KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMII\n"


def of(rule: str, image: LoadedImage, **options: Any) -> list[Advice]:
    return [advice for advice in advise(image, **options) if advice.rule == rule]


# Secrets.

SECRETS = {
    "root/.ssh/id_rsa": KEY,
    "etc/ssl/private/server.key": b"-----BEGIN PRIVATE KEY-----",
    "srv/all.pem": CERTIFICATE + b"-----BEGIN RSA PRIVATE KEY-----",
    "srv/store.p12": b"\x30\x82",
    "root/.aws/credentials": b"[default]\naws_secret_access_key = x\n",
    "root/.docker/config.json": b'{"auths": {"r": {"auth": "dTpw"}}}',
    "root/.kube/config": b"users:\n- token: x\n",
    "srv/.npmrc": b"//r/:_authToken=x\n",
    "root/.pypirc": b"[x]\npassword = y\n",
    "root/.netrc": b"machine h login u password p\n",
    "root/.git-credentials": b"https://u:p@h\n",
    "srv/.env": b"DEBUG=1\nexport DB_PASSWORD=hunter2\n",
    "root/.bash_history": b"ls\n",
}
NONE = {
    "etc/ssl/certs/ca.pem": CERTIFICATE,
    "srv/public.key": b"-----BEGIN PUBLIC KEY-----",
    "root/.docker/config.json": b'{"credsStore": "x"}',
    "srv/.npmrc": b"fund=false\n",
    "srv/.env": b"DEBUG=1\n",
    "srv/credentials": b"aws_secret_access_key = x",
    "root/.bash_history": b"",
}


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_is_told_by_path_and_layer_and_never_by_content(path: str, tmp_path: Path) -> None:
    image = opened(tmp_path, [file("bin/sh", b"")], [file(path, SECRETS[path])], instructions=["ADD", "COPY . /"])

    (advice,) = of("secrets", image)

    assert (advice.severity, advice.saves, advice.layers, advice.changes) == (Severity.HIGH, 0, (1,), 1)
    assert list(advice.paths) == [path.encode()]
    assert "COPY . /" in advice.do
    told = f"{advice.text}{advice.do}"
    assert not any(word in told for word in ("hunter2", "c2VjcmV0", "dTpw"))


@pytest.mark.parametrize("path", NONE)
def test_what_is_only_called_like_a_secret_is_none(path: str, tmp_path: Path) -> None:
    assert of("secrets", opened(tmp_path, [file(path, NONE[path])])) == []


def test_a_secret_that_a_later_layer_deletes_is_shipped_all_the_same(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("root/.ssh/id_rsa", KEY)], [], [whiteout("root/.ssh/id_rsa")])

    (advice,) = of("secrets", image)

    assert (advice.severity, advice.layers, advice.hidden_by) == (Severity.HIGH, (0,), 2)
    assert "shipped all the same" in advice.text


def test_keys_of_tests_and_libraries_are_information(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("usr/lib/python3/dist-packages/x/cert.pem", KEY)])

    assert [advice.severity for advice in of("secrets", image)] == [Severity.INFO]


def test_where_contents_cannot_be_read_a_name_has_to_leave_no_doubt() -> None:
    image = stack([file("root/.ssh/id_rsa", KEY), file("srv/server.key", KEY), file("srv/.env", b"TOKEN=x")])

    (advice,) = of("secrets", image)
    assert list(advice.paths) == [b"root/.ssh/id_rsa"]


def test_ignored_paths_hold_no_secret(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("srv/server.key", KEY)])

    assert of("secrets", image, ignore=["srv"]) == []
    assert len(of("secrets", image)) == 1


def test_a_layer_that_cannot_be_read_breaks_no_other_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = opened(tmp_path, [file("root/.ssh/id_rsa", KEY), file("tmp/x", 50_000), file("srv/a.key", KEY)])

    def gone(*_: object, **__: object) -> None:
        raise LaminaError("gone")

    files = image.layer_files
    assert files is not None
    monkeypatch.setattr(type(files), "open", gone)

    assert {advice.rule for advice in advise(image)} >= {"secrets", "temporary-files"}


def test_reading_is_given_up(tmp_path: Path) -> None:
    image = opened(tmp_path, [file("root/.ssh/id_rsa", KEY)])
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(Cancelled):
        advise(image, cancel=cancel)


def test_no_more_files_are_looked_into_than_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADVISED_FILES", 2)
    image = opened(tmp_path, [file(f"srv/{number}.key", KEY) for number in range(5)])

    (advice,) = of("secrets", image)
    assert len(advice.paths) == 2


# Variables.


@pytest.mark.parametrize(
    ("entry", "secret"),
    [
        ("DB_PASSWORD=hunter2", True),
        ("NPM_TOKEN=hunter2", True),
        ("AWS_SECRET_ACCESS_KEY=hunter2", True),
        ("DB_PASSWORD=", False),
        ("DB_PASSWORD_FILE=/run/secrets/db", False),
        ("DB_PASSWORD=$OTHER", False),
        ("TOKEN_URL=https://x", False),
        ("GPG_KEY=ABCDEF", False),
        ("PATH=/bin", False),
    ],
)
def test_secrets_in_the_environment_are_told_by_name(entry: str, secret: bool) -> None:
    found = of("secret-variables", running(stack([]), Env=["PATH=/bin", entry]))

    assert [advice.severity for advice in found] == [Severity.HIGH] * secret
    assert all(entry.partition("=")[0] in advice.do for advice in found)
    assert not any("hunter2" in advice.text + advice.do for advice in found)


@pytest.mark.parametrize(
    "instruction",
    [
        "|2 NPM_TOKEN=hunter2 MODE=x /bin/sh -c npm ci",
        "RUN |2 NPM_TOKEN=hunter2 MODE=x /bin/sh -c npm ci # buildkit",
    ],
)
def test_secrets_in_build_arguments_are_told_by_name(instruction: str) -> None:
    (advice,) = of("secret-variables", stack([], [file("a", b"x")], instructions=["RUN x", instruction]))

    assert (advice.layers, advice.changes) == ((1,), None)
    assert advice.text == "The history of layer 1 keeps 1 variable that looks like a secret."
    assert "NPM_TOKEN" in advice.do
    assert "hunter2" not in advice.do


def test_what_is_no_environment_holds_no_secret() -> None:
    for env in (None, 3, "TOKEN=x", [3, None, ""]):
        assert of("secret-variables", running(stack([]), Env=env)) == []


# What is run.


def running(image: LoadedImage, **config: Any) -> LoadedImage:
    info = dataclasses.replace(image.info, config={"config": config})
    return dataclasses.replace(image, info=info)


def program(interpreter: bytes = b"", kind: int = 2) -> bytes:
    """A little ELF program of 64 bits."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", kind, 62, 1, 0, 64, 0, 0, 64, 56, bool(interpreter), 64, 0, 0)
    if not interpreter:
        return head
    text = interpreter + b"\0"
    return head + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(text), len(text), 1) + text


LOADER = b"/lib64/ld-linux-x86-64.so.2"
THERE: list[Member] = [
    file("usr/bin/static", program(), mode=0o755),
    file("usr/bin/dynamic", program(LOADER), mode=0o755),
    file("usr/bin/plain", program()),
    file("usr/bin/script", b"#!/bin/sh -e\n", mode=0o755),
    file("usr/bin/windows", b"#!/bin/sh\r\n", mode=0o755),
    file("usr/bin/none", b"#!/usr/bin/python3\n", mode=0o755),
    symlink("bin", "usr/bin"),
    file("usr/bin/sh", program(), mode=0o755),
    directory("srv"),
]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"Entrypoint": ["/usr/bin/static"]}, ""),
        ({"Entrypoint": ["/bin/static"]}, ""),
        ({"Cmd": ["static", "x"]}, ""),
        ({"Cmd": ["./static"], "WorkingDir": "/usr/bin"}, ""),
        ({"Entrypoint": ["script"], "Cmd": ["gone"]}, ""),
        ({"Cmd": ["static"], "Env": ["PATH=/srv"]}, "not in it"),
        ({"Cmd": ["gone"]}, "not in it"),
        ({"Cmd": ["gone"], "Env": ["PATH=/nowhere"]}, ""),
        ({"Cmd": ["/srv"]}, "not in it"),
        ({"Cmd": ["plain"]}, "may not be executed"),
        ({"Cmd": ["dynamic"]}, "loader"),
        ({"Cmd": ["windows"]}, "interpreter"),
        ({"Cmd": ["none"]}, "interpreter"),
        ({"Cmd": "static"}, ""),
        ({"Cmd": [3]}, ""),
        ({"Cmd": [""], "Env": 7, "WorkingDir": []}, ""),
        ({}, ""),
    ],
)
def test_whether_what_is_run_is_there(config: Mapping[str, Any], says: str, tmp_path: Path) -> None:
    found = of("entrypoint", running(opened(tmp_path, THERE), **config))

    assert [advice.severity for advice in found] == [Severity.MEDIUM] * bool(says)
    assert all(says in advice.text for advice in found)


def test_a_loader_that_is_there_by_a_link(tmp_path: Path) -> None:
    layer = [*THERE, symlink("lib64", "usr/lib64"), file("usr/lib64/ld-linux-x86-64.so.2", b"x", mode=0o755)]

    assert of("entrypoint", running(opened(tmp_path, layer), Cmd=["dynamic"])) == []


@pytest.mark.parametrize(("user", "root"), [("", True), ("root", True), ("0:0", True), ("app", False), ("1000", False)])
def test_who_runs_it(user: str, root: bool) -> None:
    found = of("root-user", running(stack([]), User=user, Cmd=["x"]))

    assert [advice.severity for advice in found] == [Severity.INFO] * root


# Rights.


def test_setuid_programs_and_what_all_may_write_to() -> None:
    image = stack(
        [
            file("usr/bin/su", b"x", mode=0o4755),
            file("srv/open", b"x", mode=0o666),
            directory("srv/all").but(mode=0o777),
            directory("tmp").but(mode=0o1777),
            file("gone", b"x", mode=0o4777),
            symlink("srv/link", "open"),
        ],
        [file("usr/bin/passwd", b"x", mode=0o2755), whiteout("gone")],
    )

    (setuid,), (writable,) = of("setuid", image), of("world-writable", image)

    assert (list(setuid.paths), setuid.layers, setuid.changes) == ([b"usr/bin/passwd", b"usr/bin/su"], (0, 1), None)
    assert (list(writable.paths), writable.layers, writable.changes) == ([b"srv/all", b"srv/open"], (0,), 0)
    assert setuid.severity == writable.severity == Severity.INFO
    assert setuid.text == "The image has 2 setuid or setgid programs."


# Programs.


def test_core_dumps_are_told_by_what_they_are(tmp_path: Path) -> None:
    dump = program(kind=elf.CORE) + bytes(100_000)
    image = opened(
        tmp_path,
        [file("srv/core", dump), file("srv/core.77", dump), file("srv/core.js", b"x" * 100_000), directory("core")],
        [file("x/core", program() + bytes(90_000)), file("x/heap.hprof", 70_000)],
    )

    found = of("core-dumps", image)

    assert [(advice.saves, list(advice.paths)) for advice in found] == [
        (2 * len(dump), [b"srv/core", b"srv/core.77"]), (70_000, [b"x/heap.hprof"]),
    ]  # fmt: skip


def test_symbols_of_programs_count_as_readelf_counts_them(tmp_path: Path) -> None:
    """Of a real program with symbols, as the compiler made it."""
    source = tmp_path / "a.c"
    source.write_text("int table[99999] = {1}; int main(void) { return table[2]; }\n")
    run = [tool("gcc"), "-g", "-o", str(tmp_path / "a"), str(source)]
    subprocess.run(run, check=True)
    fat = (tmp_path / "a").read_bytes()
    listing = subprocess.run(
        [tool("readelf"), "-SW", str(tmp_path / "a")], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.partition("]")[2].split() for line in listing.splitlines() if "]" in line]
    expected = sum(int(row[4], 16) for row in rows if row and row[0].startswith((".symtab", ".strtab", ".debug")))
    assert elf.debug_bytes(lambda start, size: fat[start : start + size], len(fat)) == expected > 1000

    image = opened(tmp_path, [file("usr/bin/a", fat, mode=0o755), hardlink("usr/bin/b", "usr/bin/a")])
    found = of("unstripped", image)
    assert [(advice.saves, advice.severity) for advice in found] == [(0, Severity.INFO)] * (expected >= 4096)


@pytest.mark.parametrize("end", [0, 10, 63, 64, 65, 119, 120, 121])
def test_a_program_that_is_cut_asks_for_nothing(end: int) -> None:
    assert elf.loader_of(program(LOADER)[:end]) is None
    assert elf.loader_of(program(LOADER)) == LOADER


def test_programs_that_lie_do_no_harm() -> None:
    own = Path(os.path.realpath(sys.executable)).read_bytes()[:4096]
    for at in range(16, 64):
        for value in (0, 0xFF):
            evil = own[:at] + bytes([value]) * 8 + own[at + 8 :]
            elf.loader_of(evil)
            elf.debug_bytes(lambda start, size, evil=evil: evil[start : start + size], len(evil))  # type: ignore[misc]
