"""A Dockerfile's lines, and which layer each made, by both builders' histories."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina import limits as bounds
from lamina.gate.dockerfile import Instruction, parse, read_dockerfile
from lamina.gate.layer_lines import LayerLine, layer_lines
from lamina.gate.limits import GateError

TEXT = r"""# syntax=docker/dockerfile:1

ARG VERSION=12
FROM --platform=$BUILDPLATFORM golang:1.22 AS build
RUN go build \
    # a comment between

    -o /app .
from debian:$VERSION as Run
ENV A=b
RUN apt-get update && \
    apt-get install -y  curl
COPY --from=build --chown=1:1 /app /usr/bin/
RUN <<EOF
set -e
FROM here
EOF
COPY <<-"A" <<B /etc/
	one
	A
two
B
FROM run
WORKDIR /srv
COPY . .
RUN ["make",
CMD ["x"]
"""


def test_instructions_have_their_lines() -> None:
    build, run, last = parse(TEXT)

    assert (build.base, build.name) == ("golang:1.22", "build")
    assert build.instructions == (Instruction(5, "RUN", "go build     -o /app ."),)
    assert (run.base, run.name) == ("debian:$VERSION", "Run")
    assert [(each.line, each.keyword) for each in run.instructions] == [
        (10, "ENV"), (11, "RUN"), (13, "COPY"), (14, "RUN"), (18, "COPY"),
    ]  # fmt: skip
    assert run.instructions[3].text == "<<EOF\nset -e\nFROM here"
    assert run.instructions[4].text == '<<-"A" <<B /etc/\none\ntwo'
    assert last.instructions[:5] == run.instructions
    assert [each.line for each in last.instructions[5:]] == [24, 25, 26, 27]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# escape=`\nFROM a\nRUN dir `\n c:\\\nRUN b\n", [3, 5]),
        ("FROM a\n\n\nRUN b \\\n\n\n c\r\nRUN d", [4, 8]),
        ("FROM a\nRUN cat <<EOF\nRUN x", [2]),
        ("FROM a\nENV A <<EOF\nRUN x", [2, 3]),
        ("FROM a\nRUN x \\", [2]),
        ("\ufeffFROM a\n  run x\n#RUN y\n", [2]),
        ("FROM\nRUN x", [2]),
    ],
)
def test_odd_ones(text: str, lines: list[int]) -> None:
    (stage,) = parse(text)
    assert [each.line for each in stage.instructions] == lines


def test_what_is_no_dockerfile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    with pytest.raises(GateError, match="no such file"):
        read_dockerfile(path)
    path.write_text("RUN x\n")
    with pytest.raises(GateError, match="no FROM"):
        read_dockerfile(path)
    path.write_text("FROM x\n" + "RUN x\n" * (bounds.INSTRUCTIONS + 1))
    with pytest.raises(GateError, match="more than 2000 instructions"):
        read_dockerfile(path)


BASE = "/bin/sh -c #(nop) ADD file:4d192565a7220e13 in / "


def found(text: str, *history: str, first: int = 0) -> list[tuple[int, bool] | None]:
    return [line and (line.line, line.exact) for line in layer_lines(history, parse(text), first)]


def test_the_classic_builders_history() -> None:
    text = (
        "FROM debian\nWORKDIR /srv\nRUN apt-get update \\\n  && apt-get -y upgrade\nCOPY a b ./\nADD x /opt/x\n"
        "RUN rm -r /x\n"
    )
    assert found(
        text,
        BASE,
        "/bin/sh -c #(nop) WORKDIR /srv",
        "/bin/sh -c apt-get update   && apt-get -y upgrade",
        "/bin/sh -c #(nop) COPY multi:0123456789abcdef in /srv/ ",
        "/bin/sh -c #(nop) ADD dir:0123456789abcdef in /opt/x ",
        "|1 A=b /bin/sh -c rm -r /x",
    ) == [None, (2, True), (3, True), (5, False), (6, False), (7, True)]


def test_buildkits_history() -> None:
    text = (
        "FROM debian AS a\nRUN one\nFROM a\nRUN --mount=type=cache,target=/c pip install .\nCOPY --chown=1 x $Y\n"
        "RUN <<E\nset -e\ntrue\nE\nCOPY x /y\n"
    )
    assert found(
        text,
        BASE,
        "RUN /bin/sh -c one # buildkit",
        "RUN |2 A=1 B=2 /bin/sh -c pip install . # buildkit",
        "COPY --chown=1 x /opt/y # buildkit",
        "RUN /bin/sh -c set -e\ntrue\n # buildkit",
        "COPY x /y # buildkit",
    ) == [None, (2, True), (4, True), (5, False), (6, True), (10, True)]


def test_a_command_that_was_changed_since_is_led_to_its_place_and_another_is_not() -> None:
    text = "FROM debian\nRUN apt-get install -y curl wget git\nRUN make all\n"
    history = ["RUN apt-get install -y curl wget", "RUN rm -rf /x"]
    assert found(text, *history) == [(2, False), None]


def test_equal_instructions_are_led_there_from_the_end() -> None:
    text = "FROM debian\nRUN make\nRUN make\n"
    assert found(text, "RUN make", "RUN make", "RUN make") == [None, (2, True), (3, True)]
    assert found(text, "RUN make") == [(3, True)]
    assert found(text, "RUN make", "RUN make", first=1) == [None, (3, True)]


def test_layers_that_are_more_than_the_instructions_are_the_bases() -> None:
    assert found("FROM debian\nRUN make\n", "RUN make", "RUN something else") == [None, None]


def test_the_stage_that_fits_is_taken_for_what_was_built() -> None:
    text = "FROM debian AS test\nRUN test it\nFROM debian\nRUN build it\n"
    assert found(text, "RUN test it") == [(2, True)]
    assert found(text, "RUN build it") == [(4, True)]
    assert found(text, "RUN neither nor") == [None]
    assert found("FROM a AS x\nRUN make\nFROM a\nRUN make\n", "RUN make") == [(4, True)]
    assert found(text) == []


def test_many_layers_and_instructions_take_no_time() -> None:
    history = [f"RUN step {number} of a thousand" for number in range(1000)]
    text = "FROM x\n" + "\n".join(history)
    assert layer_lines(history, parse(text)) == [LayerLine(number + 2, exact=True) for number in range(1000)]
