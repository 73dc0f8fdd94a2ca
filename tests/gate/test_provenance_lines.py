"""Layers led to lines by the provenance: exactly as one reads them in the Dockerfile, and never to a FROM."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

import built
from lamina.gate.layer_lines import LayerLine
from lamina.gate.provenance_lines import provenance_lines
from lamina.model import LayerInfo
from lamina.sources.provenance import Provenance, parse_provenance

DIGESTS = [f"sha256:{number:064x}" for number in (*range(10), 9)]


def provenance(version: str = "v1") -> Provenance:
    told = parse_provenance(built.statement(version, DIGESTS), "x")
    assert told is not None
    return told


def layers(digests: Sequence[str | None] = DIGESTS) -> list[LayerInfo]:
    return [
        LayerInfo(place, "", "", digest=digest, instruction=text)
        for place, (digest, text) in enumerate(zip(digests, built.INSTRUCTIONS, strict=True))
    ]


@pytest.mark.parametrize("version", built.VERSIONS)
def test_each_layer_has_the_line_of_its_step_and_the_bases_none(version: str) -> None:
    lines = provenance_lines(provenance(version), layers())

    assert [line and line.line for line in lines] == built.LINES
    assert all(line is None or line.exact for line in lines)


def test_layers_that_were_packed_anew_are_held_against_the_dockerfile() -> None:
    for digests in ([f"sha256:{'f' * 63}{number:x}" for number in range(11)], [None] * 11):
        lines = provenance_lines(provenance(), layers(digests))
        assert [line and line.line for line in lines] == built.LINES


def test_a_line_that_is_no_instruction_leads_nowhere() -> None:
    told = provenance()
    lying = dataclasses.replace(told, lines={tuple(DIGESTS[:6]): (99, 4, 8), tuple(DIGESTS[:7]): (6,)})

    lines = provenance_lines(lying, layers())

    assert lines == [*[None] * 6, LayerLine(6, exact=True), *[None] * 4]


def test_of_a_step_that_several_stages_have_the_last_is_taken() -> None:
    both = dataclasses.replace(provenance(), lines={tuple(DIGESTS[:6]): (10, 2)})

    assert provenance_lines(both, layers())[5] == LayerLine(10, exact=True)


def test_a_dockerfile_that_builds_nothing_or_too_much_leads_nowhere() -> None:
    told = provenance()

    assert provenance_lines(dataclasses.replace(told, text=""), layers()) == [None] * 11
    many = "FROM x\n" + "RUN true\n" * 2001
    assert provenance_lines(dataclasses.replace(told, text=many, lines={}), layers()) == [None] * 11
