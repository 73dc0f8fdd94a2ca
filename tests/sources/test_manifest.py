"""What the JSON of an image says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from lamina import limits
from lamina.model import LaminaError
from lamina.sources import json_checks as documents
from lamina.sources.manifest import (
    chain_ids,
    image_info,
    parse_config,
    parse_docker_manifest,
    parse_index,
    parse_manifest,
)

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def config(**keys: Any) -> bytes:
    return json.dumps({"rootfs": {"type": "layers", "diff_ids": [A, B]}, **keys}).encode()


def test_chain_ids_are_as_the_image_spec_defines_them() -> None:
    second = "sha256:" + hashlib.sha256(f"{A} {B}".encode()).hexdigest()
    third = "sha256:" + hashlib.sha256(f"{second} {A}".encode()).hexdigest()
    assert chain_ids([A, B, A]) == [A, second, third]
    assert chain_ids([]) == []


def test_instructions_line_up_with_layers_once_rows_without_one_are_dropped() -> None:
    parsed = parse_config(
        config(
            history=[
                {"created_by": "/bin/sh -c #(nop) ADD rootfs", "created": "2024-01-01T00:00:00Z"},
                {"created_by": "CMD sh", "empty_layer": True},
                {"created_by": "RUN \x1b[31m make"},
            ]
        ),
        "config",
    )
    layers = image_info(parsed, target="t", image_id=A).layers
    assert [layer.instruction for layer in layers] == ["/bin/sh -c #(nop) ADD rootfs", "RUN \x1b[31m make"]
    assert [layer.created for layer in layers] == ["2024-01-01T00:00:00Z", None]


def test_history_that_does_not_line_up_says_nothing() -> None:
    parsed = parse_config(config(history=[{"created_by": "only one"}]), "config")
    assert [layer.instruction for layer in image_info(parsed, target="t", image_id=A).layers] == ["", ""]


def test_platform_has_its_variant() -> None:
    parsed = parse_config(config(os="linux", architecture="arm", variant="v7"), "config")
    assert parsed.platform == "linux/arm/v7"
    assert parse_config(config(), "config").platform == "unknown"


def test_an_image_without_layers_is_one() -> None:
    # Go leaves an empty list out.
    assert parse_config(b'{"rootfs": {"type": "layers"}}', "config").diff_ids == ()
    assert parse_docker_manifest(b'[{"Config": "c", "RepoTags": null, "Layers": null}]', "m")[0].layers == ()


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_config, b""),
        (parse_config, b"\xff\xfe\x00"),
        (parse_config, b"[]"),
        (parse_config, b"null"),
        (parse_config, b"[" * 100_000),
        (parse_config, b'{"rootfs": ' + b"9" * 10_000 + b"}"),
        (parse_config, b"{}"),
        (parse_config, b'{"rootfs": []}'),
        (parse_config, b'{"rootfs": {"diff_ids": "x"}}'),
        (parse_config, b'{"rootfs": {"diff_ids": [1]}}'),
        (parse_config, b'{"rootfs": {"diff_ids": ["../../etc/passwd"]}}'),
        (parse_config, b'{"rootfs": {"diff_ids": ["sha256:abc\\n"]}}'),
        (parse_config, config(history="x")),
        (parse_config, config(history=["x"])),
        (parse_config, config(history=[{"created_by": 7}])),
        (parse_config, config(created=7)),
        (parse_config, config(os=[])),
        (parse_docker_manifest, b"{}"),
        (parse_docker_manifest, b"[]"),
        (parse_docker_manifest, b"[7]"),
        (parse_docker_manifest, b'[{"Layers": []}]'),
        (parse_docker_manifest, b'[{"Config": "c"}]'),
        (parse_docker_manifest, b'[{"Config": 7, "Layers": []}]'),
        (parse_docker_manifest, b'[{"Config": "c", "Layers": [7]}]'),
        (parse_docker_manifest, b'[{"Config": "c", "Layers": {}, "RepoTags": []}]'),
        (parse_docker_manifest, b'[{"Config": "c", "Layers": [], "RepoTags": "x"}]'),
        (parse_index, b"{}"),
        (parse_index, b'{"manifests": {}}'),
        (parse_index, b'{"manifests": [7]}'),
        (parse_index, b'{"manifests": [{}]}'),
        (parse_index, b'{"manifests": [{"digest": "sha256:../../../x"}]}'),
        (parse_index, json.dumps({"manifests": [{"digest": A, "size": -1}]}).encode()),
        (parse_index, json.dumps({"manifests": [{"digest": A, "annotations": []}]}).encode()),
        (parse_index, json.dumps({"manifests": [{"digest": A, "platform": 3}]}).encode()),
        (parse_manifest, b"{}"),
        (parse_manifest, b'{"config": {}, "layers": []}'),
        (parse_manifest, json.dumps({"config": {"digest": A}, "layers": [7]}).encode()),
        (parse_manifest, json.dumps({"config": {"digest": A}, "layers": 7}).encode()),
    ],
)
def test_malformed_documents_get_one_line_that_names_them(parse: Callable[[bytes, str], Any], data: bytes) -> None:
    with pytest.raises(LaminaError) as caught:
        parse(data, "the document of x.tar")
    assert str(caught.value).startswith("the document of x.tar: ")
    assert str(caught.value).isprintable()


def test_a_document_too_large_to_be_one_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DOCUMENT", 1 << 20)
    with pytest.raises(LaminaError, match="limit 1 MiB"):
        parse_config(b" " * ((1 << 20) + 1), "config")


def test_hostile_names_are_quoted_visibly_and_shortly() -> None:
    assert documents.quoted("\x1b[31m\n\u202e") == r"\x1b[31m\n\u202e"
    assert len(documents.quoted("x" * 10_000)) == 200
